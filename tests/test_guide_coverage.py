"""docs/guide-coverage.md says where each sentence of Redbooth's guide is taught: those cells exist."""

import re

import nbformat
import pytest
from notebooks.lessons import NAMES, ROOT

TABLE = (ROOT / "docs" / "guide-coverage.md").read_text(encoding="utf-8")
ROWS = [row for row in re.findall(r"^\| (.+?) \| (.+?) \|$", TABLE, re.MULTILINE) if row[0] not in {"the guide", "---"}]
CELL = re.compile(r"`(\d\d)/([\w-]+)`")
LEAST = 40  # sentences of the guide


def cells() -> set[tuple[str, str]]:
    """Return every cell as the number of its notebook and its id."""
    notebooks = {name: nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4) for name in NAMES}
    return {(name[:2], cell.id) for name, notebook in notebooks.items() for cell in notebook.cells}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_a_sentence_of_the_guide_has_its_cells(row: tuple[str, str]) -> None:
    named = CELL.findall(row[1])
    assert named
    assert set(named) <= cells()


def test_the_table_holds_the_whole_guide() -> None:
    """Its chapters, its facts, and each sentence once."""
    assert len(ROWS) >= LEAST
    assert len({sentence for sentence, _ in ROWS}) == len(ROWS)
    for fact in ("7200", "Runscope", "Ruby", "Doorkeeper", "redirect_uri", "Api Key", "curl -X POST", "refresh_token"):
        assert fact in TABLE
