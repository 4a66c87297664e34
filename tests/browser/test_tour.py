"""A person does the tour in JupyterLab, on the real consent page: four stages with the mouse, all by keyboard alone.

Set SCREENSHOTS to a folder to keep what was seen.
"""

import re
from collections.abc import Iterator

import pytest
from browser.lab import Lab, jupyterlab
from browser.notebook import Keyboard, Notebook
from browser.secrets_in import secrets_in
from browser.themes import shot
from notebooks.lessons import solved, tried_out
from playwright.sync_api import BrowserContext, expect

by_keyboard = pytest.mark.parametrize("hand", ["keyboard"], indirect=True)
HANDS: dict[str, type[Notebook]] = {"mouse": Notebook, "keyboard": Keyboard}


@pytest.fixture(scope="module", params=HANDS)
def hand(request: pytest.FixtureRequest) -> str:
    """Return what the person uses."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def lab(hand: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Return JupyterLab, running, with a state of its own for each tour."""
    with jupyterlab(tmp_path_factory.mktemp(hand)) as running:
        yield running


@pytest.fixture
def notebook(hand: str, browser: BrowserContext, lab: Lab) -> Iterator[Notebook]:
    """Return a page for notebooks; afterwards see that no secret is on it or in the saved notebook."""
    page = HANDS[hand](browser.new_page())
    yield page
    page.save()
    seen = page.page.content() + page.file.read_text(encoding="utf-8")
    assert [secret for secret in secrets_in(lab.state) if secret in seen] == []


def run(notebook: Notebook, first: int, last: int) -> None:
    """Run cells; where a function is to be written, write it."""
    for number in range(first, last + 1):
        source = notebook.source(number)
        if tried_out(source):
            notebook.write(number, solved(source))
        notebook.run(number)


def run_all_from(notebook: Notebook, first: int) -> None:
    """Run the rest, and see that the check at the end finds nothing left to do."""
    last = notebook.cells.count()
    run(notebook, first, last)
    assert "Done" in notebook.text(last)
    assert "To do" not in notebook.text(last)


def decide(notebook: Notebook, cell: int, button: str) -> None:
    """Press a button on Redbooth's page in the panel's window."""
    window = notebook.window(cell)
    window.get_by_role("button", name=button).wait_for()
    shot(notebook.cell(cell), f"02-{button}-consent")
    notebook.press_in(window, button)
    window.get_by_role("heading", name="Back at your app").wait_for()
    expect(notebook.cell(cell).get_by_label("Address")).to_have_value(
        re.compile(r"^http://127\.0\.0\.1:8765/callback\?")
    )
    shot(notebook.cell(cell), f"02-{button}-back")


@by_keyboard
def test_00_start(lab: Lab, notebook: Notebook) -> None:
    notebook.open(lab, "00-start-here")
    run_all_from(notebook, 1)
    notebook.choose(3, 0)
    expect(notebook.cell(3)).to_contain_text("Right.")
    expect(notebook.cell(3).get_by_role("radio").first).to_be_focused()  # to choose another with the arrow keys
    shot(notebook.page, "00-prediction")


def test_01_register(hand: str, lab: Lab, notebook: Notebook) -> None:
    notebook.open(lab, "01-register")
    run(notebook, 1, 4)
    assert ("Lessons  1 of 8 done; next is 01-register." in notebook.text(1)) is (hand == "keyboard")
    window = notebook.window(4)
    notebook.fill_in(window, "Name", "My first Redbooth app")
    notebook.fill_in(window, "Return URI", "http://127.0.0.1:8765/callback")
    shot(notebook.cell(4), "01-console-new")
    notebook.press_in(window, "Register")
    client_id, secret = (window.locator(mark).inner_text() for mark in ("#application_id", "#secret"))
    shot(notebook.cell(4), "01-console-app")
    form = notebook.cell(4)
    notebook.fill(4, "Api Key (client id)", "not a key")
    expect(form).to_contain_text("Problem. The Api Key (client id) contains a space")
    notebook.fill(4, "Api Key (client id)", client_id)
    notebook.fill(4, "App secret", secret)
    notebook.press(4, "Save")
    expect(form).to_contain_text(f"Registered: client id {client_id[:8]}...")
    shot(notebook.page, "01-form")
    run_all_from(notebook, 5)


def test_02_authorize(lab: Lab, notebook: Notebook) -> None:
    notebook.open(lab, "02-authorize")
    run(notebook, 1, 14)
    assert "Allow My first Redbooth app to use your account?" in notebook.text(9)  # the form, sent by POST
    notebook.choose(10, 2)
    expect(notebook.cell(10)).to_contain_text("Right.")
    shot(notebook.page, "02-waiting")
    decide(notebook, 14, "Deny")
    expect(notebook.cell(14)).to_contain_text("Denied: access_denied")
    run(notebook, 15, 16)
    decide(notebook, 16, "Allow")
    expect(notebook.cell(16)).to_contain_text("Allowed: <authorization code")
    shot(notebook.page, "02-allowed")
    run_all_from(notebook, 17)


def test_03_exchange(lab: Lab, notebook: Notebook) -> None:
    notebook.open(lab, "03-exchange")
    run(notebook, 1, 6)
    assert "waiting to be exchanged" in notebook.text(1)
    assert "invalid_client" in notebook.text(3)
    expect(notebook.cell(4).get_by_role("button", name="Send")).to_have_count(0)
    shot(notebook.page, "03-sent")
    run(notebook, 7, 15)
    assert "'Ada', 'Marlow'" in notebook.text(8)
    assert "invalid_grant" in notebook.text(11)
    expect(notebook.cell(15)).to_contain_text("Allowed: <authorization code")  # at once: allowed earlier
    run_all_from(notebook, 16)
    assert "invalid_grant" in notebook.text(17)
    assert notebook.text(18).strip() == "200"


def test_04_refresh(lab: Lab, notebook: Notebook) -> None:
    notebook.open(lab, "04-refresh")
    run_all_from(notebook, 1)
    assert "The access token expired" in notebook.text(5)
    card = notebook.cell(2)
    before = card.text_content() or ""
    notebook.press(2, "Refresh")
    expect(card).not_to_have_text(before)
    expect(card).to_contain_text("Replaced: <access token")
    shot(notebook.page, "04-card")


@by_keyboard
def test_05_help_desk(lab: Lab, notebook: Notebook) -> None:
    notebook.open(lab, "05-help-desk")
    run(notebook, 1, 2)
    notebook.run(3)  # as it is
    assert "Open     Find the cause" in notebook.text(3)
    shot(notebook.page, "05-open")
    run(notebook, 3, 5)  # all ten are solved in tests/notebooks/test_unattended.py
    for solved_ticket in (3, 5):
        assert "Solved " in notebook.text(solved_ticket)
    shot(notebook.page, "05-solved")


@by_keyboard
def test_06_your_own_app(lab: Lab, notebook: Notebook) -> None:
    notebook.open(lab, "06-your-own-app")
    sources = [notebook.source(number) for number in range(1, notebook.cells.count() + 1)]
    first, second, later, again = (number for number, source in enumerate(sources, 1) if source.endswith("app.run()"))
    run(notebook, 1, first)
    assert notebook.text(1).count("yours    ") == 7
    # allowed earlier, so its window comes straight back
    expect(notebook.window(first).locator("main")).to_contain_text("go back to the app")
    expect(notebook.cell(first)).to_contain_text("Hello, Ada")
    expect(notebook.cell(first)).to_contain_text("Done. The script finished.")
    shot(notebook.page, "06-run")
    run(notebook, first + 1, again - 1)
    for number in (second, later):
        expect(notebook.cell(number)).to_contain_text("Done. The script finished.")
    expect(notebook.cell(second)).not_to_contain_text("POST")
    expect(notebook.cell(later)).to_contain_text("POST /oauth2/token refresh_token -> 200")
    notebook.press_in(notebook.window(again - 1), "Revoke")
    expect(notebook.window(again - 1).locator("main")).to_contain_text("No application has access to your account.")
    notebook.run(again)
    decide(notebook, again, "Allow")
    expect(notebook.cell(again)).to_contain_text("Redbooth no longer accepts the stored token.")
    expect(notebook.cell(again)).to_contain_text("Done. The script finished.")
    shot(notebook.page, "06-again")
    check = sources.index('check("your-own-app")') + 1
    notebook.run(check)
    assert "To do" not in notebook.text(check)


@by_keyboard
def test_07_every_error(lab: Lab, notebook: Notebook) -> None:
    notebook.open(lab, "07-every-error")
    run_all_from(notebook, 1)
    # the token of the app to take home is still valid
    expect(notebook.window(5).locator("main")).to_contain_text("My first Redbooth app")
    expect(notebook.window(7).get_by_role("alert")).to_contain_text("redirect uri")
    shot(notebook.page, "07-end")


@by_keyboard
def test_08_the_playground(lab: Lab, notebook: Notebook) -> None:
    """The whole flow once more, on one screen, at the end of the last lesson."""
    notebook.open(lab, "06-your-own-app")
    notebook.run(1)
    last = notebook.cells.count()
    run(notebook, last, last)
    notebook.press(last, "New sign-in")
    notebook.window(last).get_by_role("heading", name="Back at your app").first.wait_for()
    notebook.press(last, "Send")
    expect(notebook.cell(last)).to_contain_text("arrived and were saved")
    notebook.press(last, "Call")
    expect(notebook.cell(last)).to_contain_text("GET https://redbooth.com/api/3/me")
    shot(notebook.page, "08-playground")
