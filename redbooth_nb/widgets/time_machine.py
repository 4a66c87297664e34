"""The time machine: the sandbox's clock and its switches."""

import time

import ipywidgets as w

from redbooth_nb.errors import RedboothError
from redbooth_nb.provider.delivery import EmbeddedSandbox, current_provider
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.view import View, button, field, row

HOUR = 3600  # seconds
SWITCHES = {
    "refresh_revokes_old": ("A refresh ends the old pair", ("at once", "on first use")),
    "state": ("state on the way back", ("echoed", "dropped")),
    "style": ("Answers", ("5.5", "2015")),
    "rate_limited": ("API calls get 429", (False, True)),
    "token_lifetime": ("New tokens live (seconds)", (7200, 60, 2)),
}


class TimeMachine(View):
    """Moves the sandbox's clock and sets its switches; each button is also a method.

    Raises RedboothError on any other provider: only the sandbox's time is yours.
    """

    picture = (
        "time-machine",
        "how far the sandbox is ahead, buttons for one and two hours later and back, and its switches.",
    )

    def __init__(self) -> None:
        provider = current_provider()
        if not isinstance(provider, EmbeddedSandbox):
            raise RedboothError(
                f"Only the sandbox's clock can be moved, and https://redbooth.com is answered by {provider.label}.",
                remedy="Use REDBOOTH_PROVIDER=sandbox and restart the kernel, or wait two hours.",
            )
        self._sandbox = provider.sandbox
        self._message = Message()
        moves = [
            button("One hour later", lambda: self.later(HOUR), self._message),
            button("Two hours later", lambda: self.later(2 * HOUR), self._message),
            button("Back to now", self.back_to_now, self._message),
        ]
        self._fields = {name: self._field(name, *about) for name, about in SWITCHES.items()}
        reset = button("Forget everything", self.reset, self._message)
        super().__init__([self._message, row(*moves), *self._fields.values(), reset])
        self._say()

    def later(self, seconds: float) -> None:
        """Move the sandbox's clock on."""
        self._sandbox.advance(seconds)
        self._say()

    def back_to_now(self) -> None:
        """Set the sandbox's clock to the machine's."""
        self._sandbox.reset_clock()
        self._say()

    def switch(self, **changes: object) -> None:
        """Set switches, such as `switch(state="dropped")`. Raises SandboxError, naming the right values."""
        self._sandbox.switch(**changes)
        for name, value in changes.items():
            if name in self._fields:
                self._fields[name].value = value
        self._say()

    def reset(self) -> None:
        """Empty the sandbox: apps, codes, tokens, clock and switches. Your app has to be registered again."""
        self._sandbox.reset()
        for name, choice in self._fields.items():
            choice.value = getattr(self._sandbox.switches, name)
        self._say()

    def text(self) -> str:
        """Say how far the clock is ahead, and which switches differ from the usual."""
        ahead = round((self._sandbox.now() - time.time()) / 60)
        hours, minutes = divmod(abs(ahead), 60)
        when = f"{hours} h {minutes} min {'ahead' if ahead > 0 else 'behind'}" if ahead else "the same as yours"
        switches = self._sandbox.switches
        changed = [
            f"{about[0]}: {getattr(switches, name)}"
            for name, about in SWITCHES.items()
            if getattr(switches, name) != about[1][0]
        ]
        return "\n".join([f"The sandbox's clock is {when}.", *changed])

    def _field(self, name: str, label: str, choices: tuple[object, ...]) -> w.Dropdown:
        now = getattr(self._sandbox.switches, name)
        options = [(_word(choice), choice) for choice in dict.fromkeys([*choices, now])]
        choice = field(w.Dropdown, label, label_width="15rem", options=options, value=now)
        choice.observe(lambda change: self._chosen(name, change["new"]), names="value")
        return choice

    def _chosen(self, name: str, value: object) -> None:
        if getattr(self._sandbox.switches, name) != value:
            self.switch(**{name: value})

    def _say(self) -> None:
        self._message.say(self.text())


def _word(choice: object) -> str:
    return {False: "no", True: "yes"}.get(choice, str(choice)) if isinstance(choice, bool) else str(choice)
