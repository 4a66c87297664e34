"""A person does the whole tour in JupyterLab with the mouse, on the real consent page.

Set SCREENSHOTS to a folder to look at what was seen.
"""

import os
from pathlib import Path

import pytest
from browser.lab import Lab
from browser.notebook import Notebook
from playwright.sync_api import BrowserContext, Page, expect

SHOTS = os.environ.get("SCREENSHOTS")


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png")


def run_all_from(notebook: Notebook, first: int) -> None:
    """Run the rest, and see that the check at the end finds nothing left to do."""
    last = notebook.cells.count()
    for number in range(first, last + 1):
        notebook.run(number)
    assert "Done" in notebook.text(last)
    assert "To do" not in notebook.text(last)


def decide(browser: BrowserContext, notebook: Notebook, cell: int, button: str) -> None:
    """Open the panel's link, press a button on Redbooth's page, and close the tab again."""
    with browser.expect_page() as opened:
        notebook.cell(cell).get_by_role("link", name="Sign in with Redbooth").click()
    consent = opened.value
    consent.get_by_role("button", name=button).wait_for()
    shot(consent, f"02-{button}-consent")
    consent.get_by_role("button", name=button).click()
    consent.get_by_text("go back to the notebook").wait_for()
    shot(consent, f"02-{button}-back")
    assert consent.url.startswith("http://127.0.0.1:8765/callback?")
    consent.close()


@pytest.fixture(scope="module")
def secrets_seen() -> list[str]:
    """Return the list of what must never stand in a notebook."""
    return []


def test_00_start(lab: Lab, notebook: Notebook) -> None:
    notebook.open(lab, "00-start-here")
    run_all_from(notebook, 1)
    question = notebook.cell(2)
    question.get_by_role("radio").nth(1).click()
    expect(question).to_contain_text("Right.")
    shot(notebook.page, "00-prediction")


def test_01_register(lab: Lab, browser: BrowserContext, notebook: Notebook, secrets_seen: list[str]) -> None:
    notebook.open(lab, "01-register")
    for number in range(1, 6):
        notebook.run(number)
    form = notebook.cell(5)
    with browser.expect_page() as opened:
        form.get_by_role("link", name="the registration page").click()
    console = opened.value
    console.locator("[name='doorkeeper_application[name]']").fill("My first Redbooth app")
    console.locator("[name='doorkeeper_application[redirect_uri]']").fill("http://127.0.0.1:8765/callback")
    shot(console, "01-console-new")
    console.locator("form[action*='applications'] [type=submit]").first.click()
    client_id, secret = (console.locator(mark).inner_text() for mark in ("#application_id", "#secret"))
    shot(console, "01-console-app")
    console.close()
    secrets_seen.append(secret)
    form.get_by_label("Api Key (client id)").fill("not a key")
    expect(form).to_contain_text("Problem. The Api Key (client id) holds a space")
    form.get_by_label("Api Key (client id)").fill(client_id)
    form.get_by_label("App secret").fill(secret)
    form.get_by_role("button", name="Save").click()
    expect(form).to_contain_text(f"Registered: client id {client_id}")
    shot(notebook.page, "01-form")
    run_all_from(notebook, 6)
    assert secret not in notebook.page.content()


def test_02_authorize(lab: Lab, browser: BrowserContext, notebook: Notebook) -> None:
    notebook.open(lab, "02-authorize")
    for number in range(1, 13):
        notebook.run(number)
    shot(notebook.page, "02-waiting")
    decide(browser, notebook, 12, "Deny")
    expect(notebook.cell(12)).to_contain_text("Denied: access_denied")
    notebook.run(13)
    notebook.run(14)
    decide(browser, notebook, 14, "Allow")
    expect(notebook.cell(14)).to_contain_text("Allowed: <authorization code")
    shot(notebook.page, "02-allowed")
    run_all_from(notebook, 15)


def test_03_exchange(lab: Lab, notebook: Notebook) -> None:
    notebook.open(lab, "03-exchange")
    for number in range(1, 4):
        notebook.run(number)
    assert "waiting to be exchanged" in notebook.text(1)
    notebook.cell(3).get_by_role("button", name="Send").click()
    expect(notebook.cell(3)).to_contain_text("arrived and are saved")
    expect(notebook.cell(3).get_by_role("button", name="Send")).to_be_disabled()
    shot(notebook.page, "03-sent")
    run_all_from(notebook, 4)
    assert "'Ada', 'Marlow'" in notebook.text(7)
    assert "invalid_grant" in notebook.text(10)


def test_04_refresh(lab: Lab, notebook: Notebook, secrets_seen: list[str]) -> None:
    notebook.open(lab, "04-refresh")
    run_all_from(notebook, 1)
    assert "The access token expired" in notebook.text(5)
    card = notebook.cell(2)
    before = card.text_content() or ""
    card.get_by_role("button", name="Refresh").click()
    expect(card).not_to_have_text(before)
    expect(card).to_contain_text("Replaced, dead now: <access token")
    shot(notebook.page, "04-card")
    assert all(secret not in notebook.page.content() for secret in secrets_seen)


def test_05_break_it(lab: Lab, browser: BrowserContext, notebook: Notebook) -> None:
    notebook.open(lab, "05-break-it")
    for number in range(1, 7):
        notebook.run(number)
    decide(browser, notebook, 6, "Deny")
    expect(notebook.cell(6)).to_contain_text("Denied: access_denied")
    run_all_from(notebook, 7)
    shot(notebook.page, "05-end")


def test_06_your_own_app(lab: Lab, browser: BrowserContext, notebook: Notebook) -> None:
    notebook.open(lab, "06-your-own-app")
    last = notebook.cells.count()
    first_run = next(number for number in range(1, last + 1) if notebook.source(number) == "app.run()")
    for number in range(1, first_run + 1):
        notebook.run(number)
    with browser.expect_page() as opened:  # allowed in an earlier lesson, so the browser comes straight back
        notebook.cell(first_run).get_by_role("link", name="Sign in with Redbooth").click()
    opened.value.get_by_text("go back to the app").wait_for()
    opened.value.close()
    expect(notebook.cell(first_run)).to_contain_text("Hello, Ada")
    expect(notebook.cell(first_run)).to_contain_text("Done. The script came to its end.")
    shot(notebook.page, "06-run")
    for number in range(first_run + 1, last + 1):
        notebook.run(number)
        if notebook.source(number).endswith("app.run()"):
            expect(notebook.cell(number)).to_contain_text("Done. The script came to its end.")
    assert "To do" not in notebook.text(last)
