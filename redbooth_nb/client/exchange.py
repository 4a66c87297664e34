"""Stage 3, exchange: the authorization code becomes a token (guide, chapter 3; RFC 6749 section 4.1.3).

A code is marked as sent before it is sent, and never sent again: it works once, and a second use looks like theft.
"""

from redbooth_nb.client.authorize import PendingAuthorization
from redbooth_nb.client.errors import failure
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.store import TokenStore
from redbooth_nb.client.token import Token
from redbooth_nb.client.token_endpoint import token_session
from redbooth_nb.client.wire import TIMEOUT
from redbooth_nb.errors import NotYet, only_kit_errors
from redbooth_nb.provider.addresses import TOKEN_URL


@only_kit_errors
def exchange(response: AuthorizationResponse | None = None) -> Token:
    """Exchange the code of `response` (default: the last answer that came) for a token, and save it.

    Raises NotYet without a code or when it was sent before, TokenEndpointError when the service refuses,
    TransportError when it does not answer; the code may then be used up, and the way on is to authorize again.
    """
    response = response or AuthorizationResponse.last()
    if response.code is None:
        raise failure(NotYet, "exchange", "no_code", answer=response.describe())
    request = response.request
    settings, store = request.settings, TokenStore(request.settings.folder)
    # oauthlib compares the state that was sent with the one in the callback; if none came back, response.state_check
    # says what was accepted in its place
    state = request.state if response.state is not None else None
    with store.lock():
        store.check()  # before the code is used up for a token that could not be kept
        PendingAuthorization(settings).mark_code_sent(request)
        with token_session("exchange", settings, redirect_uri=request.redirect_uri, state=state) as oauth:
            answer = oauth.fetch_token(
                TOKEN_URL,
                authorization_response=response.url_for_oauthlib,
                include_client_id=True,
                client_secret=settings.client_secret.reveal(),
                code_verifier=request.code_verifier and request.code_verifier.reveal(),
                timeout=TIMEOUT,
            )
        token = Token.from_answer(answer, settings.provider.now())
        store.save(token)
    return token
