"""What every widget shares: one text in place of a picture, values that are no markup, buttons that act once."""

import html
import importlib
import inspect
import pkgutil
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import ipywidgets as w
import pytest
from widgets.clicks import said, saved, shown

from redbooth_nb import widgets
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.register import Settings
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.errors import RedboothError
from redbooth_nb.widgets import markup, view
from redbooth_nb.widgets.live import LiveView
from redbooth_nb.widgets.markup import panels
from redbooth_nb.widgets.view import TEXTS, Message, View, still

OTHER_VIEWS = "redbooth_nb.lessons.predict"
WITHOUT_PICTURE = {
    "LiveView",  # what several build on
    "TokenRequest",  # what ExchangeForm builds on
    "Prediction",  # its text is all there is
    "ScriptPanel",  # its text is all there is
}


class Panel(View):
    def text(self) -> str:
        return "what it shows"


def make(action: Callable[[], bool | None]) -> tuple[Message, Callable[[], None], Callable[[], bool]]:
    """Return a message, a click on a button that acts, and whether that button is off."""
    panel = Panel()
    made = panel._button("Go", action)
    return panel._message, made.click, lambda: bool(made.disabled)


def test_where_widgets_cannot_show_there_is_the_text() -> None:
    panel = Panel()
    bundle = panel._repr_mimebundle_()
    assert bundle["text/plain"] == repr(panel) == "what it shows"
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == panel.model_id


@pytest.mark.parametrize(("kind", "label"), [("info", ""), ("good", "Done. "), ("problem", "Problem. ")])
def test_a_message_says_of_which_kind_it_is(kind: str, label: str) -> None:
    message = Message()
    assert said(message) == ""
    message.say("It is so.\nAnd more.", kind)
    assert said(message) == f"{label}It is so.\nAnd more."


def views() -> list[type[View]]:
    found, left = [], [View]
    ours = [module.name for module in pkgutil.iter_modules(widgets.__path__, "redbooth_nb.widgets.")]
    for name in (*ours, OTHER_VIEWS):
        importlib.import_module(name)
    while left:
        left += (below := left.pop().__subclasses__())
        found += [one for one in below if one.__module__.startswith("redbooth_nb.")]
    return found


@pytest.mark.parametrize("view", views(), ids=lambda view: view.__name__)
def test_no_name_of_ours_replaces_one_of_ipywidgets(view: type[View]) -> None:
    """Its widgets call methods such as `_send` of their own."""
    source = inspect.getsource(view)
    ours = set(re.findall(r"self\.(\w+)(?:: [^=]+)? = ", source)) | set(re.findall(r"def (\w+)", source))
    allowed = {"__init__", "__repr__", "_repr_mimebundle_", "children", "send"}  # a box never sends by itself
    assert {name for name in ours - allowed if hasattr(w.VBox, name)} == set()


@pytest.mark.parametrize("view", views(), ids=lambda view: view.__name__)
def test_its_picture_is_there_and_said_in_words(view: type[View]) -> None:
    panel = TEXTS["panels"].get(view.__name__, {})
    assert ("picture" in panel) != (view.__name__ in WITHOUT_PICTURE)
    if "picture" in panel:
        assert f'alt="An example of the widget: {html.escape(panel["seen"])}"' in still(panel, "<b>")
        assert "<pre>&lt;b&gt;</pre>" in still(panel, "<b>")
        assert panel["seen"].endswith(".")


@pytest.mark.parametrize("view", [one for one in views() if one is not LiveView], ids=lambda view: view.__name__)
def test_none_shows_or_keeps_a_secret(
    view: type[View], app: Settings, decide: Callable[[Settings], AuthorizationResponse]
) -> None:
    token = exchange(decide(app))
    assert token.refresh_token is not None
    response = decide(app)
    assert response.code is not None
    needs = {
        "Browser": ("https://redbooth.com/oauth2/authorized_applications",),
        "Prediction": ("twice",),
        "ScriptPanel": ([sys.executable, "-c", ""], Path.cwd()),
        "TokenRequest": (app,),
    }
    panel = view(*needs.get(view.__name__, ()))
    told = saved() + repr(panel) + shown(panel)
    for secret in (token.access_token, token.refresh_token, response.code, app.client_secret):
        assert secret.reveal() not in told


def test_every_panel_of_the_texts_is_one_of_ours() -> None:
    assert TEXTS["panels"].keys() <= {view.__name__ for view in views()}
    pictures = [panel["picture"] for panel in TEXTS["panels"].values() if "picture" in panel]
    assert sorted(pictures) == sorted(path.stem for path in (view.HERE / "pictures").glob("*.png"))


def test_a_link_is_text_and_tells_the_target_nothing() -> None:
    made = panels.tab_link('https://redbooth.com/?a="b"&c=<d>', "<b>here</b>")
    assert 'href="https://redbooth.com/?a=&#34;b&#34;&amp;c=&lt;d&gt;"' in made
    assert "&lt;b&gt;here&lt;/b&gt;" in made
    assert 'rel="noopener noreferrer"' in made


def test_a_failure_becomes_a_sentence_and_the_button_works_again() -> None:
    def fail() -> None:
        raise RedboothError("It broke.", remedy="Try <again>.")

    message, click, off = make(fail)
    click()
    assert shown(message) == "Problem. It broke.\nWhat to do: Try <again>."
    assert not off()


def test_a_fault_of_the_kit_is_not_hidden_and_the_button_works_again(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    _, click, off = make(fail)
    click()
    assert "ZeroDivisionError" in caplog.text  # ipywidgets logs what a handler raises
    assert not off()


def test_a_double_click_starts_one_action(monkeypatch: pytest.MonkeyPatch) -> None:
    """R47: the kernel handles the second click when the first one's action has ended. A later click counts."""
    now = [100.0]
    monkeypatch.setattr(view.time, "monotonic", lambda: now[0])
    starts: list[float] = []
    _, click, _ = make(lambda: starts.append(now[0]))
    click()
    click()
    assert starts == [100.0]
    now[0] += view.DOUBLE_CLICK
    click()
    assert starts == [100.0, 100.0 + view.DOUBLE_CLICK]


def test_a_click_during_the_action_is_none() -> None:
    """From another thread, as some kernels call back, and from within."""
    starts: list[str] = []

    def act() -> None:
        starts.append(threading.current_thread().name)
        click()
        other = threading.Thread(target=click)
        other.start()
        other.join()

    _, click, _ = make(act)
    click()
    assert len(starts) == 1


def test_what_was_switched_off_meanwhile_does_not_act(monkeypatch: pytest.MonkeyPatch) -> None:
    """A click may wait in the kernel's queue while the action before it switches the button off."""
    monkeypatch.setattr(view, "DOUBLE_CLICK", 0)
    starts: list[bool] = []

    def act() -> None:
        starts.append(True)
        made.disabled = True

    made = Panel()._button("Go", act)
    made.click()
    made.click()
    assert made.disabled
    assert len(starts) == 1


@pytest.mark.parametrize("whole", ["c1" * 32, "some_words-" * 4])
def test_a_long_id_in_a_table_is_shortened_and_can_be_copied_whole(whole: str) -> None:
    drawn = markup.panels.table(
        ("name", "value"), [("state", whole), ("sent", f"{whole} - the same"), ("<b>", "short")]
    )
    assert drawn.count(f"<span>{whole[:12]}...{whole[-8:]}</span>") == 2
    assert drawn.count(f'data-whole="{whole}"') == drawn.count("<button") == 2
    assert whole not in drawn.replace(f'data-whole="{whole}"', "")


def test_an_address_or_a_sentence_is_not_shortened() -> None:
    for text in (
        f"https://redbooth.com/?state={'s' * 43}",
        "a sentence " * 9,
        "<access token ...c0de>" * 2,
        "a-32-" * 6,
    ):
        assert "<button" not in markup.panels.table(("name", "value"), [("name", text)])


def test_a_fingerprints_color_tells_two_apart_and_judges_none() -> None:
    """Green, amber and red say good, careful and bad elsewhere in the panels."""
    drawn = [markup.colored(f"<access token ...{number:04x}>") for number in range(200)]
    colors = [tuple(map(int, re.findall(r"--rv-\w+: (\d+)", one))) for one in drawn]
    assert len(set(colors)) == 12
    assert {hue for hue, _ in colors} == {190, 216, 242, 268, 294, 320}


class Titled(Panel):
    """A panel with a title."""


def test_a_panel_begins_with_its_title_whatever_is_put_into_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TEXTS["panels"], "Titled", {"title": "What it is"})
    panel = Titled([part := view.Markup("one")])
    head, *rest = panel.children
    assert isinstance(head, view.Head)
    assert (head.title, rest) == ("What it is", [part])
    panel.children = [part, another := view.Markup("two")]
    panel.children = panel.children
    assert panel.children == (head, part, another)
    assert Titled([]).children == ()  # what is not filled yet shows nothing
