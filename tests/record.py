"""Record the notebooks' answers from a real Doorkeeper, then store the outputs they give.

    uv run python tests/record.py [--outputs-only] [02-authorize ...]

For each notebook a fresh engine is started behind a small proxy that writes down every round_trip. Where a cell
moves the clock, the tokens in the engine's database are aged. Secrets are replaced by documented fakes
(`fake-access-token-1`) and web pages are reduced to their forms and messages.
"""

import argparse
import json
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import nbformat
import requests
from bs4 import BeautifulSoup
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from doorkeeper.engine import Doorkeeper  # noqa: E402

from conftest import GUARD, RECORDINGS  # noqa: E402  (the path comes first)
from redbooth_nb.provider.addresses import ORIGIN  # noqa: E402
from redbooth_nb.provider.recorded import live_looking, request_key  # noqa: E402

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
TELLING_HEADERS = re.compile(r"(?i)content-type|www-authenticate|location|cache-control|pragma|pagination\w+")


class Tape:
    """What the proxy heard, in order."""

    def __init__(self, engine: Doorkeeper) -> None:
        self.engine = engine
        self.offset = 0.0
        self.round_trips: list[dict[str, Any]] = []

    def forward(self, method: str, path: str, headers: dict[str, str], body: str) -> requests.Response:
        """Ask the engine, and write down what it was asked and said."""
        at = int(time.time())
        answer = requests.request(
            method, self.engine.base_url + path, headers=headers, data=body.encode(), allow_redirects=False, timeout=30
        )
        shown = {name: value for name, value in answer.headers.items() if TELLING_HEADERS.fullmatch(name)}
        response = {"status": answer.status_code, "reason": answer.reason, "headers": shown, "body": reduced(answer)}
        self.round_trips.append({"at": at, "request": request_key(method, ORIGIN + path, body), "response": response})
        return answer


def reduced(answer: requests.Response) -> str:
    """Return the body; of a web page only the title, the headings, the messages, the credentials and the forms."""
    if "html" not in answer.headers.get("Content-Type", "") or not answer.text:
        return answer.text
    page = BeautifulSoup(answer.text, "html.parser")
    parts = [f"<title>{page.title.get_text(strip=True)}</title>" if page.title else ""]
    for found in page.find_all(["h1", "pre", "form", "code"]):
        if found.name in {"h1", "pre"}:
            parts.append(f"<{found.name}>{found.get_text(' ', strip=True)}</{found.name}>")
        elif found.name == "code" and found.get("id"):
            parts.append(f'<code id="{found["id"]}">{found.get_text(strip=True)}</code>')
        elif found.name == "form":
            fields = "".join(str(field) for field in found.find_all(["input", "textarea"]))
            parts.append(f'<form action="{found.get("action")}" method="{found.get("method")}">{fields}</form>')
    return "\n".join(part for part in parts if part)


@contextmanager
def proxy(tape: Tape) -> Iterator[str]:
    """Serve the engine on a loopback port of our own; yields its origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            if self.path == "/clock":
                if body:
                    seconds = json.loads(body)["advance"]
                    tape.engine.age_tokens(int(seconds) + 1)
                    tape.engine.age_codes(int(seconds) + 1)
                    tape.offset += seconds
                return self.reply(
                    200, {"Content-Type": "application/json"}, json.dumps({"offset": tape.offset}).encode()
                )
            headers = {name: value for name, value in self.headers.items() if name.lower() != "accept-encoding"}
            answer = tape.forward(self.command, self.path, headers, body)
            passed = {n: v for n, v in answer.headers.items() if n.lower() not in {"content-length", "connection"}}
            return self.reply(answer.status_code, passed, answer.content)

        do_POST = do_GET  # noqa: N815  (the name is the server's)

        def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in [*headers.items(), ("Content-Length", str(len(body)))]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def run(notebook: Path, **settings: str) -> nbformat.NotebookNode:
    """Run a notebook from top to bottom with these settings and an empty state folder."""
    content = nbformat.read(notebook, as_version=4)
    with tempfile.TemporaryDirectory() as state:
        here = {"REDBOOTH_STATE_DIR": state, "REDBOOTH_UNATTENDED": "1", **settings}
        before = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("REDBOOTH_")}
        os.environ.update(here)
        try:
            folder = {"metadata": {"path": str(notebook.parent)}}
            how = {"kernel_name": "python3", "record_timing": False, "coalesce_streams": True}
            NotebookClient(content, resources=folder, **how).execute()
        finally:
            for name in here:
                del os.environ[name]
            os.environ.update(before)
    return content


def record(notebook: Path) -> Path:
    """Run a notebook against a fresh engine; write and return the recording."""
    with Doorkeeper() as engine:
        tape = Tape(engine)
        with proxy(tape) as origin:
            run(notebook, REDBOOTH_PROVIDER=origin)
        about = {
            "origin": f"a real Doorkeeper {engine.version} on Rails {engine.rails}, under Redbooth's paths",
            "fakes": "tokens, codes and credentials were replaced by fake-KIND-NUMBER, the same one everywhere",
            "pages": "reduced to title, headings, messages and forms",
        }
        text = json.dumps({"about": about, "round_trips": tape.round_trips}, indent=1, ensure_ascii=False)
        text = with_fakes(text.replace(origin, ORIGIN).replace(engine.base_url, ORIGIN), tape.round_trips)
    if live_looking(text):
        raise SystemExit(
            f"{notebook.name}: {len(live_looking(text))} values still look live; teach with_fakes() their place"
        )
    target = RECORDINGS / f"{notebook.stem}.json"
    target.write_text(text + "\n", encoding="utf-8")
    return target


def with_fakes(text: str, round_trips: list[dict[str, Any]]) -> str:
    """Replace every secret, wherever it stands, by a fake of its kind."""
    found: dict[str, str] = {}

    def note(kind: str, value: str) -> None:
        if value and value not in found:
            number = sum(1 for fake in found.values() if fake.startswith(f"fake-{kind}-")) + 1
            found[value] = f"fake-{kind}-{number}"

    for round_trip in round_trips:
        response = round_trip["response"]
        for part in (response["body"], response["headers"].get("Location", "")):
            for name, value in re.findall(r'"?\b(access_token|refresh_token|code|state)"?[=:]\s*"?([\w-]{20,})', part):
                note(name.replace("_", "-"), value)
        page = BeautifulSoup(response["body"], "html.parser") if response["body"].startswith("<") else None
        for mark, kind in (("application_id", "client-id"), ("secret", "client-secret")):
            element = page.find("code", id=mark) if page else None
            note(kind, element.get_text(strip=True) if element else "")
        for field in page.find_all("input", attrs={"name": "authenticity_token"}) if page else []:
            note("form-token", str(field["value"]))
    for value, fake in found.items():
        text = text.replace(value, fake)
    return text


def store_outputs(notebook: Path, recording: Path) -> None:
    """Run a notebook on its recording and keep its outputs, without widget models, times and counters of machines."""
    content = run(notebook, REDBOOTH_PROVIDER="recorded", REDBOOTH_RECORDING=str(recording), PYTHONPATH=str(GUARD))
    for cell in content.cells:
        cell.metadata = {}
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)
    content.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.write(content, notebook)


def main() -> None:
    """Record what is named on the command line, or everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="notebooks, such as 02-authorize (default: all)")
    parser.add_argument("--outputs-only", action="store_true", help="keep the recordings")
    chosen = parser.parse_args()
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    names = {Path(name).stem for name in chosen.names}
    if unknown := names - {notebook.stem for notebook in notebooks}:
        parser.error(f"there is no notebook {', '.join(sorted(unknown))} in notebooks/")
    if not chosen.outputs_only and (missing := Doorkeeper.missing()):
        parser.error(missing)
    for notebook in notebooks:
        if not names or notebook.stem in names:
            recording = RECORDINGS / f"{notebook.stem}.json" if chosen.outputs_only else record(notebook)
            store_outputs(notebook, recording)
            print(f"{notebook.stem}: {len(json.loads(recording.read_text())['round_trips'])} round trips")  # noqa: T201


if __name__ == "__main__":
    main()
