"""The browser window: pages, redirects, forms, and an address with a code that is shown and never kept."""

from typing import Any

import pytest
import requests
from client.machine import ENDLESS, RESET, FaultyServer, reply
from markupsafe import escape
from practice import SECRET
from widgets.clicks import parts, saved, shown

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.register import Settings
from redbooth_nb.errors import RedboothError
from redbooth_nb.provider.addresses import APPLICATIONS_URL
from redbooth_nb.provider.delivery import current_provider
from redbooth_nb.provider.visitor import document, fields
from redbooth_nb.widgets.authorize import SignInPanel
from redbooth_nb.widgets.browser import Browser
from redbooth_nb.widgets.markup import arrival_page

ALLOWED = "https://redbooth.com/oauth2/authorized_applications"
Sent = list[dict[str, Any]]


def drawn(browser: Browser, *, near: bool = True) -> Sent:
    """Draw a window, and return what it is sent from then on."""
    sent: Sent = []
    browser._window.send = lambda content, buffers=None: sent.append(content)  # noqa: ARG005
    browser._window._handle_custom_msg({"ready": near}, [])
    return sent


def click(browser: Browser, asked: dict[str, object]) -> None:
    browser._window._handle_custom_msg(asked, [])


def window(panel: SignInPanel) -> Browser:
    assert panel.browser is not None
    return panel.browser


def test_the_page_opens_when_it_is_drawn_and_again_after_a_reload(app: Settings) -> None:
    request = AuthorizationRequest.new(app)
    browser = Browser(request.url)
    assert browser._visitor.page is None  # nothing is asked for a window that nobody sees
    (page,) = drawn(browser)
    assert page["address"] == request.url
    assert page["title"].startswith("Allow Practice app?")
    assert "--accent" in page["styles"]
    assert drawn(browser)[-1]["html"] == page["html"]


@pytest.mark.parametrize(("name", "outcome"), [("Allow", "allowed"), ("Deny", "denied")])
def test_the_decision_reaches_the_panel(app: Settings, name: str, outcome: str) -> None:
    panel = SignInPanel(AuthorizationRequest.new(app))
    sent = drawn(window(panel))
    window(panel).press(name)
    assert panel.response.outcome == outcome
    assert panel.response.state_check == "the value that was sent"
    address = panel.response.callback_url.reveal()
    assert sent[-1]["address"] == address
    assert escape(panel.response.describe().splitlines()[0]) in sent[-1]["html"]
    if name == "Allow":
        assert panel.response.code is not None
        code = panel.response.code.reveal()
        assert f"code=<mark>{code}</mark>" in sent[-1]["html"]
        for text in (saved(), panel.text(), window(panel).text(), repr(panel), shown(panel)):
            assert code not in text
        assert "code=" in window(panel).text()


def test_nothing_listens_and_no_thread_runs_for_it(app: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redbooth_nb.client.callback.LoopbackServer", lambda *_: pytest.fail("it listens"))
    window(SignInPanel(AuthorizationRequest.new(app))).press("Allow")


def test_the_answer_counts_once(app: Settings) -> None:
    panel = SignInPanel(AuthorizationRequest.new(app))
    browser = window(panel)
    sent = drawn(browser)
    browser.press("Allow")
    first = panel.response
    browser.back()
    assert "Allow" in sent[-1]["title"]
    browser.press("Allow")
    assert "already" in sent[-1]["html"]
    assert panel.response is first


def test_only_the_newest_request_is_answered(app: Settings) -> None:
    older, newer = (SignInPanel(AuthorizationRequest.new(app)) for _ in range(2))
    sent = drawn(window(older))
    window(older).press("Allow")
    assert "newer request" in sent[-1]["html"]
    assert older.sign_in.status == "replaced by a newer one"  # nothing could answer it any more
    window(newer).press("Allow")
    assert newer.response.outcome == "allowed"


def test_all_windows_are_one_person(app: Settings) -> None:
    one, other = Browser(APPLICATIONS_URL), SignInPanel(AuthorizationRequest.new(app))
    one.press("Switch to Bo")
    sent = drawn(window(other))
    assert "<strong>Bo " in sent[-1]["html"]


def test_an_app_is_registered_and_taken_back_by_hand(app: Settings) -> None:
    browser = Browser(APPLICATIONS_URL)
    browser.press("New application")
    browser.press("Register", **{"[name]": "", "[redirect_uri]": app.redirect_uri})
    assert "Nothing was saved" in browser._visitor.page.text  # type: ignore[union-attr]
    browser.press("Register", **{"[name]": "Another app", "[redirect_uri]": app.redirect_uri})
    assert browser.text().startswith("Another app")
    panel = SignInPanel(AuthorizationRequest.new(app))
    window(panel).press("Allow")
    exchange(panel.response)
    access = Browser(ALLOWED)
    access.press("Revoke")
    assert "No application has access" in access._visitor.page.text  # type: ignore[union-attr]
    assert SECRET not in saved()


def test_clicks_and_forms_of_the_page_arrive(app: Settings) -> None:
    browser = Browser(AuthorizationRequest.new(app).url)
    sent = drawn(browser)
    click(browser, {"open": "../oauth2/applications"})
    assert sent[-1]["address"] == APPLICATIONS_URL
    click(browser, {"go": "back"})
    assert "Allow" in sent[-1]["title"]
    click(browser, {"go": "reload"})
    assert "Allow" in sent[-1]["title"]
    click(browser, {"submit": ["post", "/oauth2/applications", [["x", "1"]]]})
    assert sent[-1]["title"].startswith("Unprocessable")


@pytest.mark.parametrize(
    "asked", [{}, {"open": 1}, {"submit": []}, {"submit": ["post", "/", [["a"]]]}, {"go": "away"}, [], "x", None]
)
def test_what_no_page_of_ours_sends_does_nothing(app: Settings, asked: Any) -> None:  # noqa: ANN401
    browser = Browser(AuthorizationRequest.new(app).url)
    sent = drawn(browser)
    before = len(sent)
    click(browser, asked)
    assert len(sent) == before


@pytest.mark.parametrize(
    "url", ["https://other.test/x?code=1", "file:///etc/passwd", "javascript:alert(1)", "//x.test"]
)
def test_no_other_host_is_ever_asked(app: Settings, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser(AuthorizationRequest.new(app).url)
    sent = drawn(browser)
    monkeypatch.setattr(requests.Session, "request", lambda *_, **__: pytest.fail("it was asked"))
    click(browser, {"open": url})
    assert "No app is waiting for an answer" in sent[-1]["html"]


def test_a_typed_address_needs_no_scheme_and_is_not_called_sent(app: Settings) -> None:
    browser = Browser(AuthorizationRequest.new(app).url)
    sent = drawn(browser)
    click(browser, {"typed": "redbooth.com/oauth2/applications"})
    assert sent[-1]["address"] == APPLICATIONS_URL
    click(browser, {"typed": f"{app.redirect_uri}?code=evil&state=guessed"})
    assert "Redbooth did not send the browser here" in sent[-1]["html"]


@pytest.mark.parametrize("url", ["http://[", "http://\u2100/", "https://redbooth.com:x/"])
def test_an_address_that_is_none_is_a_page_or_goes_nowhere(app: Settings, url: str) -> None:
    browser = Browser(AuthorizationRequest.new(app).url)
    sent = drawn(browser)
    click(browser, {"open": url})
    assert sent[-1]["title"] in {"This page can't be opened", "Outside Redbooth"}


def test_style_sheets_come_from_the_provider_alone(faulty: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    page = '<link rel=stylesheet href="http://other.test/x.css"><link rel=stylesheet href="http://[">'
    faulty.answers = [reply(200, page, "text/html")]
    browser = Browser(APPLICATIONS_URL)
    monkeypatch.setattr(requests.Session, "get", lambda *_, **__: pytest.fail("it was asked"))
    (shown_page,) = drawn(browser)
    assert shown_page["styles"] == ""


def test_what_cannot_be_opened_is_a_page(faulty: FaultyServer) -> None:
    faulty.answers = [RESET]
    browser = Browser(APPLICATIONS_URL)
    (page,) = drawn(browser)
    assert "the provider did not answer" in page["html"]
    with pytest.raises(RedboothError, match="did not answer"):
        browser.go_to(APPLICATIONS_URL)


def test_a_hostile_address_is_only_text(app: Settings) -> None:
    browser = Browser(AuthorizationRequest.new(app).url)
    sent = drawn(browser)
    click(browser, {"open": "http://127.0.0.1/?code=<script>alert(1)</script>&state=%3Cb%3E&code=&x=\ud800"})
    assert "<script>" not in sent[-1]["html"]
    assert "<b>" not in sent[-1]["html"]


def test_a_page_without_style_sheet_is_a_page(faulty: FaultyServer) -> None:
    faulty.answers = [reply(200, "<link rel=stylesheet href=x.css><h1>Hello</h1>", "text/html"), RESET]
    (page,) = drawn(Browser(APPLICATIONS_URL))
    assert page["styles"] == ""


def test_a_tab_is_offered_only_where_it_can_reach_the_kernel(app: Settings) -> None:
    for near in (True, False):
        browser = Browser(AuthorizationRequest.new(app).url)
        drawn(browser, near=near)
        assert any(part is browser._tab for part in parts(browser)) is near
    browser.use_tab()
    assert current_provider().link(browser._url) in shown(browser).replace("&amp;", "&")
    assert browser._tab not in browser.children


def test_after_the_tab_the_window_is_still_there_and_still_works(app: Settings) -> None:
    panel = SignInPanel(AuthorizationRequest.new(app))
    sent = drawn(window(panel))
    window(panel).use_tab()
    assert window(panel)._window in window(panel).children
    window(panel).reload()
    assert "continue in the window above" in shown(panel)
    window(panel).press("Allow")
    assert panel.response.outcome == "allowed"
    assert "Back at your app" in sent[-1]["html"]
    assert window(panel) in parts(panel)
    assert "<a href" not in shown(panel)  # it leads nowhere now
    with pytest.raises(requests.ConnectionError):
        requests.get(panel.sign_in.request.redirect_uri, timeout=5)


@pytest.mark.usefixtures("live")
def test_on_redbooth_there_is_only_the_tab() -> None:
    browser = Browser(APPLICATIONS_URL)
    assert browser.in_tab
    assert f'href="{APPLICATIONS_URL}"' in shown(browser)
    assert browser._window not in browser.children


def test_a_button_that_is_not_there_is_a_sentence(app: Settings) -> None:
    browser = Browser(AuthorizationRequest.new(app).url)
    with pytest.raises(RedboothError, match='no "Sign" button'):
        browser.press("Sign")


def test_a_page_without_end_is_a_sentence_and_so_many_bytes_at_most(faulty: FaultyServer) -> None:
    faulty.answers = [ENDLESS]
    browser = Browser(f"{ALLOWED}/")
    sent = drawn(browser)
    assert "The server returned 200 OK: the response is larger than 16384 KiB." in sent[-1]["html"]
    with pytest.raises(RedboothError, match="is larger than 16384 KiB"):
        browser.reload()


def test_a_page_that_breaks_off_is_a_sentence(faulty: FaultyServer) -> None:
    faulty.answers = [reply(200, "<p>Half", "text/html", length=1000)]
    (page,) = drawn(Browser(ALLOWED))
    assert page["title"] == "This page can't be opened"
    assert "Half" not in page["html"]
    assert "did not foresee" not in page["html"]


def test_a_style_sheet_without_end_or_that_breaks_off_is_left_out(faulty: FaultyServer) -> None:
    page = "".join(f'<link rel="stylesheet" href="/{name}.css">' for name in "abc") + "<p>Here</p>"
    sheets = ENDLESS, reply(200, "p", "text/css", length=9), reply(200, "p { color: red }", "text/css")
    faulty.answers = [reply(200, page, "text/html"), *sheets]
    (page,) = drawn(Browser(ALLOWED))
    assert "Here" in page["html"]
    assert page["styles"] == "p { color: red }"


def test_a_second_click_on_a_page_that_was_left_does_nothing(app: Settings) -> None:
    """Of a double click on Allow: it would grant another code, and the window would contradict the panel."""
    panel = SignInPanel(AuthorizationRequest.new(app))
    browser = window(panel)
    sent = drawn(browser)
    page = document(sent[-1]["html"])
    form = next(form for form in page.iter("form") if form.get("action", "").endswith("authorize"))
    pressed = next(one for one in form.iter("button", "input") if "Allow" in (one.text or one.get("value", "")))
    asked = ["post", form.get("action", ""), [list(field) for field in fields(form, pressed, {})]]
    click(browser, {"submit": asked, "page": sent[0]["page"]})
    assert panel.response.outcome == "allowed"
    click(browser, {"submit": asked, "page": sent[0]["page"]})
    assert len(sent) == 2
    assert "already been answered" not in sent[-1]["html"]


def test_each_parameter_is_marked_as_it_is_encoded_in_the_address() -> None:
    for state in ("a%26b+c", "code%3D", "%C3%BC", "<b>"):
        _, shown = arrival_page(f"http://127.0.0.1/callback?code=xyz&other=code&state={state}#rest", "", sent=True)
        marked = f"?code=<mark>xyz</mark>&amp;other=code&amp;state=<mark>{escape(state)}</mark>#rest"
        assert marked in shown
