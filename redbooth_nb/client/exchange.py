"""Stage 3, exchange: the authorization code becomes a token (guide, chapter 3; RFC 6749 section 4.1.3).

A code is marked as sent before it is sent, and never sent again: it works once, and a second use looks like theft.
"""

from contextlib import suppress

from redbooth_nb.client.authorize import PendingAuthorization
from redbooth_nb.client.errors import TransportError
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.store import TokenStore
from redbooth_nb.client.token import Token, token_session
from redbooth_nb.client.wire import TIMEOUT
from redbooth_nb.errors import RedboothError, only_kit_errors
from redbooth_nb.provider.addresses import TOKEN_URL


@only_kit_errors
def exchange(response: AuthorizationResponse | None = None) -> Token:
    """Exchange the code of `response` (default: the last answer that came) for a token, and save it.

    Raises NotYet without a code, CodeAlreadySent when it was sent before, TokenEndpointError when the service
    refuses, TransportError when it does not answer: if `error.sent`, authorize again, the code may be used up.
    """
    response = response or AuthorizationResponse.last()
    request = response.request
    settings, store = request.settings, TokenStore(request.settings.folder)
    with store.lock():
        store.check()  # before the code is used up for a token that could not be kept
        callback_url = response.use()
        try:
            with token_session("exchange", settings, redirect_uri=request.redirect_uri, state=request.state) as oauth:
                answer = oauth.fetch_token(
                    TOKEN_URL,
                    authorization_response=callback_url,
                    include_client_id=True,
                    client_secret=settings.client_secret.reveal(),
                    code_verifier=request.code_verifier and request.code_verifier.reveal(),
                    timeout=TIMEOUT,
                )
        except TransportError as error:
            if not error.sent and response.code:
                with suppress(RedboothError):  # what went wrong first is what to tell
                    PendingAuthorization(settings).unmark_code_sent(request, response.code, response.callback_url)
            raise
        token = Token.from_answer(answer, settings.provider.now())
        store.save(token)
    return token
