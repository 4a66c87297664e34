"""Fixtures for tests that run the lessons."""

from pathlib import Path

import pytest
from notebooks.lessons import Lessons


@pytest.fixture
def lessons(tmp_path: Path) -> Lessons:
    """Return a copy of the lessons, never run."""
    return Lessons(tmp_path)
