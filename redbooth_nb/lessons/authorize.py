"""What lesson 02 asks and checks."""

from redbooth_nb.client.authorize import PendingAuthorization
from redbooth_nb.client.register import Settings
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.lesson import Lesson, Question, Requirement


def requirements() -> list[Requirement]:
    """Return what shows that the user's permission came back."""
    again = "Run the cell that signs in, click its link, and click Allow on Redbooth's page."
    by_call = "If the notebook keeps waiting, copy the address you were sent to and call panel.paste('http...')."
    answer = "catch_up('exchange') does it for you, except on redbooth.com, where only a person can."
    try:
        settings = Settings.load()
        record = PendingAuthorization(settings).load()
        response = None if record.get("spent") else AuthorizationResponse.last(settings)
    except RedboothError as error:
        return [Requirement(f"No answer from Redbooth yet: {error.what}", holds=False, hints=(again, by_call, answer))]
    got_code = response is None or response.code is not None
    text = "A code came back." if got_code else "The last answer was a denial, so there is no code."
    matched = "state matched the request, so the answer is yours."
    return [
        Requirement(text, got_code, (again, by_call, answer)),
        Requirement(matched, record["answered"], (again, by_call, answer)),
    ]


LESSON = Lesson(
    "authorize",
    "02-authorize",
    requirements,
    {
        "state": Question(
            "A stranger sends you a link to your own callback page, with their code in it. What protects you?",
            ("The code is useless to you", "state: it is not the one you sent", "https"),
            2,
            "Without state your app would take the stranger's code and work in their account with your data.",
        ),
        "deny": Question(
            "The user clicks Deny. What does your app get?",
            ("Nothing: the browser stays at Redbooth", "A redirect with error and error_description", "A 403"),
            2,
            "The browser comes back to your redirect URI either way. Only the parameters differ.",
        ),
    },
)
