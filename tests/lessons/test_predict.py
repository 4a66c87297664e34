"""Predictions: nothing is given away before the learner has chosen."""

import ipywidgets as w
import pytest

from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.course import QUESTIONS
from redbooth_nb.lessons.predict import predict


@pytest.mark.parametrize("name", QUESTIONS)
def test_nothing_is_given_away(name: str) -> None:
    prediction = predict(name)
    shown = str(w.Widget.get_manager_state())
    assert prediction.question.because not in shown
    assert "Right." not in shown
    assert prediction._choices._dom_classes == ()
    assert prediction.question.because not in repr(prediction)
    assert ">" not in repr(prediction)


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_choice_gets_its_answer(name: str) -> None:
    prediction = predict(name)
    for number in range(1, len(prediction.question.choices) + 1):
        assert prediction.choose(number) is prediction  # so that a cell that ends with this shows the answer
        question, said = prediction.question, prediction._message.said
        right = number == question.right
        assert said["text"].startswith("Right. " if right else "No. ")
        assert said["kind"] == ("right" if right else "wrong")  # which no label such as "Done." goes with
        assert question.because in said["text"]
        assert prediction.text().endswith(said["text"])
        assert f"> {number}. {question.choices[number - 1]}" in prediction.text()
        assert f"{question.right}. {question.choices[question.right - 1]} (right)" in prediction.text()
        assert prediction.text().count("(right)") == 1
        assert f"rv-right-{question.right}" in prediction._dom_classes


def test_clicking_is_choosing() -> None:
    prediction = predict("no-token")
    prediction._choices.value = prediction.question.right
    assert "Right. The status says" in prediction._message.said["text"]
    prediction._choices.value = None
    assert "  1. 401, and a header with the reason\n" in prediction.text()


@pytest.mark.parametrize("number", [0, 4, -1])
def test_a_choice_that_is_none_is_a_sentence(number: int) -> None:
    with pytest.raises(RedboothError, match=f"There is no choice {number}"):
        predict("no-token").choose(number)


@pytest.mark.parametrize("name", ["no-tokn", ["no-token"]])
def test_a_wrong_name_is_a_sentence(name: str) -> None:
    with pytest.raises(RedboothError, match=r"There is no question .*no-tok"):
        predict(name)


def test_a_question_that_is_asked_again_keeps_its_answer() -> None:
    """A cell is run again easily: JupyterLab makes it the current one when an answer is clicked."""
    name = next(iter(QUESTIONS))
    predict(name).choose(2)
    again = predict(name)
    assert "> 2." in again.text()
    assert "(right)" in again.text()
