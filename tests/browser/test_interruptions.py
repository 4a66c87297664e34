"""What happens to people: a second notebook, a reloaded page, a restarted kernel."""

import re

import pytest
from browser.lab import Lab
from browser.notebook import Notebook
from browser.themes import shot
from playwright.sync_api import BrowserContext, Page, expect

SIGN_IN = "from redbooth_nb import SignInPanel, ready\nready('authorize')\npanel = SignInPanel()\npanel"

SHUT_DOWN = """async () => {
    const token = {headers: {Authorization: "token tour"}};
    for (const {id} of await (await fetch("/api/sessions", token)).json())
        await fetch(`/api/sessions/${id}`, {method: "DELETE", ...token});
}"""


@pytest.fixture
def waiting(lab: Lab, notebook: Notebook) -> Notebook:
    """Return lesson 02 with a panel that waits for an answer, in its first cell."""
    notebook.open(lab, "02-authorize")
    notebook.write(1, SIGN_IN)
    notebook.run(1)
    expect(notebook.cell(1)).to_contain_text("Waiting for your answer")
    return notebook


def allow(browser: BrowserContext, notebook: Notebook) -> Page:
    """Decide in a tab."""
    notebook.press(1, "Use a tab in my own browser")
    with browser.expect_page() as opened:
        notebook.cell(1).get_by_role("link", name="Sign in with Redbooth").click()
    page: Page = opened.value
    page.get_by_role("button", name="Allow").click()
    return page


def test_a_second_notebook_names_the_first_one_and_takes_a_pasted_address(
    lab: Lab,
    browser: BrowserContext,
    waiting: Notebook,
) -> None:
    waiting.press(1, "Use a tab in my own browser")  # so that it holds the port
    expect(waiting.cell(1).get_by_role("link", name="Sign in with Redbooth")).to_be_visible()
    second = Notebook(browser.new_page())
    second.open(lab, "03-exchange")
    second.write(1, SIGN_IN)
    second.run(1)
    back = allow(browser, second)
    expect(second.cell(1)).to_contain_text("The notebook 02-authorize.ipynb is using it")
    back.wait_for_url(re.compile("127.0.0.1:8765"))  # the first notebook's listener, to which this is no answer
    expect(back.locator("h1")).to_have_text("There is a newer sign-in")
    expect(back.locator("main")).to_contain_text("paste it into the panel of the newer sign-in")
    expect(waiting.cell(1)).to_contain_text("A newer sign-in took the place of this one.")
    second.cell(1).get_by_role("textbox").last.fill(back.url)
    second.cell(1).get_by_role("button", name="Use this address").click()
    expect(second.cell(1)).to_contain_text("Allowed: <authorization code")


def test_a_reloaded_page_still_shows_the_panel_and_its_answer(waiting: Notebook) -> None:
    waiting.save()
    waiting.page.reload()
    expect(waiting.cell(1)).to_contain_text("Waiting for your answer", timeout=30_000)
    waiting.press_in(waiting.window(1), "Allow")
    expect(waiting.cell(1)).to_contain_text("Allowed: <authorization code")
    waiting.save()
    waiting.page.reload()
    waiting.window(1).get_by_role("heading", name="Back at your app").wait_for()


def test_a_tab_of_the_persons_own_browser_still_works(browser: BrowserContext, waiting: Notebook) -> None:
    back = allow(browser, waiting)
    back.get_by_text("go back to the notebook").wait_for()
    assert back.url.startswith("http://127.0.0.1:8765/callback?")
    expect(waiting.cell(1)).to_contain_text("Allowed: <authorization code")
    expect(waiting.cell(1).get_by_role("link", name="Sign in with Redbooth")).to_have_count(0)


def test_the_panel_stays_in_place_when_a_tab_is_asked_for_and_the_window_still_answers(waiting: Notebook) -> None:
    waiting.window(1).get_by_role("button", name="Allow").wait_for()
    panel, button = waiting.cell(1).locator(".redbooth-view").first, waiting.cell(1).get_by_text("Use a tab in my own")
    button.scroll_into_view_if_needed()
    before = panel.bounding_box(), button.bounding_box()
    button.click()
    link = waiting.cell(1).get_by_role("link", name="Sign in with Redbooth")
    link.wait_for()
    after = panel.bounding_box(), link.bounding_box()
    assert all(before)
    assert all(after)
    assert after[0]["height"] >= before[0]["height"]  # type: ignore[index]
    assert abs(after[1]["y"] - before[1]["y"]) < 40  # type: ignore[index]
    shot(panel, "after-asking-for-a-tab")
    waiting.press_in(waiting.window(1), "Allow")
    expect(waiting.cell(1)).to_contain_text("Allowed: <authorization code")
    waiting.window(1).get_by_role("heading", name="Back at your app").wait_for()


def test_two_windows_are_one_person_and_the_newer_request_counts(lab: Lab, notebook: Notebook) -> None:
    notebook.open(lab, "02-authorize")
    for number in (1, 2):
        notebook.write(number, SIGN_IN)
        notebook.run(number)
    expect(notebook.cell(1)).to_contain_text("A newer sign-in took the place of this one.")
    expect(notebook.cell(1).locator("iframe")).to_have_count(0)
    notebook.write(3, "from redbooth_nb import Browser\nBrowser('https://redbooth.com/oauth2/applications')")
    notebook.run(3)
    notebook.press_in(notebook.window(3), "Switch to Bo")
    expect(notebook.window(3).locator("header")).to_contain_text("Signed in as Bo")
    notebook.press(2, "Reload")
    expect(notebook.window(2).locator("header")).to_contain_text("Signed in as Bo")
    notebook.press_in(notebook.window(2), "Allow")
    expect(notebook.cell(2)).to_contain_text("Allowed: <authorization code")


def test_cancel_takes_the_window_away_and_a_new_link_brings_one(waiting: Notebook) -> None:
    waiting.press(1, "Cancel")
    expect(waiting.cell(1)).to_contain_text("The sign-in was canceled.")
    expect(waiting.cell(1).locator("iframe")).to_have_count(0)
    waiting.press(1, "Start again")
    expect(waiting.cell(1).locator("iframe")).to_be_focused()
    expect(waiting.cell(1).get_by_label("Address")).to_be_in_viewport()
    waiting.press_in(waiting.window(1), "Deny")
    expect(waiting.cell(1)).to_contain_text("Denied: access_denied")


def test_after_a_kernel_restart_the_cell_runs_again_and_the_code_is_still_there(waiting: Notebook) -> None:
    waiting.press_in(waiting.window(1), "Allow")
    expect(waiting.cell(1)).to_contain_text("Allowed: <authorization code")
    waiting.restart()
    expect(waiting.cell(1).locator("iframe")).to_be_hidden()
    waiting.write(
        2, "from redbooth_nb import ExchangeForm, ready\nready('exchange')\nform = ExchangeForm()\nform.send()"
    )
    waiting.run(2)
    assert "waiting to be exchanged" in waiting.text(2)
    assert "Token(access_token=<access token" in waiting.text(2)
    waiting.write(3, "from redbooth_nb import revoke\nrevoke()  # or Redbooth would not ask the next user here")
    waiting.run(3)


@pytest.mark.parametrize("tree", ["/lab/tree/", "/notebooks/"])
def test_a_notebook_that_is_opened_without_its_kernel_says_what_to_do(lab: Lab, waiting: Notebook, tree: str) -> None:
    """JupyterLab's own words are there, and not to be seen."""
    waiting.save()
    waiting.page.evaluate(SHUT_DOWN)
    waiting.page.goto(lab.address("02-authorize", tree))
    lost = waiting.page.locator(".jp-OutputArea-output.jupyter-widgets", has_text="model not found").first
    expect(lost).to_be_attached(timeout=60_000)
    assert lost.evaluate("one => getComputedStyle(one).fontSize") == "0px"
    said = lost.evaluate("one => getComputedStyle(one, '::after').content")
    assert "Run the cells above this one again, and then this one." in said
    assert lost.bounding_box()["height"] > 10  # type: ignore[index]  # it is drawn
    shot(lost, f"without-its-kernel-{tree.strip('/').partition('/')[0]}")


TYPED_AND_CLICKED = """import threading
import ipywidgets as w
done, clicked = [], threading.Event()
field, button = w.Text(description="Field", continuous_update=False), w.Button(description="Button")

def typed(change):
    if change["new"]:
        clicked.clear()
        clicked.wait(1)  # another thread could take the click now
        done.append("typed")

def click(_):
    done.append("clicked")
    clicked.set()
    field.value = ""

field.observe(typed, names="value")
button.on_click(click)
w.VBox([field, button])"""


def test_a_click_comes_after_what_was_typed_before_it(lab: Lab, notebook: Notebook) -> None:
    """Else Save would save without what was typed. From ipykernel 7.4 on, two threads could take them."""
    notebook.open(lab, "00-start-here")
    notebook.write(1, TYPED_AND_CLICKED)
    notebook.run(1)
    for text in ("first", "second"):
        notebook.fill(1, "Field", text)
        notebook.press(1, "Button")
        expect(notebook.cell(1).get_by_label("Field")).to_have_value("")
    notebook.write(2, "done")
    notebook.run(2)
    assert "['typed', 'clicked', 'typed', 'clicked']" in notebook.text(2)


def test_a_cell_out_of_order_names_the_cell_to_run_first(lab: Lab, notebook: Notebook) -> None:
    notebook.open(lab, "02-authorize")
    notebook.run(1)
    notebook.run(15)
    assert notebook.source(15) == "print(denied.text())"
    said = notebook.text(15)
    assert 'denied = SignInPanel(request, answer="deny")' in said
    assert "Run that cell first." in said
    assert "Traceback" not in said
