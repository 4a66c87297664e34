"""Every promise R1 to R58 is proven somewhere: a test names it, or is named here."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
NAMED = re.compile(r"\bR(\d{1,2})\b")
# Proven by tests whose words say it without the number.
ELSEWHERE = {
    16: ("client/test_sign_in.py", "test_it_returns_at_once_and_the_answer_arrives"),
    40: ("widgets/test_register.py", "test_good_credentials_are_saved_and_the_secret_leaves_the_field"),
    45: ("lessons/test_order.py", "test_the_sentence_names_the_cell_that_makes_the_name"),
    46: ("widgets/test_view.py", "test_where_widgets_cannot_show_there_is_the_text"),  # both ipykernels: .ci/run
    47: ("widgets/test_view.py", "test_a_double_click_starts_one_action"),
}


def named() -> dict[int, set[str]]:
    """Return, for every promise, the files whose tests name it."""
    found: dict[int, set[str]] = {}
    for path in TESTS.rglob("test_*.py"):
        for number in NAMED.findall(path.read_text(encoding="utf-8")):
            if path != Path(__file__):
                found.setdefault(int(number), set()).add(path.name)
    return found


@pytest.mark.parametrize("number", range(1, 59))
def test_every_promise_has_its_test(number: int) -> None:
    if number in ELSEWHERE:
        file, test = ELSEWHERE[number]
        assert f"def {test}(" in (TESTS / file).read_text(encoding="utf-8")
    else:
        assert named().get(number), f"no test names R{number}"
