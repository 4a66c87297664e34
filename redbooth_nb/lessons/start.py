"""What lesson 00 asks and checks."""

from redbooth_nb.lessons.lesson import Lesson, Question, Requirement
from redbooth_nb.provider.delivery import current_provider


def requirements() -> list[Requirement]:
    """Return what shows that the kit is ready."""
    provider = current_provider()
    answers = provider.now() > 0
    hint = "Run the cells from the top."
    return [Requirement(f"https://redbooth.com is answered by {provider.label}.", answers, (hint, hint, hint))]


LESSON = Lesson(
    "start",
    "00-start-here",
    requirements,
    {
        "password": Question(
            "Your app wants to read a user's Redbooth tasks. What does the user type into your app?",
            ("Their Redbooth password", "Nothing: they sign in at Redbooth itself", "Their Api Key"),
            2,
            "That is the point of OAuth2: your app gets a token with limited power, and never sees a password.",
        ),
    },
)
