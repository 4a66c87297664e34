"""What lesson 06 asks and checks."""

from redbooth_nb.lessons.lesson import Lesson, Question, Requirement


def requirements() -> list[Requirement]:
    """Return what shows that the app was written, stands on its own feet, and signed in."""
    from redbooth_nb.lessons.own_app import NAME, OwnApp  # noqa: PLC0415  (the other lessons run no script)

    folder = OwnApp().folder
    app = folder / NAME
    text = app.read_text(encoding="utf-8") if app.exists() else ""
    write = ("Run the cell with app.write().", "Run the notebook from the top.", "app.write()")
    run = ("Run the cell with app.run().", f"In a terminal: redbooth-nb run {NAME}", "app.run()")
    alone = bool(text) and "redbooth_nb" not in text
    signed_in = (folder / "my_redbooth_token.json").exists()
    return [
        Requirement(f"{NAME} is written." if text else f"{NAME} is not written yet.", bool(text), write),
        Requirement(
            "It needs nothing of this kit." if alone else "There is nothing to run without the kit yet.", alone, write
        ),
        Requirement("It signed in and kept its token." if signed_in else "It has not signed in yet.", signed_in, run),
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
        "wrong-clock": Question(
            "The app thinks that its token is fresh, but Redbooth says expired. What should it do?",
            ("Sign in again", "Refresh once, and call again", "Wait"),
            2,
            "Clocks differ. The server is right, so refresh once; a second 401 means something else.",
        ),
    },
)
