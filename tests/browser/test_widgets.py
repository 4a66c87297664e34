"""Every widget in a real JupyterLab: accessible in light and dark, narrow too, and by keyboard alone."""

from browser.axe import violations
from browser.lab import Lab
from browser.look import DARK, LIGHT, choose_theme, shot
from browser.notebook import Notebook
from playwright.sync_api import Locator, expect

START = "from redbooth_nb import *\nready('refresh')"
# widget -> what to write into a cell, and what it shows then
WIDGETS = {
    "register": ("RegisterForm()", "Registered: client id"),
    "predict": ("predict('state')", "Predict:"),
    "authorize": ("SignInPanel()", "Waiting for your answer"),
    "url": ("UrlView()", "URL-encoded"),
    "exchange": ("ExchangeForm(allow())", "POST https://redbooth.com/oauth2/token"),
    "card": ("TokenCard()", "opens the account"),
    "http": ("RedboothSession().get('/me')\nHttpView()", "All of it as Markdown"),
    "time-machine": ("TimeMachine()", "The sandbox's clock"),
    "fault-lab": ("lab = FaultLab()\nlab.run('wrong-secret', '401 invalid_client')\nlab", "As you predicted"),
    "playground": ("Playground()", "4 refresh"),
}


def widget(notebook: Notebook, number: int) -> Locator:
    return notebook.cell(number).locator(".jp-OutputArea-output > .jupyter-widgets").last


def test_nothing_stands_in_anybodys_way(lab: Lab, notebook: Notebook) -> None:
    """axe-core finds no violation in any widget, in light, dark and narrow; what is folded is opened first."""
    notebook.open(lab, "02-authorize")
    notebook.write(1, START)
    notebook.run(1)
    panels = {}
    for number, (name, (code, words)) in enumerate(WIDGETS.items(), 2):
        notebook.write(number, code)
        notebook.run(number)
        panels[name] = widget(notebook, number)
        expect(panels[name]).to_contain_text(words)
        panels[name].evaluate("part => part.querySelectorAll('details').forEach(fold => { fold.open = true })")
    wrong = {}
    for look in (LIGHT, DARK, "narrow"):
        if look == "narrow":
            notebook.page.keyboard.press("Control+b")  # fold the file list away
            notebook.page.set_viewport_size({"width": 640, "height": 1000})
        else:
            choose_theme(notebook.page, look)
        for name, panel in panels.items():
            shot(panel, f"widget-{name}-{look.rpartition(' ')[2].lower()}")
            wrong[look, name] = violations(panel)
            if panel.evaluate("part => part.scrollWidth > part.clientWidth + 1"):
                wrong[look, name].append("wider than its place")
    assert {where: found for where, found in wrong.items() if found} == {}


def test_the_flow_by_keyboard_alone(lab: Lab, notebook: Notebook) -> None:
    """Tab, Enter and Space go from a new sign-in to a called API; Allow is pressed by the keyboard, too."""
    page = notebook.page
    notebook.open(lab, "02-authorize")
    notebook.write(1, f"{START}\nPlayground()")
    notebook.run(1)
    panel = widget(notebook, 1)

    def press(button: str) -> None:
        panel.get_by_role("button", name=button, exact=True).focus()
        page.keyboard.press("Enter")

    press("New sign-in")
    link = panel.get_by_role("link", name="Sign in with Redbooth")
    link.focus()
    with page.context.expect_page() as opened:
        page.keyboard.press("Enter")
    expect(panel).to_contain_text("Allowed: <authorization code")
    opened.value.close()
    press("Go on with the answer")
    press("Send")
    expect(panel).to_contain_text("arrived and are saved")
    press("Call")
    expect(panel).to_contain_text("GET https://redbooth.com/api/3/me")
