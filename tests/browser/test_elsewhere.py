"""Where a notebook is open that is no JupyterLab, or that nobody trusts."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
from browser.lab import ROOT, Lab, jupyterlab
from browser.notebook import Keyboard, Notebook, click_in_window
from browser.panel import Panel
from browser.secrets_in import secrets_in
from browser.themes import shot
from client.machine import unused_port
from playwright.sync_api import Browser, BrowserContext, Route, expect

VIEW = {"model_id": "0" * 32, "version_major": 2, "version_minor": 0}


def test_an_untrusted_notebook_shows_pictures_and_words(lab: Lab, notebook: Notebook) -> None:
    """As somebody else saved it: JupyterLab draws no widget in it before its cell has run."""
    lesson = json.loads((ROOT / "notebooks" / "00-start-here.ipynb").read_text(encoding="utf-8"))
    for output in [output for cell in lesson["cells"] for output in cell.get("outputs", [])]:
        if "text/html" in output.get("data", {}):
            output["data"]["application/vnd.jupyter.widget-view+json"] = VIEW
    (lab.notebooks / "00-start-here.ipynb").write_text(json.dumps(lesson), encoding="utf-8")
    notebook.open(lab, "00-start-here")
    picture = notebook.cell(2).get_by_role("img")
    expect(picture).to_have_attribute("alt", re.compile("^An example of the widget: three columns for user, app and"))
    assert picture.evaluate("picture => picture.complete && picture.naturalWidth") == 660
    expect(notebook.cell(2)).to_contain_text("0 of 4 stages done. Next is register.")
    expect(notebook.cell(2).locator(".jupyter-widgets")).to_have_count(0)
    picture.scroll_into_view_if_needed()
    shot(notebook.page, "untrusted")
    notebook.run(1)
    notebook.run(2)
    expect(notebook.cell(2).get_by_role("img")).to_have_count(0)
    expect(notebook.cell(2).locator(".redbooth-flow")).to_be_visible()


def test_notebook_7_draws_the_widgets_and_takes_the_answer(lab: Lab, browser: BrowserContext) -> None:
    """The same server, without JupyterLab around the notebook; by keyboard, whose ways differ most."""
    hand = Keyboard(browser.new_page())
    hand.page.goto(lab.address("02-authorize", tree="/notebooks/"))
    # empty once the kernel can take a cell; until then Shift+Enter opens a dialog that asks for a kernel
    expect(hand.page.locator(".jp-NotebookKernelStatus-fade:empty")).to_be_attached(timeout=60_000)
    expect(hand.cells).to_have_count(23, timeout=60_000)
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


def test_behind_a_path_prefix_no_other_port_is_needed(tmp_path: Path, running_browser: Browser) -> None:
    """As on a hub: the browser reaches the notebook server alone. The first stages, as a person does them."""
    with jupyterlab(tmp_path, "--ServerApp.base_url=/user/ada/") as lab:
        server = urlsplit(lab.link).netloc
        context = running_browser.new_context(viewport={"width": 1280, "height": 1000})
        strangers: list[str] = []

        def only_the_server(route: Route) -> None:
            url = urlsplit(route.request.url)
            if url.scheme in {"data", "blob"} or (url.netloc == server and url.path.startswith("/user/ada/")):
                route.continue_()
            else:
                strangers.append(route.request.url)
                route.abort()

        context.route("**/*", only_the_server)
        notebook = Notebook(context.new_page())
        notebook.open(lab, "01-register")
        for number in range(1, 5):
            notebook.run(number)
        window = notebook.window(4)
        notebook.fill_in(window, "Name", "My first Redbooth app")
        notebook.fill_in(window, "Return URI", "http://127.0.0.1:8765/callback")
        notebook.press_in(window, "Register")
        notebook.fill(4, "Api Key (client id)", window.locator("#application_id").inner_text())
        notebook.fill(4, "App secret", window.locator("#secret").inner_text())
        notebook.press(4, "Save")
        notebook.write(6, "from redbooth_nb import SignInPanel, exchange, TokenCard\npanel = SignInPanel()\npanel")
        notebook.run(6)
        notebook.press_in(notebook.window(6), "Allow")
        expect(notebook.cell(6)).to_contain_text("Allowed: <authorization code")
        notebook.write(7, "exchange(panel.response)\nTokenCard()")
        notebook.run(7)
        expect(notebook.cell(7).get_by_role("timer")).to_have_text(re.compile("^fresh, expires in"))
        notebook.save()
        saved = notebook.page.content() + notebook.file.read_text(encoding="utf-8")
        assert [secret for secret in secrets_in(lab.state) if secret in saved] == []
        context.close()
        assert strangers == []


def test_voila_shows_the_window_and_takes_the_decision(tmp_path: Path, running_browser: Browser) -> None:
    code = "from redbooth_nb import ready, SignInPanel\nready('authorize')\npanel = SignInPanel()\npanel"
    page = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    page.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(page, tmp_path / "sign-in.ipynb")
    command = [
        sys.executable,
        "-m",
        "voila",
        str(tmp_path / "sign-in.ipynb"),
        "--no-browser",
        f"--port={unused_port()}",
    ]
    environment = {**os.environ, "REDBOOTH_STATE_DIR": str(tmp_path / "state")}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as voila:  # noqa: S603
        try:
            assert voila.stderr is not None
            found = next(filter(None, (re.search(r"http://localhost:\d+\S*", line) for line in voila.stderr)))
            shown = running_browser.new_page()
            # Voila's own page asks the network for fonts and scripts, and works without
            shown.route(lambda url: urlsplit(url).hostname != "localhost", lambda route: route.abort())
            shown.goto(found[0])
            allow = shown.frame_locator("iframe.rb-page").get_by_role("button", name="Allow")
            allow.wait_for(timeout=60_000)
            click_in_window(allow)
            expect(shown.locator(".redbooth-view").first).to_contain_text("Allowed: <authorization code")
            shot(shown, "voila")
            shown.close()
        finally:
            voila.terminate()


HOSTILE = """<title>code=<b>x</b></title><base href="https://other.test/"><meta http-equiv=refresh content="0;https://other.test/">
<img name=replaceChild src="https://other.test/i"><form name=adoptNode></form><script>parent.x = 1</script>
<svg><a xlink:href="https://other.test/svg"><text y=20>one</text></a></svg><map name=m><area href="https://other.test/a"></map>
<a href="https://other.test/clobbered"><form><input name=closest></form><b>two</b></a>
<form action="https://other.test/f" method=post><input name=getAttribute><input name=method>
<button autofocus>three</button></form>
<style>@import "https://other.test/s"; body { background: url(https://other.test/u) }</style>"""


def test_a_hostile_page_stays_in_the_window_and_does_no_harm(desk: Notebook, tmp_path: Path) -> None:
    """A stand-in of somebody's own may answer anything. The profile fails the test when another host is asked."""
    panel = Panel(desk, tmp_path).show(
        "ready('authorize')\nbrowser = Browser('https://redbooth.com/oauth2/applications')\nbrowser"
    )
    panel.window.get_by_role("heading", name="Your applications").wait_for()
    show = f"browser._tell('https://redbooth.com/', 'Your applications', {HOSTILE!r})"
    panel.python(show)
    panel.window.get_by_text("two").wait_for()
    assert panel.window.locator("svg, img, area, script, base, [autofocus], form[name]").count() == 0
    assert panel.part.evaluate("part => document.activeElement.tagName !== 'IFRAME'")  # it did not take the focus
    click_in_window(panel.window.get_by_text("two"))
    panel.window.get_by_text("No app is waiting for an answer").wait_for()
    panel.python(show)
    panel.window.locator("button").evaluate("button => button.click()")
    panel.window.get_by_text("No app is waiting for an answer").wait_for()
    panel.press("Back")
    panel.window.get_by_role("heading", name="Your applications").wait_for()
    windows = [frame.url for frame in desk.page.frames if frame.parent_frame]
    assert windows == ["about:srcdoc"]
