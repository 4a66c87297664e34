"""The app to take home: gaps are judged by what a line does, and the written app needs nothing of the kit."""

import json

import pytest
from practice import SECRET

from redbooth_nb.client.register import Settings
from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.own_app import GAP, GAPS, NAME, SOLUTION, OwnApp

pytestmark = pytest.mark.usefixtures("unattended")


def test_every_gap_is_in_the_source_and_its_answer_is_good() -> None:
    found = {gap["name"]: gap["line"] for gap in GAP.finditer(SOLUTION.read_text(encoding="utf-8"))}
    assert found.keys() == GAPS.keys()
    for name, line in found.items():
        assert GAPS[name].good(line), name
        assert f"...  # {name}" in repr(OwnApp())


@pytest.mark.parametrize("name", GAPS)
def test_two_hints_then_the_answer_then_done(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    app = OwnApp()
    for _ in range(3):
        app.fill(name, "pass")
    first, second, answer = capsys.readouterr().out.splitlines()
    assert "Hint: " in first
    assert "Hint: " in second
    assert first != second
    app.fill(name, answer.partition("Answer: ")[2])
    assert capsys.readouterr().out == f"Done     {name}\n"


def test_wrong_names_are_sentences() -> None:
    with pytest.raises(RedboothError, match="There is no gap 'nothing'"):
        OwnApp().fill("nothing", "pass")
    with pytest.raises(RedboothError, match="has no function 'nothing'"):
        OwnApp().show("nothing")
    with pytest.raises(RedboothError, match="There is no app to run yet"):
        OwnApp().run()


def test_the_written_app_signs_in_and_the_second_time_needs_nobody(app: Settings) -> None:
    """On the sandbox, by `redbooth-nb run`, as a process of its own."""
    own = OwnApp()
    written = own.write()
    assert written.name == NAME
    assert "redbooth_nb" not in written.read_text(encoding="utf-8")
    first = own.run()
    assert "Ada" in first.text(), first.text()
    token = json.loads((own.folder / "my_redbooth_token.json").read_text())
    again = own.run()
    assert "Ada" in again.text(), again.text()
    for secret in (SECRET, app.client_secret.reveal(), token["access_token"], token["refresh_token"]):
        assert secret not in first.text() + again.text() + repr(own)
