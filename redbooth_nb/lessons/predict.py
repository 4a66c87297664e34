"""Predictions: choose first, then run the cell that shows whether you were right."""

import html
from typing import Any, Self

import ipywidgets as w

from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.course import QUESTIONS
from redbooth_nb.lessons.learner import named
from redbooth_nb.widgets.view import Markup, View, field

_given: dict[str, int] = {}  # the answers of this notebook


class Prediction(View):
    """A question to answer before you run the next cell; `choose(number)` does what clicking does."""

    def __init__(self, name: str) -> None:
        self.question = named("question", name, QUESTIONS)
        options = [(text, number) for number, text in enumerate(self.question.choices, 1)]
        self._choices = field(w.RadioButtons, "", options=options, value=None)
        self._choices.observe(self._chosen, names="value")
        super().__init__([Markup(html.escape(self.question.prompt)), self._choices, self._message])
        self._name = name
        self._choices.value = _given.get(name)  # so that a cell that is run again keeps the answer

    def choose(self, number: int) -> Self:
        """Choose an answer by number, from 1, and return the prediction, so that the cell shows it.

        Raises RedboothError for a number that is not among the choices.
        """
        if number not in range(1, (last := len(self.question.choices)) + 1):
            raise RedboothError(f"There is no choice {number!r}.", remedy=f"Choose a number from 1 to {last}.")
        self._choices.value = number
        return self

    def _chosen(self, change: dict[str, Any]) -> None:
        number, asked = change["new"], self.question
        if number is None:
            return
        _given[self._name] = number
        # view.css marks them; a change of the choices themselves would take the keyboard's focus from them
        self.add_class("rv-answered").add_class(f"rv-right-{asked.right}")
        if number == asked.right:
            self._message.say(f"Right. {asked.because}", "right")
        else:
            why = asked.wrong[number - 1 - (number > asked.right)]
            answer = f"The right answer is: {asked.choices[asked.right - 1]}. {asked.because}"
            self._message.say(f"No. {why}\n{answer}", "wrong")

    def text(self) -> str:
        """Return the question and its choices, what was chosen, and then what is right and why."""
        lines, chosen = [f"Predict: {self.question.prompt}"], self._choices.value
        for number, text in enumerate(self.question.choices, 1):
            mark = " (right)" if chosen and number == self.question.right else ""
            lines.append(f"  {'>' if number == chosen else ' '} {number}. {text}{mark}")
        return "\n".join(filter(None, [*lines, self._message.said["text"]]))


predict = Prediction  # as a cell says it
