"""What the lessons teach about the libraries is true, and what a reader copies from a cell is safe."""

import ast
import re
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import nbformat
import pytest
import requests
from notebooks.lessons import NAMES, ROOT, code_cells
from oauthlib.oauth2 import MismatchingStateError, MissingTokenError, TokenExpiredError
from requests.adapters import HTTPAdapter
from requests_oauthlib import OAuth2Session

URL, TOKEN_URL = "https://redbooth.com/api/3/me", "https://redbooth.com/oauth2/token"
LONGEST = 25  # code cells
HOURS_AGO = 3 * 3600  # seconds


class Answered(HTTPAdapter):
    """Answers every request with 204, and counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        self.requests.append(request)
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 204, request, request.url or ""
        return answer


def compares_state_with_itself(source: str) -> bool:
    """Whether a call gets `state=` from an answer in place of the request: then nothing is checked."""
    keywords = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.keyword) and node.arg == "state"]
    values = [node.value for node in keywords if isinstance(node.value, ast.Attribute)]
    return any(value.attr == "state" and not ast.unparse(value.value).endswith("request") for value in values)


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_compares_state_with_itself(name: str) -> None:
    """Readers copy these lines: the expected state is the one that was sent."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    sources = [cell.source for cell in code_cells(notebook)]
    assert [source for source in sources if compares_state_with_itself(source)] == []


def test_such_a_cell_would_be_found() -> None:
    assert compares_state_with_itself("oauth = OAuth2Session('x', state=response.state)")
    assert not compares_state_with_itself("oauth = OAuth2Session('x', state=response.request.state)")
    assert not compares_state_with_itself("oauth = OAuth2Session('x', state=request.state)")


def test_the_state_that_came_back_is_no_check_at_all() -> None:
    """03: "If you give it the one that came back, it compares a value with itself"."""
    came_back = "https://127.0.0.1:8765/callback?code=a&state=forged"
    for expected, refused in (("sent", True), ("forged", False)):
        client = OAuth2Session("client", state=expected)._client
        try:
            client.parse_request_uri_response(came_back, state=expected)
        except MismatchingStateError:
            assert refused
        else:
            assert not refused


@pytest.mark.parametrize(
    ("times", "sent"),
    [
        ({"expires_in": 7200, "expires_at": time.time() - HOURS_AGO}, 0),
        ({"expires_in": 7200, "obtained_at": time.time() - HOURS_AGO}, 1),
        ({}, 1),
    ],
)
def test_the_librarys_session_goes_by_this_computers_clock(times: dict[str, float], sent: int) -> None:
    """04: a past `expires_at` stops it; with `expires_in` alone even an old token looks new."""
    session, answered = (
        OAuth2Session("client", token={"access_token": "a", "token_type": "Bearer", **times}),
        Answered(),
    )
    session.mount("https://", answered)
    if sent:
        assert session.get(URL).status_code == 204
    else:
        with pytest.raises(TokenExpiredError):
            session.get(URL)
    assert len(answered.requests) == sent


@pytest.mark.parametrize(("include", "basic"), [(True, False), (None, True)])
def test_where_the_credentials_go(include: bool | None, basic: bool) -> None:  # noqa: FBT001
    """03: "Without it, the library sends both in a header (HTTP Basic) instead"."""
    session, answered = OAuth2Session("client"), Answered()
    session.mount("https://", answered)
    with pytest.raises(MissingTokenError):
        session.fetch_token(TOKEN_URL, code="a", include_client_id=include, client_secret="secret")
    (request,) = answered.requests
    assert ("client_id=client" in str(request.body)) is ("client_secret=secret" in str(request.body)) is not basic
    assert request.headers.get("Authorization", "").startswith("Basic ") is basic


def test_a_code_alone_is_exchanged_without_looking_at_state() -> None:
    """03: "Pass the whole callback address, not just the code"."""
    answer = f"https://my-app.test/?{urlencode({'code': 'a', 'state': 'forged'})}"
    for how, sent in (({"code": "a"}, 1), ({"authorization_response": answer}, 0)):
        session, answered = OAuth2Session("client", state="sent"), Answered()
        session.mount("https://", answered)
        with pytest.raises(MissingTokenError if sent else MismatchingStateError):
            session.fetch_token(TOKEN_URL, **how, include_client_id=True, client_secret="secret")
        assert len(answered.requests) == sent


def test_a_refresh_leaves_the_credentials_out() -> None:
    """04: "the library doesn't add them to a refresh"."""
    session, answered = OAuth2Session("client", token={"access_token": "a", "refresh_token": "r"}), Answered()
    session.mount("https://", answered)
    with pytest.raises(MissingTokenError):
        session.refresh_token(TOKEN_URL)
    (request,) = answered.requests
    assert dict(parse_qsl(str(request.body))) == {"grant_type": "refresh_token", "refresh_token": "r"}
    assert "Authorization" not in request.headers


def cells(name: str, kind: str) -> str:
    """Return all the code or all the prose of a notebook."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == kind)


@pytest.mark.parametrize(
    ("name", "library", "kit"),
    [
        ("02-authorize", r"\.authorization_url\(", r"AuthorizationRequest\.new\("),
        ("03-exchange", r"\.fetch_token\(", r"(?<!\w)(?<!def )exchange\(|\.send\("),
        ("04-refresh", r"\.refresh_token\(TOKEN_URL, \*\*client\)\n", r"(?<!redbooth_nb)\.refresh\("),
    ],
)
def test_each_stage_succeeds_in_the_librarys_words(name: str, library: str, kit: str) -> None:
    code = cells(name, "code")
    assert re.search(library, code)
    assert re.findall(kit, code) == []


def test_every_address_that_is_made_is_the_one_that_is_opened() -> None:
    """02: a request that the library makes is adopted, and the panel opens it."""
    code = cells("02-authorize", "code")
    assert code.count(".authorization_url(") == code.count("adopt(url)") == code.count("SignInPanel(") == 2


@pytest.mark.parametrize("name", NAMES[:5])
def test_every_mark_is_one_of_the_legend(name: str) -> None:
    """00: where a statement comes from."""
    marks = re.findall(r"(?<!\*)\*\(([^*]+)\)\*", cells(name, "markdown"))
    assert len(marks) >= 5
    assert [mark for mark in marks if not re.match(r"(guide|observed|inferred|kit|RFC \d{4}(, [\d.]+)?)\b", mark)] == []


@pytest.mark.parametrize("name", NAMES[:5])
def test_what_leads_to_the_glossary_is_in_it(name: str) -> None:
    glossary = cells("00-start-here", "markdown").partition("## Glossary")[2].lower()
    terms = re.findall(r"\[\*?([\w ]+?)s?\*?\]\(00-start-here\.ipynb#Glossary\)", cells(name, "markdown"))
    assert [term for term in terms if f"**{term.lower()}" not in glossary] == []


@pytest.mark.parametrize("name", NAMES[:5])
def test_a_lesson_stays_short(name: str) -> None:
    """A longer one would be two."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    assert len(code_cells(notebook)) <= LONGEST


def test_the_command_to_paste_asks_who_answers_here() -> None:
    """00: cURL knows no delivery, so the command names the provider's own address and not always redbooth.com."""
    text = Path(ROOT / "notebooks" / "00-start-here.ipynb").read_text(encoding="utf-8")
    assert ".curl(current_provider().link())" in text
    assert ".curl()" not in text
