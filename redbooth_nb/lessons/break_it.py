"""What lesson 05 asks and checks."""

from redbooth_nb.client.transcript import RoundTrip, transcript
from redbooth_nb.lessons.lesson import Lesson, Question, Requirement


def requirements() -> list[Requirement]:
    """Return what shows that each kind of failure was met."""
    met = list(transcript)
    kinds = {
        "An error page of Redbooth's": [e for e in met if e.address.endswith("/authorize") and _page(e)],
        "An API call without a good token (401)": [e for e in met if "/api/3/" in e.address and e.status == 401],  # noqa: PLR2004
        "A token request refused because of the client (401)": [e for e in met if _said(e, "invalid_client")],
        "A token request refused because of the grant (400)": [e for e in met if _said(e, "invalid_grant")],
    }
    hints = ("Run the cells of that section.", "Run the notebook from the top.", "Run > Run All Cells")
    return [
        Requirement(f"{kind}: {'met' if found else 'not met yet'}.", bool(found), hints)
        for kind, found in kinds.items()
    ]


def _page(round_trip: RoundTrip) -> bool:
    return round_trip.method == "GET" and "web page" in str(round_trip.body)


def _said(round_trip: RoundTrip, error: str) -> bool:
    return isinstance(round_trip.body, dict) and round_trip.body.get("error") == error


LESSON = Lesson(
    "break-it",
    "05-break-it",
    requirements,
    {
        "garbled": Question(
            "One letter of the access token got lost. What does the header of the 401 say?",
            ("expired", "revoked", "invalid"),
            3,
            "Redbooth does not know such a token. Only expired means that a refresh helps.",
        ),
        "error-page": Question(
            "Your link asks with a redirect URI that is not registered. Where does the browser end up?",
            ("At that redirect URI, with an error", "On an error page at Redbooth", "At the registered redirect URI"),
            2,
            "Redbooth must not send anybody to an address it cannot trust. Your app never hears of it.",
        ),
        "secret-or-code": Question(
            "You send a good code with a wrong client secret. Which error is it, and is the code lost?",
            ("invalid_client, the code is still good", "invalid_client, the code is spent", "invalid_grant"),
            1,
            "The client is checked first, so the code was not touched. Correct the secret and send it again.",
        ),
        "race": Question(
            "Two programs refresh at the same moment with the same refresh token. What do they get?",
            ("Both the same new pair", "One a new pair, the other invalid_grant", "Both an error"),
            2,
            "The first use ends the refresh token. That is why the kit locks a file and reads again before it asks.",
        ),
    },
)
