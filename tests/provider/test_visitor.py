"""What a person does in the browser, done where nobody sits there."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from client.machine import RESET, FaultyServer, own_machine, reply
from hypothesis import given, strategies as st

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.wire import connect
from redbooth_nb.provider.addresses import NEW_APPLICATION_URL
from redbooth_nb.provider.visitor import Visitor, VisitorError, document, page_message, press, register_application

REDIRECT_URI = "http://127.0.0.1:9/callback"
PIECES = ("<form>", "</form>", "<input name=a>", "<pre>", "<main>", "</body>", "<html>", "<!--", "-->", "<![CDATA[",
          "]]>", '<?xml version="1.0" encoding="ascii"?>', "<!DOCTYPE html>", "<script>", "&#0;", "&amp;", "<",
          "<a:b c:d=e>", '<meta charset="utf-16">', "\0", "\x01", "\ud800", "\ufeff", "<textarea>",
          '<html xmlns="x">')  # fmt: skip


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test a machine of its own."""
    with own_machine(tmp_path, monkeypatch) as folder:
        yield folder


@pytest.fixture
def session() -> requests.Session:
    return connect(requests.Session())


@pytest.fixture
def app(session: requests.Session) -> Settings:
    """Return the settings of an app that was registered in the sandbox's own page."""
    return save_credentials(*register_application(session, "My app", REDIRECT_URI), REDIRECT_URI)


def query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


def test_an_app_is_registered_with_the_pages_own_form(app: Settings) -> None:
    assert app.client_id != app.client_secret.reveal()
    request = AuthorizationRequest.new(app)
    assert "code" in query(press(connect(requests.Session()), request.url, REDIRECT_URI, "allow"))


@pytest.mark.parametrize(("answer", "field"), [("allow", "code"), ("deny", "error")])
def test_the_button_named_is_the_one_pressed(app: Settings, session: requests.Session, answer: str, field: str) -> None:
    request = AuthorizationRequest.new(app, pkce=True, nonce=True)
    url = press(session, request.url, request.redirect_uri, answer)
    assert url.startswith(REDIRECT_URI)
    assert field in query(url)
    assert query(url)["state"] == [request.state]


def test_an_error_page_is_quoted(app: Settings, session: requests.Session) -> None:
    """The sentence is the provider's own."""
    request = AuthorizationRequest.new(app)
    with pytest.raises(VisitorError, match='no "allow" button') as caught:
        press(session, request.url.replace(app.client_id, "unknown"), REDIRECT_URI, "allow")
    assert "the page says" in caught.value.why
    assert "client" in caught.value.why.lower()


def test_a_name_that_the_form_refuses_is_quoted(session: requests.Session) -> None:
    with pytest.raises(VisitorError, match="could not be registered") as caught:
        register_application(session, "", REDIRECT_URI)
    assert "Can't be blank" in caught.value.why


def test_a_new_apps_page_that_is_not_understood_is_not_quoted_whole(
    faulty: FaultyServer, session: requests.Session
) -> None:
    form = '<form action="/oauth2/applications" method="post"><input name="a[name]"><button>Submit</button></form>'
    shown = "<h1>Application: mine</h1><h4>Secret</h4><code id=plaintext>canary-secret-1</code>"
    faulty.answers = [reply(200, form, "text/html"), reply(200, shown, "text/html")]
    with pytest.raises(VisitorError, match="could not be registered") as caught:
        register_application(session, "mine", REDIRECT_URI)
    assert 'the page says: "Application: mine"' in caught.value.why
    assert "canary" not in str(caught.value)


def test_a_page_with_a_secret_is_not_quoted_whole(session: requests.Session) -> None:
    """As when somebody presses a wrong button on the page of an app, before the kit knows its secret."""
    visitor = Visitor(session)
    visitor.open(NEW_APPLICATION_URL)
    visitor.press("create", **{"[name]": "My app", "[redirect_uri]": REDIRECT_URI})
    assert visitor.page is not None
    shown = next(each.text for each in document(visitor.page).iter("code") if each.get("id") == "secret")
    with pytest.raises(VisitorError, match='no "Save" button') as caught:
        visitor.press("Save")
    assert "My app" in caught.value.why
    assert shown
    assert shown not in str(caught.value)


@pytest.mark.parametrize("answer", [reply(200, "", "text/html"), reply(503, "<p>Closed</p>", "text/html")])
def test_a_page_without_buttons_is_named(faulty: FaultyServer, session: requests.Session, answer: bytes) -> None:
    faulty.answers = [answer]
    with pytest.raises(VisitorError, match='no "allow" button'):
        press(session, "https://redbooth.com/oauth2/authorize", REDIRECT_URI, "allow")


def page(text: str) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer.encoding = 200, "utf-16"
    answer._content = text.encode("utf-16", "surrogatepass")
    return answer


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ""),
        ("  \n", ""),
        ("<!DOCTYPE html>", ""),
        ("<!-- nothing -->", ""),
        ('{"error": "invalid_request"}', '{"error": "invalid_request"}'),
        ("Retry later\n", "Retry later"),
        ("<p>Closed <b>for</b>\n today", "Closed for today"),
        ('<?xml version="1.0" encoding="ascii"?><p>Café</p>', "Café"),
        ("<title>Error</title><h1>Sorry</h1><script>let a</script><style>b</style><!-- c -->", "Sorry"),
        (
            "<h1>Error</h1><main><p>Not <i>this</i></p><pre role=alert>The client &amp; the app</pre>",
            "The client & the app",
        ),
        ("<nav>Home</nav><main>Not <i>so</i></main><footer>Redbooth</footer>", "Not so"),
    ],
)
def test_a_page_is_read_as_a_person_does(text: str, message: str) -> None:
    """The error itself where it has a place of its own; else what is shown, without what only the browser reads."""
    assert page_message(page(text)) == message


@given(st.lists(st.sampled_from(PIECES) | st.text(st.characters(codec=None), max_size=8)).map("".join))
def test_no_page_is_more_than_a_page(text: str) -> None:
    """Whatever it is: never an error of the parser's own."""
    assert len(page_message(page(text))) <= 300


def test_going_round_in_circles_ends(faulty: FaultyServer, session: requests.Session) -> None:
    faulty.answers = [reply(302, "", Location="/oauth2/authorize")]
    with pytest.raises(VisitorError, match="in circles"):
        press(session, "https://redbooth.com/oauth2/authorize", REDIRECT_URI, "allow")
    assert len(faulty.received) <= 10


@pytest.mark.parametrize("origin", ["https://Redbooth.com", "HTTPS://redbooth.com", "https://redbooth.com:443"])
def test_an_address_is_the_providers_however_it_is_spelled(session: requests.Session, origin: str) -> None:
    visitor = Visitor(session)
    visitor.open(f"{origin}/oauth2/applications")
    assert visitor.arrived is None
    assert "applications" in visitor.title
    visitor.open("https://redbooth.com:444/oauth2/applications")
    assert visitor.arrived is not None


def test_only_a_redirect_is_followed(faulty: FaultyServer, session: requests.Session) -> None:
    faulty.answers = [reply(201, "<p>Made</p>", "text/html", Location="/oauth2/elsewhere")]
    visitor = Visitor(session)
    visitor.open("https://redbooth.com/oauth2/applications")
    assert visitor.page is not None
    assert page_message(visitor.page) == "Made"
    assert len(faulty.received) == 1


def test_no_answer_is_a_sentence(faulty: FaultyServer, session: requests.Session) -> None:
    """Not a bare error of requests, whose trace would show the form."""
    faulty.answers = [RESET]
    for call in (
        lambda: press(session, "https://redbooth.com/oauth2/authorize", REDIRECT_URI, "allow"),
        lambda: register_application(session, "My app", REDIRECT_URI),
    ):
        with pytest.raises(VisitorError, match="did not answer"):
            call()


def test_an_empty_field_of_a_form_is_filled_in(faulty: FaultyServer, session: requests.Session) -> None:
    """Doorkeeper's fields have no value at first; each is sent, with what was typed or empty."""
    form = "<form method=post><input name=app[name]><input name=other><input type=submit value=Submit></form>"
    shown = "<p id=application_id>1</p><p id=secret>2</p>"
    faulty.answers = [reply(200, form, "text/html"), reply(200, shown, "text/html")]
    assert register_application(session, "Mine", REDIRECT_URI) == ("1", "2")
    assert faulty.received[-1]["body"] == "app%5Bname%5D=Mine&other="
