"""Source code: that of the app, and what a learner's cell holds for it, with what is wrong at first glance."""

import ast
import builtins
import inspect
import linecache
import symtable
import textwrap
import tokenize
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple, cast

from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons import my_redbooth_app

# methods that change the object they belong to
ALTERING = {"add", "append", "clear", "extend", "insert", "pop", "remove", "setdefault", "setLevel", "sort", "update"}
SOLUTION = Path(my_redbooth_app.__file__).read_text(encoding="utf-8")  # the learner's own is beside the notebook


class Piece(NamedTuple):
    """A statement that is not inside another, with those on the same lines. first, end: its lines, as a slice."""

    node: ast.stmt
    first: int
    end: int
    text: str


@lru_cache(maxsize=16)  # of the kit's version, and of what a notebook asks for again and again
def pieces(text: str) -> tuple[Piece, ...]:
    """Return the statements of an app or a cell. Raises SyntaxError or ValueError when it isn't Python."""
    lines, found = text.split("\n"), list[Piece]()  # as Python counts them
    for node in ast.parse(text).body:
        first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))]) - 1
        end = node.end_lineno or node.lineno
        before = found.pop() if found and first < found[-1].end else None  # on the same line, after a semicolon
        first = before.first if before else first
        found.append(Piece(before.node if before else node, first, end, "\n".join(lines[first:end])))
    return tuple(found)


def functions(text: str) -> dict[str, str]:
    """Return the source of each function of an app. Raises SyntaxError or ValueError when it isn't Python."""
    return {piece.node.name: piece.text for piece in pieces(text) if isinstance(piece.node, ast.FunctionDef)}


def replace_function(text: str, name: str, source: str, needed: Sequence[str] = ()) -> str:
    """Return an app with one function replaced. needed: statements to go above it, or in place of their namesakes."""
    kits, above = {piece.text for piece in pieces(SOLUTION)}, list[str]()
    groups: list[set[str]] = []  # of names that belong together: a statement defines or alters both
    for each in needed:
        together = [group for group in groups if group & _bound(each).keys()]
        groups = [*(group for group in groups if group not in together), {*_bound(each)}.union(*together)]
    for names in groups:
        new = [each for each in needed if _bound(each).keys() <= names and each not in kits]
        old = [piece for piece in pieces(text) if piece.text not in kits and set() < {*_bound(piece.text)} <= names]
        if not old or old[-1].first > _last(text, name).first:  # what it needs has to come before it
            above, place = above + new, []
        else:
            place = new
        for piece in reversed(old):
            text = _with(text, piece, place if piece is old[0] else [])
    above = [each for each in needed if each in above]  # as they are ordered in the cell
    return _with(text, _last(text, name), [*above, *[""] * (2 if above else 0), source])


def _last(text: str, name: str) -> Piece:
    """Return the function of this name that counts: the last one."""
    return [piece for piece in pieces(text) if isinstance(piece.node, ast.FunctionDef) and piece.node.name == name][-1]


def _with(text: str, piece: Piece, new: list[str]) -> str:
    lines = text.split("\n")
    return "\n".join([*lines[: piece.first], *new, *lines[piece.end :]])


def source_of(function: FunctionType) -> tuple[str, list[str]]:
    """Return the source of a function, and the statements of its cell that define what it uses, in their order."""
    try:
        found = functions(textwrap.dedent(inspect.getsource(function)))
        if function.__name__ not in found:  # that of another text, under the same file name
            raise OSError
        source = found[function.__name__]  # without the comments after it
        cell = pieces("".join(linecache.getlines(inspect.getfile(function))))
    except (OSError, TypeError, ValueError, SyntaxError, RecursionError, MemoryError, tokenize.TokenError):
        raise RedboothError.named("no_source", function=function.__name__) from None
    used, needed = used_by(source), set[str]()
    others = [piece.text for piece in cell if not _is_of_the_app(piece.node, function.__name__)]
    while new := {text for text in others if _bound(text).keys() & used} - needed:
        needed |= new
        used |= {name for text in new for name in used_by(text)}
    return source, [text for text in dict.fromkeys(others) if text in needed]


def used_by(source: str) -> set[str]:
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
    return node.name == tried or arguments_of(ast.unparse(node)) == arguments_of(functions(SOLUTION)[node.name])


def arguments_of(function: str) -> list[str]:
    """Return the names of the arguments of a function, given as source."""
    arguments = cast(ast.FunctionDef, ast.parse(function).body[0]).args
    return [each.arg for each in ast.walk(arguments) if isinstance(each, ast.arg)]


def taken_names(needed: list[str], values: Mapping[str, Any]) -> list[str]:
    """Return the names by which these statements of a cell mean something other than the app. values: the cell's."""
    apps, kits = _bound(SOLUTION), vars(my_redbooth_app)
    other = [name for name, what in _bound("\n".join(needed)).items() if apps.get(name, what) != what]
    return [name for name in other if values.get(name) != kits.get(name)]


def changed_names(old: str, new: str) -> list[str]:
    """Return the names that mean something else in the new version of an app, those of Python included."""
    before, now = _bound(old), _bound(new)
    others = vars(builtins) | before
    return [name for name in now if name in others and now[name] != others[name]]


def _bound(source: str) -> dict[str, str]:
    """Return what each name is bound to: where it is imported from, or the statements that define and alter it."""
    bound: dict[str, str] = {}
    for node in ast.parse(source).body:
        statement = ast.unparse(node)
        bound |= {name: f"{bound.get(name, '')}\n{statement}" for name in _altered_by(node)}
        bound |= dict.fromkeys(defined_by(statement), statement)
        if isinstance(node, ast.Import):
            tops = [alias.name.partition(".")[0] for alias in node.names if not alias.asname]
            bound |= {top: top for top in tops}  # whichever of its modules are imported
        if isinstance(node, ast.Import | ast.ImportFrom):
            place = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            bound |= {alias.asname or alias.name: f"{place}{alias.name}" for alias in node.names}
    return bound


def _altered_by(statement: ast.stmt) -> set[str]:
    """Return the names of objects that a statement alters: `HEADERS["Accept"] = ...`, `NAMES.append(...)`."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return set()
    found = set()
    for node in ast.walk(statement):
        part: ast.AST = node
        method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ALTERING
        if method or (isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store)):
            while isinstance(part, ast.Call | ast.Subscript | ast.Attribute):
                part = part.func if isinstance(part, ast.Call) else part.value
            found |= {part.id} if isinstance(part, ast.Name) else set()
    return found


def first_sight(source: str, taken: list[str]) -> str:
    """Return the mistake that can be seen without running a function, "" for none. taken: from `taken_names`."""
    nodes = [*ast.walk(ast.parse(source))]
    # where a value belongs; not in a type hint such as `tuple[str, ...]`, nor as all there is to a class or a handler
    meant = {each for node in nodes if isinstance(node, ast.Subscript) for each in ast.walk(node.slice)}
    meant |= {each for node in nodes if isinstance(node, ast.ClassDef) for each in ast.walk(node)}
    meant |= {each for node in nodes if isinstance(node, ast.ExceptHandler) for each in ast.walk(node.body[0])}
    if any(isinstance(node, ast.Constant) and node.value is ... and node not in meant for node in nodes):
        return "dots"
    modules = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    modules += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
    if any(module.partition(".")[0] == "redbooth_nb" for module in modules):
        return "kit_imported"
    return "name_taken" if taken else ""
