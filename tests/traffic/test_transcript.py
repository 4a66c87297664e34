"""Every request and its answer as they went over the wire, without a secret in them."""

import json
import shlex
import subprocess
import sys
import threading
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from client.machine import FaultyServer, reply

from redbooth_nb.client.wire import connect
from redbooth_nb.provider.addresses import API_URL, AUTHORIZE_URL, ORIGIN, TOKEN_URL
from redbooth_nb.secret import Secret
from redbooth_nb.traffic.redaction import hide_in_text, hide_in_url
from redbooth_nb.traffic.transcript import RoundTrip, Transcript, transcript


@pytest.fixture
def session(faulty: FaultyServer) -> requests.Session:
    """Return a session whose provider answers as a test says."""
    faulty.answers = [reply(200, "{}")]
    return connect(requests.Session())


def last() -> RoundTrip:
    assert transcript.last is not None
    return transcript.last


def test_before_the_first_request_it_says_so() -> None:
    assert (str(transcript), len(transcript), transcript.last, transcript.markdown) == (
        "Nothing has been sent to Redbooth yet.", 0, None, "",
    )  # fmt: skip


def test_a_round_trip_reads_like_the_wire(faulty: FaultyServer, session: requests.Session) -> None:
    faulty.answers = [reply(401, '{"error": {"message": "Unauthorized"}}', WWW_Authenticate='Bearer error="x"')]
    session.get(f"{API_URL}/tasks", params={"project_id": 5}, headers={"Authorization": "Bearer canary"})
    text = str(last())
    assert text.startswith(f"GET {API_URL}/tasks?project_id=5\n    Authorization: Bearer <access token ...")
    assert '--> 401 Unauthorized\n    WWW-Authenticate: Bearer error="x"' in text
    assert '"message": "Unauthorized"' in text
    assert "canary" not in text
    assert faulty.origin not in text


def test_a_new_token_is_hidden_wherever_its_own_answer_repeats_it(
    session: requests.Session, faulty: FaultyServer
) -> None:
    """R38: also where nobody has met it before."""
    pair = {"access_token": "canary-access", "refresh_token": "canary-refresh"}
    again = {"message": "use canary-access now", "session": {"canary-refresh": ["canary-access"]}}
    faulty.answers = [reply(200, json.dumps(pair | again), X_Again="canary-refresh")]
    session.post(TOKEN_URL, data={"grant_type": "authorization_code"})
    assert "canary" not in f"{last()} {last().response_headers} {transcript.markdown}"
    assert "use <access token ..." in str(last())


@pytest.mark.parametrize(
    "header", ["Bearer canary", "bearer canary", "canary", "canary canary", "Basic canary", "Token canary"]
)
def test_an_authorization_header_is_hidden_however_it_is_written(session: requests.Session, header: str) -> None:
    """R38: also where the word Bearer was forgotten, which is a mistake people make."""
    session.get(f"{API_URL}/me", headers={"Authorization": header, "Cookie": "session=canary"})
    noted = last()
    assert "canary" not in str(noted) + str(noted.request_headers) + noted.curl()


def test_form_json_and_query_are_hidden_by_name(session: requests.Session) -> None:
    fields = {"client_secret": "canary", "code": "canary", "refresh_token": "canary", "grant_type": "seen"}
    for arguments in ({"data": fields}, {"json": fields}, {"params": fields}):
        session.post(TOKEN_URL, **arguments)
        text = str(last()) + last().curl() + repr(last().request_headers)
        assert "canary" not in text
        assert "seen" in text


def test_answers_are_hidden_by_name_at_any_depth_and_in_redirects(
    faulty: FaultyServer, session: requests.Session
) -> None:
    location = "http://127.0.0.1:9/callback?code=canary&state=seen#access_token=canary"
    body = json.dumps({"list": [{"access_token": "canary", "scope": "seen"}]})
    faulty.answers = [reply(302, body, Location=location, Set_Cookie="session=canary")]
    session.get(AUTHORIZE_URL, allow_redirects=False)
    text = str(last()) + str(last().response_headers)
    assert "canary" not in text
    assert text.count("seen") >= 2


def test_a_secret_is_hidden_however_much_of_it_is_encoded(faulty: FaultyServer, session: requests.Session) -> None:
    token = Secret("access token", "qZ3_canary-access.token~1f9c").reveal()
    whole = "".join(f"%{ord(letter):02x}" if letter in "-_" else letter for letter in token)
    more = token.replace("-", "%2D").replace("_", "%5F").replace(".", "%2E").replace("~", "%7E")
    address = f"https://redbooth.test/login?was={whole}#is={whole}"
    faulty.answers = [reply(302, "", Location=address, Link=f"<https://redbooth.test/{more}>; rel=next")]
    session.get(f"{API_URL}/me", allow_redirects=False)
    text = str(last()) + str(last().response_headers) + transcript.markdown
    assert "canary" not in text
    assert "<access token" in text


BROKEN = [
    '{"access_token": "canary", "refresh_token": "canary',
    '{"access_token":"canary"',
    "{'access_token': 'canary'",
    "access_token=canary&token_type=bearer",
    "access_token: canary\nscope: all",
    'log: {\\"refresh_token\\": \\"canary\\"}',
]


@pytest.mark.parametrize("body", BROKEN)
def test_a_broken_answer_is_hidden_too(faulty: FaultyServer, session: requests.Session, body: str) -> None:
    """R38: half a JSON answer still holds whole tokens."""
    faulty.answers = [reply(200, body, "text/plain")]
    session.post(TOKEN_URL)
    assert "canary" not in str(last()) + transcript.markdown
    assert "token" in str(last())


def test_text_without_secrets_is_shown_as_it_is() -> None:
    for text in ("Retry later\n", "The status_code: 5 is no code of ours", "a token is a thing"):
        assert hide_in_text(text) == text


def test_a_page_is_its_heading(faulty: FaultyServer, session: requests.Session) -> None:
    faulty.answers = [reply(200, "<html><h1>Sign <b>in</b>\n first</h1><p>canary</p></html>", "text/html")]
    session.get(AUTHORIZE_URL)
    assert last().body == "(a web page: Sign in first)"


def test_a_body_that_is_no_form_is_only_measured(session: requests.Session) -> None:
    for arguments in ({"files": {"file": b"canary"}}, {"data": b"canary"}, {"json": ["canary"]}):
        session.post(f"{API_URL}/tasks", **arguments)
        assert "canary" not in str(last())
        assert "characters)" in str(last())


@pytest.mark.parametrize(
    "url", ["https://x.example/a?code=canary", "https://x.example/#access_token=canary", "?token=canary#code=canary"]
)
def test_a_url_is_hidden_in_query_and_fragment(url: str) -> None:
    assert "canary" not in hide_in_url(url)
    assert hide_in_url("https://x.example/a?b=c#d") == "https://x.example/a?b=c" or "#" in hide_in_url(
        "https://x.example/#d"
    )


def test_two_secrets_can_be_told_apart(session: requests.Session) -> None:
    """The fingerprint is the same for the same value."""
    for value in ("one", "one", "two"):
        session.get(f"{API_URL}/me", headers={"Authorization": f"Bearer {value}"})
    first, second, third = (str(round_trip.request_headers) for round_trip in transcript)
    assert first == second != third


def shell_words(command: str, **variables: str) -> list[str]:
    """Let a real shell read the command, and return the arguments curl would get."""
    script = f"curl() {{ for word; do printf '%s\\0' \"$word\"; done; }}\n{command}"
    answer = subprocess.run(["/bin/sh", "-c", script], env=variables, capture_output=True, check=True, text=True)  # noqa: S603
    return answer.stdout.split("\0")[:-1]


posix = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")


@posix
def test_a_curl_command_says_the_same_to_a_shell(session: requests.Session) -> None:
    """R41: the variables are the only secrets in it."""
    fields = {
        "client_secret": "canary",
        "code": "canary",
        "redirect_uri": "http://127.0.0.1:9/?a=1&b='2'",
        "note": 'a "b" $HOME `id`',
    }
    session.post(TOKEN_URL, params={"x": "1 2"}, data=fields)
    command = last().curl()
    assert "canary" not in command
    words = shell_words(command, REDBOOTH_CLIENT_SECRET="s3", REDBOOTH_AUTHORIZATION_CODE="c0de")
    assert words[:3] == ["-X", "POST", f"{TOKEN_URL}?x=1+2"]
    sent = dict(parse_qsl("&".join(words[4::2])))
    assert sent == {**fields, "client_secret": "s3", "code": "c0de"}


@posix
@pytest.mark.parametrize(
    "evil", ["$(echo ran)", "`echo ran`", '"; echo ran; "', "'; echo ran; '", "\\", "$REDBOOTH_CODE"]
)
def test_a_curl_command_runs_nothing_but_curl(session: requests.Session, evil: str) -> None:
    """Names, values and paths may come from an answer, and are pasted into a shell."""
    session.post(f"{API_URL}/x{evil}", params={evil: evil, "code": "canary"}, data={evil: evil, "token": "canary"})
    words = shell_words(last().curl())
    assert "ran" not in words
    assert [len(words), words[:2]] == [7, ["-X", "POST"]]
    assert dict(parse_qsl(urlsplit(words[2]).query, keep_blank_values=True))[evil] == evil


@posix
def test_a_curl_command_for_an_api_call_has_the_header(session: requests.Session, faulty: FaultyServer) -> None:
    session.get(f"{API_URL}/me", headers={"authorization": "Bearer canary"})
    command = last().curl(faulty.origin)
    assert shell_words(command, REDBOOTH_ACCESS_TOKEN="t0k") == [
        "-X", "GET", f"{faulty.origin}/api/3/me", "-H", "Authorization: Bearer t0k",
    ]  # fmt: skip
    assert shlex.split(last().curl())[3] == f"{ORIGIN}/api/3/me"


def test_nothing_in_an_answer_leaves_its_block(faulty: FaultyServer, session: requests.Session) -> None:
    """A page that is pasted into an issue must stay text there, and a label must stay a label."""
    hostile = "```\n<img src=x onerror=alert(1)>\n````\n# A heading"
    faulty.answers = [reply(200, hostile, "text/plain")]
    session.post(f"{API_URL}/a`b;c%0A", data={"grant_type": "x\n    App->>Evil: y;%%{init: {}}%%"})
    lines = transcript.markdown.splitlines()
    fences = [number for number, line in enumerate(lines) if line.startswith("`" * 5)]
    assert len(fences) == 2
    assert all(fences[0] < number < fences[1] for number, line in enumerate(lines) if "<img" in line)
    assert "`" not in lines[0]
    assert len(transcript.mermaid.splitlines()) == 5
    assert not set(";%{}") & set(transcript.mermaid)


def test_markdown_and_mermaid_show_each_round_trip(session: requests.Session) -> None:
    session.get(f"{API_URL}/me")
    session.post(TOKEN_URL, data={"grant_type": "refresh_token", "refresh_token": "canary"})
    assert [line for line in transcript.markdown.splitlines() if line.startswith("**")] == [
        f"**1. GET {API_URL}/me**", f"**2. POST {TOKEN_URL}**",
    ]  # fmt: skip
    assert "App->>Redbooth: POST /oauth2/token refresh_token" in transcript.mermaid
    assert "Redbooth-->>App: 200 OK" in transcript.mermaid
    assert "canary" not in transcript.markdown + transcript.mermaid


def test_it_keeps_the_newest_and_can_be_read_while_it_grows(session: requests.Session) -> None:
    """R15: threads of listeners and widgets write into it."""
    response = session.get(f"{API_URL}/me")
    own = Transcript()
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            own.note(response)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(200):
            assert all(round_trip.status == 200 for round_trip in own)
    finally:
        over.set()
        writer.join()
    for _ in range(600):
        own.note(response)
    assert len(own) == len(list(own)) == 500
