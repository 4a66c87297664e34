"""Predictions: choose first, then run the cell that shows whether you were right."""

import html
from typing import Any

import ipywidgets as w

from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.course import QUESTIONS, named
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.view import Markup, View, field


class Prediction(View):
    """A question to answer before running on; `choose(number)` does what clicking does."""

    def __init__(self, name: str) -> None:
        self.question = named("question", name, QUESTIONS)
        self._message = Message()
        options = [(text, number) for number, text in enumerate(self.question.choices, 1)]
        self._choices = field(w.RadioButtons, "", options=options, value=None)
        self._choices.observe(self._chosen, names="value")
        prompt = Markup(f"<strong>Predict:</strong> {html.escape(self.question.prompt)}")
        super().__init__([prompt, self._choices, self._message])

    def choose(self, number: int) -> None:
        """Choose an answer, from 1. Raises RedboothError for a number that is not among the choices."""
        if number not in range(1, len(self.question.choices) + 1):
            raise RedboothError(f"There is no choice {number}.", remedy=f"Choose 1 to {len(self.question.choices)}.")
        self._choices.value = number

    def _chosen(self, change: dict[str, Any]) -> None:
        if change["new"] is not None:
            right = change["new"] == self.question.right
            said = f"{'Right.' if right else 'Not quite.'} {self.question.because}"
            self._message.say(said, "good" if right else "info")

    def text(self) -> str:
        """Return the question and its choices, and what was chosen."""
        lines = [f"Predict: {self.question.prompt}"]
        for number, text in enumerate(self.question.choices, 1):
            lines.append(f"  {'>' if number == self._choices.value else ' '} {number}. {text}")
        return "\n".join(lines)


predict = Prediction  # as a cell says it
