"""The sandbox answers as Doorkeeper does, but for the rows of one table; and the facts are still the engine's."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conformance.scenario import CALLBACK, Stage, engine_stage, play
from doorkeeper.engine import Doorkeeper

from redbooth_nb.provider.addresses import ORIGIN
from redbooth_nb.provider.delivery import EmbeddedSandbox
from redbooth_nb.provider.sandbox.data import DIFFERENCES

RECORDED = json.loads(Path(__file__).with_name("facts.json").read_text(encoding="utf-8"))
CLIENT_ID = "c0" * 32
FACTS: dict[str, dict[str, Any]] = RECORDED["cases"]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    def start(*, revoke_on_use: bool = False) -> Stage:
        provider = EmbeddedSandbox(tmp_path_factory.mktemp("sandbox") / "sandbox.sqlite3")
        sandbox = provider.sandbox
        sandbox.switch(refresh_revokes_old="on first use" if revoke_on_use else "at once")
        known = sandbox.seed_application("Practice app", CALLBACK)
        return Stage(ORIGIN, known["client_id"], known["client_secret"], sandbox.advance, provider.deliver)

    return play(start)


def rows(case: str) -> list[dict[str, Any]]:
    fact = FACTS[case]
    where = f"{fact['request']} {fact['status']} {fact.get('Content-Type', '-')} {case}"
    return [row for row in DIFFERENCES.values() if re.match(row["where"], where) and met(fact, row)]


def met(fact: dict[str, Any], row: dict[str, Any]) -> bool:
    return row["part"] == "answer" or any(part.get(row["part"]) == row.get("doorkeeper") for part in parts(fact))


def parts(fact: dict[str, Any]) -> list[dict[str, Any]]:
    """Where a row's part may lie: a header, a member of the JSON body, a parameter of the redirect."""
    inner = [fact.get("body"), fact.get("Location", {}).get("query"), fact.get("Location", {}).get("fragment")]
    return [fact, *(part for part in inner if isinstance(part, dict))]


@pytest.mark.parametrize("case", FACTS)
def test_sandbox_answers_as_doorkeeper(case: str, answers: dict[str, dict[str, Any]]) -> None:
    expected, found = json.loads(json.dumps(FACTS[case])), answers[case]
    different = rows(case)
    if any(row["part"] == "answer" for row in different):
        assert found != expected
        return
    for row in different:
        for part in parts(expected):
            if row["part"] in part or (part is expected and "doorkeeper" not in row):
                part[row["part"]] = row["sandbox"]
    assert found == expected
    assert list(found.get("body", {})) == list(expected.get("body", {}))  # order of the keys


def test_no_case_is_left_over(answers: dict[str, dict[str, Any]]) -> None:
    assert list(answers) == list(FACTS)


def test_every_difference_is_met_by_some_case() -> None:
    used = [row for case in FACTS for row in rows(case)]
    assert [name for name, row in DIFFERENCES.items() if row not in used] == []


def test_facts_are_still_the_engine_s(doorkeeper: Callable[..., Doorkeeper]) -> None:
    played = play(lambda **settings: engine_stage(doorkeeper(client_id=CLIENT_ID, **settings)))
    for case, fact in FACTS.items():
        assert played[case] == fact, case
    assert list(played) == list(FACTS)
    assert doorkeeper(client_id=CLIENT_ID).version in RECORDED["from"]
