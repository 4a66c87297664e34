"""The map in `client/README.md` names only what exists, and every module."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
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


COPIED = ("errors.py", "secret.py", "configuration.py", "provider/addresses.py", "changes.py")
USED_AT_WORK = """
from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.errors import TransportError
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.register import save_credentials
from redbooth_nb.client.response import AuthorizationResponse

save_credentials("c1" * 32, "5e" * 32)
request = AuthorizationRequest.new()
assert "at redbooth.com" in repr(request)
print(AuthorizationResponse.read(f"{request.redirect_uri}?code=the-code&state={request.state}", request).describe())
try:
    exchange()
except TransportError as error:  # there is no redbooth.com behind this proxy
    print(error.what, error.sent)
"""


def test_the_map_names_every_package_that_a_copy_needs() -> None:
    code = [
        path.read_text(encoding="utf-8") for path in (*FOLDER.glob("*.py"), *(FOLDER.parent / each for each in COPIED))
    ]
    imports = [
        node for text in code for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in imports if isinstance(node, ast.ImportFrom)}
    packages = {name.partition(".")[0] for name in names} - {*sys.stdlib_module_names, "redbooth_nb"}
    called = {"dotenv": "python-dotenv", "requests_oauthlib": "requests-oauthlib"}
    assert [name for name in packages if f"{called.get(name, name)} " not in MAP.replace("\n", " ")] == []


def test_a_copy_made_as_the_map_says_works_without_the_rest_of_the_kit(tmp_path: Path) -> None:
    copy = tmp_path / "redbooth_nb"
    for_the_browser = ("callback.py", "loopback.py", "callback.html")
    shutil.copytree(FOLDER, copy / "client", ignore=shutil.ignore_patterns("__pycache__", *for_the_browser))
    for name in (*COPIED, "errors.toml"):
        (copy / name).parent.mkdir(exist_ok=True)
        shutil.copy(FOLDER.parent / name, copy / name)
    (copy / "__init__.py").touch()  # so that it is found before the installed kit
    written = re.search(r"```python\n(# provider/delivery.py\n.*?)```", MAP, re.DOTALL)
    assert written
    for part in re.split(r"(?m)^# (?=\w+/\w+\.py$)", written[1])[1:]:
        name, _, text = part.partition("\n")
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text(text)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("REDBOOTH_", "PYTHON"))}
    environment |= {"PYTHONPATH": str(tmp_path), "HTTPS_PROXY": "http://127.0.0.1:1"}
    environment |= {"REDBOOTH_STATE_DIR": str(tmp_path / "state")}
    done = subprocess.run(  # noqa: S603  (our own script)
        [sys.executable, "-c", USED_AT_WORK], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    answer, sent = done.stdout.splitlines()
    assert answer.startswith("Allowed: <authorization code ...")
    assert sent == "exchange: POST https://redbooth.com/oauth2/token: the request did not get through the proxy. False"
