"""A note that says which notebook of the kit holds a port, for the message that another one shows.

The client writes it, and the commands read it too. A reference implementation can do without.
"""

import json
import os
from contextlib import suppress
from pathlib import Path


def leave_note(note: Path) -> None:
    """Say in a file who holds the port. If it cannot be written, others only do not learn that."""
    with suppress(OSError):
        me = {"pid": os.getpid(), "notebook": Path(os.environ.get("JPY_SESSION_NAME", "")).name}
        note.write_text(json.dumps(me), encoding="utf-8")


def holder(note: Path) -> str:
    """Return which notebook of the kit holds the port, "Another program" when it is none of them."""
    try:
        who = json.loads(note.read_text(encoding="utf-8") if note.is_file() else "")  # a pipe would never end
        if os.name != "nt":  # there signal 0 is Ctrl-C
            os.kill(int(who["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return "Another program"
    return f"The notebook {who['notebook']}" if who.get("notebook") else f"Another notebook (process {who['pid']})"
