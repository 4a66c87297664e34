"""JupyterLab's themes, and screenshots for people: set SCREENSHOTS to a folder to keep what was seen."""

import os
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

SHOTS = os.environ.get("SCREENSHOTS")
LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"


def choose_theme(page: Page, name: str) -> None:
    """Choose a theme, and wait until JupyterLab wears it."""
    page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", name)
    expect(page.locator("body")).to_have_attribute("data-jp-theme-name", name)


def shot(part: Page | Locator, name: str) -> None:
    """Keep a picture of a page or a part of it, if pictures are wanted."""
    if SHOTS:
        if isinstance(part, Locator):
            part.scroll_into_view_if_needed()
        part.screenshot(path=Path(SHOTS) / f"{name}.png")
