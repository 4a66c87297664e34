"""A notebook in JupyterLab, as a person uses it."""

import json
import re
from pathlib import Path

from browser.lab import Lab
from playwright.sync_api import Locator, Page, expect

LESSONS = Path(__file__).parents[2] / "notebooks"
FRONT = ".jp-NotebookPanel:not(.lm-mod-hidden)"


class Notebook:
    """One notebook at a time, used with the mouse."""

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
        self.cell(number).locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(code)

    def restart(self) -> None:
        """Restart the kernel with the toolbar's button."""
        self.page.locator(f"{FRONT} jp-button[aria-label^='Restart the kernel']").first.click()
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()
        self.page.get_by_text(re.compile(r"\| (?!Idle)\w+")).wait_for(timeout=60_000)
        self.page.get_by_text(re.compile(r"\| Idle")).wait_for(timeout=60_000)

    def run(self, number: int) -> None:
        """Click into a code cell and press the run button; returns when it has run."""
        cell = self.cell(number)
        prompt = cell.locator(".jp-InputPrompt")
        for _ in range(10):  # JupyterLab says Idle a moment before it takes the first click
            cell.locator(".jp-InputArea-editor").click()
            self.page.locator(f"{FRONT} [data-command='notebook:run-cell-and-select-next']").click()
            try:
                expect(prompt).to_have_text(re.compile(r"\[(\*|\d+)\]"), timeout=2_000)
            except AssertionError:
                continue
            break
        expect(prompt).to_have_text(re.compile(r"\[\d+\]"), timeout=60_000)

    def text(self, number: int) -> str:
        """Return what stands below a code cell."""
        area = self.cell(number).locator(".jp-OutputArea").first
        return area.text_content() or ""
