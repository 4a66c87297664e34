"""The sign-in panel: it waits without blocking, and takes the answer from the browser or from the paste box."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
import requests
from widgets.clicks import button, click, field, labels, saved, shown

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.register import Settings
from redbooth_nb.errors import NotYet, RedboothError
from redbooth_nb.widgets.authorize import SignInPanel
from redbooth_nb.widgets.markup import shortened

PASTE = "Or paste the address you were sent to"
CallbackOf = Callable[..., str]


@pytest.fixture
def panel(app: Settings) -> Iterator[SignInPanel]:
    """Return a panel that waits for the answer from a tab of the person's own browser."""
    del app
    shown_panel = in_tab(SignInPanel())
    yield shown_panel
    shown_panel.cancel()


def in_tab(panel: SignInPanel) -> SignInPanel:
    assert panel.browser is not None
    panel.browser.use_tab()
    return panel


def code_in(callback: str) -> str:
    return callback.partition("code=")[2].partition("&")[0]


def test_after_a_newer_request_it_stops_waiting(app: Settings) -> None:
    """Nothing could answer it: the way on is a new request."""
    del app
    panel = SignInPanel()
    AuthorizationRequest.new()
    panel.update()  # it follows by itself: see test_live.py
    assert "A newer sign-in took the place of this one." in panel.text()
    assert not button(panel, "Start again").disabled
    assert panel.browser not in panel.children


def test_a_pasted_code_is_in_no_widget_even_before_the_click(panel: SignInPanel, callback_of: CallbackOf) -> None:
    """Whoever saves the notebook meanwhile would save the code with it."""
    callback = callback_of(panel.sign_in.request)
    for pasted in (code_in(callback), callback):
        field(panel, PASTE).value = pasted
        assert code_in(callback) not in saved()
        assert field(panel, PASTE).value
    click(panel, "Use this address")
    assert panel.text().startswith("Allowed")
    assert panel._address.value == ""


def test_in_a_tab_it_shows_the_link_and_waits(panel: SignInPanel, app: Settings) -> None:
    assert app.provider.link() in shown(panel)
    assert "Sign in with Redbooth" in shown(panel)
    assert panel.text() == "Waiting for your answer. You can run other cells in the meantime."
    with pytest.raises(NotYet, match="There is no answer yet"):
        _ = panel.response


@pytest.mark.parametrize(("answer", "words"), [("allow", "Allowed: <authorization code"), ("deny", "Denied: access_d")])
def test_the_browsers_answer_arrives(panel: SignInPanel, callback_of: CallbackOf, answer: str, words: str) -> None:
    arrived = threading.Event()
    panel._message.observe(lambda change: change["new"]["kind"] in {"good", "notice"} and arrived.set(), names="said")
    callback = callback_of(panel.sign_in.request, answer)
    page = requests.get(callback, timeout=5)
    assert arrived.wait(5)
    assert page.status_code == 200
    assert panel.text().startswith(words)
    assert PASTE not in labels(panel)
    assert "Sign in with Redbooth" not in shown(panel)  # nobody listens there now
    if answer == "allow":
        assert code_in(callback)
        for text in (saved(), repr(panel), panel.text(), page.text):
            assert code_in(callback) not in text


def test_the_paste_box_takes_it_too_and_forgets_it(panel: SignInPanel, callback_of: CallbackOf) -> None:
    callback = callback_of(panel.sign_in.request)
    field(panel, PASTE).value = f"  {callback}\n"
    click(panel, "Use this address")
    assert panel.response.code is not None
    assert panel.response.code.reveal() == code_in(callback)
    assert panel._address.value == ""
    assert "Done. Allowed" in shown(panel)
    assert code_in(callback) not in saved()


@pytest.mark.parametrize(
    "pasted", ["", "hello", "https://other.test/?code=x", "{callback}&code=second", "{guessed}", "{code}"]
)
def test_what_is_not_the_answer_is_a_sentence_and_the_wait_goes_on(
    panel: SignInPanel, callback_of: CallbackOf, pasted: str
) -> None:
    callback = callback_of(panel.sign_in.request)
    guessed = callback.partition("state=")[0] + "state=guessed"
    field(panel, PASTE).value = pasted.format(callback=callback, guessed=guessed, code=code_in(callback))
    click(panel, "Use this address")
    assert "Refused: " in shown(panel)
    assert "Waiting for your answer" in shown(panel)
    assert field(panel, PASTE).value == (pasted if pasted in {"", "hello"} else "")  # it may hold a code
    assert code_in(callback) not in saved()
    assert panel.sign_in.status == "waiting"
    panel.paste(callback)
    assert panel.text().startswith("Allowed")


def test_a_double_click_takes_the_answer_once(panel: SignInPanel, callback_of: CallbackOf) -> None:
    field(panel, PASTE).value = callback_of(panel.sign_in.request)
    use = button(panel, "Use this address")
    use.click()
    use.click()
    assert "Problem." not in shown(panel)
    assert panel.text().startswith("Allowed")


def test_it_says_how_long_the_link_can_be_used(panel: SignInPanel) -> None:
    assert panel._countdown.text() == "Time left to answer: 10 min"
    assert panel._waiting in panel.children
    click(panel, "Cancel")
    assert panel.sign_in.status == "canceled"
    assert panel._waiting not in panel.children
    assert PASTE in labels(panel)  # a late answer can still be pasted


def test_cancel_frees_the_port(panel: SignInPanel, app: Settings) -> None:
    click(panel, "Cancel")
    assert panel.text() == "The sign-in was canceled. Click Start again to make a new request."
    address = urlsplit(app.redirect_uri)
    with closing(socket.create_server((address.hostname or "", address.port or 0))):
        pass
    click(panel, "Start again")
    assert panel.text() == "Waiting for your answer. You can run other cells in the meantime."
    assert panel.browser is not None


def test_a_busy_port_leaves_the_paste_box(app: Settings, callback_of: CallbackOf) -> None:
    address = urlsplit(app.redirect_uri)
    with closing(socket.create_server((address.hostname or "", address.port or 0))):
        panel = in_tab(SignInPanel())
    assert f"Port {address.port} is not free" in shown(panel)
    assert "paste the address" in shown(panel)
    field(panel, PASTE).value = callback_of(panel.sign_in.request)
    click(panel, "Use this address")
    assert panel.text().startswith("Allowed")


def test_in_the_window_it_says_so_when_time_is_up(app: Settings) -> None:
    del app
    panel = SignInPanel()
    panel.sign_in._until = time.monotonic()
    panel._countdown._handle_custom_msg("expired", [])  # the browser counts, and tells
    assert panel.text() == "The sign-in timed out. Click Start again to make a new request."
    assert panel.browser not in panel.children
    assert not button(panel, "Start again").disabled


def test_nobody_waits_for_ever(app: Settings) -> None:
    del app
    panel = in_tab(SignInPanel(timeout=0.05))
    late = threading.Event()
    panel._message.observe(lambda change: "timed out" in change["new"]["text"] and late.set(), names="said")
    assert late.wait(5) or panel.sign_in.status == "timed out"
    assert panel.text() == "The sign-in timed out. Click Start again to make a new request."


def test_a_newer_panel_takes_the_port_and_the_older_one_says_so(panel: SignInPanel) -> None:
    newer = in_tab(SignInPanel())
    assert panel.text() == "A newer sign-in took the place of this one. Click Start again to make a new request."
    field(panel, PASTE).value = "abc"
    click(panel, "Use this address")
    assert "Refused: This is not the address Redbooth sent the browser back to." in panel.text()
    newer.cancel()


@pytest.mark.usefixtures("unattended")
@pytest.mark.parametrize(("answer", "outcome"), [("allow", "allowed"), ("deny", "denied")])
def test_with_nobody_there_the_named_button_is_pressed(app: Settings, answer: str, outcome: str) -> None:
    """No listener, no thread, the same parser."""
    threads = {thread.name for thread in threading.enumerate()}
    panel = SignInPanel(AuthorizationRequest.new(app, pkce=True), answer=answer)
    assert panel.response.outcome == outcome
    assert outcome in shown(panel).lower()
    assert "callback listener" not in {thread.name for thread in threading.enumerate()} - threads


@pytest.mark.usefixtures("live", "unattended")
def test_on_redbooth_only_a_person_can_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDBOOTH_CLIENT_ID", "an-api-key")
    monkeypatch.setenv("REDBOOTH_CLIENT_SECRET", "an-app-secret")
    with pytest.raises(RedboothError, match="only a person can give permission"):
        SignInPanel()


def test_the_state_of_a_newer_sign_in_is_not_saved_here(panel: SignInPanel, callback_of: CallbackOf) -> None:
    newer = AuthorizationRequest.new(panel.sign_in.request.settings)
    with pytest.raises(RedboothError, match="waiting in another notebook"):
        panel.paste(callback_of(newer))
    assert f"{newer.state[:4]}..." in shown(panel)
    assert newer.state not in shown(panel) + saved()


def test_the_state_check_is_shown_failing_and_passing(panel: SignInPanel, callback_of: CallbackOf) -> None:
    sent = panel.sign_in.request.state
    with pytest.raises(RedboothError):
        panel.sign_in.paste(f"{panel.sign_in.request.redirect_uri}?code=x&state=guessed")
    assert "Refused answers" in shown(panel)
    assert "guessed" in shown(panel)
    assert f"sent: {sent[:4]}... - state came back with a different value" in shown(panel)
    panel.paste(callback_of(panel.sign_in.request))
    assert "Refused answers" not in shown(panel)
    assert f"sent: {shortened(sent)} - came back: the value that was sent" in shown(panel)


@pytest.mark.parametrize("answered", [True, False])
def test_a_request_that_cannot_be_answered_any_more_says_so_at_once(
    app: Settings, callback_of: CallbackOf, *, answered: bool
) -> None:
    """The cell is run again after the answer, or after a newer request was made."""
    request = AuthorizationRequest.new(app)
    if answered:
        SignInPanel(request).paste(callback_of(request))
    else:
        AuthorizationRequest.new(app)
    panel = SignInPanel(request)
    said = "has already been answered" if answered else "A newer sign-in took the place"
    assert said in panel.text()
    assert "Click Start again" in panel.text()
    assert panel.browser not in panel.children
    click(panel, "Start again")
    assert panel.paste(callback_of(panel.sign_in.request)).outcome == "allowed"
