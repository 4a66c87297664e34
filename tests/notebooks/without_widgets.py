"""One lesson in a plain Python shell, where no widget can show: `python without_widgets.py NOTEBOOK`.

A person at the browser is played by `browse`, `register` and `open_link`; in place of every click stands the function
call that the lessons name.
"""

import json
import re
import sys
import threading
from pathlib import Path

import requests
from IPython.core.interactiveshell import InteractiveShell

from redbooth_nb import connect
from redbooth_nb.provider.unattended import press, register_application
from redbooth_nb.widgets.script import ScriptPanel

CALLBACK = "http://127.0.0.1:8765/callback"
PLAYGROUND = (
    "panel = _.authorize(); panel.paste(browse(panel.sign_in.link, 'allow'))\n"
    "_.update(); _._exchange.children[0].send(); _.call('/projects')[0]['type']"
)
# notebook -> after which code cell -> what the person calls instead of clicking; `_` is what the cell showed
CALLS = {
    "00-start-here": {2: "_.choose(2)", 3: "_.show('register'); _.update()"},
    "01-register": {2: "_.choose(2)", 4: "_.choose(2)", 5: "form.save(*register())"},
    "02-authorize": {
        4: "_.change('redirect_uri', 'http://localhost/'); _.reset()",
        8: "_.choose(2)",
        11: "_.choose(2)",
        12: "denied.paste(browse(denied.sign_in.link, 'deny'))",
        14: "panel.paste(browse(panel.sign_in.link, 'allow'))",
    },
    "03-exchange": {5: "_.update()", 9: "_.choose(3)"},
    "04-refresh": {
        2: "card.refresh(); card.update()",
        3: "from redbooth_nb import TimeMachine\nmachine = TimeMachine(); machine.later(3600); machine.back_to_now()",
        9: "_.choose(3)",
    },
    "05-break-it": {
        6: "_.paste(browse(_.sign_in.link, 'deny'))",
        32: "_.run('wrong-secret', '401 invalid_client')",
    },
    "06-your-own-app": {
        3: "app.fill('address', 'address = \"https://\" + urlsplit(REDIRECT_URI).netloc + self.path')",
        5: "app.fill('credentials', 'token = oauth.refresh_token(TOKEN_URL, **CREDENTIALS)')",
        10: "open_link(_)",
        12: "finish(_)",
        14: "finish(_)",
        16: PLAYGROUND,
    },
}


def browse(link: str, answer: str) -> str:
    """Decide on Redbooth's page, and copy the address that the browser is sent to."""
    return press(requests.Session(), link, CALLBACK, answer)


def register() -> tuple[str, str]:
    """Register the app on Redbooth's page, and copy its credentials."""
    return register_application(connect(requests.Session()), "My first Redbooth app", CALLBACK)


def open_link(panel: ScriptPanel) -> None:
    """Open the link that the script prints, and wait for the script's end."""
    while not (found := re.search(r"Sign in: (\S+)", panel.text())):
        threading.Event().wait(0.05)
    requests.get(found[1], timeout=20)
    finish(panel)


def finish(panel: ScriptPanel) -> None:
    """Wait for a script's end."""
    panel._reader.join(60)
    assert not panel.running


def main(notebook: Path) -> None:
    """Run the lesson's cells and the person's calls; what they show is printed. Ends at the first that fails."""
    shell = InteractiveShell.instance()
    shell.push({"browse": browse, "register": register, "open_link": open_link, "finish": finish})
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    for number, source in enumerate(sources, 1):
        for code in (source, CALLS[notebook.stem].get(number, "")):
            result = shell.run_cell(code, store_history=True)
            if not result.success:
                sys.exit(
                    f"{notebook.stem}, cell {number}, {code!r}: {result.error_before_exec or result.error_in_exec}"
                )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
