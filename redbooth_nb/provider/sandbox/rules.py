"""Doorkeeper's rules: which request is refused, with which error, in which order. Pure functions, no HTTP.

Order and sentences are those of Doorkeeper 5.5 (pre_authorization.rb, authorization_code_request.rb,
refresh_token_request.rb, uri_checker.rb, config/locales/en.yml).
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from redbooth_nb.provider.sandbox.records import Application, Code, Token

SCOPES: Final = ("all",)  # the only scope Redbooth is known to have
OUT_OF_BAND: Final = ("urn:ietf:wg:oauth:2.0:oob", "urn:ietf:wg:oauth:2.0:oob:auto")
SENTENCES: Final = {
    "invalid_request": "The request is missing a required parameter, includes an unsupported parameter value,"
    " or is otherwise malformed.",
    "invalid_redirect_uri": "The requested redirect uri is malformed or doesn't match client redirect URI.",
    "access_denied": "The resource owner or authorization server denied the request.",
    "invalid_scope": "The requested scope is invalid, unknown, or malformed.",
    "invalid_code_challenge_method": "The code challenge method must be plain or S256.",
    "unsupported_response_type": "The authorization server does not support this response type.",
    "unsupported_response_mode": "The authorization server does not support this response mode.",
    "invalid_client": "Client authentication failed due to unknown client, no client authentication included,"
    " or unsupported authentication method.",
    "invalid_grant": "The provided authorization grant is invalid, expired, revoked, does not match the redirection"
    " URI used in the authorization request, or was issued to another client.",
    "unsupported_grant_type": "The authorization grant type is not supported by the authorization server.",
    "unauthorized_client": "You are not authorized to revoke this token",
}
_CHARACTERS: Final = re.compile(r"(?:[\w\-.~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*", re.ASCII)


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault
    """A request is refused, with an error code of RFC 6749 and Doorkeeper's sentence for it."""

    def __init__(self, error: str, missing: str = "", *, echoes_state: bool = False) -> None:
        super().__init__(error)
        self.echoes_state = echoes_state  # Doorkeeper does so where it gives up before reading the grant
        self.error = error
        self.missing = missing
        self.description = f"Missing required parameter: {missing}." if missing else SENTENCES[error]

    @property
    def status(self) -> int:
        """The HTTP status: 401 for a client that is not who it says, 400 for the rest."""
        return 401 if self.error == "invalid_client" else 400

    @property
    def may_redirect(self) -> bool:
        """Whether the application may hear of it: not before it and its redirect URI are known to be good."""
        return self.error not in ("invalid_redirect_uri", "invalid_client") and self.missing != "client_id"


@dataclass(frozen=True)
class AuthorizationRequest:
    """A checked authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3)."""

    application: Application
    redirect_uri: str
    response_type: str
    scope: str
    state: str
    code_challenge: str
    code_challenge_method: str


def check_authorization(given: dict[str, str], application: Application | None) -> AuthorizationRequest:
    """Check an authorization request in Doorkeeper's order; raise Refused with the first thing wrong."""
    if not given.get("client_id", "").strip():
        raise Refused("invalid_request", "client_id")
    if application is None:
        raise Refused("invalid_client")
    redirect_uri, response_type = given.get("redirect_uri", ""), given.get("response_type", "")
    if not redirect_uri_allowed(redirect_uri, application.redirect_uri):
        raise Refused("invalid_redirect_uri")
    if not response_type.strip():
        raise Refused("invalid_request", "response_type")
    if response_type not in ("code", "token"):
        raise Refused("unsupported_response_type")
    if given.get("response_mode", "") not in ("", "query" if response_type == "code" else "fragment"):
        raise Refused("unsupported_response_mode")
    own = application.scopes.split()
    scope = given.get("scope", "").strip() and given["scope"]
    scope = scope or " ".join(name for name in SCOPES if not own or name in own)
    if not scope_allowed(scope, own or SCOPES):
        raise Refused("invalid_scope")
    challenge, method = given.get("code_challenge", ""), given.get("code_challenge_method", "")
    if challenge.strip() and method not in ("plain", "S256"):
        raise Refused("invalid_code_challenge_method")
    return AuthorizationRequest(
        application, redirect_uri, response_type, scope, given.get("state", ""), challenge, method
    )


def check_exchange(given: dict[str, str], code: Code | None, application: Application | None, now: float) -> Code:
    """Check a code's exchange (RFC 6749 section 4.1.3); return the code, or raise Refused."""
    verifier = given.get("code_verifier", "")
    if code and code.code_challenge and not verifier.strip():
        raise Refused("invalid_request", "code_verifier")
    redirect_uri = given.get("redirect_uri", "")
    if not redirect_uri.strip():
        raise Refused("invalid_request", "redirect_uri")
    if application is None:
        raise Refused("invalid_client")
    if code is None or code.application_id != application.id or not code.accessible(now):
        raise Refused("invalid_grant")
    if not redirect_uri_allowed(redirect_uri, code.redirect_uri) or not _proves(verifier, code):
        raise Refused("invalid_grant")
    return code


def check_refresh(
    given: dict[str, str], token: Token | None, client_id: str, application: Application | None, now: float
) -> tuple[Token, str]:
    """Check a refresh (RFC 6749 section 6); return the pair and the scope to grant, or raise Refused."""
    if token is None and not given.get("refresh_token", "").strip():
        raise Refused("invalid_request", "refresh_token")
    if token is None or token.revoked(now):
        raise Refused("invalid_grant")
    if client_id and application is None:
        raise Refused("invalid_client")
    if application is None or application.id != token.application_id:
        raise Refused("invalid_grant")  # also without any credentials: Doorkeeper names the grant, not the client
    scope = given.get("scope", given.get("scopes", ""))
    if scope.strip() and not scope_allowed(scope, token.scopes.split()):
        raise Refused("invalid_scope")
    return token, " ".join(dict.fromkeys(scope.split())) or token.scopes


def scope_allowed(scope: str, allowed: tuple[str, ...] | list[str]) -> bool:
    """Tell whether every scope asked for is on offer."""
    return bool(scope) and not re.search(r"[\n\r\t]", scope) and set(scope.split()) <= set(allowed)


def redirect_uri_allowed(uri: str, registered: str) -> bool:
    """Tell whether a redirect URI matches one of the registered ones, separated by white space.

    Scheme, host, port and path must be equal; an added query passes; on a loopback *address* any port passes
    (RFC 8252 section 7.3), but ``localhost`` is a name, not an address.
    """
    if uri in OUT_OF_BAND:
        return uri in registered.split()
    asked = _parsed(uri)
    if asked is None or "#" in uri or redirect_uri_problem(uri):
        return False
    return any(_same(asked, other) for other in map(_parsed, registered.split()) if other)


def redirect_uri_problem(uri: str) -> str:
    """Return what is wrong with one redirect URI for the registration form, or an empty string."""
    if uri in OUT_OF_BAND:
        return ""
    parsed = _parsed(uri)
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
    """Put an answer into a redirect URI: after ``?`` beside what is there, or after ``#`` (implicit flow)."""
    base, _, query = uri.partition("?")
    answer = {name: value for name, value in answer.items() if value}
    if fragment:
        return f"{uri}#{urlencode(answer)}"
    return f"{base}?{urlencode([*parse_qsl(query), *answer.items()])}"


def _parsed(uri: str) -> SplitResult | None:
    if not _CHARACTERS.fullmatch(uri) or uri.count("#") > 1 or re.match(r"[^a-zA-Z/?#][^/]*:", uri):
        return None
    try:
        parsed = urlsplit(uri)
        parsed.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        return None
    return parsed


def _same(asked: SplitResult, registered: SplitResult) -> bool:
    if registered.query and sorted(registered.query.split("&")) != sorted(asked.query.split("&")):
        return False
    return _parts(asked, registered) == _parts(registered, asked)


def _parts(uri: SplitResult, other: SplitResult) -> tuple[object, ...]:
    any_port = _is_loopback(uri) and _is_loopback(other)
    port = None if any_port else uri.port or {"http": 80, "https": 443}.get(uri.scheme)
    return uri.scheme, uri.username, uri.password, uri.hostname, port, uri.path or "/"


def _is_loopback(uri: SplitResult) -> bool:
    host = uri.hostname or ""
    return host == "::1" or re.fullmatch(r"127\.\d{1,3}\.\d{1,3}\.\d{1,3}", host) is not None


def _proves(verifier: str, code: Code) -> bool:
    """RFC 7636 section 4.6; a verifier for a code without challenge is refused, too."""
    if not verifier.strip():
        return not code.code_challenge
    if code.code_challenge_method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        return code.code_challenge == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return code.code_challenge_method == "plain" and code.code_challenge == verifier
