"""A script in a process of its own, with its output shown as it arrives, and a window where it asks for a sign-in."""

import atexit
import html
import os
import re
import threading
import time
from collections import deque
from functools import partial
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen, TimeoutExpired
from urllib.parse import parse_qsl, urlsplit

import requests

from redbooth_nb import RedboothError
from redbooth_nb.configuration import Configuration
from redbooth_nb.provider.delivery import LOOPBACK_HOSTS, guides_spelling
from redbooth_nb.provider.visitor import page_message
from redbooth_nb.widgets.browser import Browser
from redbooth_nb.widgets.view import TEXTS, Markup, View

LONGEST_RUN = 60  # seconds, where nobody watches; a person has Cancel
LONGEST_END = 5  # seconds that a script may take to end when it is told to
LINES = 200  # the last ones are kept and shown
SIGN_IN = r"(?m)^Sign in: (\S+)$"


class ScriptPanel(View):
    """Runs a command in `folder` and shows its output. No cell waits for it, except where nobody is at the browser.

    browser: the window that it opened for a sign-in, None before it did.

    Raises RedboothError when it cannot be started, or does not end within a minute where nobody watches.
    """

    def __init__(self, command: list[str], folder: Path) -> None:
        self._lines: deque[str] = deque(maxlen=LINES)
        self._canceled, self._output = "", Markup()
        self.browser: Browser | None = None
        self._cancel = self._button("Cancel", self.cancel)
        super().__init__([self._output, self._message, self._cancel])
        environment = os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "REDBOOTH_IN_NOTEBOOK": "1"}
        try:
            self._process = Popen(
                command, cwd=folder, env=environment, stdout=PIPE, stderr=STDOUT, encoding="utf-8", errors="replace"
            )
        except OSError as error:
            raise RedboothError(f"The script could not be started: {error.strerror}.") from None
        atexit.register(self.cancel)
        self._reader = threading.Thread(target=self._read, name="script output", daemon=True)
        self._reader.start()
        if Configuration.read().unattended:
            self._reader.join(LONGEST_RUN)
            if self.running:
                self.cancel()
                raise RedboothError(f"The script was stopped: it was still running after {LONGEST_RUN} s.")
        self._update()

    @property
    def running(self) -> bool:
        return self._reader.is_alive()

    def wait(self, seconds: float) -> None:
        """Wait at most `seconds` for the script to end, but never for a person's decision."""
        end = time.monotonic() + seconds
        while self.running and (self.browser is None or self.browser.arrived) and time.monotonic() < end:
            self._reader.join(0.1)

    def cancel(self, ending: str = "canceled") -> None:
        """Stop the script. ending: what to say then, by its name in texts.toml."""
        self._canceled = ending
        self._process.terminate()
        try:
            self._process.wait(LONGEST_END)
        except TimeoutExpired:
            self._process.kill()

    def text(self) -> str:
        """Return what the script printed so far, and how it ended, if it didn't end well."""
        (ending, kind), shown = self._ending(), [*self._lines]
        return "\n".join(shown if shown and kind != "notice" else [*shown, ending])

    def _ending(self) -> tuple[str, str]:
        status = self._process.returncode
        ended = "finished" if status == 0 else self._canceled or "failed"
        text, kind = TEXTS["script"]["running" if status is None else ended]
        return text.format(status=status), kind

    def _read(self) -> None:
        with self._process:
            for line in self._process.stdout or ():
                self._lines.append(line.rstrip("\n"))
                self._update()
        atexit.unregister(self.cancel)
        self._update()

    def _update(self) -> None:
        text = "\n".join(self._lines)
        self._output.value = f"<pre>{html.escape(text)}</pre>" if text else ""
        self._message.say(*self._ending())
        asked = re.search(SIGN_IN, text)
        if self.browser is None and asked and guides_spelling(asked[1]):
            uri = dict(parse_qsl(urlsplit(asked[1]).query)).get("redirect_uri", "")
            self.browser = Browser(asked[1], "Sign in with Redbooth", on_arrival=partial(_open, uri))
        window = [self.browser] if self.browser and not self._canceled else []  # nothing waits for its answer then
        rest = [self._cancel] * (self._process.returncode is None)
        self.children = [self._output, self._message, *window, *rest]


def _open(redirect_uri: str, address: str) -> str:
    """Open the address at which the script waits, as a browser does, and return what its page says."""
    if urlsplit(address)[:3] != urlsplit(redirect_uri)[:3] or urlsplit(address).hostname not in LOOPBACK_HOSTS:
        raise RedboothError("The script is not waiting at this address.", remedy="Open it in a browser of your own.")
    session = requests.Session()
    session.trust_env = False  # past any proxy
    try:
        return page_message(session.get(address, timeout=5, allow_redirects=False))
    except requests.RequestException:
        raise RedboothError("Nothing is answering.", why="The script has ended.", remedy="Run it again.") from None
