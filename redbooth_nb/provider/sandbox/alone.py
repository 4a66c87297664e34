"""The sandbox as a separate program: ``redbooth-nb sandbox``."""

import json
import signal
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

from redbooth_nb.provider.sandbox import Sandbox

CALLBACK = "http://127.0.0.1:8765/callback"  # where the lessons wait for the redirect


def run_alone(
    file: Path | None,
    port: int,
    *,
    client_id: str | None = None,
    client_secret: str | None = None,
    redirect_uri: str | None = None,
    **lifetimes: int | None,
) -> None:
    """Serve until SIGINT or SIGTERM; once it listens, print base_url and credentials as one line of JSON.

    ``file`` None means a temporary file. ``port`` 0 means any free port; a busy port raises SandboxError.
    ``token_lifetime`` and ``code_lifetime`` are in seconds; None leaves what the file has.
    """
    with ExitStack() as afterwards:
        if file is None:
            file = Path(afterwards.enter_context(tempfile.TemporaryDirectory())) / "sandbox.sqlite3"
        sandbox = Sandbox(file, port)
        sandbox.switch(**{name: seconds for name, seconds in lifetimes.items() if seconds is not None})
        application = sandbox.seed_application(
            "Practice app", redirect_uri or CALLBACK, client_id=client_id, client_secret=client_secret
        )
        asked_to_stop = threading.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            afterwards.callback(signal.signal, name, signal.signal(name, lambda *_: asked_to_stop.set()))
        sandbox.start(strict_port=True)
        afterwards.callback(sandbox.stop)
        del application["name"]
        print(json.dumps({"base_url": sandbox.base_url, **application}), flush=True)
        asked_to_stop.wait()
