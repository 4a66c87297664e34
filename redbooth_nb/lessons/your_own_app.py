"""What lesson 06 asks and checks."""

import json
from contextlib import suppress

from redbooth_nb.client.register import Settings
from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.lesson import Lesson, Question, Requirement

WRITE = ("Run the cell with app.write().", "Run the notebook from the top.", "app.write()")
RUN = ("Run a cell with app.run().", "Then click the link it shows, and Allow.", "app.run()")
REGISTER = ("Run the first cell of this notebook.", "It registers an app for you.", 'ready("your-own-app")')


def requirements() -> list[Requirement]:
    """Return what shows that the app is written, needs no kit, and has a token of the app registered now."""
    from redbooth_nb.lessons.take_home import NAME, learners_folder  # noqa: PLC0415  (the other lessons run no script)

    text = token = client_id = ""
    with suppress(OSError, ValueError):
        text = (learners_folder() / NAME).read_text(encoding="utf-8")
    with suppress(OSError, ValueError):
        token = json.loads((learners_folder() / "my_redbooth_token.json").read_text(encoding="utf-8"))
    with suppress(RedboothError):
        client_id = Settings.load().client_id
    alone = bool(text) and "redbooth_nb" not in text
    signed_in = bool(client_id) and isinstance(token, dict) and token.get("client_id") == client_id
    no_token = "It has no token of the app that is registered now." if client_id else "No app is registered now."
    return [
        Requirement(f"{NAME} is written." if text else f"{NAME} is not written yet.", bool(text), WRITE),
        Requirement("It needs nothing of this kit." if alone else "Nothing yet runs without the kit.", alone, WRITE),
        Requirement(
            "It signed in and kept its token." if signed_in else no_token, signed_in, RUN if client_id else REGISTER
        ),
    ]


LESSON = Lesson(
    "your-own-app",
    "06-your-own-app",
    requirements,
    {
        "second-run": Question(
            "You start the app a second time. Does the user have to click Allow again?",
            ("Yes, every time", "No: the token is in the file", "Only if the access token expired"),
            2,
            "The app reads its token file. If the access token has expired, the refresh token beside it helps.",
        ),
        "later-that-day": Question(
            "Two hours later Redbooth answers 401 and says that the token expired. What should the app do?",
            ("Sign in again", "Refresh once, and call again", "Wait"),
            2,
            "That is what the refresh token is for. A second 401 means something else, so it refreshes only once.",
        ),
    },
)
