"""The command `redbooth-nb`: open the lessons, find what is broken, run a script or the sandbox alone."""

import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from redbooth_nb.errors import RedboothError


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    own = given[1:] if given[:1] in (["run"], ["doctor"]) else given
    if own[:1] in (["-h"], ["--help"]):
        print(USAGE)
        return 0
    if given == ["--version"]:
        from importlib.metadata import version

        print(version("redbooth-nb"))
        return 0
    name, *options = given if given and not given[0].startswith("-") else ["lab", *given]
    if name not in COMMANDS or (name == "doctor" and options):
        print(f"There is no command {' '.join([name, *options])!r}.\n{USAGE}", file=sys.stderr)
        return 2
    try:
        return int(getattr(import_module(f"redbooth_nb.{COMMANDS[name]}"), name)(options))
    except RedboothError as error:
        print(error, file=sys.stderr)
        from redbooth_nb.working_copies import has_lessons

        if error.stage and has_lessons():
            from redbooth_nb.lessons.course import LESSONS

            print(f"In the lessons: notebook {LESSONS[error.stage]}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


# the module of each, imported only when needed: `run` should add little to the start of a script
COMMANDS = {"lab": "working_copies", "run": "run", "doctor": "doctor", "sandbox": "cli"}
USAGE = """usage: redbooth-nb [lab] [JupyterLab's own options]   open the lessons (default)
       redbooth-nb run APP.py [its arguments]     run a script, with its requests delivered to the current provider
       redbooth-nb doctor                         say what is broken, and what to do
       redbooth-nb sandbox [options]              run the practice Redbooth alone (for the options: --help)"""


def sandbox(options: list[str]) -> int:
    """Run the sandbox alone until it is interrupted; print its address and an app's credentials as a line of JSON."""
    import argparse
    import json
    import signal
    import tempfile
    import threading

    from redbooth_nb.client.register import DEFAULT_REDIRECT_URI
    from redbooth_nb.provider.sandbox import Sandbox  # pulls in a web framework

    parser = argparse.ArgumentParser(prog="redbooth-nb sandbox", description=sandbox.__doc__)
    parser.add_argument("--port", type=int, default=8764, help="0: any free port (default: 8764)")
    parser.add_argument("--client-id", help="of the app registered at startup (default: random)")
    parser.add_argument("--client-secret", help="its secret (default: random)")
    parser.add_argument("--redirect-uri", default=DEFAULT_REDIRECT_URI, help="its redirect URI (default: %(default)s)")
    parser.add_argument("--token-lifetime", type=int, help="seconds (default: 7200)")
    parser.add_argument("--code-lifetime", type=int, help="seconds (default: 600)")
    parser.add_argument("--state", type=Path, metavar="FILE", help="SQLite file for its data (default: temporary)")
    chosen = parser.parse_args(options)
    if chosen.port not in range(2**16):
        parser.error("--port has to be between 0 and 65535")
    lifetimes = {"token_lifetime": chosen.token_lifetime, "code_lifetime": chosen.code_lifetime}
    with tempfile.TemporaryDirectory() as folder:
        running = Sandbox(chosen.state or Path(folder, "sandbox.sqlite3"), chosen.port)
        running.switch(**{name: seconds for name, seconds in lifetimes.items() if seconds is not None})
        app = running.seed_application(
            "Practice app", chosen.redirect_uri, client_id=chosen.client_id, client_secret=chosen.client_secret
        )
        with suppress(KeyboardInterrupt):
            for name in (signal.SIGINT, signal.SIGTERM):
                signal.signal(name, signal.default_int_handler)
            print(json.dumps({"base_url": running.start(), **app}), flush=True)
            threading.Event().wait()
        running.stop()
    return 0
