"""The time machine: the sandbox's clock and its switches."""

import time
from typing import Any

import ipywidgets as w

from redbooth_nb.errors import RedboothError
from redbooth_nb.provider.delivery import EmbeddedSandbox, current_provider
from redbooth_nb.widgets.live import LiveView
from redbooth_nb.widgets.view import TEXTS, Asking, field, row

HOUR = 3600  # seconds
SWITCHES: dict[str, dict[str, Any]] = TEXTS["switches"]
SAID = TEXTS["time-machine"]


def shown(choice: object) -> str:
    return str(SAID["choices"].get(str(choice), choice))


def changed_switches(provider: EmbeddedSandbox) -> list[str]:
    """Return in words the switches that are not at their usual values."""
    now = vars(provider.sandbox.switches)
    switches = [(how["label"], now[name], how["choices"][0]) for name, how in SWITCHES.items()]
    return [f"{label}: {shown(value)}" for label, value, usual in switches if value != usual]


class TimeMachine(LiveView):
    """Moves the sandbox's clock and sets its switches; each button is also a method.

    Raises RedboothError on any other provider: only the sandbox's clock is yours to move.
    """

    def __init__(self) -> None:
        provider = current_provider()
        if not isinstance(provider, EmbeddedSandbox):
            raise RedboothError(SAID["elsewhere"].format(provider=provider.label), remedy=SAID["remedy"])
        self._provider, self._sandbox = provider, provider.sandbox
        self._moves = row(
            self._button("One hour later", lambda: self.later(HOUR)),
            self._button("Two hours later", lambda: self.later(2 * HOUR)),
            self._button("Back to now", self.back_to_now),
        )
        self._fields: dict[str, w.Dropdown] = {}
        self._reset = Asking(self._message, self._button, "Reset the sandbox", self.reset, *SAID["question"])
        super().__init__([])

    def later(self, seconds: float) -> None:
        """Move the sandbox's clock forward."""
        self._sandbox.advance(seconds)
        self.update()

    def back_to_now(self) -> None:
        """Set the sandbox's clock to the machine's."""
        self._sandbox.reset_clock()
        self.update()

    def switch(self, **changes: object) -> None:
        """Set switches, such as `switch(state="dropped")`. Raises SandboxError, naming the right values."""
        self._sandbox.switch(**changes)
        self.update()

    def reset(self) -> None:
        """Empty the sandbox: apps, codes, tokens, clock and switches. Your app has to be registered again."""
        self._sandbox.reset()
        self.update()

    def text(self) -> str:
        """Say how far ahead the clock is, and which switches differ from their defaults."""
        ahead = round((self._sandbox.now() - time.time()) / 60)
        hours, minutes = divmod(abs(ahead), 60)
        when = f"{hours} h {minutes} min {'ahead' if ahead > 0 else 'behind'}" if ahead else "the same as yours"
        return "\n".join([f"The sandbox's clock is {when}.", *changed_switches(self._provider)])

    def _field(self, name: str, now: object, label: str, choices: list[object]) -> w.Dropdown:
        options = [(shown(choice), choice) for choice in dict.fromkeys([*choices, now])]
        choice = field(w.Dropdown, label, label_width="16rem", options=options, value=now)

        def chosen(change: dict[str, object]) -> None:
            if getattr(self._sandbox.switches, name) != change["new"]:  # else it only shows what was set elsewhere
                self.switch(**{name: change["new"]})

        choice.observe(chosen, names="value")
        return choice

    def _show(self) -> None:
        try:
            switches = vars(self._sandbox.switches)
            for name, how in SWITCHES.items():
                known = self._fields.get(name)
                if known is None or switches[name] not in dict(known.options).values():  # a value of its own
                    self._fields[name] = self._field(name, switches[name], **how)
                self._fields[name].value = switches[name]
            self.children = [self._message, self._moves, *self._fields.values(), self._reset]
            if not self._reset.asks:
                self._message.say(self.text())
        except RedboothError as error:
            self._message.say(str(error), "problem")
