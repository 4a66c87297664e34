"""Where something cannot work, the first cell says so and what to do; where everything works, it says nothing."""

import sys
from types import ModuleType

import pytest

from redbooth_nb import ready
from redbooth_nb.lessons.practice import limits_here


@pytest.mark.parametrize("environment", [{}, {"JPY_SESSION_NAME": "/a.ipynb"}, {"TERM_PROGRAM": "vscode"}])
def test_jupyterlab_and_notebook_have_no_limits(environment: dict[str, str]) -> None:
    assert limits_here(environment, live=True) == ""


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"VSCODE_PID": "1"}, "You are using VS Code."),
        ({"COLAB_RELEASE_TAG": "release-colab"}, "This is Google Colab:"),
        ({"JUPYTERHUB_SERVICE_PREFIX": "/user/ada/", "JPY_SESSION_NAME": "/a.ipynb"}, "This is a JupyterHub:"),
    ],
)
def test_elsewhere_one_line_says_what_to_do_instead(environment: dict[str, str], words: str) -> None:
    said = limits_here(environment, live=True)
    assert said.startswith(words)
    assert "\n" not in said
    assert "print(panel)" in said or "paste it into the panel" in said


def test_a_jupyterlab_that_was_started_from_vs_code_is_jupyterlab() -> None:
    assert limits_here({"VSCODE_PID": "1", "JPY_SESSION_NAME": "/a.ipynb"}, live=True) == ""


def test_colab_is_known_by_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    assert "Google Colab" in limits_here({}, live=True)


@pytest.mark.parametrize("environment", [{"COLAB_RELEASE_TAG": "x"}, {"JUPYTERHUB_SERVICE_PREFIX": "/user/ada/"}])
def test_on_the_sandbox_the_window_works_on_another_machine_too(environment: dict[str, str]) -> None:
    assert limits_here(environment, live=False) == ""


def test_the_first_cell_says_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("VSCODE_PID", "1")
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    ready("start")
    assert "You are using VS Code." in capsys.readouterr().out
