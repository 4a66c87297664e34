"""What happens to people: a second notebook, a reloaded page, a restarted kernel."""

import re

import pytest
from browser.lab import Lab
from browser.notebook import Notebook
from playwright.sync_api import BrowserContext, Page, expect

SIGN_IN = "from redbooth_nb import SignInPanel, ready\nready('authorize')\npanel = SignInPanel()\npanel"


@pytest.fixture
def waiting(lab: Lab, notebook: Notebook) -> Notebook:
    """Return lesson 02 with a panel that waits for an answer, in its first cell."""
    notebook.open(lab, "02-authorize")
    notebook.write(1, SIGN_IN)
    notebook.run(1)
    expect(notebook.cell(1)).to_contain_text("Waiting for your answer")
    return notebook


def allow(browser: BrowserContext, notebook: Notebook) -> Page:
    with browser.expect_page() as opened:
        notebook.cell(1).get_by_role("link", name="Sign in with Redbooth").click()
    page: Page = opened.value
    page.get_by_role("button", name="Allow").click()
    return page


def test_a_second_notebook_names_the_first_one_and_takes_a_pasted_address(
    lab: Lab,
    browser: BrowserContext,
    waiting: Notebook,  # noqa: ARG001  (it holds the port)
) -> None:
    second = Notebook(browser.new_page())
    second.open(lab, "03-exchange")
    second.write(1, SIGN_IN)
    second.run(1)
    expect(second.cell(1)).to_contain_text("The notebook 02-authorize.ipynb is using it")
    back = allow(browser, second)
    back.wait_for_url(re.compile("127.0.0.1:8765"))  # the first notebook's listener, to which this is no answer
    expect(back.locator("h1")).to_have_text("Not the answer")
    second.cell(1).get_by_role("textbox").last.fill(back.url)
    second.cell(1).get_by_role("button", name="Use this address").click()
    expect(second.cell(1)).to_contain_text("Allowed: <authorization code")


def test_a_reloaded_page_still_shows_the_panel_and_its_answer(browser: BrowserContext, waiting: Notebook) -> None:
    waiting.save()
    waiting.page.reload()
    expect(waiting.cell(1)).to_contain_text("Waiting for your answer", timeout=30_000)
    allow(browser, waiting)
    expect(waiting.cell(1)).to_contain_text("Allowed: <authorization code")


def test_after_a_kernel_restart_the_cell_runs_again_and_the_code_is_still_there(
    browser: BrowserContext, waiting: Notebook
) -> None:
    allow(browser, waiting)
    expect(waiting.cell(1)).to_contain_text("Allowed: <authorization code")
    waiting.restart()
    waiting.write(
        2, "from redbooth_nb import ExchangeForm, ready\nready('exchange')\nform = ExchangeForm()\nform.send()"
    )
    waiting.run(2)
    assert "waiting to be exchanged" in waiting.text(2)
    assert "Token(access_token=<access token" in waiting.text(2)


def test_a_cell_out_of_order_names_the_cell_to_run_first(lab: Lab, notebook: Notebook) -> None:
    notebook.open(lab, "02-authorize")
    notebook.run(1)
    notebook.run(13)
    assert notebook.source(13) == "print(denied.text())"
    said = notebook.text(13)
    assert 'denied = SignInPanel(answer="deny")' in said
    assert "Run that cell first." in said
    assert "Traceback" not in said
