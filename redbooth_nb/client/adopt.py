"""Stage 2 with the library alone: a request that requests-oauthlib made becomes the one under way."""

from urllib.parse import parse_qsl

from redbooth_nb.client.authorize import KEPT_FIELDS, AuthorizationRequest, PendingAuthorization
from redbooth_nb.client.errors import failure
from redbooth_nb.client.register import Settings
from redbooth_nb.errors import RedboothError, only_kit_errors
from redbooth_nb.provider.addresses import AUTHORIZE_URL


@only_kit_errors
def adopt(url: str, settings: Settings | None = None) -> AuthorizationRequest:
    """Adopt the request that `OAuth2Session.authorization_url` made, and remember it as the one under way.

    Raises RedboothError when the address is not that of a request of this app, with `state` and without PKCE.
    """
    settings = settings or Settings.load()
    address, _, query = url.partition("?")
    given = parse_qsl(query, keep_blank_values=True)
    fields = {name: dict(given).get(name, "") for name in KEPT_FIELDS}
    request = AuthorizationRequest(settings, **fields | {"nonce": ""}, code_verifier=None)
    if address != AUTHORIZE_URL or sorted(given) != sorted(request.parameters.items()) or not request.state:
        raise failure(RedboothError, "pending", "foreign")
    PendingAuthorization(settings).begin(request)
    return request
