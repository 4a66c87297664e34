"""Break it: choose a fault, predict what comes of it, run it, compare."""

import ipywidgets as w

from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.faults import FAULTS, OUTCOMES, cause
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.view import Markup, View, block, button, field


class FaultLab(View):
    """Seventeen ways to fail; `run(name, predicted)` does what the button does."""

    picture = "fault-lab"

    def __init__(self) -> None:
        self._message, self._answer = Message(), Markup()
        options = [(f"{fault.stage}: {fault.title}", name) for name, fault in FAULTS.items()]
        self._fault = field(w.Dropdown, "Do this", label_width="8rem", options=options)
        self._predicted = field(w.RadioButtons, "I predict", label_width="8rem", options=OUTCOMES, value=None)
        self._fault.observe(lambda _: self._clear(), names="value")
        run = button("Run", self._clicked, self._message, primary=True)
        super().__init__([self._fault, self._predicted, run, self._message, self._answer])

    def run(self, name: str, predicted: str = "") -> None:
        """Cause a fault and show what came of it, beside what was predicted. Raises what `cause` raises."""
        if name in FAULTS:
            self._fault.value = name
        if predicted:
            if predicted not in OUTCOMES:
                raise RedboothError(f"{predicted!r} is no outcome.", remedy=f"Use one of: {'; '.join(OUTCOMES)}.")
            self._predicted.value = predicted
        said, outcome = cause(name), FAULTS[name].outcome
        self._answer.show(block(said))
        if self._predicted.value is None:
            self._message.say(f"It is {outcome}. Predict first next time: it sticks better.")
        elif self._predicted.value == outcome:
            self._message.say(f"As you predicted: {outcome}.", "good")
        else:
            self._message.say(f"You predicted {self._predicted.value}; it is {outcome}.")

    def text(self) -> str:
        """Return the faults by name."""
        return "\n".join(f"{name}: {fault.title} ({fault.stage})" for name, fault in FAULTS.items())

    def _clicked(self) -> None:
        self.run(self._fault.value)

    def _clear(self) -> None:
        self._predicted.value = None
        self._answer.show("")
        self._message.say(f"What will happen with {FAULTS[self._fault.value].title}?")
