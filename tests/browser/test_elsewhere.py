"""Where a notebook is open that is no JupyterLab, or that nobody trusts."""

import json
import re

from browser.lab import ROOT, Lab
from browser.notebook import Keyboard, Notebook
from browser.themes import shot
from playwright.sync_api import BrowserContext, expect

VIEW = {"model_id": "0" * 32, "version_major": 2, "version_minor": 0}


def test_an_untrusted_notebook_shows_pictures_and_words(lab: Lab, notebook: Notebook) -> None:
    """As somebody else saved it: JupyterLab draws no widget in it before its cell has run."""
    lesson = json.loads((ROOT / "notebooks" / "00-start-here.ipynb").read_text(encoding="utf-8"))
    for output in [output for cell in lesson["cells"] for output in cell.get("outputs", [])]:
        if "text/html" in output.get("data", {}):
            output["data"]["application/vnd.jupyter.widget-view+json"] = VIEW
    (lab.notebooks / "00-start-here.ipynb").write_text(json.dumps(lesson), encoding="utf-8")
    notebook.open(lab, "00-start-here")
    picture = notebook.cell(3).get_by_role("img")
    expect(picture).to_have_attribute("alt", re.compile("^A picture of the widget: three columns for user, app and"))
    assert picture.evaluate("picture => picture.complete && picture.naturalWidth") == 660
    expect(notebook.cell(3)).to_contain_text("0 of 4 stages done. Next is register.")
    expect(notebook.cell(3).locator(".jupyter-widgets")).to_have_count(0)
    picture.scroll_into_view_if_needed()
    shot(notebook.page, "untrusted")
    notebook.run(1)
    notebook.run(3)
    expect(notebook.cell(3).get_by_role("img")).to_have_count(0)
    expect(notebook.cell(3).locator(".redbooth-flow")).to_be_visible()


def test_notebook_7_draws_the_widgets_and_takes_the_answer(lab: Lab, browser: BrowserContext) -> None:
    """The same server, without JupyterLab around the notebook; by keyboard, whose ways differ most."""
    hand = Keyboard(browser.new_page())
    hand.page.goto(lab.address("02-authorize", tree="/notebooks/"))
    expect(hand.page.locator(".jp-NotebookKernelStatus")).to_be_attached(timeout=60_000)
    expect(hand.cells).to_have_count(17, timeout=60_000)
    hand.run(1)
    hand.write(2, "from redbooth_nb import *\nflow = FlowMap()\nflow")
    hand.run(2)
    expect(hand.cell(2).locator(".redbooth-flow")).to_contain_text("1 of 4 stages done.")
    hand.write(3, "panel = SignInPanel()\npanel")
    hand.run(3)
    expect(hand.cell(3)).to_contain_text("Waiting for your answer")
    shot(hand.page, "notebook-7")
    hand.press_in(hand.window(3), "Allow")
    expect(hand.cell(3)).to_contain_text("Allowed: <authorization code")
    expect(hand.cell(2).locator(".redbooth-flow")).to_contain_text("2 of 4 stages done.")
    hand.write(4, "exchange(panel.response)\nTokenCard()")
    hand.run(4)
    expect(hand.cell(4).get_by_role("timer")).to_have_text(re.compile("^fresh, expires in"))
