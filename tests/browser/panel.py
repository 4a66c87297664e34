"""A widget in a notebook, and what a person does with it."""

import re
from pathlib import Path

from browser.axe import violations
from browser.notebook import Notebook, click_button
from browser.secrets_in import secrets_in
from browser.themes import DARK, LIGHT, choose_theme, shot
from playwright.sync_api import FrameLocator, Locator, Page, expect

ALONE = (
    "import os\nos.environ['REDBOOTH_STATE_DIR'] = {state!r}\nfrom redbooth_nb import *\n"
    "transcript._round_trips.clear()\n"
)
CANARY = "5ec2e7" * 10
WIDE, NARROW = {"width": 1280, "height": 1000}, {"width": 640, "height": 1000}


class Panel:
    """A widget on the page, and what must be so in each of its states."""

    def __init__(self, desk: Notebook, state: Path) -> None:
        self.desk, self.state = desk, state

    def show(self, code: str) -> "Panel":
        """Draw it anew: in a state folder of its own, by this code."""
        self.desk.write(2, ALONE.format(state=str(self.state)) + code)
        self.desk.run(2)
        return self

    @property
    def part(self) -> Locator:
        """The widget."""
        return self.desk.cell(2).locator(".jp-OutputArea-output > .redbooth-view").last

    def press(self, button: str) -> None:
        """Click a button."""
        click_button(self.part, button)

    def fill(self, label: str, text: str) -> None:
        """Type into a field."""
        self.part.get_by_label(label, exact=True).fill(text)

    def follow(self, link: str) -> Page:
        """Follow a link; returns the page it opens."""
        return self.desk.follow(2, link)

    @property
    def window(self) -> FrameLocator:
        """The page in its window."""
        return self.part.frame_locator("iframe.rb-page")

    def decide(self, button: str) -> None:
        """Press a button on Redbooth's page in the window."""
        self.desk.press_in(self.window, button)
        expect(self.window.get_by_role("heading", name="Back at your app")).to_be_visible()

    def python(self, code: str) -> None:
        """Do something in the notebook, in another cell."""
        self.desk.write(3, code)
        self.desk.run(3)

    def is_right(self, name: str, words: str | re.Pattern[str]) -> None:
        """See that it says so, keeps its secrets, and suits everybody."""
        page = self.desk.page
        expect(self.part).to_contain_text(words)
        self.part.evaluate("part => part.querySelectorAll('details').forEach(fold => { fold.open = true })")
        wrong = {}
        for appearance in (LIGHT, DARK, "narrow"):
            if appearance == "narrow":
                page.set_viewport_size(NARROW)
            else:
                choose_theme(page, appearance)
            wrong[appearance] = violations(self.part)
            if self.part.evaluate("part => part.scrollWidth > part.clientWidth + 1"):
                wrong[appearance].append("wider than its place")
            shot(self.part, f"{name}-{appearance.rpartition(' ')[2].lower()}")
        page.set_viewport_size(WIDE)
        assert {appearance: found for appearance, found in wrong.items() if found} == {}
        content = page.content()
        assert [secret for secret in secrets_in(self.state) | {CANARY} if secret in content] == []
