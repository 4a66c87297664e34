"""The app to take home: a line is judged by what it does, and nobody's file is overwritten."""

import json
import subprocess
from pathlib import Path

import pytest
from practice import SECRET

import redbooth_nb
from redbooth_nb.client.register import Settings
from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.course import requirements
from redbooth_nb.lessons.take_home import GAP, GAPS, NAME, SOLUTION, TakeHomeApp, works

RIGHT = {
    "address": (
        'address = f"https://{urlsplit(REDIRECT_URI).netloc}{self.path}"',
        "address = REDIRECT_URI.replace('http:', 'https:').rpartition('/')[0] + self.path",
    ),
    "credentials": (
        "token = oauth.refresh_token(TOKEN_URL, **CREDENTIALS)",
        "token = oauth.refresh_token(token_url=TOKEN_URL, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)",
    ),
    "save": ("save(token)", "save(token=token)", "save( token )  # first of all"),
    "expired": (
        "if 'expired' in answer.headers.get('www-authenticate', ''):",
        'if "The access token expired" in answer.headers.get("WWW-Authenticate", ""):',
        "if answer.status_code == 401 and 'expired' in str(answer.headers):  # once",
    ),
}
WRONG = {
    "address": (
        "address = ...",
        "address = self.path",
        'address = "http://" + urlsplit(REDIRECT_URI).netloc + self.path',
        'address = "https://" + REDIRECT_URI + self.path',
        '# address = "https://" + urlsplit(REDIRECT_URI).netloc + self.path',
    ),
    "credentials": (
        "token = ...",
        "token = oauth.refresh_token(TOKEN_URL)",
        "oauth.refresh_token(TOKEN_URL, **CREDENTIALS)",
        "token = oauth.refresh_token(**CREDENTIALS)",
        "# oauth.refresh_token(TOKEN_URL, **CREDENTIALS)",
    ),
    "save": (
        "...",
        "# save(token)",
        "if False: save(token)",
        "save()",
        "save(token",
        "print(save(token)); save(token)",
    ),
    "expired": (
        "if ...:",
        "if answer.status_code == 401:",
        "if 'expired' in answer.headers['WWW-Authenticate']:",
        "if 'expired' in answer.headers.get('WWW-Authenticate', '')",
        "if True:  # 'expired' in WWW-Authenticate:",
    ),
}


def test_every_gap_is_in_the_source_and_its_answer_works() -> None:
    found = {gap["name"]: gap["line"] for gap in GAP.finditer(SOLUTION.read_text(encoding="utf-8"))}
    assert found.keys() == GAPS.keys()
    for name, line in found.items():
        assert works(name, line), name
        assert f"...  # {name}" in repr(TakeHomeApp())


@pytest.mark.parametrize(("name", "line"), [(name, line) for name in RIGHT for line in RIGHT[name]])
def test_a_line_that_does_its_work_is_right_however_it_is_written(name: str, line: str) -> None:
    assert works(name, line)


@pytest.mark.parametrize(("name", "line"), [(name, line) for name in WRONG for line in WRONG[name]])
def test_a_line_that_only_looks_right_is_wrong(name: str, line: str) -> None:
    assert not works(name, line)


@pytest.mark.parametrize("name", GAPS)
def test_two_hints_then_an_answer_that_can_be_typed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    app = TakeHomeApp()
    for _ in range(4):
        app.fill(name, "pass")
    first, second, answer, again = capsys.readouterr().out.splitlines()
    assert first.startswith(f"To do    {name}. Hint: ")
    assert second.startswith(f"To do    {name}. Hint: ")
    assert first != second
    assert answer == again
    exec(answer.partition("Answer: ")[2], {"app": app})  # noqa: S102
    assert capsys.readouterr().out == f"Done     {name}\n"


@pytest.mark.usefixtures("unattended")
def test_wrong_names_are_sentences() -> None:
    with pytest.raises(RedboothError, match="There is no gap 'nothing'"):
        TakeHomeApp().fill("nothing", "pass")
    for name in ("nothing", "save\\(token\\):.*", "(", "sav"):
        with pytest.raises(RedboothError, match="The app has no function"):
            TakeHomeApp().show(name)
    with pytest.raises(RedboothError, match="There is no app to run yet"):
        TakeHomeApp().run()


def test_for_a_person_the_app_is_beside_the_notebook_and_the_kits_own_is_never_written_to(machine: Path) -> None:
    before = SOLUTION.read_bytes(), SOLUTION.stat().st_mtime_ns
    assert TakeHomeApp().write() == machine / NAME
    assert (SOLUTION.read_bytes(), SOLUTION.stat().st_mtime_ns) == before
    assert SOLUTION.is_relative_to(Path(redbooth_nb.__path__[0]))  # so it comes with the installed package


def test_a_file_of_the_learners_is_kept_and_they_are_told(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = TakeHomeApp()
    written = app.write().read_text(encoding="utf-8")
    app.write()
    assert "kept" not in capsys.readouterr().out  # the same again is no loss
    for number in (1, 2):
        (machine / NAME).write_text(f"mine {number}")
        app.write()
        assert f"Your {NAME} was different. It is kept as my_redbooth_app_{number}.py." in capsys.readouterr().out
        assert (machine / f"my_redbooth_app_{number}.py").read_text() == f"mine {number}"
        assert (machine / NAME).read_text(encoding="utf-8") == written


def test_git_ignores_what_the_learner_gets_and_keeps_what_the_kit_ships() -> None:
    """So somebody who opens `notebooks/` itself changes no tracked file."""
    root = Path(redbooth_nb.__path__[0]).parent
    names = (NAME, "my_redbooth_app_1.py", "my_redbooth_token.json", "my_redbooth_token.part", ".env")
    theirs = [f"notebooks/{name}" for name in names]
    command = ["git", "check-ignore", "--no-index", *theirs, str(SOLUTION.relative_to(root))]
    ignored = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True)  # noqa: S603  (our own)
    assert ignored.stdout.split() == theirs
    tracked = subprocess.run(["git", "ls-files", *theirs], cwd=root, capture_output=True, check=True, text=True)  # noqa: S603, S607
    assert tracked.stdout == ""


def test_what_was_filled_in_is_written(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = TakeHomeApp()
    app.fill("save", "save(token=token)")
    assert "\n    save(token=token)\n" in app.write().read_text(encoding="utf-8")
    assert "Filled in for you: address, credentials, expired." in capsys.readouterr().out
    assert list(machine.glob("*.py")) == [machine / NAME]


def test_a_folder_that_cannot_be_written_is_a_sentence(machine: Path) -> None:
    (machine / "taken").touch()
    app = TakeHomeApp()
    app.folder = machine / "taken"
    with pytest.raises(RedboothError, match=r"The app cannot be written to .*: File exists\."):
        app.write()


@pytest.mark.usefixtures("unattended")
def test_the_written_app_signs_in_and_the_second_time_needs_nobody(app: Settings) -> None:
    """On the sandbox, by `redbooth-nb run`, as a process of its own."""
    take_home = TakeHomeApp()
    take_home.write()
    first = take_home.run()
    assert "Ada" in first.text(), first.text()
    token = json.loads((take_home.folder / "my_redbooth_token.json").read_text())
    again = take_home.run()
    assert "Ada" in again.text(), again.text()
    for secret in (SECRET, app.client_secret.reveal(), token["access_token"], token["refresh_token"]):
        assert secret not in first.text() + again.text() + repr(take_home)


@pytest.mark.usefixtures("unattended")
def test_the_check_says_what_is_true_now(app: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each hint that is code runs in the notebook, and in the end everything is done."""
    monkeypatch.setattr(
        "redbooth_nb.lessons.ready.DEFAULT_REDIRECT_URI", app.redirect_uri
    )  # 8765 may be in use by another test
    notebook = {"app": TakeHomeApp(), "ready": redbooth_nb.ready}

    def missing() -> list[str]:
        return [required.text for required in requirements("your-own-app") if not required.holds]

    def do_the_last_hint() -> None:
        code = next(required.hints[-1] for required in requirements("your-own-app") if not required.holds)
        exec(code, notebook)  # noqa: S102

    assert missing()[0] == f"{NAME} is not written yet."
    do_the_last_hint()
    assert missing() == ["It has no token for the app that is currently registered."]
    do_the_last_hint()
    assert missing() == []
    (app.folder.parent / "credentials.env").unlink()
    assert missing() == ["No app is currently registered."]
    do_the_last_hint()
    assert missing() == ["It has no token for the app that is currently registered."]
    do_the_last_hint()
    assert missing() == []


@pytest.mark.usefixtures("unattended", "app")
@pytest.mark.parametrize("content", ["", "[]", "{}", '{"client_id": ""}', "half"])
def test_a_token_file_that_makes_no_sense_is_no_sign_in(content: str) -> None:
    take_home = TakeHomeApp()
    take_home.write()
    (take_home.folder / "my_redbooth_token.json").write_text(content)
    assert [required.holds for required in requirements("your-own-app")] == [True, True, False]
