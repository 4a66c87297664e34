"""Errors in words, whoever raised them, and without what they carried."""

import atexit
from collections.abc import Callable
from typing import Any

import pytest
import requests
from IPython.core.interactiveshell import InteractiveShell
from oauthlib.oauth2 import InvalidGrantError
from practice import DECIDE, SECRET
from traitlets.config import Config

from redbooth_nb import API_URL, AUTHORIZE_URL, TOKEN_URL, connect, explain, show_errors, summarize
from redbooth_nb.client.register import Settings
from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons import explain as module
from redbooth_nb.lessons.practice import pretend
from redbooth_nb.provider.visitor import VisitorError
from redbooth_nb.secret import Secret, hider

CODE = "a-canary-code-77aa"


def raise_(error: BaseException) -> None:
    raise error


def shell_of(monkeypatch: pytest.MonkeyPatch) -> InteractiveShell:
    """Return a notebook's shell, in which the lesson "exchange" was opened."""
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    atexit.unregister(shell.atexit_operations)  # it belongs to this test
    monkeypatch.setattr(module, "get_ipython", lambda: shell)
    module.explain_errors("exchange")
    return shell


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            RedboothError("It broke.", why="It was old.", remedy="Get a new one."),
            "It broke.\nWhy: It was old.\nWhat to",
        ),
        (InvalidGrantError(description="It was used."), 'invalid_grant. Redbooth said: "It was used."'),
        (InvalidGrantError(), "InvalidGrantError: invalid_grant.\n"),
        (requests.ConnectTimeout(), "the connection to the server took too long"),
        (requests.ReadTimeout(), "did not respond in time"),
        (requests.exceptions.SSLError(), "secure connection could not be made"),
        (requests.ConnectionError(f"https://redbooth.com/?code={CODE}"), "no connection"),
    ],
)
def test_a_failure_becomes_a_sentence_and_the_cell_goes_on(
    error: BaseException, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with show_errors():
        raise_(error)
    told = capsys.readouterr().out
    assert told.startswith(f"{type(error).__name__}: ") or isinstance(error, requests.RequestException)
    assert words in told
    assert "What to do: " in told
    assert CODE not in told
    assert "Traceback" not in told


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), KeyboardInterrupt()])
def test_what_is_no_failure_of_this_kind_is_not_swallowed(error: BaseException) -> None:
    with pytest.raises(type(error)), show_errors():
        raise_(error)


def test_without_a_failure_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with show_errors():
        pass
    assert capsys.readouterr().out == ""


def test_outside_a_notebook_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "get_ipython", lambda: None)
    module.explain_errors()


@pytest.mark.parametrize(
    "raised",
    [
        "from oauthlib.oauth2 import InvalidGrantError as E",
        "from requests import ConnectionError as E",
        "from redbooth_nb.errors import RedboothError as E",
    ],
)
def test_a_notebook_shows_a_sentence_in_place_of_a_stack_trace(
    raised: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = shell_of(monkeypatch)
    shell.run_cell(f"secret = {SECRET!r}\n{raised}\ndef fail(kept):\n    raise E('It broke.')\nfail(secret)")
    captured = capsys.readouterr()
    told = captured.out + captured.err
    assert "broke" in told or "no connection" in told or "invalid_grant" in told
    assert SECRET not in told
    assert "Traceback" not in told
    assert "fail(" not in told


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize(
    ("here", "stage", "line"),
    [
        ("", "register", "In this course: notebook 01-register, or run catch_up('authorize')"),
        ("exchange", "authorize", "In this course: notebook 02-authorize, or run catch_up('exchange')"),
        ("refresh", "authorize", "In this course: notebook 02-authorize, or run catch_up('refresh')"),
        ("every-error", "exchange", "In this course: notebook 03-exchange, or run catch_up('refresh')"),
        ("start", "refresh", "In this course: notebook 04-refresh"),
    ],
)
def test_a_cell_that_fails_says_where_in_the_course_the_remedy_is(
    here: str, stage: str, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = shell_of(monkeypatch)
    shell.run_cell(f"from redbooth_nb.lessons.explain import explain_errors\nexplain_errors({here!r})")
    shell.run_cell(
        "from redbooth_nb.errors import NotYet\n"
        f"raise NotYet('There is none yet.', why='It is early.', remedy='Get one.', stage={stage!r})"
    )
    captured = capsys.readouterr()
    sentences = "There is none yet.\nWhy: It is early.\nWhat to do: Get one."
    assert (captured.out + captured.err).strip() == f"NotYet: {sentences}\n{line}"


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("stage", ["", "exchange", "no-such-stage"])
def test_where_the_remedy_is_here_no_notebook_is_named(
    stage: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stage of the notebook that is open, or none at all."""
    shell_of(monkeypatch)
    with show_errors():
        raise_(RedboothError("It broke.", stage=stage))
    assert capsys.readouterr().out == "RedboothError: It broke.\n"


def test_on_redbooth_nothing_is_offered_that_the_kit_cannot_do(live: None) -> None:
    assert live is None
    told = module.describe_error(RedboothError("It broke.", stage="authorize"))
    assert told.splitlines()[-1] == "In this course: notebook 02-authorize"


@pytest.fixture
def session(app: Settings) -> requests.Session:
    del app
    return connect(requests.Session())


def fields(app: Settings, **changes: str) -> dict[str, Any]:
    return {
        "grant_type": "authorization_code",
        "code": CODE,
        "client_id": app.client_id,
        "client_secret": app.client_secret.reveal(),
        "redirect_uri": app.redirect_uri,
    } | changes


Answer = Callable[[requests.Session, Settings], requests.Response]


def authorize(**faults: str) -> Answer:
    def ask(session: requests.Session, app: Settings) -> requests.Response:
        good = {"client_id": app.client_id, "response_type": "code", "redirect_uri": app.redirect_uri}
        return session.get(AUTHORIZE_URL, params=good | faults, allow_redirects=False)

    return ask


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (authorize(redirect_uri="https://other.test/callback"), 'a page that says "'),
        (authorize(scope="everything"), "scope is invalid"),
        (lambda session, app: session.post(TOKEN_URL, data=fields(app)), "400 Bad Request: invalid_grant"),
        (
            lambda session, app: session.post(TOKEN_URL, data=fields(app, client_secret="wrong")),
            "401 Unauthorized: invalid_client",
        ),
        (
            lambda session, _: session.get(f"{API_URL}/me", headers={"Authorization": f"Bearer {CODE}"}),
            "The access token is invalid",
        ),
    ],
)
def test_an_answer_in_words(
    ask: Answer, words: str, app: Settings, session: requests.Session, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ask(session, app)
    assert words in summarize(answer)
    assert "\n" not in summarize(answer)
    explain(answer)
    told = capsys.readouterr().out
    assert told.startswith(summarize(answer))
    assert "What to do: " in told
    assert SECRET not in told
    assert CODE not in told


def test_a_good_answer_needs_no_explanation(
    app: Settings, session: requests.Session, decide: DECIDE, capsys: pytest.CaptureFixture[str]
) -> None:
    response = decide(app)
    assert response.code is not None
    answer = session.post(TOKEN_URL, data=fields(app, code=response.code.reveal()))
    explain(answer)
    assert capsys.readouterr().out == "--> 200 OK: a token\n"
    token = answer.json()["access_token"]
    explain(session.get(f"{API_URL}/me", headers={"Authorization": f"Bearer {token}"}))
    assert capsys.readouterr().out == "--> 200 OK: a good response\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("<h1>Hotel</h1>", "something that is not JSON"),
        ("[]", "something that is not JSON"),
        ("{}", "no error code"),
        ('{"error": {"message": "invalid_grant"}}', "invalid_grant"),
        ('{"error": "invalid_grant"}', "invalid_grant"),
    ],
)
def test_an_odd_answer_of_the_token_endpoint_is_no_token(content: str, words: str) -> None:
    """Old services put the code into an object; a login page is not JSON at all."""
    answer = requests.Response()
    answer.status_code, answer.url, answer._content = 200, TOKEN_URL, content.encode()
    assert summarize(answer) == f"--> 200 OK: {words}"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (f"code={CODE}&state=s", "the browser is sent to http://127.0.0.1:8765/callback?code="),
        ("error=access_denied", ""),
    ],
)
def test_a_redirect_is_told_without_the_code(query: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = requests.Response()
    answer.status_code, answer.url = 302, f"{AUTHORIZE_URL}?response_type=code"
    answer.headers["Location"] = f"http://127.0.0.1:8765/callback?{query}"
    explain(answer)
    told = capsys.readouterr().out
    assert words in told
    assert CODE not in told
    assert ("What to do: " in told) == ("error" in query)


@pytest.mark.usefixtures("app")
def test_a_made_up_answer_comes_to_every_session() -> None:
    """Also to those that were connected before, and only inside the block."""
    before = connect(requests.Session())
    with pretend(503):
        assert before.get(f"{API_URL}/me", timeout=5).status_code == 503
        assert connect(requests.Session()).get(f"{API_URL}/me", timeout=5).status_code == 503
    with pretend(), pytest.raises(requests.ConnectionError):
        before.get(f"{API_URL}/me", timeout=5)
    assert before.get(f"{API_URL}/me", timeout=5).status_code == 401


@pytest.mark.usefixtures("app")
def test_what_an_answer_or_an_error_repeats_is_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    """R50: also where the service repeats it in a text, a header, a page or an error's own description."""
    token = Secret("access token", "canary-access-token-2c81").reveal()
    header = {"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{token} is wrong"'}
    for address, made_up in {
        f"{API_URL}/me": {"text": f"token {token} may not", "content_type": "text/plain"},
        f"{API_URL}/tasks": {"headers": header},
        AUTHORIZE_URL: {"text": f"<pre>{token} is unknown</pre>"},
        TOKEN_URL: {"text": f'{{"error": "{token}"}}', "content_type": "application/json"},
    }.items():
        with pretend(403, **made_up):
            answer = connect(requests.Session()).get(address, timeout=5)
        explain(answer)
        assert token not in summarize(answer)
    with show_errors():
        raise InvalidGrantError(f"it was {token}")
    with show_errors():
        raise VisitorError(f"The page has {hider(token)(token)}.")
    printed = capsys.readouterr().out
    assert token not in printed
    assert printed.count("<access token ...") == 7


def test_what_a_service_says_cannot_look_like_what_the_kit_says(capsys: pytest.CaptureFixture[str]) -> None:
    said = "no\x1b[2K\r\nDone     Everything"
    with pretend(403, said, "text/plain"):
        explain(connect(requests.Session()).get(f"{API_URL}/me"))
    with show_errors():
        raise InvalidGrantError(description=said)
    told = capsys.readouterr().out
    assert told.count("no?[2K Done Everything") == 2
    assert "\nDone" not in told
