"""What lesson 03 asks and checks."""

from redbooth_nb.client.register import Settings
from redbooth_nb.client.store import TokenStore
from redbooth_nb.client.transcript import transcript
from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.lesson import Lesson, Question, Requirement


def requirements() -> list[Requirement]:
    """Return what shows that there is a token and that it works."""
    try:
        token = TokenStore(Settings.load().folder).load()
    except RedboothError:
        token = None
    called = any(e.address.endswith("/api/3/me") and e.status == 200 for e in transcript)  # noqa: PLR2004
    return [
        Requirement(
            "A token is stored." if token else "No token is stored.",
            token is not None,
            (
                "Press Send in the form above, or run the cell below it.",
                "If the code was used or is too old, run ready('exchange') for a new one.",
                "catch_up('refresh') gets a code and exchanges it for you, except on redbooth.com.",
            ),
        ),
        Requirement(
            "Redbooth answered a call of /me with it." if called else "/me was not called in this notebook yet.",
            called,
            (
                "Run the cell that calls /me.",
                "It answers 401 when the token is not sent: look at the Authorization header.",
                "RedboothSession().get('/me')",
            ),
        ),
    ]


LESSON = Lesson(
    "exchange",
    "03-exchange",
    requirements,
    {
        "why-two-steps": Question(
            "Why does Redbooth send a code through the browser, and not the token itself?",
            (
                "Tokens are too long for an address",
                "Addresses end up in histories and logs; a code without the secret is worthless",
                "Browsers refuse tokens",
            ),
            2,
            "The code travels in the open for a moment, works once, and only together with the App secret.",
        ),
        "twice": Question(
            "What will Redbooth answer when the same code is sent a second time?",
            ("The same token again", "A second token", "400 invalid_grant"),
            3,
            "A code works once. A second use is what a thief would do.",
        ),
    },
)
