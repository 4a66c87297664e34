"""Generated answers for exchange, refresh and API calls, with secrets repeated in every place an answer has.

Run as a program it is an IPython session in `%xmode Verbose` with every logger at DEBUG: it prints, as JSON, how many
answers it met and what was wrong with how the kit took them.
"""

import base64
import io
import itertools
import json
import logging
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from urllib.parse import quote

SECRETS = {
    "client secret": "canary-client-secret+5d/1",
    "code": "canary-code-77a1",
    "access token": "canary-access-token-90be",
    "refresh token": "canary-refresh-token-c3d8",
}
GIVEN = ("canary-new-access-41f0", "canary-new-refresh-6b22")  # the kit meets them for the first time in the answer
STATUSES = (200, 201, 204, 302, 307, 400, 401, 403, 404, 418, 429, 500, 503)
CHARSETS = ("", "; charset=utf-8", "; charset=idna", "; charset=undefined", "; charset=\0", "; charset=rot13",
            "; charset=latin-1", "; charset=utf-16", "; charset=no-such-one")  # fmt: skip
LOCATIONS = ("", "/\xff{0}", "http://[::1", f"http://{'a' * 70}.test/?code={{0}}", "//elsewhere.test/{0}",
             "https://redbooth.com/login?token={0}", "http://127.0.0.1:1/?access_token={0}", "\x00{0}",
             "http://\ud7ff.test/")  # fmt: skip


def bodies(secret: str) -> dict[str, str]:
    """Return bodies that repeat a secret, by name."""
    packed = base64.b64encode(f"id:{secret}".encode()).decode()
    token = {"access_token": GIVEN[0], "token_type": "bearer", "expires_in": 7200, "refresh_token": GIVEN[1]}
    return {
        "nothing": "",
        "token": json.dumps({**token, "note": secret}),
        "token in a list": json.dumps({**token, "access_token": [GIVEN[0]]}),
        "token in an object": json.dumps({"token": {"value": GIVEN[0]}, "message": quote(secret, safe="")}),
        "token in another style": json.dumps({"accessToken": GIVEN[0], "refreshToken": GIVEN[1], "x": secret}),
        "token that no header carries": json.dumps({**token, "access_token": f"{GIVEN[0]}\u2713\ud800"}),
        "error": json.dumps({"error": secret, "error_description": f"Your secret {secret} is wrong"}),
        "error with escapes": json.dumps({"error": f"\x1b[31m{secret}\x07", "error_description": f"\ud800{secret}"}),
        "long error": json.dumps({"error": secret + "x" * 100_000}),
        "error object": json.dumps({"error": {"message": secret, "code": 7}}),
        "text in JSON": json.dumps(f"sent: {secret}"),
        "JSON in JSON": json.dumps({"message": json.dumps({"access_token": GIVEN[0], "was": secret})}),
        "key": json.dumps({secret: {secret: [secret]}}),
        "base64": json.dumps({"sent": packed, "error": "invalid_client", "error_description": packed}),
        "heading": f"<html><h1>No {secret}</h1><p>{secret}</p></html>",
        "many headings": "<h1>" * 20_000 + secret,
        "header line": f"You sent:\nAuthorization: Bearer {GIVEN[0]}\nand {secret}",
        "form": f"client_secret={quote(secret, safe='')}&code={secret}&access_token={GIVEN[0]}",
        "half": json.dumps({**token, "note": secret})[:-20],
        "deep": "[" * 3000 + secret,
        "not UTF-8": f"\udcff{secret}",
    }


def answers(seed: int) -> Iterator[bytes]:
    """Yield answers without end, each as it goes over the wire: status x headers x body x charset x redirect."""
    chance = random.Random(seed)  # noqa: S311
    kinds = itertools.cycle(sorted(bodies("")))
    for status, secret in itertools.cycle(itertools.product(STATUSES, SECRETS.values())):
        content = bodies(secret)[next(kinds)].encode("utf-8", "surrogateescape")
        kind = chance.choice(("application/json", "text/html", "text/plain", "application/x-www-form-urlencoded"))
        said = chance.choice(("The access token expired", "The access token was revoked", f"no {secret}", "x" * 60_000))
        lines = [
            f"HTTP/1.1 {status} {secret}",
            f"Content-Type: {kind}{chance.choice(CHARSETS)}",
            f"Content-Length: {len(content) if chance.random() < 0.9 else len(content) + 9}",
            f"X-Echo: {secret} {base64.b64encode(secret.encode()).decode()}",
        ]
        location = chance.choice(LOCATIONS)
        lines += [f"Location: {location.format(secret)}"] if location else []
        challenge = f'WWW-Authenticate: Bearer realm="{secret}", error="invalid_token", error_description="{said}"'
        lines += [challenge] if status == 401 else []
        lines += [f"Set-Cookie: sid={secret}; Path=/"] if chance.random() < 0.3 else []
        lines += [f"broken line {secret}"] if chance.random() < 0.1 else []
        head = "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1", "replace")
        yield head + content


def meet(number: int, seed: int) -> dict[str, object]:
    """Let the kit meet so many answers; return how many of each step, and what was wrong."""
    from client.machine import FaultyServer  # noqa: PLC0415  (this program's side only)
    from IPython.core.interactiveshell import InteractiveShell  # noqa: PLC0415

    from redbooth_nb import transcript  # noqa: PLC0415

    shell, log = InteractiveShell(), io.StringIO()
    run(shell, "%xmode Verbose")
    logging.basicConfig(stream=log, level=logging.DEBUG)
    wrong: list[str] = []
    counts = {"exchange": 0, "refresh": 0, "call": 0}
    with FaultyServer.running() as server, tempfile.TemporaryDirectory() as state:
        shell.run_cell(SETTING.format(origin=server.origin, state=state, secrets=SECRETS), silent=True)
        for turn, answer in zip(range(number), answers(seed), strict=False):
            step = ("call", "exchange", "call", "refresh", "call")[turn % 5]
            server.answers = [answer]
            shown = run(shell, f"{step}()")
            shown += f"{transcript.last} {transcript.markdown} {[t.curl() for t in transcript]}" + log.getvalue()
            log.seek(0)
            log.truncate()
            counts[step] += 1
            wrong += problems(shown, answer)
            transcript._round_trips.clear()
    return {"met": counts, "wrong": wrong}


def run(shell: object, code: str) -> str:
    """Run a cell as a notebook does; return whatever it shows."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        shell.run_cell(code)  # type: ignore[attr-defined]
    return out.getvalue()


def problems(shown: str, answer: bytes) -> list[str]:
    """Say what is wrong with what a step showed."""
    hidden = [*SECRETS.values(), *GIVEN]
    forms = {name: [f(name) for f in FORMS] for name in hidden}
    found = [f"shows {name}" for name in hidden if any(form in shown for form in forms[name])]
    found += ["a foreign exception"] if "Traceback" in shown or "call last" in shown else []
    found += ["a character that no terminal should get"] if any(c in shown for c in "\x1b\x07\x00\ud800") else []
    return [f"{problem}: {answer[:300]!r}\n{shown[:3000]}" for problem in found]


FORMS: tuple[Callable[[str], str], ...] = (
    str,
    lambda text: quote(text, safe=""),
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: base64.b64encode(f"id:{text}".encode()).decode(),
)
SETTING = """
import os
os.fsync = lambda _: None  # the disk is not what is tested here
os.environ |= {{"REDBOOTH_PROVIDER": {origin!r}, "REDBOOTH_STATE_DIR": {state!r}}}
from redbooth_nb import AuthorizationRequest, AuthorizationResponse, RedboothSession, TokenStore, Token
from redbooth_nb import RedboothError, exchange as _exchange, refresh as _refresh, save_credentials, transcript
from redbooth_nb.secret import Secret
secrets = {secrets!r}
settings = save_credentials("a-client-id", secrets["client secret"], "http://127.0.0.1:8765/callback")
store = TokenStore(settings.folder)
pair = {{"access_token": secrets["access token"], "refresh_token": secrets["refresh token"], "expires_in": 7200}}

def stored():
    store.forget()
    store.save(Token.from_response(pair, settings.provider.now()))

def exchange():
    request = AuthorizationRequest.new(settings, pkce=True)
    back = f"{{request.redirect_uri}}?code={{secrets['code']}}&state={{request.state}}"
    _exchange(AuthorizationResponse.read(back, request))

def refresh():
    stored()
    Secret("authorization code", secrets["code"])  # sent in this session, as everything else
    _refresh(settings)

def call():
    stored()
    RedboothSession(settings).get("/me")
"""

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    print(json.dumps(meet(int(sys.argv[1]), int(sys.argv[2]))))  # noqa: T201
