"""The command `redbooth-nb`: open the lessons, find what is broken, run a script or the sandbox alone."""

import os
import sys
from importlib import import_module
from pathlib import Path

from redbooth_nb.errors import RedboothError
from redbooth_nb.working_copies import FIRST, REPOSITORY, refresh_working_copies

LAB_CONFIG = Path(__file__).parent / "jupyter"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] in (["-h"], ["--help"]):
        print(USAGE)
        return 0
    name, *options = given if given and not given[0].startswith("-") else ["lab", *given]
    if name not in COMMANDS:
        print(f"There is no command {name!r}.\n{USAGE}", file=sys.stderr)
        return 2
    try:
        return int(getattr(import_module(f"redbooth_nb.{COMMANDS[name]}"), name)(options))
    except RedboothError as error:
        print(error, file=sys.stderr)
        if error.stage:
            from redbooth_nb.lessons.course import LESSONS

            print(f"In the lessons: notebook {LESSONS[error.stage]}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


# the module of each, imported when asked for: it brings what only it needs, and `run` should cost a script little
COMMANDS = {"lab": "cli", "run": "run", "doctor": "doctor", "sandbox": "cli"}
USAGE = """usage: redbooth-nb [lab] [JupyterLab's own options]   open the lessons (default)
       redbooth-nb run APP.py [its arguments]     run a script, delivered to the current provider
       redbooth-nb doctor                         say what is broken, and what to do
       redbooth-nb sandbox [options]              run the practice Redbooth alone; see --help there"""


def lab(options: list[str]) -> int:
    """Open JupyterLab at the first lesson, on working copies; `options` go to JupyterLab."""
    folder = refresh_working_copies(REPOSITORY)
    # defaults for JupyterLab: no news, and a printed address is no link to the real Redbooth
    paths = [str(LAB_CONFIG), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(path for path in paths if path)
    settings = [f"--ServerApp.root_dir={folder}", f"--LabApp.default_url=/lab/tree/{FIRST}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        settings.append("--allow-root")  # containers often have no other user
    from jupyterlab.labapp import main as jupyterlab  # slow to import, and only needed here

    return int(jupyterlab([*settings, *options]) or 0)


def sandbox(options: list[str]) -> int:
    """Run the sandbox alone until it is interrupted."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="redbooth-nb sandbox", description=sandbox.__doc__, argument_default=argparse.SUPPRESS
    )
    parser.add_argument("--port", type=int, default=8764, help="0: any free port (default: 8764)")
    parser.add_argument("--client-id", help="of a seeded app (default: random)")
    parser.add_argument("--client-secret", help="of the seeded app (default: random)")
    parser.add_argument("--redirect-uri", help="of the seeded app (default: http://127.0.0.1:8765/callback)")
    parser.add_argument("--token-lifetime", type=int, help="seconds (default: 7200)")
    parser.add_argument("--code-lifetime", type=int, help="seconds (default: 600)")
    parser.add_argument(
        "--state", dest="file", type=Path, metavar="FILE", help="SQLite file to keep (default: a temporary one)"
    )
    chosen = parser.parse_args(options)
    from redbooth_nb.provider.sandbox import run_alone  # brings a web framework

    run_alone(**vars(chosen))
    return 0
