"""Take the pictures of the widgets anew: those that stand in their place, and those in the README.

    uv run --with pillow python tests/pictures.py [time-machine ...]

Look at them before you commit them. `SCREENSHOTS=folder uv run pytest tests/browser` shows every state instead.
The outputs in the notebooks hold such pictures, too: after this, run `tests/record.py --outputs-only`.
"""

import argparse
import base64
import tempfile
from pathlib import Path

from browser.lab import ROOT, lab_and_browser
from browser.notebook import Notebook
from browser.panel import Panel
from browser.themes import LIGHT, choose_theme
from PIL import Image
from playwright.sync_api import Page, ViewportSize, expect

from redbooth_nb.widgets.view import TEXTS

STILLS, README = Path("redbooth_nb", "widgets", "pictures"), Path("notebooks", "images")
COLORS = 64
SIZE: ViewportSize = {"width": 840, "height": 1600}  # higher than any panel
# somebody's own machine, where everything lies where it lies by default
AT_HOME = (
    "import os\nos.environ['HOME'] = {home!r}\nos.environ.pop('REDBOOTH_STATE_DIR', None)\nfrom redbooth_nb import *\n"
)
SIDE_BY_SIDE = """<body style="margin:0;padding:16px;background:#e8eaed"><div id="all"
    style="display:inline-flex;gap:16px;align-items:flex-start">{columns}</div>"""
COLUMN = '<div style="display:flex;flex-direction:column;gap:16px">{pictures}</div>'
FRAMED = '<img src="data:image/png;base64,{data}" style="border:1px solid #bbb;background:#fff;padding:8px">'


class Camera:
    """Takes pictures of what is drawn in one notebook."""

    def __init__(self, notebook: Notebook, home: Path, album: Path) -> None:
        self.home, self.album, self.panel = home, album, Panel(notebook, home)
        self.opening = AT_HOME.format(home=str(home))

    def draw(self, code: str) -> Panel:
        """Draw a widget."""
        self.panel.desk.write(2, self.opening + code)
        self.panel.desk.run(2)
        assert "Traceback" not in (said := self.panel.desk.text(2)), said
        self.panel.desk.page.mouse.move(0, 0)
        return self.panel

    def take(self, name: str, folder: Path = STILLS) -> bytes:
        """Keep a picture of it."""
        self.panel.desk.page.locator("body").evaluate("() => document.activeElement.blur()")
        path = self.album / folder / f"{name}.png"
        picture: bytes = self.panel.part.screenshot(path=path, animations="disabled")
        return picture


def stills(camera: Camera) -> None:
    """Take a picture of every widget but the sign-in, as a learner sees it in the middle of the course."""
    camera.draw("RegisterForm()").window.get_by_role("button", name="Register").wait_for()
    camera.take("register")
    camera.draw("Browser('https://redbooth.com/oauth2/applications')").window.get_by_role("heading").first.wait_for()
    camera.take("browser")
    camera.draw("catch_up('exchange')\nFlowMap()")
    camera.take("flow-map")
    camera.draw("UrlView()")
    camera.take("url")
    camera.draw("ExchangeForm(allow())").press("Send")
    expect(camera.panel.part).to_contain_text("arrived and were saved")
    camera.panel.part.get_by_text("The response, field by field").click()
    camera.take("exchange")
    camera.draw("card = TokenCard()\ncard").press("Refresh")
    expect(camera.panel.part).to_contain_text("Replaced")
    camera.take("refresh")
    camera.draw("transcript._round_trips.clear()\nRedboothSession().get('/tasks/1')\nrefresh()\nHttpView()")
    camera.take("http")
    camera.draw("machine = TimeMachine()\nmachine.later(7200)\nmachine")
    camera.take("time-machine")
    camera.draw("transcript._round_trips.clear()\nPlayground()")
    camera.take("playground")


TRIED_OUT = """def call(credentials, token, path):
    url = f"{REDBOOTH}/api/3{path}"
    response = requests.get(url, headers={"Authorization": f"Bearer {token['access_token']}"}, timeout=30)
    if response.status_code == 401:
        token = refresh(credentials, token)
        response = requests.get(url, headers={"Authorization": f"Bearer {token['access_token']}"}, timeout=30)
    return response

try_out(call)"""


def readme(camera: Camera, page: Page) -> None:
    """Take the README's pictures: a trial, the flow map with a hop open, a sign-in before (a still, too) and after."""
    camera.panel.desk.write(3, TRIED_OUT)
    camera.panel.desk.run(3)
    camera.panel.desk.page.locator("body").evaluate("() => document.activeElement.blur()")
    camera.panel.desk.cell(3).screenshot(path=camera.album / README / "try-out.png", animations="disabled")
    camera.draw("transcript._round_trips.clear()\nexchange(allow())\nflow = FlowMap()\nflow.show('token')\nflow")
    camera.take("flow-map", README)
    another_home = camera.home.with_name("another-home")  # where nothing is allowed yet
    camera = Camera(camera.panel.desk, another_home, camera.album)
    panel = camera.draw("catch_up('authorize')\npanel = SignInPanel()\npanel")
    panel.window.get_by_role("button", name="Allow").wait_for()
    before = camera.take("authorize")
    panel.decide("Allow")
    expect(panel.part).to_contain_text("Done. Allowed")
    after = panel.part.screenshot()
    page.set_viewport_size({"width": 1600, "height": 1000})
    left, right = (
        COLUMN.format(pictures=FRAMED.format(data=base64.b64encode(picture).decode())) for picture in (before, after)
    )
    page.set_content(SIDE_BY_SIDE.format(columns=left + right))
    page.locator("#all").screenshot(path=camera.album / README / "authorize.png")


def main() -> None:
    """Take all of them, and keep those that are named on the command line, or every one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="pictures, such as time-machine (default: all)")
    names = parser.parse_args().names
    for panel in TEXTS["panels"].values():  # one that was never taken must not keep its widget from being drawn
        (ROOT / STILLS / f"{panel.get('picture', 'register')}.png").touch()
    with lab_and_browser() as (lab, context), tempfile.TemporaryDirectory() as album:
        notebook = Notebook(context.new_page())
        notebook.open(lab, "00-start-here")
        notebook.page.keyboard.press("Control+b")
        notebook.page.set_viewport_size(SIZE)
        choose_theme(notebook.page, LIGHT)
        camera = Camera(notebook, lab.state.with_name("home"), Path(album))
        stills(camera)
        readme(camera, context.new_page())
        for picture in sorted(Path(album).rglob("*.png")):
            if names and picture.stem not in names:
                continue
            kept = ROOT / picture.relative_to(album)
            with Image.open(picture) as taken:  # a third of the size, rare colors kept
                taken.convert("RGB").quantize(COLORS, Image.Quantize.MAXCOVERAGE).save(kept, optimize=True)
            print(f"{kept.relative_to(ROOT)}: {kept.stat().st_size / 1024:.0f} KiB")  # noqa: T201


if __name__ == "__main__":
    main()
