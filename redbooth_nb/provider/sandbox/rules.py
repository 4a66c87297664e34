"""What Doorkeeper 5.5 refuses, and in which order: its pre_authorization.rb, *_request.rb and uri_checker.rb."""

import re
from typing import Final
from urllib.parse import urlsplit

from oauthlib.common import add_params_to_uri
from oauthlib.oauth2.rfc6749.grant_types import authorization_code as pkce

from redbooth_nb.provider.sandbox.data import SENTENCES, SETTINGS, Application, Code, Token

SCOPES: Final = ("all",)  # the only scope Redbooth is known to have
OUT_OF_BAND: Final = ("urn:ietf:wg:oauth:2.0:oob", "urn:ietf:wg:oauth:2.0:oob:auto")
RESPONSE_MODES: Final = {"code": ("query", "fragment"), "token": ("fragment",)}  # form_post: see differences.toml
_CHARACTERS: Final = r"(?:[\w\-.~:/?\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*"
_VALID: Final = re.compile(rf"(?![^a-zA-Z/?#][^/]*:){_CHARACTERS}(?:#{_CHARACTERS})?", re.ASCII)


class RefusedError(Exception):
    """A request is refused, with an error code of RFC 6749 and Doorkeeper's sentence for it."""

    def __init__(self, error: str, missing: str = "") -> None:
        super().__init__(error)
        self.error = error
        self.description = f"Missing required parameter: {missing}." if missing else SENTENCES["doorkeeper"][error]
        self.status = 401 if error == "invalid_client" else 400
        # Doorkeeper does so when it gives up before it reads the grant.
        self.echoes_state = error == "unsupported_grant_type" or missing in ("grant_type", "code")
        # The application is told only if both it and its redirect URI are known to be good.
        self.may_redirect = error not in ("invalid_redirect_uri", "invalid_client") and missing != "client_id"


def required(given: dict[str, str], name: str) -> str:
    """Return a parameter that must not be blank, or raise RefusedError."""
    if not given.get(name, "").strip():
        raise RefusedError("invalid_request", name)
    return given[name]


def check_authorization(given: dict[str, str], application: Application | None) -> tuple[Application, dict[str, str]]:
    """Check an authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3) in Doorkeeper's order.

    Returns the application and every parameter, or raises RefusedError with the first thing wrong.
    """
    required(given, "client_id")
    if application is None:
        raise RefusedError("invalid_client")
    if not redirect_uri_allowed(given.get("redirect_uri", ""), application.redirect_uri):
        raise RefusedError("invalid_redirect_uri")
    response_type = required(given, "response_type")
    if response_type not in RESPONSE_MODES:
        raise RefusedError("unsupported_response_type")
    if given.get("response_mode", "").strip() and given["response_mode"] not in RESPONSE_MODES[response_type]:
        raise RefusedError("unsupported_response_mode")
    own = application.scopes.split()
    scope = given.get("scope", "").strip() and given["scope"]
    scope = scope or " ".join(name for name in SCOPES if not own or name in own)
    if not _scope_allowed(scope, own or SCOPES):
        raise RefusedError("invalid_scope")
    if given.get("code_challenge", "").strip() and given.get("code_challenge_method") not in ("plain", "S256"):
        raise RefusedError("invalid_code_challenge_method")
    return application, {name: given.get(name, "") for name in SETTINGS["form"]["fields"]} | {"scope": scope}


def denial(given: dict[str, str], application: Application | None) -> RefusedError:
    """Return the answer to Deny. Doorkeeper checks nothing first; here the client and its address must be known."""
    try:
        check_authorization(given, application)
    except RefusedError as refused:
        if not refused.may_redirect or given.get("response_type") not in RESPONSE_MODES:
            return refused
    return RefusedError("access_denied")


def error_on_fragment(given: dict[str, str], error: str) -> bool:
    """Tell whether an error goes after ``#``: as the response mode says, or by default for the implicit flow."""
    mode = given.get("response_mode")
    if mode is None or (not mode.strip() and error != "access_denied"):  # Deny doesn't fill in the default
        return given.get("response_type") == "token"
    return mode == "fragment"


def check_exchange(given: dict[str, str], code: Code | None, application: Application | None, now: float) -> Code:
    """Check a code's exchange (RFC 6749 section 4.1.3); return the code, or raise RefusedError."""
    verifier = given.get("code_verifier", "")
    if code and code.code_challenge:
        required(given, "code_verifier")
    redirect_uri = required(given, "redirect_uri")
    if application is None:
        raise RefusedError("invalid_client")
    usable = code and code.application_id == application.id and code.accessible(now)
    if code and usable and redirect_uri_allowed(redirect_uri, code.redirect_uri) and _proves(verifier, code):
        return code
    raise RefusedError("invalid_grant")


def check_refresh(
    given: dict[str, str], token: Token | None, client_id: str, application: Application | None, now: float
) -> tuple[Token, str]:
    """Check a refresh (RFC 6749 section 6); return the pair and the scope to grant, or raise RefusedError."""
    if token is None:
        required(given, "refresh_token")
    if token is None or token.revoked(now):
        raise RefusedError("invalid_grant")
    if client_id and application is None:
        raise RefusedError("invalid_client")
    if application is None or application.id != token.application_id:
        raise RefusedError("invalid_grant")  # also without any credentials: Doorkeeper names the grant, not the client
    scope = given.get("scope", given.get("scopes", ""))
    if scope.strip() and not _scope_allowed(scope, token.scopes.split()):
        raise RefusedError("invalid_scope")
    return token, " ".join(dict.fromkeys(scope.split())) or token.scopes


def _scope_allowed(scope: str, allowed: tuple[str, ...] | list[str]) -> bool:
    return bool(scope) and not re.search(r"[\n\r\t]", scope) and set(scope.split()) <= set(allowed)


def redirect_uri_allowed(uri: str, registered: str) -> bool:
    """Tell whether a redirect URI matches one of the registered ones: in scheme, host, port and path.

    An added query is allowed, and any port on a loopback *address* (RFC 8252 section 7.3), which localhost is not.
    """
    if redirect_uri_problem(uri) or uri in OUT_OF_BAND:
        return uri in OUT_OF_BAND and uri in registered.split()
    places = [urlsplit(known) for known in registered.split() if _place(known) == _place(uri)]
    query = sorted(urlsplit(uri).query.split("&"))
    return any(not known.query or sorted(known.query.split("&")) == query for known in places)


def redirect_uri_problem(uri: str) -> str:
    """Return what is wrong with one redirect URI for the registration form, or an empty string."""
    if uri in OUT_OF_BAND:
        return ""
    try:
        parsed = urlsplit(uri) if _VALID.fullmatch(uri) else None
        _ = parsed and parsed.port  # raises if it isn't a number
    except ValueError:
        parsed = None
    if parsed is None:
        return "must be a valid URI."
    if "#" in uri:
        return "cannot contain a fragment."
    if not parsed.scheme:
        return "must be an absolute URI."
    if parsed.scheme == "localhost" or not uri[len(parsed.scheme) + 1 :].startswith("/"):
        return "must specify a scheme."
    return "must be a valid URI." if parsed.scheme in ("http", "https") and not parsed.hostname else ""


def with_answer(uri: str, answer: dict[str, str], *, fragment: bool) -> str:
    return str(add_params_to_uri(uri, [(name, value) for name, value in answer.items() if value], fragment=fragment))


def _place(uri: str) -> tuple[object, ...]:
    parts = urlsplit(uri)
    host = parts.hostname or ""
    any_port = host == "::1" or re.fullmatch(r"127\.\d{1,3}\.\d{1,3}\.\d{1,3}", host)
    port = None if any_port else parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.username, parts.password, host, port, parts.path or "/"


def _proves(verifier: str, code: Code) -> bool:
    """Check the verifier as RFC 7636 section 4.6 says; a verifier for a code without a challenge is refused too."""
    if not verifier.strip():
        return not code.code_challenge
    checks = {"S256": pkce.code_challenge_method_s256, "plain": pkce.code_challenge_method_plain}
    method = code.code_challenge_method
    return method in checks and checks[method](verifier, code.code_challenge)
