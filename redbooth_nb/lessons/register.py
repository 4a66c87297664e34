"""What lesson 01 asks and checks."""

from redbooth_nb.client.register import Settings
from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.lesson import Lesson, Question, Requirement


def requirements() -> list[Requirement]:
    """Return what shows that an app is registered."""
    try:
        settings = Settings.load()
    except RedboothError as error:
        settings, problem = None, error.what
    text = f"An app is registered: client id {settings.client_id}." if settings else f"No usable app: {problem}"
    return [
        Requirement(
            text,
            settings is not None,
            (
                "Open the registration page with the link in the form above.",
                "The app's page then shows Api Key and App secret: copy both into the form and press Save.",
                "RegisterForm().save(api_key, app_secret) does the same; catch_up('authorize') does it for you.",
            ),
        )
    ]


LESSON = Lesson(
    "register",
    "01-register",
    requirements,
    {
        "secret": Question(
            "Which of the three may stand in a public web page?",
            ("The App secret", "The Api Key", "Neither"),
            2,
            "The Api Key (client id) travels in every link. The App secret proves that a request comes from your "
            "app, so it stays on your server and out of git.",
        ),
        "return-uri": Question(
            "You register http://127.0.0.1:8765/callback, but ask with http://localhost:8765/callback. What happens?",
            ("It works: they are the same machine", "Redbooth shows an error page", "Redbooth asks which one is right"),
            2,
            "Redbooth compares host and path as text. localhost is not 127.0.0.1.",
        ),
    },
)
