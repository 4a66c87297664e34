"""One lesson in a plain Python shell, where no widget can show: `python without_widgets.py NOTEBOOK`.

In place of every click stands a function call.
"""

import json
import sys
import threading
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell

from redbooth_nb.provider.visitor import document, text_of
from redbooth_nb.widgets.register import RegisterForm
from redbooth_nb.widgets.script import ScriptPanel

CALLBACK = "http://127.0.0.1:8765/callback"
PLAYGROUND = (
    "panel = _.authorize(); panel.browser.press('Allow'); _.update()\n"
    "_._exchange.children[0].send(); _.call('/projects')[0]['type']"
)
# notebook -> after which code cell -> what the person calls instead of clicking; `_` is what the cell showed
CALLS = {
    "00-start-here": {2: "_.show('register'); _.update()", 3: "_.choose(1)"},
    "01-register": {2: "_.choose(3)", 4: "form.save(*register(form))"},
    "02-authorize": {
        5: "_.change('redirect_uri', 'http://localhost/'); _.reset()",
        10: "_.choose(3)",
        13: "_.choose(1)",
        14: "denied.browser.press('Deny')",
        16: "panel.browser.press('Allow')",
    },
    "03-exchange": {6: "_.update()", 10: "_.choose(3)", 15: "panel.browser.press('Allow')"},
    "04-refresh": {
        2: "from redbooth_nb import TimeMachine\nmachine = TimeMachine(); machine.later(3600); machine.back_to_now()\n"
        "card.refresh(); card.update()",
        9: "_.choose(3)",
    },
    "06-your-own-app": {
        5: "sign_in(_)",
        7: "finish(_)",
        9: "finish(_)",
        10: "window.press('Revoke')",
        11: "sign_in(_, 'Allow')",
        13: PLAYGROUND,
    },
}


def register(form: RegisterForm) -> list[str]:
    """Register the app on Redbooth's page, and copy its credentials."""
    assert form.browser is not None
    form.browser.press("Register", **{"[name]": "My first Redbooth app", "[redirect_uri]": CALLBACK})
    page = form.browser._visitor.page
    return [text_of(next(document(page).iterfind(f".//*[@id='{mark}']"))) for mark in ("application_id", "secret")]


def sign_in(panel: ScriptPanel, button: str = "") -> None:
    """Follow the script's link in its window, press a button there, and wait for the script's end."""
    asked = threading.Event()
    panel.observe(lambda _: panel.browser and asked.set(), names="children")
    assert panel.browser or asked.wait(60)
    assert panel.browser is not None
    panel.browser.go_to(panel.text().rpartition("Sign in: ")[2].split()[0])
    if button:
        panel.browser.press(button)
    finish(panel)


def finish(panel: ScriptPanel) -> None:
    """Wait for a script's end."""
    panel._reader.join(60)
    assert not panel.running


def main(notebook: Path) -> None:
    """Run the lesson's cells and the person's calls; what they show is printed. Ends at the first that fails."""
    shell = InteractiveShell.instance()
    shell.push({"register": register, "sign_in": sign_in, "finish": finish})
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    for number, source in enumerate(sources, 1):
        for code in (source, CALLS.get(notebook.stem, {}).get(number, "")):
            result = shell.run_cell(code, store_history=True)
            if not result.success:
                sys.exit(
                    f"{notebook.stem}, cell {number}, {code!r}: {result.error_before_exec or result.error_in_exec}"
                )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
