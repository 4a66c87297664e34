"""The countdown in JupyterLab: it counts while the kernel is busy, after a sleep, and without a word to the kernel."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from browser.axe import violations
from browser.lab import Lab
from browser.notebook import Notebook
from browser.panel import Panel
from browser.themes import DARK, LIGHT, choose_theme, shot
from playwright.sync_api import Locator, expect

IMPORT = (
    "import ipywidgets\nfrom redbooth_nb.widgets.countdown import Countdown\n"
    "from redbooth_nb.widgets.view import Message\n"
)
SECONDS = "(words) => Number(/(\\d+) s$/.exec(words.textContent)[1])"


@pytest.fixture
def sleepy(lab: Lab, notebook: Notebook) -> Notebook:
    """Return a notebook on a page whose clock the test can move on, from when JupyterLab is up."""
    notebook.open(lab, "00-start-here")
    notebook.page.clock.install()
    return notebook


def draw(notebook: Notebook, *counts: str) -> Locator:
    """Show countdowns in cell 2; the first is `first` in the kernel."""
    rows = ", ".join(f"Countdown({count})" for count in counts)
    notebook.write(2, f"{IMPORT}rows = [{rows}]\nfirst = rows[0]\nipywidgets.VBox([*rows, Message()])")
    notebook.run(2)
    drawn = notebook.cell(2).locator(".redbooth-countdown")
    expect(drawn).to_have_count(len(counts))
    return drawn


def words(drawn: Locator) -> Locator:
    return drawn.get_by_role("timer")


def sees_three_seconds_pass(drawn: Locator) -> None:
    """Wait until the words have changed three times, each time by what a second makes."""
    now = words(drawn).evaluate(SECONDS)
    for _ in range(3):
        now = (now - 1) % 60
        expect(words(drawn)).to_have_text(re.compile(rf"\b{now} s$"), timeout=5_000)


def test_it_counts_while_the_kernel_is_busy(desk: Notebook, tmp_path: Path) -> None:
    drawn = draw(desk, "7000, 7200")
    stop = tmp_path / "stop"
    desk.write(3, f"import pathlib\nwhile not pathlib.Path({str(stop)!r}).exists():\n    pass")
    desk.cell(3).locator(".jp-InputArea-editor").click()
    desk.page.keyboard.press("Control+Enter")
    prompt = desk.cell(3).locator(".jp-InputPrompt")
    expect(prompt).to_have_text("[*]:")
    sees_three_seconds_pass(drawn)
    expect(prompt).to_have_text("[*]:")
    stop.touch()
    expect(prompt).to_have_text(re.compile(r"\[\d+\]:"))


def test_it_is_right_after_the_laptop_slept_and_says_what_changed(sleepy: Notebook) -> None:
    """The page's timers stand still meanwhile, and fire once when it wakes up."""
    drawn = draw(sleepy, "7100, 7200")
    news = drawn.get_by_role("status")
    expect(words(drawn)).to_have_text(re.compile("^fresh, expires in 1 h 58 min"))
    sleepy.page.clock.fast_forward("01:00:00")
    expect(words(drawn)).to_have_text(re.compile("^fresh, expires in 58 min"))
    expect(news).to_have_text("")  # the same phase is no news
    sleepy.page.clock.fast_forward("57:30")
    expect(words(drawn)).to_have_text(re.compile(r"^expires soon, in \d+ s$"))
    expect(drawn).to_have_attribute("data-phase", "soon")
    expect(news).to_have_text("The access token expires soon.")
    sleepy.page.clock.fast_forward("24:00:00")
    expect(words(drawn)).to_have_text("expired")
    expect(news).to_have_text("The access token has expired.")
    sleepy.write(3, "first.set(7200, 7200)")
    sleepy.run(3)
    expect(words(drawn)).to_have_text(re.compile("^fresh, expires in (2 h|1 h 59 min)"))
    expect(news).to_have_text("The access token is fresh.")


def test_a_card_that_slept_for_two_hours_says_expired_and_nothing_else(sleepy: Notebook, tmp_path: Path) -> None:
    card = Panel(sleepy, tmp_path).show("catch_up('refresh')\nTokenCard()").part
    expect(card).to_contain_text("fresh, expires in 1 h 59 min")
    sleepy.page.clock.fast_forward("02:00:00")
    expect(card).to_contain_text("expired")
    expect(card).not_to_contain_text("fresh,")


def test_another_notebooks_clock_is_noticed_when_somebody_turns_to_the_card(
    lab: Lab, notebook: Notebook, tmp_path: Path
) -> None:
    """Another program moves the clock: this kernel hears of it when the card comes into view again."""
    notebook.open(lab, "00-start-here")
    card = Panel(notebook, tmp_path).show("catch_up('refresh')\nTokenCard()").part
    expect(card).to_contain_text("fresh, expires in")
    file = tmp_path / "sandbox" / "sandbox.sqlite3"
    other = f"from redbooth_nb.provider.sandbox import Sandbox\nSandbox(pathlib.Path({str(file)!r})).advance(7200)"
    subprocess.run([sys.executable, "-c", f"import pathlib\n{other}"], check=True)  # noqa: S603
    expect(card).to_contain_text("fresh, expires in")
    notebook.page.wait_for_timeout(1000)  # it asks once a second at most
    notebook.page.evaluate("() => window.dispatchEvent(new Event('focus'))")
    expect(card).to_contain_text("expired")
    expect(card).not_to_contain_text("fresh,")


def test_it_ends_by_itself(desk: Notebook) -> None:
    drawn = draw(desk, "3, 30")
    expect(words(drawn)).to_have_text("expired", timeout=5_000)
    expect(drawn).to_have_attribute("data-phase", "expired")


def test_setting_the_same_time_again_begins_anew(sleepy: Notebook) -> None:
    drawn = draw(sleepy, "7200, 7200")
    sleepy.page.clock.fast_forward("30:00")
    expect(words(drawn)).to_have_text(re.compile("^fresh, expires in 1 h 29 min"))
    sleepy.write(3, "first.set(7200, 7200)")
    sleepy.run(3)
    expect(words(drawn)).to_have_text(re.compile("^fresh, expires in (2 h|1 h 59 min)"))


def test_a_reloaded_page_goes_on_where_it_was(lab: Lab, notebook: Notebook) -> None:
    notebook.open(lab, "00-start-here")
    drawn = draw(notebook, "7000, 7200")
    notebook.write(3, "first.time = {**first.time, 'as_of': first.time['as_of'] - 3600}")
    notebook.run(3)  # set an hour ago
    expect(words(drawn)).to_have_text(re.compile("^fresh, expires in 56 min"))
    notebook.save()
    notebook.page.reload()
    expect(words(drawn)).to_have_text(re.compile("^fresh, expires in 5[56] min"), timeout=30_000)


def test_it_says_nothing_to_the_kernel(lab: Lab, notebook: Notebook) -> None:
    frames = notebook.overhear()
    notebook.open(lab, "00-start-here")
    drawn = draw(notebook, "7000, 7200")
    notebook.page.get_by_text(re.compile(r"\| Idle")).wait_for()
    assert any(b"comm_open" in frame for frame in frames)
    frames.clear()
    sees_three_seconds_pass(drawn)
    assert [frame for frame in frames if b"comm_" in frame] == []


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_its_phases_differ_in_word_shape_and_colour(desk: Notebook, theme: str) -> None:
    choose_theme(desk.page, theme)
    drawn = draw(desk, "7000, 7200", "40, 7200", "0, 7200", "None, None")
    phases = [row.get_attribute("data-phase") for row in drawn.all()]
    assert phases == ["fresh", "soon", "expired", "unknown"]
    for what in (
        ".querySelector('svg').innerHTML", ".querySelector('.rc-words').textContent.slice(0, 7)",
        ".querySelector('.rc-icon').firstChild.computedStyleMap().get('stroke').toString()",
    ):  # fmt: skip
        assert len({row.evaluate(f"(row) => row{what}") for row in drawn.all()}) == 4
    expect(words(drawn.last)).to_have_text("the service did not say how long it is valid")
    for row in drawn.all():
        assert violations(row) == []
    shot(desk.cell(2).locator(".jp-OutputArea").first, f"countdown-{theme.rpartition(' ')[2].lower()}")


def test_who_wants_no_motion_gets_none(desk: Notebook) -> None:
    desk.page.emulate_media(reduced_motion="reduce")
    drawn = draw(desk, "7000, 7200", "40, 7200")
    expect(words(drawn.first)).to_have_text("fresh, expires in 1 h 56 min")
    expect(words(drawn.last)).to_have_text(re.compile(r"^expires soon, in \d+ s$"))
    moving = drawn.first.evaluate("(row) => getComputedStyle(row.querySelector('.rc-rest')).transitionDuration")
    assert moving == "0s"
    desk.write(3, "from redbooth_nb import TimeMachine\nTimeMachine()")
    desk.run(3)
    news = desk.cell(3).locator(".rm-words > div")
    assert news.evaluate("(news) => getComputedStyle(news).animationName") == "none"
    desk.page.emulate_media(reduced_motion="no-preference")
    assert news.evaluate("(news) => getComputedStyle(news).animationName") == "rv-news"
