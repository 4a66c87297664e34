"""One situation in which a function of the learner's app is tried out: a Redbooth of its own, and what happened."""

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from werkzeug.wrappers import Response

from redbooth_nb.client.wire import connect
from redbooth_nb.lessons import my_redbooth_app
from redbooth_nb.provider.adapter import InProcessDelivery
from redbooth_nb.provider.addresses import API_URL, TOKEN_URL
from redbooth_nb.provider.delivery import current_provider
from redbooth_nb.provider.visitor import press
from redbooth_nb.secret import Secret
from redbooth_nb.traffic.redaction import SECRET_FIELDS, hide_in_text, request_fields
from redbooth_nb.traffic.transcript import RoundTrip

CLIENT_ID = "id-of-my-app"
REDIRECT_URI = "http://127.0.0.1:9000/signed-in"  # not the default: a function with that in its source fails
STATE = "BvT8-l3x_mW2qRz"
SEND, MOUNT = InProcessDelivery.send, requests.Session.mount
NO_ANSWERS = (
    requests.ConnectionError("There is no network. (This is made up.)"),
    requests.ReadTimeout("Redbooth took too long. (This is made up.)"),
)
Json = dict[str, Any]


class Mistake(BaseException):
    """What a function did wrong, by its name in exercises.toml, with values for its sentence.

    Not an Exception, so that no `except Exception` of the learner's catches it.
    """

    def __init__(self, name: str, /, **values: object) -> None:
        super().__init__(name)
        self.name, self.values = name, {key: hide_in_text(str(value)) for key, value in values.items()}


def expect(holds: object, mistake: str, /, **values: object) -> None:
    if not holds:
        raise Mistake(mistake, **values)


class Trial:
    """One situation. What the learner's function sends is in `sent`, and redacted in `seen`.

    later: seconds that have passed, for both the app and Redbooth. browser: the user's.
    answers: made-up ones, used in order for what the function sends.
    on_sent: called with each request before it is answered. secrets: what nobody may print.
    """

    def __init__(self, script: str, function: str) -> None:
        self.later = 0
        self.sandbox = current_provider().sandbox  # type: ignore[attr-defined]
        self.credentials = self.sandbox.seed_application("My app", REDIRECT_URI, client_id=CLIENT_ID)
        self.browser = connect(requests.Session())
        self.sent: list[requests.PreparedRequest] = []
        self.seen: list[RoundTrip] = []
        self.answers: list[Response | Exception] = []
        self.on_sent: Callable[[requests.PreparedRequest], object] = lambda _: None
        self.secrets: set[str] = set()
        self.keep_secret(self.credentials)
        self.script, self.function, self._watching = script, function, False
        file = Path("my_redbooth_app.py").absolute()
        file.write_text(script, encoding="utf-8")
        self.app: Json = {"__name__": "my_redbooth_app", "__file__": str(file)}

    def load(self) -> Json:
        """Return what the app defines; its source runs the first time."""
        if "main" not in self.app:
            exec(compile(self.script, self.app["__file__"], "exec"), self.app)
        return self.app

    def forget(self) -> None:
        """Let the source run again before the next call, as in a new process."""
        self.app.pop("main", None)

    def run(self, *arguments: object) -> Any:
        """Call the function and return what it returned. Raises Mistake for what it must never do."""
        self.load()
        self.sent.clear()
        self.seen.clear()
        self._watching = True
        try:
            return self.app[self.function](*arguments)
        finally:
            self._watching = False
            if os.getenv("OAUTHLIB_INSECURE_TRANSPORT"):
                raise Mistake("insecure_transport")

    def refused(self, *arguments: object) -> BaseException | None:
        """Call the function and return the exception that it raised, None if it raised none."""
        try:
            self.returned = self.run(*arguments)
        except (Exception, SystemExit) as error:
            expect(not any(secret in str(error) for secret in self.secrets), "printed_secret")
            return error
        return None

    def failed(self, *arguments: object, check: Callable[[], object] = lambda: None) -> BaseException | None:
        """Return the exception the function must raise after sending. check: finds mistakes worse than hiding it."""
        error = self.refused(*arguments)
        expect(self.sent, "nothing_sent")
        check()
        expect(error, "failure_hidden")
        return error

    def printed(self) -> str:
        with contextlib.suppress(ValueError):  # closed
            sys.stdout.flush()
            sys.stderr.flush()
        file = Path(self.app["__file__"]).with_name("printed")
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def posts(self) -> list[Json]:
        """Return the fields of the token requests that the function sent."""
        bodies = [
            request.body or "" for request in self.sent if request.method == "POST" and TOKEN_URL in (request.url or "")
        ]
        return [dict(parse_qsl(body.decode() if isinstance(body, bytes) else body)) for body in bodies]

    def arrive(self, answer: str = "allow") -> str:
        return self.follow(my_redbooth_app.authorization_link(self.credentials, STATE), answer)

    def follow(self, link: str, answer: str = "allow") -> str:
        """Let a user open a link and decide, and return the callback address."""
        address = press(self.browser, link, REDIRECT_URI, answer)
        self.keep_secret(dict(parse_qsl(urlsplit(address).query)))
        return address

    def token(self, later: int = 0) -> Json:
        """Return the token that the app stored `later` seconds ago."""
        token = dict(my_redbooth_app.exchange(self.credentials, self.arrive(), STATE))
        my_redbooth_app.save(self.credentials, token)
        self.keep_secret(token)
        self.later += later
        return token

    def mount(self, session: requests.Session, prefix: str, adapter: Any) -> None:
        """Take the place of `Session.mount`: watch for an adapter that would send a token request again."""
        retries: Any = getattr(adapter, "max_retries", None)
        posts = retries and retries.total != 0 and "POST" in (retries.allowed_methods or ("POST",))
        again = posts and (retries.read != 0 or (retries.status_forcelist and retries.status != 0))
        expect(not (again and self._watching and self.function in {"exchange", "refresh"}), "sent_twice")
        MOUNT(session, prefix, adapter)

    def keep_secret(self, fields: Json) -> None:
        """Make sure that nobody prints the secrets among these fields."""
        found = {value for name, value in fields.items() if name in SECRET_FIELDS and isinstance(value, str)}
        self.secrets |= {Secret("secret", value).reveal() for value in found}

    def send(self, delivery: InProcessDelivery, request: requests.PreparedRequest, **options: Any) -> Any:
        """Take the place of `InProcessDelivery.send`: watch what the function sends."""
        if not self._watching:
            return SEND(delivery, request, **options)
        self.sent.append(request)
        try:
            expect(not os.getenv("OAUTHLIB_INSECURE_TRANSPORT"), "insecure_transport")
            expect((request.url or "").startswith("https://"), "plain_http")
            expect(options.get("verify"), "unverified")
            expect(len(self.posts()) <= 1, "refreshed_twice" if self.function == "call" else "sent_twice")
            self.on_sent(request)
        except Mistake:
            with contextlib.suppress(requests.RequestException):
                self.seen.append(RoundTrip.from_response(SEND(delivery, request, **options)))
            raise
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            self.seen.append(RoundTrip(request.method or "", request.url or "", fields=request_fields(request)))
            raise answer
        response = SEND(InProcessDelivery(answer) if answer else delivery, request, **options)
        self.seen.append(RoundTrip.from_response(response))
        with contextlib.suppress(ValueError, TypeError):
            self.keep_secret(dict(response.json()))
        limits = options.get("timeout")
        expect((limits[-1] if isinstance(limits, tuple) else limits) is not None, "no_timeout")
        expect(not any(secret in unquote(request.url or "") for secret in self.secrets), "token_in_address")
        return response

    def good_token(self, token: Any) -> Json:
        """Return a token that the function got. Raises Mistake if it isn't one, or if Redbooth doesn't know it."""
        expect(self.sent, "nothing_sent")
        refused = isinstance(token, dict) and token.get("error")
        expect(not refused, "error_as_token", error=refused)
        expect(isinstance(token, dict) and {*token} >= {"access_token", "refresh_token"}, "no_token")
        header = {"Authorization": f"Bearer {token['access_token']}"}
        expect(self.browser.get(f"{API_URL}/me", headers=header, timeout=5).ok, "dead_token")
        basic = any(str(request.headers.get("Authorization")).startswith("Basic ") for request in self.sent)
        expect(not basic, "http_basic")
        return dict(token)
