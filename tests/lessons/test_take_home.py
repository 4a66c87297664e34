"""The app to take home: made of the learner's functions and the kit's, and nobody's file is overwritten."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from practice import SECRET
from widgets.clicks import shown

import redbooth_nb
from redbooth_nb.client.register import Settings
from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.course import requirements
from redbooth_nb.lessons.practice import let_time_pass
from redbooth_nb.lessons.source import SOLUTION, functions
from redbooth_nb.lessons.take_home import NAME, TakeHomeApp, solution
from redbooth_nb.lessons.try_out import EXERCISES
from redbooth_nb.widgets.browser import Browser
from redbooth_nb.widgets.script import ScriptPanel

MINE = """def exchange(credentials, address, state):
    # mine
    return None"""


def test_the_kits_version_holds_every_function_and_names_no_kit() -> None:
    assert {*EXERCISES, "main", "get", "sign_in"} <= functions(SOLUTION).keys()
    assert "redbooth_nb" not in SOLUTION


@pytest.mark.usefixtures("unattended")
def test_wrong_names_are_sentences() -> None:
    for name in ("nothing", "save(", ""):
        with pytest.raises(RedboothError, match="There is no function"):
            TakeHomeApp().show(name)
        with pytest.raises(RedboothError, match="There is no function"):
            solution(name)


def test_for_a_person_the_app_is_beside_the_notebook_and_the_kits_own_is_never_written_to(machine: Path) -> None:
    kits = Path(redbooth_nb.__path__[0]) / "lessons" / NAME  # so it comes with the installed package
    before = kits.read_bytes(), kits.stat().st_mtime_ns
    app = TakeHomeApp()
    assert app.write() == machine / NAME
    app.keep("exchange", MINE)
    assert (kits.read_bytes(), kits.stat().st_mtime_ns) == before
    assert app.write().read_text(encoding="utf-8") == SOLUTION.replace(functions(SOLUTION)["exchange"], MINE)


def test_a_function_is_kept_with_what_it_needs_and_the_rest_of_the_file_stays(machine: Path) -> None:
    app, needed = TakeHomeApp(), ["import math", "import json"]
    app.keep("exchange", MINE, needed)
    (machine / NAME).write_text((machine / NAME).read_text() + "# my remark\n")
    app.keep("exchange", MINE.replace("None", "1"), needed)
    text = (machine / NAME).read_text(encoding="utf-8")
    assert text.endswith("# my remark\n")
    assert text.count("import math") == text.count("import json") == 1
    assert functions(text) == functions(SOLUTION) | {"exchange": MINE.replace("None", "1")}
    assert app.mine() == ["exchange"]
    assert [*machine.glob("*.py")] == [machine / NAME]  # only versions of try_out's were replaced


def test_an_edit_in_the_file_is_never_lost(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = TakeHomeApp()
    app.keep("exchange", MINE)
    edited = (machine / NAME).read_text(encoding="utf-8").replace("# mine", "# mine, and better")
    (machine / NAME).write_text(edited, encoding="utf-8")
    app.keep("save", "def save(credentials, token):\n    pass")
    assert capsys.readouterr().out == ""  # another function: the edit stays where it is
    assert "# mine, and better" in app.text()
    edited = app.text()
    app.keep("exchange", MINE)
    assert capsys.readouterr().out == f"Your {NAME} had different code. It was kept as my_redbooth_app_1.py.\n"
    assert (machine / "my_redbooth_app_1.py").read_text(encoding="utf-8") == edited
    assert app.mine() == ["exchange", "save"]


def test_edits_of_what_a_function_needs_are_never_lost_either(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app, needed = TakeHomeApp(), ["TIMEOUT = 30", "def post(fields):\n    return fields  # as it is"]
    app.keep("exchange", MINE, needed)
    edited = app.text().replace("TIMEOUT = 30", "TIMEOUT = 99").replace("# as it is", "# my work")
    (machine / NAME).write_text(edited, encoding="utf-8")
    app.keep("save", "def save(credentials, token):\n    pass")
    assert capsys.readouterr().out == ""
    edited = app.text()
    assert "TIMEOUT = 99" in edited
    assert "# my work" in edited
    app.keep("exchange", MINE, needed)
    assert f"Your {NAME} had different code. It was kept as my_redbooth_app_1.py." in capsys.readouterr().out
    assert (machine / "my_redbooth_app_1.py").read_text(encoding="utf-8") == edited
    assert app.text().count("TIMEOUT") == app.text().count("def post(") == 1
    app.keep("exchange", MINE, ["TIMEOUT = 31", *needed[1:]])
    assert capsys.readouterr().out == ""  # it came from a cell
    assert "TIMEOUT = 31" in app.text()


@pytest.mark.parametrize("content", [b"", b"def exchange(:", b"mine = 1", b"\xff\xfe", b"\0"])
def test_a_file_that_is_no_app_is_kept_and_a_whole_one_written(
    machine: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    for number in (1, 2):
        (machine / NAME).write_bytes(content + b"#" * number)
        assert TakeHomeApp().mine() == []
        TakeHomeApp().write()
        assert (
            f"lacks one of the app's functions. It was kept as my_redbooth_app_{number}.py." in capsys.readouterr().out
        )
        assert (machine / f"my_redbooth_app_{number}.py").read_bytes() == content + b"#" * number
        assert (machine / NAME).read_text(encoding="utf-8") == SOLUTION


def test_a_helper_is_replaced_by_a_new_one_of_its_name(machine: Path) -> None:
    app = TakeHomeApp()
    for number in (1, 2):
        helper = f"def _send(fields):\n    return {number}"
        app.keep("exchange", MINE.replace("None", "_send({})"), ["import re", "LIMIT = 3", helper])
    text = (machine / NAME).read_text(encoding="utf-8")
    assert text.count("def _send(fields)") == text.count("LIMIT = 3") == text.count("\nimport re\n") == 1
    assert "return 2" in text


def test_what_a_function_needs_comes_before_it(machine: Path) -> None:
    app, shared = TakeHomeApp(), "def logged(function):\n    return function"
    app.keep("call", f"@logged\n{functions(SOLUTION)['call']}", [shared])
    app.keep("exchange", f"@logged\n{MINE}", [shared])
    text = (machine / NAME).read_text(encoding="utf-8")
    assert text.count(shared) == 1
    assert text.index(shared) < text.index("@logged\ndef exchange") < text.index("@logged\ndef call")


def test_of_a_function_that_is_there_twice_the_one_that_counts_is_replaced(machine: Path) -> None:
    app = TakeHomeApp()
    app.write()
    (machine / NAME).write_text(SOLUTION.replace("def main(", f"{MINE.replace('None', '2')}\n\n\ndef main("))
    app.keep("exchange", MINE.replace("None", "3"))
    assert "return 3" in functions(app.text())["exchange"]


@pytest.mark.parametrize("prefix", ["\ufeff", "# \x0c page\n", "# \u2028 line\n"])
def test_odd_characters_are_no_damage(machine: Path, prefix: str) -> None:
    (machine / NAME).write_text(prefix + SOLUTION, encoding="utf-8")
    app = TakeHomeApp()
    app.keep("exchange", MINE)
    assert [*machine.glob("*.py")] == [machine / NAME]
    assert functions(app.text()) == functions(SOLUTION) | {"exchange": MINE}


def test_a_link_stays_one(machine: Path) -> None:
    (machine / "elsewhere").mkdir()
    target = machine / "elsewhere" / "app.py"
    target.write_text(SOLUTION, encoding="utf-8")
    (machine / NAME).symlink_to(target)
    TakeHomeApp().keep("exchange", MINE)
    assert (machine / NAME).is_symlink()
    assert MINE in target.read_text(encoding="utf-8")


def test_two_notebooks_keep_their_functions_at_once(machine: Path) -> None:
    """Each in a process of its own; nothing that one kept is lost by the other."""
    code = "from redbooth_nb.lessons.take_home import *\nfor number in range(20):\n    "
    code += "TakeHomeApp().keep({name!r}, functions(SOLUTION)[{name!r}] + f'  # {{number}}')"
    names = ("exchange", "call", "save")
    started = [subprocess.Popen([sys.executable, "-c", code.format(name=name)], cwd=machine) for name in names]  # noqa: S603
    assert [process.wait(60) for process in started] == [0, 0, 0]
    assert [*machine.glob("*.py")] == [machine / NAME]
    assert sorted(TakeHomeApp().mine()) == sorted(names)
    assert TakeHomeApp().text().count("  # 19") == 3


def test_what_was_deleted_is_not_yours_any_more(machine: Path) -> None:
    app = TakeHomeApp()
    app.keep("exchange", MINE)
    assert "yours    exchange" in repr(app)
    (machine / NAME).unlink()
    assert app.mine() == []
    assert "the kit  exchange" in repr(app)
    app.keep("save", functions(SOLUTION)["save"])  # writes the file anew
    assert app.mine() == ["save"]


def test_git_ignores_what_the_learner_gets_and_keeps_what_the_kit_ships() -> None:
    """So somebody who opens `notebooks/` itself changes no tracked file."""
    root = Path(redbooth_nb.__path__[0]).parent
    names = (NAME, "my_redbooth_app_1.py", "my_redbooth_token.json", "my_redbooth_token.part", ".env")
    theirs = [f"notebooks/{name}" for name in names]
    command = ["git", "check-ignore", "--no-index", *theirs, f"redbooth_nb/lessons/{NAME}"]
    ignored = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True)  # noqa: S603  (our own)
    assert ignored.stdout.split() == theirs
    tracked = subprocess.run(["git", "ls-files", *theirs], cwd=root, capture_output=True, check=True, text=True)  # noqa: S603, S607
    assert tracked.stdout == ""


def test_a_folder_that_cannot_be_written_is_a_sentence(machine: Path) -> None:
    (machine / "taken").touch()
    app = TakeHomeApp()
    app.folder = machine / "taken"
    with pytest.raises(RedboothError, match=r"The app cannot be written to .*: File exists\."):
        app.write()


@pytest.mark.usefixtures("unattended")
def test_the_written_app_signs_in_and_the_second_time_needs_nobody(app: Settings) -> None:
    """In the sandbox, by `redbooth-nb run`, as a process of its own."""
    take_home = TakeHomeApp()
    take_home.write()
    first = take_home.run()
    assert "Ada" in first.text(), first.text()
    sent = "POST /oauth2/token authorization_code -> 200", "GET /api/3/me -> 200", "GET /api/3/tasks -> 200"
    assert first.text().endswith("\n    ".join(["\nSent to Redbooth:", *sent]))
    token = json.loads((take_home.folder / "my_redbooth_token.json").read_text())
    again = take_home.run()
    assert "Ada" in again.text(), again.text()
    assert again.text().endswith("\n    ".join(["\nSent to Redbooth:", *sent[1:]]))
    for secret in (SECRET, app.client_secret.reveal(), token["access_token"], token["refresh_token"]):
        assert secret not in first.text() + again.text() + repr(take_home)


def asks(panel: ScriptPanel) -> Browser:
    """Wait until a run asks for a sign-in, and return its window."""
    asked = threading.Event()
    panel.observe(lambda _: panel.browser and asked.set(), names="children")
    assert panel.browser or asked.wait(20), panel.text()
    assert panel.browser
    return panel.browser


@pytest.mark.usefixtures("app")
def test_time_passes_only_when_a_run_has_finished() -> None:
    """Also for somebody who runs the cells of 06 faster than the app answers: the second run needs no refresh."""
    first = TakeHomeApp().run()
    asks(first).press("Allow")
    second = TakeHomeApp().run()
    assert not first.running
    let_time_pass(7200)
    assert not second.running
    assert "GET /api/3/tasks -> 200" in second.text()
    assert "POST" not in second.text()


@pytest.mark.usefixtures("app")
def test_a_run_that_waits_for_a_sign_in_makes_way_for_the_next() -> None:
    """Running the cell again takes its panel away, and with it the link and Cancel."""
    first = TakeHomeApp().run()
    asks(first)
    second = TakeHomeApp().run()  # as after the first cell was run again
    try:
        asks(second)  # so the port is free
        assert not first.running
        assert "another run took its place" in shown(first)
        assert second.running
    finally:
        second.cancel()


@pytest.mark.usefixtures("unattended")
def test_the_check_says_what_is_true_now(app: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each hint that is code runs in the notebook, and in the end everything is done."""
    monkeypatch.setattr(
        "redbooth_nb.lessons.practice.DEFAULT_REDIRECT_URI", app.redirect_uri
    )  # 8765 may be in use by another test
    notebook = {"app": TakeHomeApp(), "ready": redbooth_nb.ready}

    def missing() -> list[str]:
        return [required.text for required in requirements("your-own-app") if not required.holds]

    def do_the_last_hint() -> None:
        code = next(required.hints[-1] for required in requirements("your-own-app") if not required.holds)
        exec(code, notebook)  # noqa: S102

    assert missing()[0] == f"{NAME} hasn't been written yet."
    do_the_last_hint()
    assert missing() == ["It has no token that belongs to the current registration."]
    do_the_last_hint()
    assert missing() == []
    (app.folder.parent / "credentials.env").unlink()
    assert missing() == ["No app is currently registered."]
    do_the_last_hint()
    assert missing() == ["It has no token that belongs to the current registration."]
    do_the_last_hint()
    assert missing() == []


@pytest.mark.usefixtures("unattended", "app")
@pytest.mark.parametrize("content", ["", "[]", "{}", '{"client_id": ""}', "half"])
def test_a_token_file_that_makes_no_sense_is_no_sign_in(content: str) -> None:
    take_home = TakeHomeApp()
    take_home.write()
    (take_home.folder / "my_redbooth_token.json").write_text(content)
    assert [required.holds for required in requirements("your-own-app")] == [True, True, False]
