"""Every failure that the guide lists or the engine knows, explained."""

from dataclasses import dataclass

from redbooth_nb.errors import RedboothError

AUTHORIZE, TOKEN, API = "authorize", "token", "api"


@dataclass(frozen=True)
class Meaning:
    """What an error code means on one leg of the flow."""

    what: str
    why: str
    remedy: str
    reference: str


class TokenEndpointError(RedboothError):
    """The token endpoint said no, or something that is not a token.

    status: the HTTP status. error: the OAuth2 error code, empty when the answer held none.
    """

    status: int = 0
    error: str = ""
    error_description: str = ""


class ApiError(RedboothError):
    """A call of the API failed."""


class AuthorizeAgain(RedboothError):  # noqa: N818  (named as what to do)
    """The refresh token is dead: only the user can help, by authorizing again."""


class TransportError(RedboothError):
    """The request did not get an answer: no network, no server, too slow, or not trusted."""


_GUIDE = "guide, chapter 2, table of errors"
_AUTHORIZE = "RFC 6749 section 4.1.2.1"
_TOKEN = "RFC 6749 section 5.2"  # noqa: S105  (a section, not a secret)
_BEARER = "RFC 6750 section 3.1"

_MEANINGS = {
    (AUTHORIZE, "access_denied"): Meaning(
        "The user clicked Deny, or Redbooth refused.",
        "Access is the user's to give.",
        "Say what your app would do with the access, and let the user try again.",
        f"{_GUIDE}; {_AUTHORIZE}",
    ),
    (AUTHORIZE, "invalid_request"): Meaning(
        "The request is missing something, repeats something, or holds a value that makes no sense.",
        "Every parameter must be there once, URL-encoded.",
        "Compare your URL with the one from AuthorizationRequest, parameter by parameter.",
        f"{_GUIDE}; {_AUTHORIZE}",
    ),
    (AUTHORIZE, "unsupported_response_type"): Meaning(
        "Redbooth cannot answer in the way that response_type asks for.",
        "It knows code (web apps) and token (browser and mobile apps).",
        "Use response_type=code.",
        f"{_GUIDE}; {_AUTHORIZE}",
    ),
    (AUTHORIZE, "server_error"): Meaning(
        "Redbooth could not decide; the guide says the user's device may not be allowed on this account.",
        "The fault is on Redbooth's side, or in the account's settings.",
        "Try again later or on another device; your request is not at fault.",
        f"{_GUIDE}; {_AUTHORIZE}",
    ),
    (AUTHORIZE, "temporarily_unavailable"): Meaning(
        "Redbooth is too busy or in maintenance.",
        "The fault is on Redbooth's side.",
        "Try again in a few minutes.",
        _AUTHORIZE,
    ),
    (AUTHORIZE, "unauthorized_client"): Meaning(
        "This app may not ask in this way.",
        "Its registration does not allow the response_type.",
        "Use response_type=code, or look at the app's registration.",
        _AUTHORIZE,
    ),
    (AUTHORIZE, "invalid_scope"): Meaning(
        "The scope asked for does not exist.",
        "Redbooth knows one scope, all, and gives it unasked.",
        "Leave scope out.",
        _AUTHORIZE,
    ),
    (AUTHORIZE, "invalid_client"): Meaning(
        "Redbooth does not know this client_id.",
        "It was mistyped, belongs to another provider, or the app was deleted.",
        "Copy the Api Key from the app's page once more.",
        "RFC 6749 section 2.3",
    ),
    (AUTHORIZE, "invalid_redirect_uri"): Meaning(
        "The redirect_uri is not one that was registered.",
        "Scheme, host and path must be equal; localhost is not 127.0.0.1.",
        "Make the Return URI of the app and the redirect_uri the same.",
        "guide, chapter 2; RFC 6749 section 3.1.2.4",
    ),
    (TOKEN, "invalid_request"): Meaning(
        "The token request is missing a parameter or repeats one.",
        "Old versions of the service also say this of a refresh token that is dead.",
        "Compare the request with the guide's; on a refresh, authorize again.",
        _TOKEN,
    ),
    (TOKEN, "invalid_client"): Meaning(
        "Redbooth does not accept the app's credentials.",
        "The client_secret is wrong or missing, or the client_id is unknown.",
        "Copy Api Key and App secret from the app's page once more.",
        _TOKEN,
    ),
    (TOKEN, "invalid_grant"): Meaning(
        "The authorization code or refresh token does not count any more.",
        "It was used before, is too old (a code lives ten minutes), belongs to another app, the redirect_uri "
        "differs from the one at authorize, or a refresh was sent without client credentials.",
        "Start again at authorize. A code or refresh token works once.",
        _TOKEN,
    ),
    (TOKEN, "unauthorized_client"): Meaning(
        "This app may not use this grant type.",
        "Its registration does not allow it.",
        "Use authorization_code or refresh_token.",
        _TOKEN,
    ),
    (TOKEN, "unsupported_grant_type"): Meaning(
        "Redbooth does not know this grant_type.",
        "It was mistyped, or is not offered.",
        "Use authorization_code or refresh_token.",
        _TOKEN,
    ),
    (TOKEN, "invalid_scope"): Meaning(
        "The scope is unknown, or wider than what the user allowed.",
        "A refresh can only keep or narrow the scope.",
        "Leave scope out.",
        _TOKEN,
    ),
    (API, "expired"): Meaning(
        "The access token expired.",
        "Redbooth's access tokens live 7200 seconds, two hours.",
        "Refresh it; the kit's session does that by itself.",
        f"guide, chapter 4; {_BEARER}",
    ),
    (API, "revoked"): Meaning(
        "The access token was revoked.",
        "It was replaced by a newer one, or the user took the permission back.",
        "Use the newest token from the store; if it is that one, authorize again.",
        _BEARER,
    ),
    (API, "invalid"): Meaning(
        "Redbooth does not know this access token.",
        "It is missing, garbled, or comes from another provider.",
        "Send the header Authorization: Bearer, a space, and the whole token.",
        _BEARER,
    ),
    (API, "401"): Meaning(
        "Redbooth refuses this call, and does not say that the token is at fault.",
        "The user may not be allowed to do this.",
        "Do not refresh. Ask for something this user may see.",
        _BEARER,
    ),
    (API, "404"): Meaning(
        "There is nothing at this address, or nothing this user may see.",
        "The id or the path is wrong.",
        "Compare the address with Redbooth's API reference.",
        "",
    ),
    (API, "429"): Meaning(
        "Too many requests in a short time.",
        "Redbooth limits how often an app may ask, and publishes no figure.",
        "Wait as long as the header Retry-After says, or a minute where there is none. The token is fine.",
        "RFC 6585 section 4",
    ),
    (API, "5xx"): Meaning(
        "Something broke at Redbooth.",
        "The fault is not in your request or token.",
        "Try again later; do not refresh because of it.",
        "RFC 9110 section 15.6",
    ),
}


def meaning_of(leg: str, code: str) -> Meaning:
    """Return what the error `code` means on `leg`; for a code nobody specified, a sentence that says so."""
    unknown = Meaning(
        f"The answer was the error {code[:60]!a}.",
        "Neither the guide nor the RFC lists it.",
        "Look at the whole exchange in the transcript.",
        "",
    )
    return _MEANINGS.get((leg, code), unknown)


def bearer_problem(header: str) -> str:
    """Return "expired", "revoked" or "invalid" from a `WWW-Authenticate` header, "" when it is about something else.

    Only what the header says decides (RFC 6750 section 3.1): a 401 without invalid_token may mean "not allowed".
    """
    if 'error="invalid_token"' not in header:
        return ""
    return next((word for word in ("expired", "revoked") if word in header), "invalid")
