"""Every widget in its good, bad and empty states, in a real JupyterLab: start, click, result.

In each state it is accessible and fits in light, in dark and in half the width (or zoomed to 200 %), and no secret is
on the page, in the saved notebook, or in what JupyterLab would save of the widgets.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.notebook import Notebook, click_in_window
from browser.panel import CANARY, Panel
from browser.secrets_in import secrets_in
from browser.themes import DARK, LIGHT, choose_theme, shot
from playwright.sync_api import expect


@pytest.fixture
def panel(desk: Notebook, tmp_path: Path) -> Iterator[Panel]:
    """Return a panel to draw; afterwards see that nothing secret would be saved."""
    shown = Panel(desk, tmp_path)
    yield shown
    held = tmp_path / "held.json"
    shown.python(
        f"import json, ipywidgets\nopen({str(held)!r}, 'w').write(json.dumps(ipywidgets.Widget.get_manager_state()))"
    )
    desk.save()
    saved = held.read_text() + desk.file.read_text()
    assert "Markup" in saved or "HTMLModel" in saved
    assert [secret for secret in secrets_in(tmp_path) | {CANARY} if secret in saved] == []


def test_register(panel: Panel) -> None:
    panel.show("RegisterForm()").is_right("register-empty", "readable only by you")
    panel.fill("Api Key (client id)", "not a key")
    panel.is_right("register-bad", "Problem. The Api Key (client id) contains a space")
    panel.fill("Api Key (client id)", "http://127.0.0.1:8765/callback")
    panel.fill("App secret", CANARY)
    panel.press("Save")
    panel.is_right("register-swapped", "Nothing was saved")
    expect(panel.part.get_by_label("App secret")).to_have_value("")
    panel.fill("Api Key (client id)", "a1" * 32)
    panel.fill("App secret", CANARY)
    panel.press("Save")
    panel.is_right("register-unknown", "Problem. Nothing was saved: no app with this Api Key is registered")
    panel.python(
        "from redbooth_nb.provider.delivery import current_provider as who\n"
        f"known = {{'client_id': {'a1' * 32!r}, 'client_secret': {CANARY[::-1]!r}[::-1]}}\n"
        "who().sandbox.seed_application('My app', 'http://127.0.0.1:8765/callback', **known)['client_id']"
    )
    panel.fill("App secret", CANARY)
    panel.press("Save")
    panel.is_right("register-good", f"Done. Registered: client id {'a1' * 4}...")
    expect(panel.part.get_by_label("App secret")).to_have_value("")


def test_a_window_copies_or_says_that_it_may_not(panel: Panel) -> None:
    panel.show("ready('authorize')\nBrowser('https://redbooth.com/oauth2/applications/1')")
    copy, status = panel.window.get_by_role("button", name="Copy Api Key"), panel.part.locator(".rb-status")
    copy.wait_for()
    title = status.inner_text()
    click_in_window(copy)
    expect(status).to_have_text("Copied")
    expect(status).to_have_text(title)
    page = panel.part.page
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true })")
    click_in_window(copy)
    expect(status).to_contain_text("copy it by hand")
    page.evaluate("delete navigator.clipboard")


def test_predict(panel: Panel) -> None:
    panel.show("predict('deny')").is_right("predict-empty", "What does your app get?")
    choices = panel.part.get_by_role("radio")
    choices.nth(1).click()
    panel.is_right("predict-wrong", "No. It may seem that a user who said no")
    choices.nth(0).click()
    panel.is_right("predict-right", re.compile("(?<!Done. )Right. The browser comes back"))


def test_authorize(panel: Panel) -> None:
    panel.show("ready('authorize')\npanel = SignInPanel()\npanel")
    panel.window.get_by_role("button", name="Allow").wait_for()
    panel.is_right("authorize-waiting", re.compile("Waiting for your answer.*Time left to answer: 9 min", re.DOTALL))
    panel.decide("Deny")
    panel.is_right("authorize-denied", "Denied: access_denied")
    panel.press("Start again")
    panel.decide("Allow")
    panel.is_right("authorize-allowed", "Done. Allowed: <authorization code")
    panel.show("panel = SignInPanel()\npanel").press("Cancel")
    panel.is_right("authorize-canceled", "The sign-in was canceled")


def test_authorize_in_a_tab(panel: Panel) -> None:
    panel.show("ready('authorize')\npanel = SignInPanel()\npanel").press("Use a tab in my own browser")
    panel.is_right("authorize-tab", "Sign in with Redbooth")
    panel.fill("Or paste the address you were sent to", "hello")
    panel.press("Use this address")
    panel.is_right("authorize-bad", "Refused: This is not the address Redbooth sent the browser back to.")
    panel.python(
        "import requests\nrequests.get(panel.sign_in.request.redirect_uri + '?code=x&state=guessed').status_code"
    )
    panel.is_right("authorize-guessed", "Refused answers")
    panel.press("Cancel")
    panel.show("import socket\nheld = socket.create_server(('127.0.0.1', 8765))\nSignInPanel()")
    panel.press("Use a tab in my own browser")
    panel.is_right("authorize-busy", "Port 8765 is not free")
    panel.python("held.close()")


def test_what_follows_a_panel_stays_where_it_is_when_its_window_goes(panel: Panel) -> None:
    """Only the panel's end was in sight, with the link in it, and that is where the learner looks for the answer."""
    panel.show("ready('authorize')\nSignInPanel()").press("Use a tab in my own browser")
    panel.part.get_by_role("link", name="Sign in with Redbooth").evaluate("link => link.scrollIntoView()")
    top, bottom = (panel.part.evaluate(f"panel => panel.getBoundingClientRect().{side}") for side in ("top", "bottom"))
    assert top < 0 < bottom
    page = panel.follow("Sign in with Redbooth")
    page.get_by_role("button", name="Allow").click()
    page.get_by_text("You allowed access").wait_for()
    page.close()
    expect(panel.part).to_contain_text("Allowed: <authorization code")
    # The answer may be seen above the window for a moment, which pushes the end down by a line or two.
    still_there = "([panel, bottom]) => Math.abs(panel.getBoundingClientRect().bottom - bottom) < 60"
    panel.part.page.wait_for_function(still_there, arg=[panel.part.element_handle(), bottom])


def test_a_long_line_of_an_output_breaks_between_words(panel: Panel) -> None:
    """JupyterLab would break it anywhere."""
    panel.python("print('word ' * 60)")
    output = panel.desk.cell(3).locator(".jp-OutputArea-output pre")
    assert output.evaluate("pre => getComputedStyle(pre).wordBreak") == "normal"


def test_url(panel: Panel) -> None:
    panel.show("ready('authorize')\nUrlView(AuthorizationRequest.new(pkce=True))")
    panel.is_right("url-pkce", "code_challenge = BASE64URL(SHA256(code_verifier))")
    panel.show("UrlView()").is_right("url-good", "http%3A%2F%2F127.0.0.1%3A8765%2Fcallback")
    panel.fill("redirect_uri", "http://localhost:8765/call back")
    panel.is_right("url-changed", "http%3A%2F%2Flocalhost%3A8765%2Fcall%20back")
    panel.press("See what Redbooth says")
    expect(panel.window.locator("main")).to_contain_text("The requested redirect uri is malformed")
    panel.is_right("url-error-page", "http%3A%2F%2Flocalhost%3A8765%2Fcall%20back")
    panel.press("Reset")
    expect(panel.part).not_to_contain_text("(changed)")


def test_exchange(panel: Panel) -> None:
    panel.show("ready('authorize')\nform = ExchangeForm(allow())\nform").is_right("exchange-before", "client_secret")
    panel.press("Send")
    panel.is_right("exchange-sent", "has been used: it works only once.")
    expect(panel.part.get_by_role("button", name="Send")).to_be_disabled()
    panel.show("response = allow()\nexchange(response)\nExchangeForm(response)").press("Send")
    panel.is_right("exchange-bad", "Problem. This code has already been sent")


def test_refresh(panel: Panel) -> None:
    panel.show("catch_up('refresh')\ncard = TokenCard()\ncard").is_right("refresh-fresh", "fresh, expires in")
    panel.press("Refresh")
    panel.is_right("refresh-rotated", "Replaced: <access token")
    panel.python("let_time_pass(7200 - 30)")
    panel.is_right("refresh-soon", "expires soon, in")
    panel.python("let_time_pass(60)")
    panel.is_right("refresh-expired", "expiredThe access token has expired.")
    expect(panel.part).not_to_contain_text("fresh, ")
    panel.python("store = TokenStore(Settings.load().folder)\nstored = store.load()\nrefresh()\nstore.save(stored)")
    panel.is_right("refresh-used", "already used")
    panel.press("Refresh")
    panel.is_right("refresh-dead", "The stored refresh token is no longer valid")
    panel.python("exchange(allow())")
    panel.press("Revoke")
    panel.is_right("refresh-asks", "Revoke these tokens?")
    expect(panel.part.get_by_role("button", name="Keep them")).to_be_focused()
    panel.press("Keep them")
    expect(panel.part.get_by_role("button", name="Revoke")).to_be_focused()
    panel.press("Revoke")
    panel.is_right("refresh-asks", "Revoke these tokens?")
    panel.press("Revoke them")
    panel.is_right("refresh-none", "No token is stored.")
    expect(panel.part.get_by_role("button", name="Refresh")).to_be_disabled()


def test_http(panel: Panel) -> None:
    panel.show("HttpView()").is_right("http-empty", "Nothing has been sent to Redbooth yet.")
    panel.show("catch_up('refresh')\nRedboothSession().get('/me')\nHttpView()")
    panel.is_right("http-good", "All of this as Markdown")
    panel.show("explain(connect(__import__('requests').Session()).get(f'{API_URL}/me'))\nview = HttpView()\nview")
    panel.is_right("http-refused", "401 Unauthorized")
    panel.python("RedboothSession().get('/projects')")
    expect(panel.part).to_contain_text("/api/3/projects")


COLORS = """from redbooth_nb.widgets import markup, view

class Colors(view.View):
    def text(self):
        return ""

every = " ".join(f"<access token ...{hue:04x}>" for hue in range(30))
parts = [markup.panels.block(every), f"<s>{markup.colored(every)}</s>"]
Colors([*map(view.Markup, parts), view.Message()])"""


def test_a_fingerprint_can_be_read_in_any_color(panel: Panel) -> None:
    panel.show(COLORS).is_right("colors", "<access token ...0000>")
    expect(panel.part.locator(".rv-print")).to_have_count(60)


def test_copy(panel: Panel) -> None:
    """What is copied is the command, whole and without a secret."""
    panel.desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel.show("ready('authorize')\nExchangeForm(allow())")
    panel.part.get_by_text("As cURL, as in the guide").click()
    button = panel.part.get_by_role("button", name="Copy").first
    button.click()
    expect(panel.part.get_by_role("button", name="Copied")).to_be_visible()
    copied = panel.desk.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl -X POST https://redbooth.com/oauth2/token")
    assert "client_secret=$REDBOOTH_CLIENT_SECRET" in copied
    panel.show("request = AuthorizationRequest.new()\nUrlView(request)")
    panel.part.get_by_title("Copy all of it").last.click()
    panel.python("print(request.state)")
    copied = panel.desk.page.evaluate("navigator.clipboard.readText()")
    assert len(copied) > 40
    assert panel.desk.text(3) == copied + "\n"


def test_time_machine(panel: Panel) -> None:
    panel.show("machine = TimeMachine()\nmachine").is_right("time-now", "The sandbox's clock is the same as yours.")
    panel.press("Two hours later")
    panel.is_right("time-later", "The sandbox's clock is 2 h 0 min ahead.")
    panel.part.get_by_label("state in the callback").select_option("dropped")
    panel.is_right("time-switched", "state in the callback: dropped")
    panel.press("Reset the sandbox")
    panel.is_right("time-asks", "Reset the sandbox? It forgets your app and all tokens.")
    expect(panel.part.get_by_role("button", name="Keep everything")).to_be_focused()
    panel.press("Reset it")
    panel.is_right("time-reset", "The sandbox's clock is the same as yours.")


SCRIPT = "import sys\nfrom pathlib import Path\nfrom redbooth_nb.widgets.script import ScriptPanel\n"


def test_script(panel: Panel) -> None:
    panel.show(SCRIPT + "script = ScriptPanel([sys.executable, '-u', '-c', 'print(1); input()'], Path.cwd())\nscript")
    panel.is_right("script-ended", "The script ended with exit status 1.")
    panel.show(
        SCRIPT + "script = ScriptPanel([sys.executable, '-c', 'import time; time.sleep(600)'], Path.cwd())\nscript"
    )
    panel.is_right("script-running", "The script is running.")
    panel.press("Cancel")
    expect(panel.part).to_contain_text("The script was stopped.")
    panel.show(SCRIPT + "ScriptPanel([sys.executable, '-c', 'print(42)'], Path.cwd())")
    panel.is_right("script-good", "Done. The script finished.")


def test_playground(panel: Panel) -> None:
    panel.show("Playground()").is_right("playground-empty", "4 refresh")
    panel.press("Call")
    panel.is_right("playground-bad", "Problem. No app is registered yet.")
    panel.show("catch_up('authorize')\nPlayground()").press("New sign-in")
    panel.decide("Allow")
    panel.fill("client_secret", "a-guess")
    send = panel.part.get_by_role("button", name="Send", exact=True)
    send.click()
    panel.is_right("playground-refused", "invalid_client")
    expect(panel.part).to_contain_text("'client_secret': values[\"REDBOOTH_OTHER_CLIENT_SECRET\"]")
    panel.press("Reset the parameters")
    send.click()
    expect(panel.part).to_contain_text("arrived and were saved")
    panel.press("Send this request")
    expect(panel.part).to_contain_text("what you offer in return for a token: a refresh token")
    panel.press("Call")
    panel.is_right("playground-good", "/api/3/me")


def test_a_long_answer_scrolls(panel: Panel) -> None:
    """The page stays short, and the keyboard reaches the rest of the answer."""
    panel.show("catch_up('refresh')\nplayground = Playground()\nplayground")
    panel.fill("GET https://redbooth.com/api/3", "/tasks?per_page=100")
    panel.press("Call")
    expect(panel.part).to_contain_text("/api/3/tasks")
    summary = panel.part.locator("summary", has_text=re.compile(r"^All \d+ lines$")).last
    summary.click()
    long = summary.locator("xpath=..").locator("pre")
    whole, visible, window = long.evaluate("pre => [pre.scrollHeight, pre.clientHeight, innerHeight]")
    assert whole > visible
    assert visible <= 0.6 * window + 1
    long.focus()
    panel.desk.page.keyboard.press("End")
    panel.desk.page.wait_for_function("pre => pre.scrollTop > 0", arg=long.element_handle())
    expect(long).to_be_focused()  # JupyterLab did not take the key
    assert panel.part.evaluate("part => part.getBoundingClientRect().height") < 4000
    shot(panel.part, "playground-long")


@pytest.mark.parametrize("code", ["RegisterForm()", "SignInPanel()", "HttpView()", "predict('state')", "Playground()"])
def test_a_restarted_kernel_leaves_a_widget_that_says_so(desk: Notebook, tmp_path: Path, code: str) -> None:
    panel = Panel(desk, tmp_path).show("ready('authorize')\n" + code)
    said = panel.part.get_by_text("The kernel was stopped or restarted, so this no longer works.")
    expect(said.locator("visible=true")).to_have_count(0)
    desk.restart()
    expect(said.locator("visible=true")).to_have_count(1)
    expect(panel.part.get_by_text("Waiting for your answer").locator("visible=true")).to_have_count(0)
    shot(panel.part, f"restarted-{code.partition('(')[0]}")


# What a person can reach with Tab and that looks the same with the focus as without.
UNSEEN = """(panel) => {
    const still = document.head.appendChild(document.createElement("style"));
    still.textContent = "* { transition: none !important }"; // a colour may change slowly
    const visible = (one) => [one, one.closest("label") ?? one].flatMap((part) => {
        const seen = getComputedStyle(part);
        return [seen.outline, seen.boxShadow, seen.borderColor, seen.backgroundColor];
    }).join();
    const all = [...panel.querySelectorAll("a[href], button, input, select, summary, pre[tabindex]")];
    const unseen = all.filter((one) => one.checkVisibility()).filter((one) => {
        const before = visible(one);
        one.focus();
        return visible(one) === before;
    });
    still.remove();
    return [all.length, unseen.map((one) => one.outerHTML.slice(0, 120))];
}"""


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_focus_can_be_seen(desk: Notebook, tmp_path: Path, theme: str) -> None:
    """Whatever Tab reaches in the playground looks different when it has the focus."""
    choose_theme(desk.page, theme)
    panel = Panel(desk, tmp_path).show("catch_up('refresh')\nplayground = Playground()\nplayground.call()\nplayground")
    panel.part.evaluate("part => part.querySelectorAll('details').forEach(fold => { fold.open = true })")
    desk.page.keyboard.press("Tab")  # the browser then shows the focus as for a keyboard
    reached, unseen = panel.part.evaluate(UNSEEN)
    assert reached > 20
    assert unseen == []
    panel.part.evaluate("part => { part.querySelector('summary').style.outline = 'none' }")  # it would have been found
    assert len(panel.part.evaluate(UNSEEN)[1]) == 1
