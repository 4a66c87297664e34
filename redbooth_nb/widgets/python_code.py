"""A request as Python code with requests-oauthlib that runs as it is; secrets come from the environment or `.env`."""

from collections.abc import Iterable
from typing import Final

from redbooth_nb.secret import Secret
from redbooth_nb.traffic.transcript import variable
from redbooth_nb.widgets.markup import block, fold
from redbooth_nb.widgets.texts import TEXTS

ELSEWHERE: Final = {"exchange": {"grant_type", "client_id", "redirect_uri"}, "refresh": {"grant_type"}}  # in the code


def python_fold(step: str, values: Iterable[tuple[str, "str | Secret"]], **more: str) -> str:
    """Return `python_code` to unfold and copy."""
    return fold("As Python, with requests-oauthlib", block(python_code(step, values, **more)))


def python_code(step: str, values: Iterable[tuple[str, "str | Secret"]], **more: str) -> str:
    """Return code for a step of `[code]` in texts.toml. values: what is in the request. more: code to put in."""
    shown = {name: _literal(value) for name, value in values}
    arguments = [f"    {name}={value},\n" for name, value in shown.items() if name not in ELSEWHERE.get(step, ())]
    pairs = [f"    {name!r}: {value},\n" for name, value in shown.items()]
    texts = TEXTS["code"]
    parts = {name: texts[name] for name in ("head", "save")}
    code: str = texts[step].format(arguments="".join(arguments), pairs="".join(pairs), **parts, **shown, **more)
    return code


def _literal(value: "str | Secret") -> str:
    if isinstance(value, Secret):
        return f'values["{variable(value)}"]'
    return repr(value)
