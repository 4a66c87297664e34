"""What lesson 04 asks and checks."""

from redbooth_nb.client.register import Settings
from redbooth_nb.client.store import TokenStore
from redbooth_nb.client.transcript import transcript
from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.lesson import Lesson, Question, Requirement


def requirements() -> list[Requirement]:
    """Return what shows that the token was refreshed and the new pair kept."""
    refreshed = [e for e in transcript if ("grant_type", "refresh_token") in e.fields and e.status == 200]  # noqa: PLR2004
    newest = refreshed[-1].body.get("refresh_token") if refreshed and isinstance(refreshed[-1].body, dict) else None
    try:
        token = TokenStore(Settings.load().folder).load()
    except RedboothError:
        token = None
    kept = token is not None and newest is not None and token.refresh_token == newest
    return [
        Requirement(
            "Redbooth gave a new pair of tokens." if refreshed else "No token was refreshed in this notebook yet.",
            bool(refreshed),
            ("Press Refresh on the token card.", "Or run the cell with refresh().", "refresh()"),
        ),
        Requirement(
            "The newest refresh token is the one that is stored."
            if kept
            else "The newest refresh token is not stored.",
            kept,
            (
                "Whoever gets a new pair has to save it before doing anything else.",
                "TokenStore(settings.folder).save(token)",
                "refresh() asks, saves and returns, in this order.",
            ),
        ),
    ]


LESSON = Lesson(
    "refresh",
    "04-refresh",
    requirements,
    {
        "two-hours": Question(
            "Two hours have passed. What does Redbooth answer to the old access token?",
            ("200: it is still you", "401, saying that the token expired", "A redirect to the sign-in page"),
            2,
            "An access token lives 7200 seconds. The answer says why in the header WWW-Authenticate.",
        ),
        "old-refresh-token": Question(
            "You refreshed, then lost the answer and send the old refresh token again. What happens?",
            ("The same new pair comes back", "Another new pair comes", "400 invalid_grant: the user must allow again"),
            3,
            "Each access token comes with its own refresh token, and using it ends both. Save first, then use.",
        ),
    },
)
