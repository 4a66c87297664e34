"""The flow map in JupyterLab: its progress, mouse and keyboard, both themes, little room, and news by itself."""

import json
import re
from pathlib import Path

import pytest
from browser.axe import violations
from browser.lab import Lab
from browser.notebook import Notebook
from browser.panel import WIDE
from browser.themes import DARK, LIGHT, choose_theme, shot
from playwright.sync_api import BrowserContext, Locator, expect

from redbooth_nb.widgets.markup import colored

ALONE = "import os\nos.environ |= {{'REDBOOTH_STATE_DIR': {state!r}, 'REDBOOTH_UNATTENDED': '1'}}\n"
IMPORTS = "from redbooth_nb import *\ntranscript._round_trips.clear()\n"
WAYS = {"empty": "", "half": "catch_up('exchange')\n", "done": "catch_up('refresh')\nrefresh()\n"}


def draw(notebook: Notebook, state: Path, before: str = "") -> Locator:
    """Show a map in cell 2, of an app whose state is in that folder; `before` is what was done before."""
    notebook.write(2, ALONE.format(state=str(state)) + IMPORTS + before + "flow = FlowMap()\nflow")
    notebook.run(2)
    flow = notebook.cell(2).locator(".redbooth-flow")
    expect(flow).to_be_visible()
    return flow


def hop(flow: Locator, name: str) -> Locator:
    return flow.locator(f"[data-hop='{name}']")


def progress(flow: Locator) -> list[str | None]:
    return [hop.get_attribute("data-progress") for hop in flow.locator(".rf-hop").all()]


def fits(flow: Locator) -> bool:
    """Whether nothing sticks out of it to the right, and no word is cut off."""
    return bool(
        flow.evaluate("""(flow) => [flow, ...flow.querySelectorAll("*")].every((part) => {
            const hidden = part.closest("svg, .rf-way, .rf-word, [hidden]");
            return hidden || part.getBoundingClientRect().right <= flow.getBoundingClientRect().right + 1;
        })""")
    )


@pytest.mark.parametrize(
    ("way", "done", "summary"),
    [
        ("empty", 0, "0 of 4 stages done. Next is register."),
        ("half", 5, "2 of 4 stages done. Next is exchange."),
        ("done", 9, "All four stages are done."),
    ],
)
def test_what_has_happened_is_lit(desk: Notebook, tmp_path: Path, way: str, done: int, summary: str) -> None:
    flow = draw(desk, tmp_path, WAYS[way])
    assert progress(flow) == (["done"] * done + ["next"] + ["not yet"] * 8)[:9]
    expect(flow.get_by_role("status")).to_contain_text(summary)
    for part in flow.locator(".rf-hop").all():  # in words, and in a shape, not only in a colour
        so_far = part.get_attribute("data-progress") or ""
        expect(part.locator(".rf-word")).to_have_text(so_far)
        assert part.locator("svg path").count() == (1 if so_far == "not yet" else 2)


def test_a_click_opens_what_went_over_the_wire(desk: Notebook, tmp_path: Path) -> None:
    flow = draw(desk, tmp_path, WAYS["done"])
    token = flow.get_by_role("button", name="Redbooth to Your app: access and refresh tokens done")
    expect(token).to_have_attribute("aria-expanded", "false")
    token.click()
    expect(token).to_have_attribute("aria-expanded", "true")
    detail = flow.get_by_role("region", name="Redbooth to Your app").filter(has_text="access and refresh tokens")
    expect(detail.locator(".rf-wire").first).to_contain_text("grant_type = authorization_code")
    expect(detail.locator(".rf-wire").last).to_contain_text(re.compile("200 OK.*<access token", re.DOTALL))
    expect(detail.locator(".rv-print").first).to_contain_text("<access token ...")
    for one in detail.locator(".rv-print").all():  # drawn here as view.py draws it
        style = (one.get_attribute("style") or "none").rstrip(";")
        assert f'style="{style}"' in colored(one.text_content())
    expect(flow).to_contain_text("Requests from other notebooks are not shown.")
    hop(flow, "link").click()
    expect(detail).to_have_count(0)
    expect(flow.locator(".rf-detail:visible")).to_contain_text("AuthorizationRequest.new() makes this link")
    hop(flow, "link").click()
    expect(flow.locator(".rf-detail:visible")).to_have_count(0)
    assert progress(flow) == ["done"] * 9  # clicks light nothing up
    desk.write(3, "flow.show('refresh')")
    desk.run(3)
    expect(hop(flow, "refresh")).to_have_attribute("aria-expanded", "true")


def test_the_keyboard_alone_is_enough(desk: Notebook, tmp_path: Path) -> None:
    flow = draw(desk, tmp_path, WAYS["half"])
    keyboard, focused = desk.page.keyboard, flow.locator("*:focus")
    hop(flow, "code").focus()
    keyboard.press("Tab")
    expect(focused).to_have_count(0)  # the whole map is one stop on the way through the page
    for _ in range(10):  # JupyterLab has stops of its own behind the cell
        if focused.count() == 0:
            keyboard.press("Shift+Tab")
    expect(focused).to_have_attribute("data-hop", "code")  # what comes next, first
    active = desk.page.locator(".jp-Cell.jp-mod-active")
    before = active.element_handle()
    for key, expected in (
        ("ArrowUp", "answer"), ("ArrowDown", "code"), ("ArrowRight", "token"), ("ArrowLeft", "code"),
        ("End", "new-token"), ("ArrowDown", "new-token"), ("Home", "register"), ("ArrowUp", "register"),
    ):  # fmt: skip
        keyboard.press(key)
        expect(focused).to_have_attribute("data-hop", expected)
    outline = focused.evaluate("(one) => getComputedStyle(one).outlineStyle + getComputedStyle(one).outlineWidth")
    assert outline == "solid2px"
    for key, expanded in (("Enter", "true"), ("Enter", "false"), (" ", "true"), ("Escape", "false")):
        keyboard.press(key)
        expect(focused).to_have_attribute("aria-expanded", expanded)
        expect(focused).to_have_attribute("data-hop", "register")  # JupyterLab did not take the key
    assert active.element_handle().evaluate("(now, before) => now === before", before)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_it_looks_right_and_is_accessible(desk: Notebook, tmp_path: Path, theme: str) -> None:
    page, appearance = desk.page, theme.rpartition(" ")[2].lower()
    page.set_viewport_size({"width": 1280, "height": 1700})
    choose_theme(page, theme)
    for way, before in WAYS.items():
        flow = draw(desk, tmp_path / way, before)
        assert violations(flow) == []
        assert fits(flow)
        shot(flow, f"flow-{appearance}-{way}")
    ground = flow.evaluate("(flow) => getComputedStyle(flow.closest('.redbooth-view')).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(33, 33, 33)"}[appearance]
    assert flow.evaluate("(flow) => flow.closest('.redbooth-view').getBoundingClientRect().height") < 560
    hop(flow, "token").click()
    assert violations(flow) == []
    shot(flow, f"flow-{appearance}-open")
    for width in (600, 300):  # 300 is what 600 leaves when the page is shown at 200 %
        flow.evaluate("(flow, width) => { flow.style.width = `${width}px`; }", width)
        hop(flow, "token").hover()
        assert fits(flow)
        assert violations(flow) == []
        expect(hop(flow, "token").get_by_text("access and refresh tokens")).to_be_visible()
        shot(flow, f"flow-{appearance}-{width}")
    flow.evaluate("(flow) => { flow.style.width = '600px'; flow.style.fontSize = '200%'; }")
    assert fits(flow)
    page.set_viewport_size(WIDE)


def test_the_search_for_violations_finds_some(browser: BrowserContext) -> None:
    page = browser.new_page()
    page.set_content("<main><button></button><img src='data:,'></main>")
    found = "".join(violations(page.locator("main")))
    assert "button-name" in found
    assert "image-alt" in found


def test_it_lights_up_by_itself_while_a_cell_runs(desk: Notebook, tmp_path: Path) -> None:
    """The next cell takes each step and then waits until this test has seen it on the map."""
    flow = draw(desk, tmp_path)
    seen = tmp_path / "seen"
    desk.write(
        3,
        "import pathlib\n"
        f"wait = lambda name: [None for _ in iter((pathlib.Path({str(tmp_path)!r}) / name).exists, True)]\n"
        "_ = catch_up('authorize'), wait('seen-1'), catch_up('exchange'), wait('seen-2'), catch_up('refresh')\n",
    )
    desk.cell(3).locator(".jp-InputArea-editor").click()
    desk.page.keyboard.press("Control+Enter")
    for number, name in enumerate(("link", "code", "refresh"), 1):
        expect(hop(flow, name)).to_have_attribute("data-progress", "next", timeout=15_000)
        seen.with_name(f"seen-{number}").touch()
    expect(flow.get_by_role("status")).to_contain_text("3 of 4 stages done.")


def test_it_is_silent_while_nothing_happens(lab: Lab, notebook: Notebook, tmp_path: Path) -> None:
    """Not one message in a whole second, once the answer to the last click is there: nothing asks again and again."""
    frames = notebook.overhear()
    notebook.open(lab, "00-start-here")
    flow = draw(notebook, tmp_path, WAYS["done"])
    hop(flow, "token").click()
    expect(flow.locator(".rf-detail:visible")).to_have_count(1)
    notebook.page.get_by_text(re.compile(r"\| Idle")).wait_for()
    assert any(b"comm_msg" in frame for frame in frames)  # the click was one
    for _ in range(5):  # a busy machine may take a while to answer
        frames.clear()
        notebook.page.wait_for_timeout(1000)
        if not [frame for frame in frames if b"comm_msg" in frame]:
            break
    assert [frame for frame in frames if b"comm_msg" in frame] == []


def test_no_secret_reaches_the_page(desk: Notebook, tmp_path: Path) -> None:
    flow = draw(desk, tmp_path, WAYS["done"])
    (file,) = tmp_path.rglob("token.json")
    token = json.loads(file.read_text())
    secrets = [token["access_token"], token["refresh_token"]]
    (file,) = tmp_path.rglob("credentials.env")
    secrets += re.findall(r"CLIENT_SECRET='?([^'\n]+)", file.read_text())
    assert len(secrets) == 3
    for name in ("register", "credentials", "decision", "answer", "code", "token", "refresh", "new-token"):
        hop(flow, name).click()
        expect(hop(flow, name)).to_have_attribute("aria-expanded", "true")
        page = desk.page.content()
        assert [secret for secret in secrets if secret in page] == []
    assert "&lt;refresh token ..." in page


def test_a_restarted_kernel_leaves_a_map_that_says_so(desk: Notebook, tmp_path: Path) -> None:
    flow = draw(desk, tmp_path, WAYS["half"])
    said = desk.cell(2).get_by_text("The kernel was stopped or restarted, so this no longer works.")
    expect(said).to_be_hidden()
    desk.restart()
    expect(said).to_be_visible()
    shot(flow, "flow-restarted")
