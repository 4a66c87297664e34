"""The map in `client/README.md` names only what exists, and every module."""

import json
import re
from pathlib import Path

from client.machine import FaultyServer, reply

from redbooth_nb import client
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.response import AuthorizationResponse

FOLDER = Path(client.__path__[0])
MAP = (FOLDER / "README.md").read_text(encoding="utf-8")


def test_the_map_names_every_module() -> None:
    assert [
        path.stem for path in FOLDER.glob("*.py") if not re.search(rf"\b{path.stem}\b", MAP) and path.stem[0] != "_"
    ] == []


def test_the_files_that_the_map_names_exist() -> None:
    root = FOLDER.parents[1]
    named = set(re.findall(r"[\w/]+\.(?:py|toml|html)\b", MAP))
    places = (FOLDER, root / "tests/client", root, root / "redbooth_nb")
    assert [name for name in named if not any((place / name).is_file() for place in places)] == []
    code = "".join(path.read_text(encoding="utf-8") for path in FOLDER.parent.rglob("*.py") if path.parent != FOLDER)
    code += "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("[!_]*.py"))
    quoted = set(re.findall(r"`(?:\w+\.)*(\w+)[`(]", MAP))
    assert [name for name in quoted if not re.search(rf"\b{name}\b", code)] == []


def test_the_fields_on_disk_are_those_of_the_map(faulty: FaultyServer, allowed: AuthorizationResponse) -> None:
    faulty.answers = [reply(200, json.dumps({"access_token": "a", "refresh_token": "r", "expires_in": 1, "scope": ""}))]
    folder = allowed.request.settings.folder
    fields = set(json.loads((folder / "authorization.json").read_text()))
    exchange(allowed)
    for name in ("authorization", "token"):
        fields |= set(json.loads((folder / f"{name}.json").read_text()))
    assert [name for name in fields - {"format"} if not re.search(rf"\b{name}\b", MAP)] == []
