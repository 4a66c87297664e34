"""Stage 3, exchange: the authorization code becomes a token (guide, chapter 3; RFC 6749 section 4.1.3).

A code is marked as sent before it is sent, and never sent again: it works once, and a second use looks like theft.
"""

from contextlib import suppress

from redbooth_nb.client.authorize import PendingAuthorization
from redbooth_nb.client.errors import TransportError, failure
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.store import TokenStore
from redbooth_nb.client.token import Token
from redbooth_nb.client.token_endpoint import token_session
from redbooth_nb.client.wire import TIMEOUT
from redbooth_nb.errors import NotYet, RedboothError, only_kit_errors
from redbooth_nb.provider.addresses import TOKEN_URL


@only_kit_errors
def exchange(response: AuthorizationResponse | None = None) -> Token:
    """Exchange the code of `response` (default: the last answer that came) for a token, and save it.

    Raises NotYet without a code, CodeAlreadySent when it was sent before, TokenEndpointError when the service
    refuses, TransportError when it does not answer: if `error.sent`, authorize again, the code may be used up.
    """
    response = response or AuthorizationResponse.last()
    if response.code is None:
        raise failure(NotYet, "exchange", "no_code", answer=response.describe())
    request = response.request
    settings, store = request.settings, TokenStore(request.settings.folder)
    # `read` has already checked the state. oauthlib insists on a check of its own; None switches that one off, for
    # an answer without state that `read` accepted
    state = request.state if response.state is not None else None
    pending = PendingAuthorization(settings)
    with store.lock():
        store.check()  # before the code is used up for a token that could not be kept
        pending.mark_code_sent(request, response.code)
        try:
            with token_session("exchange", settings, redirect_uri=request.redirect_uri, state=state) as oauth:
                answer = oauth.fetch_token(
                    TOKEN_URL,
                    authorization_response=response.url_for_oauthlib,
                    include_client_id=True,
                    client_secret=settings.client_secret.reveal(),
                    code_verifier=request.code_verifier and request.code_verifier.reveal(),
                    timeout=TIMEOUT,
                )
        except TransportError as error:
            if not error.sent:
                with suppress(RedboothError):  # what went wrong first is what to tell
                    pending.unmark_code_sent(request, response.code, response.callback_url)
            raise
        token = Token.from_answer(answer, settings.provider.now())
        store.save(token)
    return token
