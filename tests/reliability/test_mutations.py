"""The tests can fail: what the kit's safety rests on, broken in a copy, is noticed."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from reliability import mutations


def test_each_breakage_is_noticed() -> None:
    """Those of the issue; `uv run python tests/reliability/mutations.py` tries all of them."""
    with ThreadPoolExecutor(2) as pool:
        control = pool.submit(mutations.unbroken, mutations.ESSENTIAL)
        problems = dict(zip(mutations.ESSENTIAL, pool.map(mutations.survives, mutations.ESSENTIAL), strict=True))
        assert control.result() == ""
    assert {name: problem for name, problem in problems.items() if problem} == {}


@pytest.mark.parametrize("name", mutations.MUTATIONS)
def test_each_breakage_can_still_be_made(name: str) -> None:
    """The source holds the text that is to be broken, once; the tests that are to notice it are there."""
    mutation = mutations.MUTATIONS[name]
    source = (mutations.ROOT / "redbooth_nb" / mutation.file).read_text(encoding="utf-8")
    assert source.count(mutation.before) == 1
    for test in mutation.tests:
        file, _, function = test.partition("[")[0].partition("::")
        assert f"def {function}(" in Path(mutations.ROOT, file).read_text(encoding="utf-8")
