"""A script in a process of its own, with what it prints shown as it comes."""

import atexit
import html
import os
import re
import subprocess
import threading
from pathlib import Path

from redbooth_nb.configuration import Configuration
from redbooth_nb.errors import RedboothError
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.view import Markup, View, button, link

LONGEST_RUN = 60  # seconds, where nobody watches; a person has Cancel


class ScriptPanel(View):
    """Runs a command in `folder` and shows its output. No cell waits for it, except where nobody sits at the browser.

    Raises RedboothError when it cannot be started, or does not end within a minute where nobody watches.
    """

    def __init__(self, command: list[str], folder: Path) -> None:
        self._lines: list[str] = []
        self._message = Message()
        self._output = Markup()
        self._cancel = button("Cancel", self.cancel, self._message)
        super().__init__([self._output, self._message, self._cancel])
        problem = ""
        try:
            self._process = subprocess.Popen(  # noqa: S603  (the kit's own command)
                command, cwd=folder, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
        except OSError as error:
            problem = error.strerror or "the system gave no reason"
        if problem:
            raise RedboothError(f"The script could not be started: {problem}.", remedy="Write it first: app.write()")
        atexit.register(self.cancel)
        self._reader = threading.Thread(target=self._read, name="script output", daemon=True)
        self._reader.start()
        if Configuration.read().unattended:
            self._reader.join(LONGEST_RUN)
        self._update()

    @property
    def running(self) -> bool:
        """Whether the script still runs."""
        return self._reader.is_alive()

    def cancel(self) -> None:
        """End the script."""
        self._process.terminate()

    def text(self) -> str:
        """Return what the script printed so far, and how it ended if it failed."""
        lines = list(self._lines)
        if self._process.returncode:
            lines.append(f"(ended with status {self._process.returncode})")
        return "\n".join(lines) or "The script is running."

    def _read(self) -> None:
        with self._process:
            for line in self._process.stdout or ():
                self._lines.append(line.rstrip("\n"))
                self._update()
        atexit.unregister(self.cancel)
        self._update()

    def _update(self) -> None:
        shown = html.escape("\n".join(self._lines))
        shown = re.sub(
            r"(?m)^Sign in: (\S+)$", lambda found: link(html.unescape(found[1]), "Sign in with Redbooth"), shown
        )
        self._output.show(f'<pre style="white-space:pre-wrap">{shown}</pre>' if shown else "")
        if self._process.returncode is None:
            self._message.say("Running. If it asks you to sign in, click the link and decide.")
        elif self._process.returncode == 0:
            self._message.say("The script came to its end.", "good")
        else:
            self._message.say(f"The script ended with status {self._process.returncode}.", "problem")
        if self._process.returncode is not None:
            self.children = [self._output, self._message]
