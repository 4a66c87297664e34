"""A learner's function is judged by what it does: other correct versions pass, and every mistake gets its own hint."""

import hashlib
import linecache
from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from lessons.exercise_table import RIGHT, WRONG

from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.source import SOLUTION, functions, replace_function
from redbooth_nb.lessons.take_home import NAME, solution
from redbooth_nb.lessons.try_out import EXERCISES, MISTAKES, judge, ticket, try_out

FOUR, EIGHT = 4, 8  # what the table has at least for each function


def run_cell(name: str, source: str) -> Callable[..., object]:
    """Run a cell that defines a function, and return it; as in a notebook, its source can be looked up."""
    file, cell = f"<cell {len(linecache.cache)}>", dict[str, Callable[..., object]]()
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), cell)  # noqa: S102
    return cell[name]


def words(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what was printed, without line breaks."""
    return " ".join(capsys.readouterr().out.split())


def mistakes(name: str, versions: list[str]) -> list[list[str]]:
    """Return the mistakes that are found in each version of a function. Each can be said with the values it has."""
    reports = judge(name, [replace_function(SOLUTION, name, version) for version in versions])
    found = [[each for each in report.values() if each["mistake"]] for report in reports]
    for each in chain(*found):
        assert MISTAKES[each["mistake"]]["happened"].format_map(each.get("values", {}))
    return [[each["mistake"] for each in report] for report in found]


def wrong_versions(name: str) -> list[tuple[str, str]]:
    """Return the wrong versions of the table, each with its mistake."""
    own, found = functions(SOLUTION)[name], []
    for mistake, *change in WRONG[name]:
        if len(change) > 1:
            assert change[0] in own, change
        found.append((mistake, own.replace(*change, 1) if len(change) > 1 else change[0]))
    return found


def test_the_table_is_as_large_as_promised() -> None:
    assert RIGHT.keys() == WRONG.keys() == EXERCISES.keys()
    assert all(len(set(versions)) >= FOUR for versions in RIGHT.values())
    assert all(len({version for _, version in wrong_versions(name)}) >= EIGHT for name in WRONG)
    assert {mistake for name in WRONG for mistake, _ in wrong_versions(name)} | {
        "dots",
        "no_code",
        "kit_imported",
        "name_taken",
        "others_changed",
    } == {*MISTAKES}


def test_what_the_situations_take_from_the_data_can_be_used() -> None:
    """Each situation in words happens, a case or an error belongs to a function, and leads to a mistake with words."""
    from redbooth_nb.lessons.judge import TEXTS, situations_of  # noqa: PLC0415  (Windows has no such limits)

    for name, exercise in EXERCISES.items():
        assert situations_of(name).keys() == exercise["situations"].keys() >= TEXTS["cases"].get(name, {}).keys()
    assert TEXTS["cases"].keys() <= {*EXERCISES, "main"}
    assert TEXTS["errors"].keys() <= {*EXERCISES, "any"}
    queries = [query for case in TEXTS["cases"]["is_ours"].values() for query in case["queries"]]
    assert {mistake for mistake, _ in queries} <= {*MISTAKES}
    assert {mistake for named in TEXTS["errors"].values() for mistake in named.values()} <= {*MISTAKES}
    for name, mistake in MISTAKES.items():
        assert (*sorted(mistake), len(mistake["hints"])) == ("happened", "hints", 2), name


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("name", EXERCISES)
def test_correct_versions_are_accepted_however_they_are_written(name: str) -> None:
    versions = [functions(SOLUTION)[name], *RIGHT[name]]
    assert mistakes(name, versions) == [[]] * len(versions)


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("number", range(FOUR))
def test_an_app_of_other_correct_versions_works_with_every_switch_of_the_sandbox(number: int) -> None:
    app = SOLUTION
    for name, versions in RIGHT.items():
        app = replace_function(app, name, versions[number].strip())
    reports = judge("main", [app])[0]
    assert [each["mistake"] for each in reports.values()] == [""] * 5


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("name", EXERCISES)
def test_each_mistake_is_noticed_and_named(name: str) -> None:
    expected, versions = zip(*wrong_versions(name), strict=True)
    found = [(each or ["nothing"])[0] for each in mistakes(name, list(versions))]
    assert [each for each in zip(expected, found, versions, strict=True) if each[0] != each[1]] == []


def test_a_right_function_is_kept_and_one_that_is_not_yet_right_is_not(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    define = run_cell("is_ours", RIGHT["is_ours"][1])
    try_out(define)
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1] == f"Kept in {NAME}: 1 of {len(EXERCISES)} functions are yours."
    assert printed.count("Done ") == len(printed.splitlines()) - 1 == len(EXERCISES["is_ours"]["situations"])
    kept = (machine / NAME).read_text(encoding="utf-8")
    assert "from hmac import compare_digest\n\n\ndef is_ours(" in kept
    try_out(run_cell("is_ours", "def is_ours(address, state):\n    return True\n"))
    assert (machine / NAME).read_text(encoding="utf-8") == kept


@pytest.mark.usefixtures("machine")
def test_a_request_that_got_no_answer_is_shown_too(capsys: pytest.CaptureFixture[str]) -> None:
    again = next(source for _, source in wrong_versions("exchange") if "except requests.Timeout" in source)
    try_out(run_cell("exchange", again))
    printed = capsys.readouterr().out
    assert "sent the token request twice" in " ".join(printed.split())
    assert printed.count("POST https://redbooth.com/oauth2/token") == 2
    assert printed.count("--> ") == 1


@pytest.mark.usefixtures("machine")
def test_two_hints_then_the_way_to_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    expected = [f"Hint: {hint}" for hint in MISTAKES["forged_accepted"]["hints"]]
    answer = "Answer: solution('is_ours') prints the kit's version."
    for number in (1, 2, 3, 3):
        try_out(run_cell("is_ours", "def is_ours(address, state):\n    return True\n"))
        printed = words(capsys)
        assert [printed.count(line) for line in [*expected, answer]] == [1] * number + [0] * (3 - number)
    solution("is_ours")
    assert capsys.readouterr().out.strip() == functions(SOLUTION)["is_ours"]


@pytest.mark.usefixtures("machine")
def test_dots_that_are_still_there_are_not_tried_out(capsys: pytest.CaptureFixture[str]) -> None:
    try_out(run_cell("call", "def call(credentials, token, path):\n    ...\n"))
    assert "The dots (...) are still there." in capsys.readouterr().out


@pytest.mark.usefixtures("machine")
def test_what_happened_is_shown_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    """The request as it went out, what was printed, and the line that failed; each with the secrets in it hidden."""
    leaking = functions(SOLUTION)["exchange"].replace("    oauth =", "    print(credentials, address)\n    oauth =")
    try_out(run_cell("exchange", leaking))
    told = words(capsys)
    assert "printed a secret" in told
    assert "It printed" not in told
    failing = functions(SOLUTION)["exchange"].replace(
        "    return oauth.fetch_token(",
        "    print('so far')\n    raise ValueError(credentials, address)\n    return oauth.fetch_token(",
    )
    try_out(run_cell("exchange", failing))
    told += words(capsys)
    assert "in the line: raise ValueError(credentials, address) It printed: so far" in told
    assert "'client_secret': '<secret ..." in told
    try_out(run_cell("exchange", functions(SOLUTION)["exchange"].replace("        timeout=30,\n", "")))
    told += words(capsys)
    assert "POST https://redbooth.com/oauth2/token" in told
    assert "client_secret = <client secret ..." in told
    for number in range(20):  # what the trial's Redbooth gives out
        assert hashlib.sha256(b"%d" % number).hexdigest() not in told


@pytest.mark.usefixtures("machine")
def test_the_learners_own_environment_is_never_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither their credentials nor their files, nor a switch of oauthlib's: a trial has its own."""
    own = {"REDBOOTH_CLIENT_ID": "own", "OAUTHLIB_INSECURE_TRANSPORT": "1", "HTTPS_PROXY": "http://127.0.0.1:1"}
    with monkeypatch.context() as environment:
        for name, value in own.items():
            environment.setenv(name, value)
        assert mistakes("read_credentials", [functions(SOLUTION)["read_credentials"]]) == [[]]
        assert mistakes("exchange", [RIGHT["exchange"][0]]) == [[]]


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("wrong", [print, "call", 3, partial(print), lambda: 0, run_cell("f", "def f(): pass")])
def test_what_is_no_function_of_the_app_is_a_sentence(wrong: Any) -> None:  # noqa: ANN401  (that is the point)
    with pytest.raises(RedboothError, match=r"That isn't a function\.|There is no function named"):
        try_out(wrong)
    with pytest.raises(RedboothError, match=r"That isn't a function\.|The broken function of ticket 1"):
        ticket(1, wrong)


NEEDED = {
    "an import that another one contains": ("import re\n", "re.escape('')"),
    "a constant": ("LIMIT = 30\n", "LIMIT"),
    "a helper and what it needs": ("import math\nPI = math.pi\ndef _area():\n    return PI\n", "_area()"),
    "a pattern": ("match 30:\n    case int() as LIMIT:\n        pass\n", "LIMIT"),
    "a class": ("class Limit(int):\n    pass\n", "Limit(3)"),
}


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("given", NEEDED)
def test_what_the_cell_defines_for_the_function_goes_with_it(
    given: str, machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    above, used = NEEDED[given]
    body = functions(SOLUTION)["is_ours"].replace("    fields =", f"    {used}\n    fields =")
    try_out(run_cell("is_ours", above + body))
    assert "Kept in" in capsys.readouterr().out
    assert above.splitlines()[-1] in (machine / NAME).read_text(encoding="utf-8")


@pytest.mark.usefixtures("machine")
def test_a_type_hint_has_dots_of_its_own_and_the_kit_is_not_imported(capsys: pytest.CaptureFixture[str]) -> None:
    own = functions(SOLUTION)["is_ours"].replace("(address, state)", "(address: str, state: 'tuple[str, ...]')", 1)
    try_out(run_cell("is_ours", own))
    assert "Kept in" in capsys.readouterr().out
    with_kit = functions(SOLUTION)["is_ours"].replace("    fields =", "    API_URL\n    fields =")
    try_out(run_cell("is_ours", "from redbooth_nb import API_URL\n" + with_kit))
    assert MISTAKES["kit_imported"]["happened"] in words(capsys)


@pytest.mark.usefixtures("machine")
def test_a_helper_may_not_be_called_as_a_function_of_the_app(capsys: pytest.CaptureFixture[str]) -> None:
    """In the app one would replace the other. One with the app's own arguments is the app's own."""
    helper = "def load(path, default):\n    return default\n"
    try_out(run_cell("is_ours", f"{helper}{functions(SOLUTION)['is_ours']}\n    return load(address, state)\n"))
    assert "In your cell, load isn't the same thing as in the app." in words(capsys)
    for line in (
        "REDBOOTH = 'x'",
        "TOKEN_FILE = 'my_redbooth_token.json'",
        "from requests import get as load",
        "where = 5",  # a name in the block at the end of the app
    ):
        name = line.split()[-1] if "import" in line else line.split()[0]
        try_out(run_cell("is_ours", f"{line}\n{functions(SOLUTION)['is_ours']} or bool({name}) and False\n"))
        assert f"In your cell, {name} isn't the same thing as in the app." in words(capsys)
    try_out(run_cell("is_ours", "def load(credentials):\n    return None\n" + functions(SOLUTION)["is_ours"]))
    assert "Kept in" in capsys.readouterr().out


@pytest.mark.usefixtures("machine")
def test_dots_that_are_meant_are_none_that_are_left(capsys: pytest.CaptureFixture[str]) -> None:
    own = functions(SOLUTION)["is_ours"].replace(
        "    fields =", "    try:\n        pass\n    except Odd: ...\n    fields ="
    )
    try_out(run_cell("is_ours", "class Odd(Exception): ...\n" + own))
    assert "Kept in" in capsys.readouterr().out
    try_out(run_cell("is_ours", "def is_ours(address, state):\n    fields = ...\n    return fields\n"))
    printed = words(capsys)
    assert MISTAKES["dots"]["happened"] in printed
    assert f"{NAME} keeps your earlier version" in printed


@pytest.mark.usefixtures("machine")
def test_a_constant_of_the_same_value_is_the_same_thing(capsys: pytest.CaptureFixture[str]) -> None:
    own = functions(SOLUTION)["is_ours"].replace("    fields =", "    assert TOKEN_URL\n    fields =")
    try_out(run_cell("is_ours", "TOKEN_URL = 'https://redbooth.com/oauth2/token'\n" + own))
    assert "Kept in" in capsys.readouterr().out


@pytest.mark.usefixtures("machine")
def test_a_helper_that_would_break_another_function_is_not_taken(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both use a helper of one name; in the app there is only one."""
    ours, link = functions(SOLUTION)["is_ours"], functions(SOLUTION)["authorization_link"]
    helper = "def first(values, name):\n    return values.get(name)\n"
    uses = ours.replace('fields.get("state")', 'first(fields, "state")')
    try_out(run_cell("is_ours", helper + uses))
    assert "Kept in" in capsys.readouterr().out
    kept = (machine / NAME).read_text(encoding="utf-8")
    other = link.replace("    return link", "    return first(link)")
    try_out(run_cell("authorization_link", "def first(link):\n    return link\n" + other))
    printed = words(capsys)
    assert "Your cell defines first in a way that doesn't work for is_ours()" in printed
    assert (machine / NAME).read_text(encoding="utf-8") == kept
    both = "def first(values, name=''):\n    return values.get(name) if name else values\n"
    try_out(run_cell("authorization_link", both + other))
    assert "Kept in" in capsys.readouterr().out


@pytest.mark.usefixtures("machine")
def test_arguments_of_other_names_are_not_taken_where_another_function_passes_them_by_name(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_name = functions(SOLUTION)["refresh"].replace("save(credentials, new)", "save(credentials, token=new)")
    try_out(run_cell("refresh", by_name))
    assert "Kept in" in capsys.readouterr().out
    kept = (machine / NAME).read_text(encoding="utf-8")
    other = (
        functions(SOLUTION)["save"].replace("(credentials, token)", "(credentials, new)").replace("**token", "**new")
    )
    try_out(run_cell("save", other))
    assert "Your cell defines save in a way that doesn't work for refresh()" in words(capsys)
    assert (machine / NAME).read_text(encoding="utf-8") == kept


def test_what_a_cell_does_to_an_object_comes_along(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = functions(SOLUTION)["is_ours"].replace('fields.get("attempt")', "fields.get(NAMES['other'])")
    above = (
        "import logging\nLOG = logging.getLogger('app')\nLOG.setLevel('INFO')\nNAMES = {}\n"
        "for name in ('attempt',):\n    NAMES['other'] = name\nNAMES.update(more='x')\nprint(NAMES)\n"
    )
    own = own.replace("    fields =", "    LOG.info('asked')\n    fields =")
    for _ in range(2):
        try_out(run_cell("is_ours", above + own))
        assert "Kept in" in words(capsys)
        kept = (machine / NAME).read_text(encoding="utf-8")
        assert above.removesuffix("print(NAMES)\n") in kept
        assert "print(NAMES)" not in kept
        assert kept.count("setLevel") == 1


@pytest.mark.usefixtures("machine")
def test_it_says_so_when_a_cell_changes_what_another_function_uses(capsys: pytest.CaptureFixture[str]) -> None:
    exchange = functions(SOLUTION)["exchange"].replace('"This answer does not belong to this sign-in."', "SAID")
    try_out(run_cell("exchange", "SAID = 'Not ours.'\n" + exchange))
    assert "In your app" not in words(capsys)
    own = functions(SOLUTION)["read_credentials"].replace("    missing =", "    assert SAID\n    missing =")
    try_out(run_cell("read_credentials", "SAID = 'Look into .env.'\n" + own))
    printed = words(capsys)
    assert "Your app now uses this cell's version of SAID, including in exchange()." in printed
    assert "Kept in" in printed


@pytest.mark.usefixtures("machine")
def test_a_helper_that_hides_what_others_take_from_python_is_not_taken(capsys: pytest.CaptureFixture[str]) -> None:
    own = functions(SOLUTION)["is_ours"].replace("    fields =", "    open(state)\n    fields =")
    try_out(run_cell("is_ours", "def open(text):\n    return text\n" + own))
    assert "Your cell defines open in a way that doesn't work for save()" in words(capsys)


@pytest.mark.usefixtures("machine")
def test_what_a_cell_defines_twice_and_in_dotted_imports_is_what_the_app_gets(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = functions(SOLUTION)["is_ours"].replace("    fields =", "    assert BAD == ['{0}'], BAD\n    fields =")
    above = "import xml.sax\nBAD = []; BAD += ['a']\nBAD = ['{0}']\n"
    for letter in "xy":
        try_out(run_cell("is_ours", (above + own).replace("assert", "assert xml.sax and").format(letter)))
        assert "Kept in" in capsys.readouterr().out
    dom = functions(SOLUTION)["authorization_link"].replace(
        "    return link", "    assert xml.dom.minidom\n    return link"
    )
    try_out(run_cell("authorization_link", "import xml.dom.minidom\n" + dom))
    assert "Kept in" in capsys.readouterr().out
    kept = (machine / NAME).read_text(encoding="utf-8")
    assert [kept.count(each) for each in ("import xml.sax", "import xml.dom", "BAD = ['x']", "BAD = ['y']")] == [
        1,
        1,
        0,
        1,
    ]


@pytest.mark.usefixtures("machine")
def test_the_app_does_not_grow_when_a_cell_is_run_again(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = functions(SOLUTION)["is_ours"].replace("    fields =", "    assert LIMIT\n    fields =")
    sizes = set()
    for _ in range(3):
        try_out(run_cell("is_ours", f"import time\nLIMIT = 1  # at least\n{own}\n    # the end of my function\n"))
        assert "Kept in" in capsys.readouterr().out
        sizes.add((machine / NAME).stat().st_size)
    assert len(sizes) == 1


def test_only_what_a_function_takes_from_its_cell_goes_into_the_app(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not what happens to be called as a parameter or a local variable, which may hold a secret."""
    own = functions(SOLUTION)["is_ours"].replace("    fields =", "    assert LIMIT\n    fields =")
    before = "address = 'http://127.0.0.1?code=canary-code'\nfields = {'secret': 'canary'}\nLIMIT = 1\n"
    try_out(run_cell("is_ours", f"{before}{own}\nstate = str(is_ours)\n"))
    assert "Kept in" in capsys.readouterr().out
    kept = (machine / NAME).read_text(encoding="utf-8")
    assert "LIMIT = 1\n\n\ndef is_ours(" in kept
    assert "canary" not in kept


@pytest.mark.usefixtures("machine")
def test_a_function_without_source_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, Callable[..., object]] = {}
    exec("def call(credentials, token, path): pass", made)  # noqa: S102
    monkeypatch.setitem(linecache.cache, "<string>", (9, None, ["x = 1\n", "y = 2\n"], "<string>"))  # of another
    with pytest.raises(RedboothError, match=r"The source of call\(\) can't be found"):
        try_out(made["call"])


@pytest.mark.usefixtures("machine")
def test_a_process_that_cannot_start_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(RedboothError, match="could not be tried out"):
        judge("call", [SOLUTION])
    monkeypatch.delattr("os.fork")
    with pytest.raises(RedboothError, match="Windows"):
        judge("call", [SOLUTION])
