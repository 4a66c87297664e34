"""The arrows of the house: who may import whom. Read from the source, so that lazy imports count too."""

import ast
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import redbooth_nb

PACKAGE = Path(redbooth_nb.__path__[0])
SANDBOX = "redbooth_nb.provider.sandbox"
JUPYTER = ("IPython", "ipywidgets", "anywidget", "ipykernel", "jupyterlab")
FORBIDDEN = {
    "redbooth_nb.client": (
        "redbooth_nb.widgets",
        "redbooth_nb.lessons",
        "redbooth_nb.jupyter",
        f"{SANDBOX}.",
        *JUPYTER,
    ),
    "redbooth_nb.traffic": ("redbooth_nb.client", "redbooth_nb.widgets", "redbooth_nb.lessons", SANDBOX, *JUPYTER),
    "redbooth_nb.secret": ("redbooth_nb.", *JUPYTER),
    "redbooth_nb.provider": ("redbooth_nb.client", "redbooth_nb.widgets", "redbooth_nb.lessons", *JUPYTER),
    "redbooth_nb.configuration": ("redbooth_nb.client", "redbooth_nb.provider", *JUPYTER),
    "redbooth_nb.errors": ("redbooth_nb.", *JUPYTER),
    "redbooth_nb.changes": ("redbooth_nb.", *JUPYTER),
    "redbooth_nb.widgets": ("redbooth_nb.lessons", f"{SANDBOX}."),
}


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def imports(module: str, *, at_start_only: bool = False) -> frozenset[str]:
    """Return the modules that `module` imports, wherever in its source, by their full names."""
    found = set()
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    for node in tree.body if at_start_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else str(node.module) for name in names}
    return frozenset(found)


def within(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(place if place.endswith(".") else f"{place}.") for place in places)


def test_the_search_sees_the_imports() -> None:
    assert "redbooth_nb.client.token" in imports("redbooth_nb.client.refresh")
    assert SANDBOX in imports("redbooth_nb.provider.delivery")
    assert len(MODULES) > 30


@pytest.mark.parametrize("part", FORBIDDEN)
def test_arrows_run_one_way(part: str) -> None:
    """The client runs without Jupyter and knows no sandbox; the provider knows no client."""
    members = [module for module in MODULES if within(module, (part,))]
    assert members
    wrong = [(module, name) for module in members for name in imports(module) if within(name, FORBIDDEN[part])]
    assert wrong == []


def test_the_sandbox_shares_nothing_with_the_app_but_http() -> None:
    members = [module for module in MODULES if within(module, (SANDBOX,))]
    allowed = (SANDBOX, "redbooth_nb.errors", "redbooth_nb.changes")  # which tells nothing but that
    wrong = [
        (module, name)
        for module in members
        for name in imports(module)
        if within(name, ("redbooth_nb",)) and not within(name, allowed)
    ]
    assert wrong == []


def test_nobody_but_its_own_modules_reaches_into_the_sandbox() -> None:
    """From outside only the package itself is imported."""
    outside = [module for module in MODULES if not within(module, (SANDBOX,))]
    inside = {name for name in MODULES if name.startswith(f"{SANDBOX}.")}
    assert [(module, name) for module in outside for name in imports(module) if name in inside] == []


def test_there_is_no_import_cycle() -> None:
    """Imports inside functions and for type checking aside: those are how a cycle is avoided."""
    graph = {module: imports(module, at_start_only=True) & MODULES.keys() - {module} for module in MODULES}
    assert list(TopologicalSorter(graph).static_order())


def test_the_client_runs_without_jupyter_and_flask() -> None:
    """In fact, not only in the source: a script that signs in loads neither."""
    script = (
        "import sys\n"
        "from redbooth_nb.client import callback, exchange, refresh\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(loaded & {'IPython', 'ipywidgets', 'flask', 'anywidget'}))"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)  # noqa: S603
    assert answer.stdout.strip() == "[]"


def test_no_module_is_longer_than_two_hundred_lines() -> None:
    """A longer one is two modules (CONTRIBUTING.md)."""
    lengths = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in MODULES.items()}
    assert {module: length for module, length in lengths.items() if length > 200} == {}
