"""A notebook in JupyterLab, as a person uses it."""

import json
import re
from pathlib import Path

from browser.lab import Lab
from playwright.sync_api import FrameLocator, Locator, Page, WebSocket, expect

LESSONS = Path(__file__).parents[2] / "notebooks"
FRONT = ".jp-NotebookPanel:not(.lm-mod-hidden)"


def hold_still(place: Page | Locator) -> None:
    """Wait until the panels there are drawn: until then, what is below moves away under a click."""
    expect(place.locator(UNFINISHED)).to_have_count(0)


def click_button(place: Locator, name: str) -> None:
    """Click a button there, once it stays where it is."""
    button = place.get_by_role("button", name=name, exact=True)
    button.wait_for()
    hold_still(place)
    button.click()


def click_in_window(button: Locator) -> None:
    """Click a button on a page in a window, once the mouse is known to reach it.

    Such a page is a process of its own. For a moment after Chromium has scrolled it into view, a click there goes to
    the notebook around it instead. A button that the mouse reaches is hovered.
    """
    button.hover()
    while not button.evaluate("button => button.matches(':hover')"):
        button.page.mouse.move(0, 0)
        button.hover()
    button.click()


class Notebook:
    """One notebook at a time, used with the mouse; `Keyboard` does the same without."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, lab: Lab, name: str) -> None:
        """Open a lesson and wait for its kernel."""
        self.page.goto(lab.address(name))
        self.page.locator("#jp-main-dock-panel .lm-TabBar-tab.lm-mod-current", has_text=name).wait_for(timeout=60_000)
        self.page.get_by_text(re.compile(r"\| Idle")).wait_for(timeout=60_000)
        # JupyterLab draws the cells of a long notebook one after the other, after it says Idle
        lesson = json.loads((LESSONS / f"{name}.ipynb").read_text(encoding="utf-8"))
        expect(self.cells).to_have_count(sum(c["cell_type"] == "code" for c in lesson["cells"]), timeout=60_000)

        self.file = lab.notebooks / f"{name}.ipynb"

    def overhear(self) -> list[bytes]:
        """Return what page and kernel tell each other from now on; call it before the notebook is opened."""
        frames: list[bytes] = []

        def listen(socket: WebSocket) -> None:
            for way in ("framesent", "framereceived"):
                socket.on(way, lambda frame: frames.append(frame if isinstance(frame, bytes) else frame.encode()))

        self.page.on("websocket", listen)
        return frames

    def save(self) -> None:
        """Save with the keyboard; returns when it is on the disk."""
        with self.page.expect_response(lambda answer: answer.request.method == "PUT" and "/contents/" in answer.url):
            self.page.keyboard.press("Control+s")

    @property
    def cells(self) -> Locator:
        """The code cells of the notebook in front; others may be open behind it."""
        return self.page.locator(f"{FRONT} .jp-CodeCell")

    def cell(self, number: int) -> Locator:
        """Return the code cell of that number, from 1."""
        return self.cells.nth(number - 1)

    def source(self, number: int) -> str:
        """Return the code of a cell."""
        return "\n".join(self.cell(number).locator(".cm-line").all_text_contents())

    def write(self, number: int, code: str) -> None:
        """Replace the code of a cell."""
        content = self.cell(number).locator(".cm-content")
        for _ in range(10):  # a panel that was clicked just before may still move the focus to one of its buttons
            content.click()
            try:
                expect(content).to_be_focused(timeout=2_000)
            except AssertionError:
                continue
            break
        self.replace(number, code)

    def replace(self, number: int, code: str) -> None:
        """Type into a cell that is being edited."""
        expect(self.cell(number).locator(".cm-content")).to_be_focused()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(code)

    def restart(self) -> None:
        """Restart the kernel with the toolbar's button."""
        self.page.locator(f"{FRONT} jp-button[aria-label^='Restart the kernel']").first.click()
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()
        status = self.page.locator(".jp-StatusBar-TextItem")  # a table of the lesson has such words, too
        status.filter(has_text=re.compile(r"\| (?!Idle)\w+")).wait_for(timeout=60_000)
        self.page.get_by_text(re.compile(r"\| Idle")).wait_for(timeout=60_000)

    def run(self, number: int) -> None:
        """Run a code cell; returns when it has run."""
        # JupyterLab leaves the number of an earlier run there until it has sent the cell off
        self.prompt(number).evaluate("prompt => { prompt.textContent = ''; }")
        for _ in range(10):  # JupyterLab says Idle a moment before it takes the first click
            self.start(number)
            try:
                expect(self.prompt(number)).to_have_text(re.compile(r"\[(\*|\d+)\]"), timeout=2_000)
            except AssertionError:
                continue
            break
        expect(self.prompt(number)).to_have_text(re.compile(r"\[\d+\]"), timeout=60_000)

    def prompt(self, number: int) -> Locator:
        """Return the prompt of a code cell."""
        return self.cell(number).locator(".jp-InputPrompt")

    def text(self, number: int) -> str:
        """Return what is below a code cell."""
        area = self.cell(number).locator(".jp-OutputArea").first
        return area.text_content() or ""

    def start(self, number: int) -> None:
        """Start a code cell, and do not wait for it."""
        self.cell(number).locator(".jp-InputArea-editor").click()
        self.page.locator(f"{FRONT} [data-command='notebook:run-cell-and-select-next']").click()

    def press(self, number: int, name: str) -> None:
        """Press a button below a code cell."""
        click_button(self.cell(number), name)

    def follow(self, number: int, name: str) -> Page:
        """Follow a link below a code cell; returns the page it opens."""
        with self.page.context.expect_page() as opened:
            self.cell(number).get_by_role("link", name=name).click()
        return opened.value

    def choose(self, number: int, choice: int) -> None:
        """Choose among the choices below a code cell, from 0."""
        self.cell(number).get_by_role("radio").nth(choice).click()

    def fill(self, number: int, label: str, text: str) -> None:
        """Type into a field below a code cell."""
        self.cell(number).get_by_label(label).fill(text)

    def window(self, number: int) -> FrameLocator:
        """Return the page in the window below a code cell."""
        return self.cell(number).frame_locator("iframe.rb-page")

    def press_in(self, page: Page | FrameLocator, name: str) -> None:
        """Press a button on a page in another tab or in a window."""
        button = page.get_by_role("button", name=name, exact=True)
        if isinstance(page, FrameLocator):
            button.wait_for()
            hold_still(self.page)
            click_in_window(button)
        else:
            button.click()

    def fill_in(self, page: Page | FrameLocator, label: str, text: str) -> None:
        """Type into a field on a page in another tab or in a window."""
        page.get_by_label(label).fill(text)


# what has yet to take its room: a widget that is not drawn, a window that has not grown to its page; in a cell out of
# view, which JupyterLab hides, a window grows later
UNFINISHED = (
    ".redbooth-view .lm-Widget:empty:not(.widget-box), "
    ".redbooth-view iframe.rb-page:not([style*='--page-height']):visible"
)
# an element that uses the arrow keys itself, or none in the notebook: arrows do not lead to another cell from there
HELD = """() => { const at = document.activeElement;
    return !at.closest(".jp-Notebook") || at.matches("input, select, textarea, iframe, [contenteditable=true]"); }"""
CELLS = f"[...document.querySelectorAll('{FRONT} .jp-Cell')]"
ACTIVE = f"() => {CELLS}.findIndex((cell) => cell.classList.contains('jp-mod-active'))"
PLACES = f"() => {CELLS}.flatMap((cell, place) => cell.classList.contains('jp-CodeCell') ? [place] : [])"
STOPS = 80  # more than Tab makes on any page here


class Keyboard(Notebook):
    """The same, without a mouse: Tab and the arrow keys, Enter, Space, Shift+Enter."""

    def go(self, number: int) -> None:
        """Make a code cell the active one, with the arrow keys."""
        for _ in range(STOPS):
            if not self.page.evaluate(HELD):
                break
            self.page.keyboard.press("Shift+Tab")
        place = self.page.evaluate(PLACES)[number - 1]
        while (active := self.page.evaluate(ACTIVE)) != place:
            self.page.keyboard.press("ArrowDown" if active < place else "ArrowUp")
            self.page.wait_for_function(f"({ACTIVE})() !== {active}")

    def reach(self, wanted: Locator) -> None:
        """Press Tab until the focus is where it is wanted."""
        page = wanted.page
        wanted.wait_for()
        for _ in range(STOPS):
            if wanted.evaluate("one => document.hasFocus() && one === document.activeElement"):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {wanted}.")

    def start(self, number: int) -> None:
        """Start a code cell, and do not wait for it."""
        self.go(number)
        self.page.keyboard.press("Shift+Enter")

    def write(self, number: int, code: str) -> None:
        """Replace the code of a cell."""
        self.go(number)
        self.page.keyboard.press("Enter")
        self.replace(number, code)
        self.page.keyboard.press("Escape")

    def press(self, number: int, name: str) -> None:
        """Press a button below a code cell."""
        self.go(number)
        self.reach(self.cell(number).get_by_role("button", name=name, exact=True))
        self.page.keyboard.press("Enter")

    def follow(self, number: int, name: str) -> Page:
        """Follow a link below a code cell; returns the page it opens."""
        self.go(number)
        self.reach(self.cell(number).get_by_role("link", name=name))
        with self.page.context.expect_page() as opened:
            self.page.keyboard.press("Enter")
        return opened.value

    def choose(self, number: int, choice: int) -> None:
        """Choose among the choices below a code cell, from 0."""
        self.go(number)
        choices = self.cell(number).get_by_role("radio")
        self.reach(choices.first)
        for reached in range(choice + 1):
            self.page.keyboard.press("ArrowDown" if reached else " ")
            expect(choices.nth(reached)).to_be_checked()

    def fill(self, number: int, label: str, text: str) -> None:
        """Type into a field below a code cell."""
        self.go(number)
        self.reach(self.cell(number).get_by_label(label))
        self._type(self.page, text)

    def press_in(self, page: Page | FrameLocator, name: str) -> None:
        """Press a button on a page in another tab or in a window."""
        button = page.get_by_role("button", name=name, exact=True)
        self.reach(button)
        button.page.keyboard.press("Enter")

    def fill_in(self, page: Page | FrameLocator, label: str, text: str) -> None:
        """Type into a field on a page in another tab or in a window."""
        field = page.get_by_label(label)
        self.reach(field)
        self._type(field.page, text)

    def _type(self, page: Page, text: str) -> None:
        page.keyboard.press("Control+a")
        page.keyboard.type(text)
