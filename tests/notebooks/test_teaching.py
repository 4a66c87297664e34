"""What the lessons teach about the libraries is true, and what a reader copies from a cell is safe."""

import ast
import time
from pathlib import Path

import nbformat
import pytest
import requests
from notebooks.lessons import NAMES, ROOT, code_cells
from oauthlib.oauth2 import MismatchingStateError, TokenExpiredError
from requests.adapters import HTTPAdapter
from requests_oauthlib import OAuth2Session

URL = "https://redbooth.com/api/3/me"
HOURS_AGO = 3 * 3600  # seconds


class Answered(HTTPAdapter):
    """Answers every request with 204, and counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        self.sent += 1
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
    assert answered.sent == sent


def test_the_command_to_paste_asks_who_answers_here() -> None:
    """00: cURL knows no delivery, so the command names the provider's own address and not always redbooth.com."""
    text = Path(ROOT / "notebooks" / "00-start-here.ipynb").read_text(encoding="utf-8")
    assert ".curl(current_provider().origin)" in text
    assert ".curl()" not in text
