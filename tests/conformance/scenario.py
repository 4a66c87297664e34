"""One play, many stages: every exchange worth comparing, run against the sandbox or the real Doorkeeper.

Cases with a number were first recorded with curl from Doorkeeper 5.5.0; cases starting with "x-" were added here.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from bs4 import BeautifulSoup, Tag
from doorkeeper.engine import Doorkeeper

CALLBACK = "http://127.0.0.1:8765/callback"
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
VERIFIER = "conformance-verifier-" + "v" * 40
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
HEADERS = (
    "Content-Type", "Cache-Control", "Pragma", "WWW-Authenticate",
    "PaginationLinks", "PaginationTotalPages", "PaginationPerPage", "PaginationCurrentPage", "PaginationTotalObjects",
)  # fmt: skip


@dataclass
class Stage:
    """A provider to play on: where it is, its seeded application, how to let time pass there, and how to reach it."""

    base_url: str
    client_id: str
    client_secret: str
    pass_time: Callable[[int], None]
    deliver: Callable[[requests.Session], None] = lambda _: None

    def session(self) -> requests.Session:
        """Return a new session that reaches the provider."""
        session = requests.Session()
        self.deliver(session)
        return session


@dataclass
class Cast:
    """One application and one person's browser on a stage; ``note`` writes down what came back."""

    stage: Stage
    facts: dict[str, dict[str, Any]]
    client_id: str = ""
    client_secret: str = ""
    browser: requests.Session = field(init=False)

    def __post_init__(self) -> None:
        """Open the browser."""
        self.browser = self.stage.session()

    def note(self, case: str, response: requests.Response) -> requests.Response:
        assert case not in self.facts, case
        self.facts[case] = reduced(response, self.stage.base_url)
        return response

    def url(self, path: str) -> str:
        return self.stage.base_url + path

    def authorize(self, method: str = "GET", **changes: str | None) -> requests.Response:
        asked = {"client_id": self.client_id, "redirect_uri": CALLBACK, "response_type": "code", "state": "st-1"}
        place = {"params" if method == "GET" else "data": without_none(asked | changes)}
        return self.browser.request(method, self.url("/oauth2/authorize"), allow_redirects=False, timeout=20, **place)

    def press(self, page: requests.Response, button: int = 0, **changes: str | None) -> requests.Response:
        """Send the consent page's first form (allow) or second one (deny), perhaps tampered with."""
        return self.send("POST", page, button, **changes)

    def send(
        self, method: str, page: requests.Response, button: int = 0, query: str = "", **changes: str | None
    ) -> requests.Response:
        """Send one of a page's forms by any method."""
        form = [form for form in forms(page) if form.select_one("[name=commit]")][button]
        fields = {str(one["name"]): str(one.get("value", "")) for one in form.select("input[name]")}
        target = urljoin(page.url, str(form["action"])) + query
        return self.browser.request(
            method, target, data=without_none(fields | changes), allow_redirects=False, timeout=20
        )

    def code(self, **changes: str | None) -> str:
        page = self.authorize(**changes)
        answer = self.press(page) if page.status_code == 200 else page
        return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]

    def token(self, **changes: str | None) -> requests.Response:
        known = {"client_id": self.client_id, "client_secret": self.client_secret}
        return self.stage.session().post(self.url("/oauth2/token"), without_none(known | changes), timeout=20)

    def exchange(self, code: str, **changes: str | None) -> requests.Response:
        given = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        return self.token(**given | changes)

    def refresh(self, token: str | None, **changes: str | None) -> requests.Response:
        return self.token(**{"grant_type": "refresh_token", "refresh_token": token} | changes)

    def post(self, path: str, **given: str) -> requests.Response:
        return self.stage.session().post(self.url(path), given, timeout=20)

    def api(self, path: str, authorization: str | None = None) -> requests.Response:
        headers = {"Authorization": authorization} if authorization else {}
        return self.stage.session().get(self.url(path), headers=headers, timeout=20)

    def me(self, token: str) -> requests.Response:
        return self.api("/api/3/me", f"Bearer {token}")

    def basic(self, **given: str) -> requests.Response:
        pair = (self.client_id, self.client_secret)
        return self.stage.session().post(self.url("/oauth2/token"), given, auth=pair, timeout=20)

    def register(self, name: str = "Second", uri: str = CALLBACK, confidential: str = "1") -> requests.Response:
        """Fill in the registration form."""
        page = self.browser.get(self.url("/oauth2/applications/new"), timeout=20)
        form = next(form for form in forms(page) if form.select_one('[name^="doorkeeper_application"]'))
        token = str(form.select_one("[name=authenticity_token]")["value"])  # type: ignore[index]
        mine = {"name": name, "redirect_uri": uri, "confidential": confidential, "scopes": ""}
        fields = {f"doorkeeper_application[{key}]": value for key, value in mine.items()}
        fields |= {"authenticity_token": token, "commit": "Submit"}
        target = urljoin(page.url, str(form["action"]))
        return self.browser.post(target, fields, allow_redirects=False, timeout=20)

    def newcomer(self, **changes: str) -> "Cast":
        """Return another application on the same stage, with a browser of its own."""
        created = self.register(**changes)
        page = self.browser.get(urljoin(created.url, created.headers["Location"]), timeout=20)
        credentials = [one.get_text(strip=True) for one in soup(page).select("#application_id, #secret")]
        return Cast(self.stage, self.facts, *credentials)


def play(start: Callable[..., Stage]) -> dict[str, dict[str, Any]]:
    """Play every case; ``start`` returns a fresh stage for the settings given."""
    facts: dict[str, dict[str, Any]] = {}
    stage = start()
    first = Cast(stage, facts, stage.client_id, stage.client_secret)
    _the_usual_way(first)
    _token_errors(first)
    _encodings_and_pkce(first)
    _authorize_errors(first)
    _deny_and_forgery(first.newcomer())
    _response_modes(first.newcomer())
    _methods(first.newcomer())
    _out_of_band(first.newcomer(uri=OUT_OF_BAND))
    _revocation(first.newcomer())
    _console(first)
    _public(first.newcomer(confidential="0"))
    _expiry(first.newcomer())
    stage = start(revoke_on_use=True)
    _on_first_use(Cast(stage, facts, stage.client_id, stage.client_secret))
    return facts


def _the_usual_way(app: Cast) -> None:
    page = app.note("001-authorize-consent-page", app.authorize())
    allowed = app.note("002-authorize-allow", app.press(page))
    code = parse_qs(urlsplit(allowed.headers["Location"]).query)["code"][0]
    token = app.note("003-token-from-code", app.exchange(code)).json()
    access, bearer = token["access_token"], f"Bearer {token['access_token']}"
    app.note("004-me-bearer-header", app.me(access))
    app.note("005-me-access-token-in-query", app.api(f"/api/3/me?access_token={access}"))
    app.note("x-me-bearer-token-in-query", app.api(f"/api/3/me?bearer_token={access}"))
    app.note("006-me-lowercase-scheme", app.me(access) and app.api("/api/3/me", f"bearer {access}"))
    app.note("007-projects", app.api("/api/3/projects", bearer))
    app.note("008-tasks-page-2", app.api("/api/3/tasks?page=2", bearer))
    app.note("x-tasks-filtered", app.api("/api/3/tasks?per_page=4&page=2&project_id=202&status=open", bearer))
    app.note("x-tasks-page-0", app.api("/api/3/tasks?page=0&per_page=0", bearer))
    app.note("x-task", app.api("/api/3/tasks/301", bearer))
    app.note("x-task-unknown", app.api("/api/3/tasks/9", bearer))
    app.note("x-task-not-a-number", app.api("/api/3/tasks/x", bearer))
    app.note("x-task-number-and-more", app.api("/api/3/tasks/301x", bearer))
    app.note("x-tasks-page-not-a-number", app.api("/api/3/tasks?page=x&per_page=+2.9", bearer))
    app.note("x-tasks-page-far-away", app.api("/api/3/tasks?page=999999999999&per_page=-1", bearer))
    app.note("x-api-unknown-address", app.api("/api/3/persons", bearer))
    introspected = {"token": "nonsense", "client_id": app.client_id, "client_secret": app.client_secret}
    app.note("x-introspect", app.post("/oauth2/introspect", **introspected))
    app.note("009-token-info", app.api("/oauth2/token/info", bearer))
    app.note("010-authorize-again-no-consent", app.authorize())
    app.note("011-me-no-token", app.api("/api/3/me"))
    app.note("012-me-unknown-token", app.me("nonsense"))
    app.note("013-me-wrong-scheme", app.api("/api/3/me", f"Token {access}"))
    app.note("014-token-info-unknown", app.api("/oauth2/token/info", "Bearer nonsense"))
    app.note("015-code-reused", app.exchange(code))
    assert app.me(access).status_code == 200  # reuse leaves the living pair alone
    fresh = app.note("017-refresh", app.refresh(token["refresh_token"])).json()
    app.note("018-me-old-token-after-refresh", app.me(access))
    app.note("019-me-new-token-after-refresh", app.me(fresh["access_token"]))
    app.note("020-refresh-reused", app.refresh(token["refresh_token"]))
    living = fresh["refresh_token"]
    app.note("022-refresh-unknown", app.refresh("nonsense"))
    app.note("023-refresh-missing-token", app.refresh(None))
    app.note("024-refresh-wrong-secret", app.refresh(living, client_secret="wrong"))
    app.note("025-refresh-no-secret", app.refresh(living, client_secret=None))
    app.note("026-refresh-no-client", app.refresh(living, client_id=None, client_secret=None))
    app.note("027-refresh-wider-scope", app.refresh(living, scope="all more"))
    app.note("x-refresh-scope-with-tab", app.refresh(living, scope="all\t"))
    app.note("x-refresh-of-another-app", app.newcomer().refresh(living))
    app.note("028-refresh-same-scope", app.refresh(living, scope="all"))


def _token_errors(app: Cast) -> None:
    app.note("031-token-wrong-secret", app.exchange(app.code(), client_secret="wrong"))
    app.note("032-token-no-secret", app.exchange(app.code(), client_secret=None))
    app.note("033-token-unknown-client", app.exchange(app.code(), client_id="nobody"))
    app.note("034-token-no-client", app.exchange(app.code(), client_id=None, client_secret=None))
    app.note("035-token-wrong-redirect-uri", app.exchange(app.code(), redirect_uri="http://127.0.0.1:8765/other"))
    app.note("037-token-missing-redirect-uri", app.exchange(app.code(), redirect_uri=None))
    app.note("038-token-missing-code", app.token(grant_type="authorization_code", redirect_uri=CALLBACK))
    app.note("039-token-unknown-code", app.exchange("nonsense"))
    app.note("040-token-missing-grant-type", app.exchange(app.code(), grant_type=None))
    app.note("041-token-unsupported-grant-type", app.exchange(app.code(), grant_type="password"))
    app.note("042-token-client-credentials", app.token(grant_type="client_credentials"))
    app.note("043-token-empty-request", app.post("/oauth2/token"))
    app.note("x-token-error-echoes-state", app.post("/oauth2/token", state="st-1"))
    app.note("x-token-unsupported-grant-type-echoes-state", app.token(grant_type="password", state="st-1"))
    app.note("x-token-error-without-state", app.exchange("nonsense", state="st-1"))
    app.note("x-token-of-another-app", app.newcomer().exchange(app.code()))
    app.note("x-token-redirect-uri-with-query", app.exchange(app.code(), redirect_uri=CALLBACK + "?a=1"))
    app.note("x-token-blank-code", app.exchange("  "))
    query = {"grant_type": "authorization_code", "code": app.code(), "redirect_uri": CALLBACK}
    query |= {"client_id": app.client_id, "client_secret": app.client_secret}
    app.note("044-token-by-get", app.stage.session().get(app.url("/oauth2/token"), params=query, timeout=20))


def _encodings_and_pkce(app: Cast) -> None:
    def given() -> dict[str, str]:
        pair = {"client_id": app.client_id, "client_secret": app.client_secret}
        return {"grant_type": "authorization_code", "code": app.code(), "redirect_uri": CALLBACK, **pair}

    url = app.url("/oauth2/token")
    app.note("046-token-json-body", app.stage.session().post(url, json=given(), timeout=20))
    parts = {name: (None, value) for name, value in given().items()}
    app.note("x-token-multipart", app.stage.session().post(url, files=parts, timeout=20))
    app.note("x-token-query-on-post", app.stage.session().post(url, params=given(), timeout=20))
    app.note(
        "x-token-query-beats-body", app.stage.session().post(url, given(), params={"code": "nonsense"}, timeout=20)
    )
    app.note("x-token-trailing-slash", app.stage.session().post(url + "/", given(), timeout=20))
    broken = {"Content-Type": "application/json"}
    app.note("x-token-broken-json", app.stage.session().post(url, "{", headers=broken, timeout=20))
    app.note("x-token-json-list", app.stage.session().post(url, "[1]", headers=broken, timeout=20))
    answer = app.basic(grant_type="authorization_code", code=app.code(), redirect_uri=CALLBACK)
    token = app.note("050-token-http-basic", answer).json()
    app.note("053-refresh-http-basic", app.basic(grant_type="refresh_token", refresh_token=token["refresh_token"]))
    wrong = app.stage.session().post(
        url, {**given(), "client_secret": "x"}, auth=(app.client_id, app.client_secret), timeout=20
    )
    app.note("x-token-basic-beats-body", wrong)
    secured = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    app.note("054-pkce-right-verifier", app.exchange(app.code(**secured), code_verifier=VERIFIER))
    app.note("055-pkce-wrong-verifier", app.exchange(app.code(**secured), code_verifier="x" * 43))
    app.note("056-pkce-missing-verifier", app.exchange(app.code(**secured)))
    plain = {"code_challenge": VERIFIER, "code_challenge_method": "plain"}
    app.note("x-pkce-plain", app.exchange(app.code(**plain), code_verifier=VERIFIER))
    app.note("x-pkce-plain-wrong-verifier", app.exchange(app.code(**plain), code_verifier="x" * 43))
    app.note("x-pkce-verifier-without-challenge", app.exchange(app.code(), code_verifier=VERIFIER))


def _authorize_errors(app: Cast) -> None:
    def ask(case: str, **changes: str | None) -> None:
        app.note(case, app.authorize(**changes))

    ask("059-authorize-unknown-client", client_id="nobody")
    ask("060-authorize-missing-client", client_id=None)
    ask("061-authorize-wrong-redirect-uri", redirect_uri="http://evil.example.test/cb")
    ask("062-authorize-missing-redirect-uri", redirect_uri=None)
    ask("064-authorize-redirect-uri-localhost", redirect_uri="http://localhost:8765/callback")
    ask("x-authorize-redirect-uri-prefix", redirect_uri=CALLBACK + "/more")
    ask("x-authorize-redirect-uri-fragment", redirect_uri=CALLBACK + "#here")
    ask("x-authorize-redirect-uri-with-query", redirect_uri=CALLBACK + "?nonce=1%202&code=mine")
    ask("x-authorize-redirect-uri-other-port", redirect_uri="http://127.0.0.1:9999/callback")
    ask("x-authorize-redirect-uri-other-loopback", redirect_uri="http://127.0.0.2:9999/callback")
    ask("x-authorize-redirect-uri-upper-case", redirect_uri="HTTP://127.0.0.1:8765/callback")
    ask("x-authorize-redirect-uri-user", redirect_uri="http://127.0.0.1:8765@evil.example.test/callback")
    ask("x-authorize-redirect-uri-space", redirect_uri="http://127.0.0.1:8765/call back")
    ask("x-authorize-redirect-uri-no-scheme", redirect_uri="127.0.0.1:8765/callback")
    ask("068-authorize-missing-response-type", response_type=None)
    ask("069-authorize-unsupported-response-type", response_type="id_token")
    ask("071-authorize-without-state", state=None)
    ask("x-authorize-state-kept", state='{"a": "ü&="} +%41')
    ask("x-authorize-unknown-scope", scope="admin")
    ask("x-authorize-wrong-challenge-method", code_challenge=CHALLENGE, code_challenge_method="S512")
    ask("x-authorize-unknown-response-mode", response_mode="nonsense")
    ask("x-authorize-response-mode-form-post", response_mode="form_post")
    ask("x-authorize-response-mode-query", response_mode="query")
    ask("x-authorize-response-mode-fragment", response_mode="fragment")  # the code is in the query all the same
    ask("x-authorize-response-mode-blank", response_mode=" ")
    ask("x-authorize-implicit-response-mode-query", response_type="token", response_mode="query")
    ask("x-authorize-implicit-response-mode-fragment", response_type="token", response_mode="fragment")


def _deny_and_forgery(app: Cast) -> None:
    page = app.note("073-deny-consent-page", app.authorize())
    app.note("074-authorize-deny", app.press(page, 1))
    app.note("075-authorize-deny-without-state", app.press(app.authorize(state=None), 1))
    app.note("077-authorize-deny-implicit", app.press(app.authorize(response_type="token"), 1))
    app.note("081-allow-unsupported-response-type", app.press(page, response_type="id_token"))
    app.note("082-allow-unknown-scope", app.press(page, scope="admin"))
    app.note("x-allow-missing-response-type", app.press(page, response_type=None))
    app.note("x-allow-missing-client", app.press(page, client_id=None))
    app.note("x-allow-unknown-client", app.press(page, client_id="nobody"))
    app.note("x-allow-wrong-redirect-uri", app.press(page, redirect_uri="http://evil.example.test/cb"))
    app.note("x-deny-wrong-redirect-uri", app.press(page, 1, redirect_uri="http://evil.example.test/cb"))
    app.note("x-deny-unknown-client", app.press(page, 1, client_id="nobody"))
    app.note("x-deny-unknown-scope", app.press(page, 1, scope="admin"))
    app.note(
        "x-deny-wrong-challenge-method", app.press(page, 1, code_challenge=CHALLENGE, code_challenge_method="S512")
    )
    app.note("x-deny-unsupported-response-type", app.press(page, 1, response_type="id_token"))
    app.note("x-deny-missing-response-type", app.press(page, 1, response_type=None))
    app.note("085-allow-without-csrf-token", app.press(page, authenticity_token=None))
    app.note("x-allow-wrong-csrf-token", app.press(page, authenticity_token="wrong"))
    app.note("x-bare-post", app.authorize("POST"))
    page = app.note("087-implicit-consent-page", app.authorize(response_type="token"))
    allowed = app.note("088-implicit-allow", app.press(page))
    token = parse_qs(urlsplit(allowed.headers["Location"]).fragment)["access_token"][0]
    app.note("089-me-implicit-token", app.me(token))


def _response_modes(app: Cast) -> None:
    """Send what the consent page's form doesn't carry."""
    page = app.authorize()
    implicit = app.authorize(response_type="token")
    for mode in ("query", "fragment", "form_post", "nonsense", " "):
        name = mode.strip().replace("_", "-") or "blank"
        app.note(f"x-allow-response-mode-{name}", app.press(page, response_mode=mode))
        app.note(f"x-deny-response-mode-{name}", app.press(page, 1, response_mode=mode))
        app.note(f"x-refused-response-mode-{name}", app.press(page, response_mode=mode, scope="admin"))
        app.note(f"x-deny-implicit-response-mode-{name}", app.press(implicit, 1, response_mode=mode))
        app.note(f"x-refused-implicit-response-mode-{name}", app.press(implicit, response_mode=mode, scope="admin"))
        app.note(f"x-implicit-response-mode-{name}", app.press(implicit, response_mode=mode))


def _methods(app: Cast) -> None:
    """Use other methods on the same addresses, and forms that choose another method."""
    page = app.authorize()
    app.note("x-delete-denies", app.send("DELETE", page, 1, _method=None))
    app.note("x-delete-without-csrf-token", app.send("DELETE", page, 1, authenticity_token=None))
    app.note("x-method-in-query-is-ignored", app.send("POST", page, 0, query="?_method=delete"))
    app.note("x-method-in-capitals", app.press(page, 1, _method="DELETE"))
    app.note("x-method-unknown", app.press(page, _method="nonsense"))
    app.note("x-method-get", app.press(page, _method="get", scope="admin"))
    app.note("x-method-put", app.press(page, _method="put"))
    fields = {"code": "nonsense", "_method": "delete", "grant_type": "authorization_code"}
    app.note("x-token-method-delete", app.post("/oauth2/token", **fields))
    for path in ("/oauth2/authorize", "/oauth2/token", "/oauth2/revoke", "/oauth2/token/info", "/api/3/me"):
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"):
            if (path, method) != ("/oauth2/authorize", "DELETE"):
                name = f"x-{method.lower()}{path.replace('/', '-')}"
                app.note(name, app.stage.session().request(method, app.url(path), allow_redirects=False, timeout=20))


def _out_of_band(app: Cast) -> None:
    """Use a redirect URI that is no address: the code is shown, and an implicit token is described."""
    page = app.note("x-out-of-band-consent-page", app.authorize(redirect_uri=OUT_OF_BAND))
    app.note("x-out-of-band-deny", app.press(page, 1))
    allowed = app.note("x-out-of-band-allow", app.press(page))
    shown = urljoin(allowed.url, allowed.headers["Location"])
    app.note("x-out-of-band-code", app.browser.get(shown, timeout=20))
    code = parse_qs(urlsplit(shown).query)["code"][0]
    implicit = app.authorize(redirect_uri=OUT_OF_BAND, response_type="token")
    app.note("x-out-of-band-implicit-deny", app.press(implicit, 1))
    allowed = app.note("x-out-of-band-implicit-allow", app.press(implicit))
    app.note(
        "x-out-of-band-implicit-token", app.browser.get(urljoin(allowed.url, allowed.headers["Location"]), timeout=20)
    )
    app.note("x-out-of-band-other-address", app.authorize(redirect_uri=OUT_OF_BAND + ":auto"))
    app.note("x-out-of-band-exchange", app.exchange(code, redirect_uri=OUT_OF_BAND))


def _revocation(app: Cast) -> None:
    pair = {"client_id": app.client_id, "client_secret": app.client_secret}
    token = app.exchange(app.code()).json()
    access = token["access_token"]
    app.note("092-revoke-no-client", app.post("/oauth2/revoke", token=access))
    app.note("093-revoke-wrong-secret", app.post("/oauth2/revoke", token=access, **pair | {"client_secret": "wrong"}))
    app.note("094-revoke-unknown-token", app.post("/oauth2/revoke", token="nonsense", **pair))
    other = app.newcomer()
    others = {"client_id": other.client_id, "client_secret": other.client_secret}
    app.note("x-revoke-of-another-app", app.post("/oauth2/revoke", token=access, **others))
    app.note("096-revoke-access-token", app.post("/oauth2/revoke", token=access, **pair))
    app.note("097-me-after-revoke", app.me(access))
    app.note("x-refresh-after-revoke", app.refresh(token["refresh_token"]))
    token = app.exchange(app.code()).json()
    app.post("/oauth2/revoke", token=token["refresh_token"], **pair)
    app.note("101-me-after-refresh-token-revoked", app.me(token["access_token"]))
    app.note("102-authorize-after-revoke", app.authorize())
    token = app.exchange(app.code()).json()
    page = app.note(
        "113-authorized-applications", app.browser.get(app.url("/oauth2/authorized_applications"), timeout=20)
    )
    withdrawn = [app.press(page, index) for index in range(len(forms(page, "commit")))]
    app.note("x-withdraw", withdrawn[0])
    app.note("x-me-after-withdrawal", app.me(token["access_token"]))


def _console(app: Cast) -> None:
    def look(case: str, path: str) -> None:
        app.note(case, app.browser.get(app.url(path), timeout=20))

    look("103-applications-index", "/oauth2/applications")
    look("104-applications-new", "/oauth2/applications/new")
    created = app.note("106-applications-create", app.register())
    path = urlsplit(urljoin(created.url, created.headers["Location"])).path
    look("107-applications-show", path)
    look("108-applications-show-json", path + ".json")
    look("x-applications-edit", path + "/edit")
    look("x-applications-unknown", "/oauth2/applications/9999")
    app.note("x-applications-blank-name", app.register(name=" "))
    app.note("x-applications-no-redirect-uri", app.register(uri=""))
    app.note("x-applications-relative-redirect-uri", app.register(uri="/callback"))
    app.note("x-applications-no-scheme", app.register(uri="localhost:8765/callback"))
    app.note("x-applications-fragment", app.register(uri=CALLBACK + "#here"))
    app.note("x-applications-not-a-uri", app.register(uri="127.0.0.1:8765/callback"))
    app.note("x-applications-other-scheme", app.register(uri="my-app://back urn:ietf:wg:oauth:2.0:oob"))
    app.note("x-applications-forged", app.browser.post(app.url("/oauth2/applications"), {"a": "b"}, timeout=20))
    page = app.browser.get(app.url(path + "/edit"), timeout=20)
    field = "doorkeeper_application[name]"
    app.note("x-applications-update", app.send("PATCH", page, 0, **{field: "Renamed"}))
    app.note("x-applications-update-blank-name", app.send("PATCH", page, 0, **{field: ""}))
    app.note("x-applications-update-forged", app.send("PUT", page, 0, authenticity_token=None))
    app.note("x-applications-update-json", app.send("POST", page, 0, query=".json", authenticity_token=None))
    page = app.browser.get(app.url(path), timeout=20)
    delete = next(form for form in forms(page, "_method"))
    fields = {str(one["name"]): str(one.get("value", "")) for one in delete.select("input[name]")}
    app.note("x-applications-delete", app.browser.post(app.url(path), fields, allow_redirects=False, timeout=20))


def _public(app: Cast) -> None:
    token = app.note("130-public-token-no-secret", app.exchange(app.code(), client_secret=None)).json()
    app.note("x-public-wrong-secret", app.exchange(app.code(), client_secret="wrong"))
    app.note("x-public-asked-every-time", app.authorize())
    app.note("133-public-refresh-no-secret", app.refresh(token["refresh_token"], client_secret=None))


def _expiry(app: Cast) -> None:
    token = app.note("114-short-token-from-code", app.exchange(app.code())).json()
    code = app.code()
    app.stage.pass_time(7201)
    app.note("115-me-expired-token", app.me(token["access_token"]))
    app.note("x-token-info-expired", app.api("/oauth2/token/info", f"Bearer {token['access_token']}"))
    app.note("118-code-expired", app.exchange(code))
    app.note("x-authorize-after-expiry", app.authorize())
    fresh = app.note("120-refresh-after-expiry", app.refresh(token["refresh_token"])).json()
    app.note("122-me-refreshed-after-expiry", app.me(fresh["access_token"]))


def _on_first_use(app: Cast) -> None:
    old = app.exchange(app.code()).json()
    app.note("123-on-use-refresh", app.refresh(old["refresh_token"]))
    app.note("124-on-use-me-old-token-before-use", app.me(old["access_token"]))
    again = app.note("x-on-use-refresh-again-before-use", app.refresh(old["refresh_token"])).json()
    app.note("126-on-use-me-new-token", app.me(again["access_token"]))
    app.note("127-on-use-me-old-token-after-use", app.me(old["access_token"]))
    app.note("128-on-use-refresh-old-after-use", app.refresh(old["refresh_token"]))


def without_none(values: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def soup(page: requests.Response) -> BeautifulSoup:
    return BeautifulSoup(page.text, "html.parser")


def forms(page: requests.Response, name: str = "") -> list[Tag]:
    found = soup(page).select("main form, .doorkeeper-admin form")
    return [form for form in found if not name or form.select_one(f'[name="{name}"]')]


def reduced(response: requests.Response, base_url: str) -> dict[str, Any]:
    """Keep what a client can rely on: status, the headers above, the body without what is random."""
    request = response.request
    path = re.sub(r"/applications/\d+", "/applications/N", urlsplit(request.url or "").path)
    fact: dict[str, Any] = {"request": f"{request.method} {path}", "status": response.status_code}
    for name in HEADERS:
        if name in response.headers:
            fact[name] = response.headers[name].replace(base_url, "BASE").replace("UTF-8", "utf-8")
    if "Location" in response.headers:
        target = urljoin(response.url, response.headers["Location"]).replace(base_url, "BASE")
        parts = urlsplit(re.sub(r"/applications/\d+", "/applications/N", target))
        fact["Location"] = {
            "to": f"{parts.scheme}://{parts.netloc}{parts.path}" if parts.netloc else parts.path,
            "query": shaped({name: values[0] for name, values in parse_qs(parts.query).items()}),
            "fragment": shaped({name: values[0] for name, values in parse_qs(parts.fragment).items()}),
        }
        return fact
    if response.request.method == "HEAD":
        fact["body"] = response.text
    elif "json" in fact.get("Content-Type", ""):
        fact["body"] = shaped(response.json())
    elif response.status_code == 200:
        fact["body"] = page_facts(response)
    else:
        fact["body"] = response.text if response.status_code == 401 else "a page of the server's own"
    return fact


def page_facts(response: requests.Response) -> dict[str, Any]:
    """Pages look as they like; what they say about an error and what their forms send must agree."""
    page = soup(response)
    facts: dict[str, Any] = {}
    if message := page.select_one("main > pre, main pre[role=alert]"):
        facts["message"] = message.get_text(strip=True)
    telling = [
        [str(one["name"]) for one in form.select("[name]") if one["name"] != "utf8"]
        for form in forms(response)
        if form.select_one('[name="client_id"], [name^="doorkeeper_application"]')
    ]
    if telling:
        facts["forms"] = telling
    if telling and (problems := page.select(".form-text:not(.text-secondary), .field .problem")):
        facts["problems"] = [one.get_text(strip=True).lower() for one in problems]
    if shown := [str(one["id"]) for one in page.select("code[id]")]:
        facts["shown"] = shown
    if links := page.select('a[href*="response_type="]'):
        facts["authorize_links"] = [sorted(parse_qs(urlsplit(str(one["href"])).query)) for one in links]
    return facts


def shaped(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Replace what is random by its shape, and keep a long list's length and first row."""
    if isinstance(value, dict):
        return {name: _moment(name, inner) or shaped(inner) for name, inner in value.items()}
    if isinstance(value, list):
        rows = [shaped(inner) for inner in value]
        return [*rows[:1], f"… {len(rows)} in all"] if len(rows) > 3 else rows
    if isinstance(value, str):
        if re.fullmatch(r"[0-9a-f]{64}", value):
            return "<64 hex>"
        return "<43 urlsafe>" if re.fullmatch(r"[\w-]{43}", value) else value
    return value


def _moment(name: str, value: object) -> object:
    if name == "expires_in" and isinstance(value, int) and 7190 <= value <= 7200:
        return 7200  # a slow machine may take a second between issuing and asking
    if name == "id" and isinstance(value, int) and value < 100:
        return "<number>"
    if name in ("created_at", "updated_at"):
        if isinstance(value, int) and value > 1_710_000_000:
            return "<unix seconds>"
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value):
            return "<ISO 8601, milliseconds, Z>"
    return ""


def engine_stage(engine: Doorkeeper) -> Stage:
    def pass_time(seconds: int) -> None:
        engine.age_tokens(seconds)
        engine.age_codes(seconds)

    return Stage(engine.base_url, engine.client_id, engine.client_secret, pass_time)
