"""Fixtures for the lessons."""

import pytest
from practice import app, callback_of, decide, machine, unattended

from redbooth_nb.lessons import explain

__all__ = ["app", "callback_of", "decide", "machine", "unattended"]


@pytest.fixture(autouse=True)
def no_lesson_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget which lesson another test opened."""
    monkeypatch.setitem(explain._open_lesson, "stage", "")
