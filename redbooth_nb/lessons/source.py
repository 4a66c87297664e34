"""What a learner's cell holds for the app: a function's source, what it needs, and what is wrong at first glance."""

import ast
import inspect
import linecache
import symtable
import textwrap
import tokenize
from types import FunctionType

from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.take_home import SOLUTION, functions


def source_of(function: FunctionType) -> tuple[str, list[str]]:
    """Return the source of a function, and the statements of its cell that define what it uses, in their order."""
    try:
        source = textwrap.dedent(inspect.getsource(function)).rstrip()
        if function.__name__ not in functions(source):  # that of another text, under the same file name
            raise OSError
        body = ast.parse("".join(linecache.getlines(inspect.getfile(function)))).body
    except (OSError, TypeError, ValueError, SyntaxError, tokenize.TokenError):
        raise RedboothError.named("no_source", function=function.__name__) from None
    used, needed = _uses(source), set[ast.stmt]()
    others = [node for node in body if not _is_of_the_app(node, function.__name__)]
    while new := {node for node in others if defined_by(ast.unparse(node)) & used} - needed:
        needed |= new
        used |= {name for node in new for name in _uses(ast.unparse(node))}
    return source, [ast.unparse(node) for node in body if node in needed]


def _uses(source: str) -> set[str]:
    """Return the names that a statement takes from around it: neither parameters nor local variables."""

    def within(table: symtable.SymbolTable) -> set[str]:
        found = [each for each in table.get_symbols() if each.is_global()]
        own = {each.get_name() for each in found if each.is_referenced() or each.is_declared_global()}
        return own.union(*map(within, table.get_children()))

    return within(symtable.symtable(source, "cell", "exec"))


def defined_by(source: str) -> set[str]:
    """Return the names that are there once a cell, or a statement of it, has run. Raises SyntaxError."""
    symbols = symtable.symtable(source, "cell", "exec").get_symbols()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}


def _is_of_the_app(node: ast.stmt, tried: str) -> bool:
    """Return whether a function in the cell is the one that is tried out, or one that the app has as well."""
    if not isinstance(node, ast.FunctionDef) or node.name not in functions(SOLUTION):
        return False
    apps = ast.parse(functions(SOLUTION)[node.name]).body[0]
    return node.name == tried or (isinstance(apps, ast.FunctionDef) and _arguments(node) == _arguments(apps))


def _arguments(function: ast.FunctionDef) -> list[str]:
    return [each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)]


def taken_names(needed: list[str]) -> list[str]:
    """Return the names by which these statements of a cell mean something other than the app does."""
    apps = _bound(SOLUTION)
    return [name for name, what in _bound("\n".join(needed)).items() if apps.get(name, what) != what]


def _bound(source: str) -> dict[str, str]:
    """Return what each name is bound to: where it is imported from, or the statement that defines it."""
    bound: dict[str, str] = {}
    for node in ast.parse(source).body:
        statement = ast.unparse(node)
        bound |= dict.fromkeys(defined_by(statement), statement)
        if isinstance(node, ast.Import | ast.ImportFrom):
            place = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            bound |= {alias.asname or alias.name: f"{place}{alias.name}" for alias in node.names}
    return bound


def first_sight(source: str, taken: list[str]) -> str:
    """Return the mistake that can be seen without running a function, "" for none. taken: from `taken_names`."""
    nodes = [*ast.walk(ast.parse(source))]
    in_hints = {each for node in nodes if isinstance(node, ast.Subscript) for each in ast.walk(node.slice)}
    # where a value belongs, and not in a type hint such as `tuple[str, ...]`
    if any(isinstance(node, ast.Constant) and node.value is ... and node not in in_hints for node in nodes):
        return "dots"
    modules = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    modules += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
    if any(module.partition(".")[0] == "redbooth_nb" for module in modules):
        return "kit_imported"
    return "name_taken" if taken else ""
