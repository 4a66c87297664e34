"""What is in git: no secret, nothing of the machine it was made on, and lists that agree with each other."""

import ast
import os
import re
import secrets
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from inspect import getdoc
from pathlib import Path
from types import FunctionType
from urllib.parse import unquote, urlsplit

import pytest
import yaml

import redbooth_nb
from redbooth_nb.provider.recorded import live_looking

ROOT = Path(__file__).parents[1]
# What looks like a credential and is none:
JOINED_WORDS = re.compile(r"[a-z0-9]{1,20}(?:[_-][a-z0-9]{1,20}){2,}")  # names of tests, of recorded cases
RFC_7636 = {"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}  # its example
SINGLE_USE = re.compile(
    r'((?:state(?: = |=|\\" value=\\")|code_challenge=))[\w-]{43}'
)  # stood in an address bar, and counted once
PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=]+")  # its pixels
INDEXES = re.compile(r"(?i)pypi\.|pythonhosted\.org|anaconda\.org|rubygems\.org|--?(?:extra-)?index-url|/simple/")
MACHINE = re.compile(r"(?<![\w:/.])/(?:home|root|Users|work)/\w")


def tracked() -> Iterator[tuple[str, str]]:
    """Yield path and text of every file in git."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)  # noqa: S607
    for name in filter(None, names.stdout.split("\0")):
        if (ROOT / name).is_file():  # one that was just moved away is no longer there
            yield name, (ROOT / name).read_bytes().decode("utf-8", "replace")


def credentials(text: str) -> list[str]:
    """Return what looks like a credential and is none of the documented exceptions."""
    found = live_looking(PICTURE.sub("", SINGLE_USE.sub(r"\1", text)))
    return [value for value in found if value not in RFC_7636 and not JOINED_WORDS.fullmatch(value)]


def test_no_file_holds_a_credential() -> None:
    """R42: every tracked file, whatever its kind."""
    suspects = {name: credentials(text) for name, text in tracked() if not name.endswith((".png", ".gif"))}
    assert {name: len(found) for name, found in suspects.items() if found} == {}


@pytest.mark.parametrize("invented", [secrets.token_hex(32), f"secret={secrets.token_hex(20)}"], ids=["bare", "named"])
def test_a_credential_would_be_found(invented: str) -> None:
    assert credentials(f'{{"value": "{invented}"}}')


def test_no_file_names_a_package_index_or_a_folder_of_a_machine() -> None:
    here = Path(__file__).relative_to(ROOT).as_posix()
    for name, text in tracked():
        if name != here:
            assert INDEXES.findall(text) == [], name
            assert MACHINE.findall(text) == [] or name == "tests/notebooks/test_form.py", name


def test_what_belongs_to_a_machine_is_ignored() -> None:
    mine = [".env", "uv.lock", ".venv/x", "my-notebooks/00-start-here.ipynb", "notebooks/.ipynb_checkpoints/x"]
    told = subprocess.run(["git", "check-ignore", *mine], cwd=ROOT, capture_output=True, check=False, text=True)  # noqa: S603, S607
    assert told.stdout.split() == mine
    assert "uv.lock" not in {name for name, _ in tracked()}


def test_conda_installs_what_pyproject_says() -> None:
    """One list of dependencies; and no range of Pythons, which repo2docker would read as no wish at all."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *conda, pip = environment["dependencies"]
    assert conda == ["python=3.12", "pip"]
    assert pip == {"pip": ["-e ."]}
    assert environment["channels"] == ["conda-forge"]


def test_every_dependency_has_a_tested_range() -> None:
    """A lower bound that the suite is run on (`.ci/run`), and an upper one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [requirement for group in project["dependency-groups"].values() for requirement in group]
    for requirement in project["project"]["dependencies"] + [text for text in groups if isinstance(text, str)]:
        calendar = requirement.startswith("packaging>=")  # its versions are years: no major one will ever come
        assert calendar or re.fullmatch(r"[a-z0-9-]+>=[\d.]+,<[\d.]+", requirement), requirement


def test_every_import_is_a_declared_dependency() -> None:
    """What the package imports is in the list, and the list holds nothing that is not needed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[<>=]", requirement)[0] for requirement in project["dependencies"]}
    imported = {module.split(".")[0] for path in (ROOT / "redbooth_nb").rglob("*.py") for module in imports(path)}
    named = {"dotenv": "python-dotenv"}
    ours = {named.get(name, name.replace("_", "-")) for name in imported} - {"redbooth-nb"}
    outside = {name for name in ours if name.replace("-", "_") not in sys.stdlib_module_names}
    arriving_with_them = {"urllib3", "IPython", "nbformat", "werkzeug", "traitlets", "jinja2", "markupsafe"}
    assert outside - arriving_with_them <= declared
    assert declared - outside == {"ipykernel"}  # started by name


def imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def test_every_notebook_has_a_recording_and_is_in_the_tables_for_people() -> None:
    names = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert sorted(path.stem for path in (ROOT / "tests" / "recordings").glob("*.json")) == names
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"(?m)^\| \[([\w-]+)\]\(notebooks/\1\.ipynb\) \|", readme) == names
    plan = (ROOT / "docs" / "instructor.md").read_text(encoding="utf-8")
    assert [name for name in names if not re.search(rf"(?m)^\W*{name[:2]}\b", plan)] == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_to_files_that_are_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if not urlsplit(target).scheme]
    assert targets or name != "README.md"
    assert [target for target in targets if not (ROOT / unquote(target)).exists()] == []


def test_ci_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_workflow_runs_ci_and_may_only_read() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    commands = [step["run"] for step in steps if "run" in step]
    assert "bash .ci/run" in commands
    uses = [step["uses"] for step in steps if "uses" in step]
    assert [action for action in uses if not re.fullmatch(r"[\w-]+/[\w-]+@v\d+", action)] == []
    elsewhere = workflow["jobs"]["neither-engine-nor-browser"]["strategy"]["matrix"]["include"]
    named = [path for machine in elsewhere for path in machine["tests"].split() if path != "--ignore"]
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_license_is_the_one_that_is_named() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (project["license"], project["license-files"]) == ("BSD-3-Clause", ["LICENSE"])
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("BSD 3-Clause License")
    assert "redbooth-nb contributors" in text


def test_the_changelog_ends_at_the_version_in_use() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    newest = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == project["version"]


def test_a_learner_installs_no_tools_of_developers() -> None:
    """The command that the README gives, and the one that tests everything."""
    start = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Start")[2].partition("\n## ")[0]
    assert "\nuv run --no-dev redbooth-nb\n" in start
    assert "\nuv run pytest\n" in start
    assert re.findall(r"uv run redbooth-nb", start) == []


def test_every_public_name_says_what_it_is() -> None:
    """What a cell of a notebook uses, with its methods and properties. Ruff asks it of no other name."""
    described = (type, FunctionType, property, classmethod)
    public = {name: found for name in redbooth_nb.__all__ if isinstance(found := getattr(redbooth_nb, name), described)}
    for name, kind in [(name, found) for name, found in public.items() if isinstance(found, type)]:
        parts = {f"{name}.{part}": found for part, found in vars(kind).items() if not part.startswith("_")}
        public |= {part: found for part, found in parts.items() if isinstance(found, described)}
    assert len(public) > 60
    assert [name for name, found in public.items() if not getdoc(found)] == []
