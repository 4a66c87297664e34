"""How a widget looks: JupyterLab's themes, and screenshots for people.

Set SCREENSHOTS to a folder to look at what was seen.
"""

import os
import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

SHOTS = os.environ.get("SCREENSHOTS")
LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"


def choose_theme(page: Page, name: str) -> None:
    """Choose a theme in the Settings menu, and wait until JupyterLab wears it."""
    page.locator(".lm-MenuBar-itemLabel", has_text="Settings").click()
    for entry in ("Theme", name):
        page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{entry}$")).click()
    expect(page.locator("body")).to_have_attribute("data-jp-theme-name", name)


def shot(part: Locator, name: str) -> None:
    """Keep a picture of a part of the page, if pictures are wanted."""
    if SHOTS:
        part.scroll_into_view_if_needed()
        part.screenshot(path=Path(SHOTS) / f"{name}.png")
