"""Seeded secrets are looked for wherever a learner, a log, a saved notebook or a bug report could show them."""

import contextlib
import copy
import json
import logging
import pickle
import re
import subprocess
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from client.machine import RESET, FaultyServer, own_machine, reply, unused_port
from requests_oauthlib import OAuth2Session

import redbooth_nb
from redbooth_nb.client.authorize import AuthorizationRequest, PendingAuthorization
from redbooth_nb.client.callback import SignIn
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.refresh import RedboothSession, refresh, revoke
from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.token import Token, TokenStore
from redbooth_nb.client.wire import connect
from redbooth_nb.configuration import Configuration
from redbooth_nb.errors import RedboothError
from redbooth_nb.provider.adapter import LoopbackDelivery
from redbooth_nb.provider.addresses import TOKEN_URL
from redbooth_nb.provider.delivery import EmbeddedSandbox, current_provider
from redbooth_nb.provider.recorded import live_looking
from redbooth_nb.provider.visitor import press
from redbooth_nb.secret import Secret
from redbooth_nb.traffic.redaction import SECRET_FIELDS
from redbooth_nb.traffic.transcript import transcript
from redbooth_nb.widgets.authorize import SignInPanel

ROOT = Path(redbooth_nb.__path__[0]).parent
CLIENT_ID = "canary-free-client-id"
SECRET = "canary-client-secret-7d1f"
CODE = "canary-code-51c2"
ACCESS, REFRESH = "canary-access-90ab", "canary-refresh-44de"
NEXT_ACCESS, NEXT_REFRESH = "canary-access-next-17cc", "canary-refresh-next-62fa"
CANARIES = (SECRET, CODE, ACCESS, REFRESH, NEXT_ACCESS, NEXT_REFRESH)


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test a machine of its own."""
    with own_machine(tmp_path, monkeypatch) as folder:
        yield folder


def tokens(access: str = ACCESS, refresh_token: str = REFRESH) -> str:
    return json.dumps({"access_token": access, "refresh_token": refresh_token, "expires_in": 7200, "scope": "all"})


def app() -> Settings:
    return save_credentials(CLIENT_ID, SECRET, f"http://127.0.0.1:{unused_port()}/callback")


def callback_url(request: AuthorizationRequest, **fields: str) -> str:
    return f"{request.redirect_uri}?" + urlencode({"code": CODE, "state": request.state, **fields})


def answered(settings: Settings) -> AuthorizationResponse:
    request = AuthorizationRequest.new(settings, pkce=True)
    return AuthorizationResponse.read(callback_url(request), request)


def stored(settings: Settings) -> Token:
    token = Token.from_response(json.loads(tokens()), settings.provider.now())
    TokenStore(settings.folder).save(token)
    return token


def every_text(thing: Any) -> str:  # noqa: ANN401
    """Return every way an object can show itself."""
    texts = [repr(thing), str(thing), f"{thing}", f"{thing!r:>5}", "%s %r" % (thing, thing), "{0} {0!r}".format(thing)]  # noqa: UP031, UP032
    with contextlib.suppress(TypeError):
        texts.append(json.dumps(thing, default=repr))
    with contextlib.suppress(TypeError):
        texts.append(json.dumps(vars(thing), default=str))
    with contextlib.suppress(TypeError, AttributeError, pickle.PicklingError):
        texts.append(str(pickle.dumps(thing)))
    return "\n".join(texts)


def assert_clean(text: str, *more: str) -> None:
    assert [canary for canary in (*CANARIES, *more) if canary in text] == []


def test_the_search_finds_what_is_there() -> None:
    class Careless:
        def __repr__(self) -> str:
            return SECRET

    with pytest.raises(AssertionError):
        assert_clean(every_text(Careless()))


def test_no_object_of_the_kit_shows_a_secret(faulty: FaultyServer) -> None:
    """R38: repr, str, format, JSON and pickle of everything a learner holds in hands."""
    settings = app()
    answer = answered(settings)
    verifier = answer.request.code_verifier
    assert verifier is not None
    faulty.answers = [reply(200, tokens())]
    token = exchange(answer)
    token_answer = AuthorizationRequest.new(settings, response_type="token")
    implicit = AuthorizationResponse.read(
        f"{token_answer.redirect_uri}#access_token={NEXT_ACCESS}&state={token_answer.state}", token_answer
    )
    session = RedboothSession(settings)
    things = [
        settings, answer, answer.request, token, implicit, session, session.store, verifier, token.access_token,
        answer.callback_url, answer.code, Configuration.read(), PendingAuthorization(settings), settings.provider,
        SignIn(answer.request, listen=False), transcript, *transcript,
    ]  # fmt: skip
    for thing in things:
        assert_clean(every_text(thing), verifier.reveal())
    assert_clean(answer.describe() + implicit.describe() + str(answer.request.describe()))


def test_the_env_files_values_are_not_shown(machine: Path) -> None:
    """R38: the settings as read from .env."""
    (machine / ".env").write_text(f"REDBOOTH_CLIENT_SECRET={SECRET}\n")
    configuration = Configuration.read()
    assert configuration.get("REDBOOTH_CLIENT_SECRET") == SECRET
    assert_clean(repr(configuration) + str(configuration) + f"{configuration}")


def frames(error: BaseException) -> str:
    """Return the traceback as a debugger shows it, variables included, without the frames of this file.

    Whatever the error is chained to is part of it.
    """
    found = error.__traceback__
    while found is not None and found.tb_frame.f_code.co_filename == __file__:
        found = found.tb_next
    whole = traceback.TracebackException(type(error), error, found, capture_locals=True)
    notes = getattr(error, "__notes__", [])
    chained = [frames(other) for other in (error.__cause__, error.__context__) if other is not None]
    return "".join(whole.format()) + repr(error) + str(vars(error)) + str(notes) + "".join(chained)


def exchanging(answer: bytes) -> Callable[[FaultyServer], object]:
    def run(faulty: FaultyServer) -> object:
        response = answered(app())
        faulty.answers = [answer]
        return exchange(response)

    return run


def refreshing(answer: bytes) -> Callable[[FaultyServer], object]:
    def run(faulty: FaultyServer) -> object:
        settings = app()
        stored(settings)
        faulty.answers = [answer]
        return refresh(settings)

    return run


def calling(answer: bytes, path: str = "/me") -> Callable[[FaultyServer], object]:
    def run(faulty: FaultyServer) -> object:
        settings = app()
        stored(settings)
        faulty.answers = [answer]
        return RedboothSession(settings).get(path)

    return run


def revoking(answer: bytes) -> Callable[[FaultyServer], object]:
    def run(faulty: FaultyServer) -> object:
        settings = app()
        stored(settings)
        faulty.answers = [answer]
        return revoke(settings)

    return run


def saving_where_others_read(_: FaultyServer) -> object:
    settings = app()
    token = stored(settings)
    TokenStore(settings.folder).path.chmod(0o644)
    TokenStore(settings.folder).save(token)
    return None


def loading_what_is_no_token(_: FaultyServer) -> object:
    store = TokenStore(app().folder)
    store.folder.mkdir(parents=True)
    store.path.touch(mode=0o600)
    store.path.write_text(json.dumps({"format": 1, "access_token": ACCESS, "refresh_token": [REFRESH]}))
    return store.load()


def reading(text: str) -> Callable[[FaultyServer], object]:
    def run(_: FaultyServer) -> object:
        request = AuthorizationRequest.new(app())
        return AuthorizationResponse.read(text.format(uri=request.redirect_uri, code=CODE), request)

    return run


def pasting(_: FaultyServer) -> object:
    return SignIn(AuthorizationRequest.new(app())).paste(f"http://127.0.0.1:9/else?code={CODE}")


def taking(_: FaultyServer) -> object:
    return SignIn(AuthorizationRequest.new(app()), listen=False).paste(f"http://127.0.0.1:9/else?code={CODE}")


def saving_wrong_credentials(_: FaultyServer) -> object:
    return save_credentials("an id with spaces", SECRET)


def loading_wrong_credentials(_: FaultyServer) -> object:
    settings = app()
    file = Path(settings.source)
    file.write_text(file.read_text().replace(CLIENT_ID, "two words"))
    return Settings.load()


def unwritable(call: Callable[[PendingAuthorization, AuthorizationResponse], object]) -> Callable[[object], object]:
    def run(_: object) -> object:
        response = answered(app())
        settings = response.request.settings
        (settings.folder / ".authorization.json.part").mkdir()
        return call(PendingAuthorization(settings), response)

    return run


def marking(pending: PendingAuthorization, response: AuthorizationResponse) -> None:
    assert response.code is not None
    pending.mark_code_sent(response.request, response.code)


def pressing(faulty: FaultyServer) -> object:
    faulty.answers = [reply(200, f"<form><input name=a value={CODE}></form>", "text/html")]
    request = AuthorizationRequest.new(app(), pkce=True)
    return press(connect(requests.Session()), request.url, request.redirect_uri, "allow")


TRUNCATED = reply(200, tokens(NEXT_ACCESS, NEXT_REFRESH)[:-9])
NOT_BEARER = reply(200, json.dumps({**json.loads(tokens(NEXT_ACCESS, NEXT_REFRESH)), "token_type": "mac"}))
REFUSED = reply(400, json.dumps({"error": "invalid_grant", "error_description": "no"}))
EXPIRED = reply(401, "", WWW_Authenticate='Bearer error="invalid_token", error_description="The access token expired"')
REVOKED = reply(401, "", WWW_Authenticate='Bearer error="invalid_token", error_description="was revoked"')
FAILURES = {
    **{
        f"{name}, {how}": run(answer)
        for name, run in (("exchange", exchanging), ("refresh", refreshing))
        for how, answer in {
            "truncated": TRUNCATED, "not bearer": NOT_BEARER, "refused": REFUSED, "reset": RESET,
            "redirect": reply(302, "", Location=f"https://redbooth.com/login?code={CODE}"),
        }.items()
    },
    "call, reset": calling(RESET),
    "call, revoked": calling(REVOKED),
    "call, expired": calling(EXPIRED),
    "call, elsewhere": calling(EXPIRED, "https://elsewhere.example/me"),
    "revoke, reset": revoking(RESET),
    "revoke, refused": revoking(REFUSED),
    "save where others read": saving_where_others_read,
    "load what is no token": loading_what_is_no_token,
    "read, elsewhere": reading("http://127.0.0.1:9/?code={code}"),
    "read, no state": reading("{uri}?code={code}"),
    "read, wrong state": reading("{uri}?code={code}&state=wrong"),
    "read, twice": reading("{uri}?code={code}&code={code}"),
    "paste": pasting,
    "take": taking,
    "save credentials": saving_wrong_credentials,
    "load credentials": loading_wrong_credentials,
    "call with a query, reset": calling(RESET, f"/me?code={CODE}"),
    "press": pressing,
    "begin where nobody can write": unwritable(lambda pending, response: pending.begin(response.request)),
    "mark where nobody can write": unwritable(marking),
    "a record that is none": unwritable(lambda pending, _: pending.request({"code_verifier": CODE})),
}  # fmt: skip


@pytest.mark.parametrize("fail", FAILURES.values(), ids=FAILURES.keys())
def test_no_failure_shows_a_secret(faulty: FaultyServer, fail: Callable[[FaultyServer], object]) -> None:
    """R38: the error's text, what it is chained to, its notes, and the variables of the kit's own frames."""
    verifiers: list[str] = []
    new = AuthorizationRequest.new

    with pytest.MonkeyPatch.context() as patch:

        def remember(*arguments: Any, **options: Any) -> AuthorizationRequest:  # noqa: ANN401
            request = new(*arguments, **options)
            verifiers.extend([request.code_verifier.reveal()] if request.code_verifier else [])
            return request

        patch.setattr(AuthorizationRequest, "new", remember)
        with pytest.raises(RedboothError) as caught:
            fail(faulty)
    shown = frames(caught.value)
    assert str(caught.value).splitlines()[0] in shown
    assert_clean(shown, *verifiers)
    assert_clean(str(transcript) + transcript.markdown + transcript.mermaid, *verifiers)


def test_an_answer_the_listener_refused_is_kept_without_the_code(faulty: FaultyServer) -> None:
    del faulty
    listener = SignIn(AuthorizationRequest.new(app()), listen=False)
    with pytest.raises(RedboothError):
        listener.paste(f"{listener.request.redirect_uri}?code={CODE}&state=wrong")
    (refused,) = listener.refused
    assert_clean(frames(refused))


@pytest.mark.parametrize("library", ["filelock", "urllib3"], ids=["in process", "over a socket"])
def test_the_whole_way_writes_no_secret_anywhere(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], library: str
) -> None:
    """R38, R41: all loggers at DEBUG, warnings, stdout and stderr, and the transcript in each of its forms."""
    for name in [*logging.root.manager.loggerDict, None]:
        caplog.set_level(logging.DEBUG, name)
    provider = current_provider()
    assert isinstance(provider, EmbeddedSandbox)
    if library == "urllib3":
        monkeypatch.setattr(provider, "_delivery", lambda: LoopbackDelivery(provider.link()))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        port = unused_port()
        known = provider.sandbox.seed_application(
            "Canary", f"http://127.0.0.1:{port}/callback", client_id=CLIENT_ID, client_secret=SECRET
        )
        settings = save_credentials(CLIENT_ID, known["client_secret"], known["redirect_uri"])
        monkeypatch.setenv("REDBOOTH_UNATTENDED", "1")
        sign_in = SignInPanel(AuthorizationRequest.new(settings, pkce=True, nonce=True))
        answer = sign_in.response
        secrets = [SECRET, value(answer.code), value(answer.request.code_verifier), answer.callback_url.reveal()]
        first = exchange(answer)
        provider.sandbox.advance(7201)
        assert RedboothSession(settings).get("/me").ok
        second = TokenStore(settings.folder).load()
        assert second is not None
        third = refresh(settings)
        for token in (first, second, third):
            secrets += [value(token.access_token), value(token.refresh_token)]
        revoke(settings)
        with pytest.raises(RedboothError):
            RedboothSession(settings).get("/me")
    assert len(set(secrets)) == 10
    logged = caplog.text + "".join(f"{record.getMessage()} {record.args!r}" for record in caplog.records)
    assert library in caplog.text  # the logs were on
    assert answer.request.state not in logged
    written = "".join(capfd.readouterr())
    noted = f"{transcript}{transcript!r}{transcript.markdown}{transcript.mermaid}"
    noted += "".join(exchange.curl() + every_text(exchange) for exchange in transcript)
    assert "oauth2/token" in noted
    for name, text in {"logs": logged, "warnings": str(warned), "output": written, "transcript": noted}.items():
        assert [secret for secret in secrets if secret in text] == [], name


def value(secret: Secret | None) -> str:
    assert secret is not None
    return secret.reveal()


def test_the_libraries_still_log_what_a_learner_does_bare(
    faulty: FaultyServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The kit only keeps its own calls out of the log; it does not switch off anybody's logging."""
    faulty.answers = [reply(200, tokens())]
    caplog.set_level(logging.DEBUG, "requests_oauthlib.oauth2_session")
    settings = app()
    exchange(answered(settings))
    assert "Obtained token" not in caplog.text
    oauth = connect(OAuth2Session(settings.client_id))
    oauth.fetch_token(TOKEN_URL, code="theirs", include_client_id=True, client_secret="their-own")
    assert "Obtained token" in caplog.text


def test_curl_commands_hold_variables_in_place_of_secrets(faulty: FaultyServer) -> None:
    """R41."""
    settings = app()
    answer = answered(settings)
    faulty.answers = [reply(200, tokens())]
    exchange(answer)
    assert transcript.last is not None
    command = transcript.last.curl()
    assert "client_secret=$REDBOOTH_CLIENT_SECRET" in command
    assert "code=$REDBOOTH_AUTHORIZATION_CODE" in command
    assert "code_verifier=$REDBOOTH_CODE_VERIFIER" in command


def test_a_secret_cannot_leave_by_accident() -> None:
    """R39."""
    secret = Secret("access token", ACCESS)
    assert re.fullmatch(r"<access token \.\.\.[0-9a-f]{4}>", repr(secret))
    for escape in (len, iter, pickle.dumps, copy.copy, copy.deepcopy, json.dumps, dict, bytes, vars):
        with pytest.raises(TypeError):
            escape(secret)  # type: ignore[operator]
    with pytest.raises(TypeError):
        _ = secret + "x"  # type: ignore[operator]


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)  # noqa: S607
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_tracked_file_is_an_env_file_or_holds_a_token() -> None:
    """R42, R43: 64 hex digits are what Redbooth's ids, secrets and tokens look like; recordings hold only fakes."""
    files = tracked()
    assert files
    assert [path.name for path in files if path.name == ".env" or path.suffix == ".env"] == []
    hexadecimal = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
    for path in files:
        text = path.read_bytes().decode("utf-8", "replace")
        mixed = [found for found in hexadecimal.findall(text) if len(set(found)) > 4]
        assert mixed == [], path.name
        if path.parent.name == "recordings":
            assert live_looking(text) == [], path.name


def test_the_env_file_is_ignored_by_git() -> None:
    """R43."""
    answer = subprocess.run(["git", "check-ignore", "-q", ".env"], cwd=ROOT, check=False)  # noqa: S607
    assert answer.returncode == 0


def test_the_example_holds_no_value_that_could_be_a_credential() -> None:
    """R43."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert "REDBOOTH_CLIENT_SECRET" in values
    assert values["REDBOOTH_CLIENT_ID"] == values["REDBOOTH_CLIENT_SECRET"] == ""
    assert all(live_looking(text) == [] for text in values.values())


def test_the_env_files_values_are_no_environment_of_child_processes(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R43: read, not exported."""
    (machine / ".env").write_text(f"REDBOOTH_CLIENT_ID={CLIENT_ID}\nREDBOOTH_CLIENT_SECRET={SECRET}\n")
    monkeypatch.setenv("REDBOOTH_PROVIDER", "live")
    assert Settings.load().client_secret.reveal() == SECRET
    child = subprocess.run(["env"], capture_output=True, check=True, text=True)  # noqa: S607
    assert "REDBOOTH_PROVIDER" in child.stdout
    assert_clean(child.stdout)


def test_oauthlibs_switch_is_never_set() -> None:
    """R7: neither in the source of the kit nor by running it (the other tests run with it unset)."""
    name = "OAUTHLIB_INSECURE_" + "TRANSPORT"
    for path in Path(redbooth_nb.__path__[0]).rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(rf"(environ|setenv|putenv|setdefault|update)[^\n]*{name}", text), path.name


def test_the_rule_of_redaction_covers_every_field_that_is_sent() -> None:
    assert {"client_secret", "code", "code_verifier", "access_token", "refresh_token"} <= {*SECRET_FIELDS}
