"""What lesson 06 asks and checks; what it says is in your_own_app.toml."""

import json
import tomllib
from contextlib import suppress
from pathlib import Path

from redbooth_nb.client.register import Settings
from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.lesson import Lesson, Question, Requirement

TEXTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def requirements() -> list[Requirement]:
    """Return what shows that the app is written, needs no kit, and has a token of the app registered now."""
    from redbooth_nb.lessons.take_home import NAME, TakeHomeApp  # noqa: PLC0415  (the other lessons run no script)

    folder, text, owner, client_id = TakeHomeApp().folder, "", "", ""
    with suppress(OSError, ValueError):
        text = (folder / NAME).read_text(encoding="utf-8")
    with suppress(OSError, ValueError, TypeError, KeyError):
        owner = json.loads((folder / "my_redbooth_token.json").read_text(encoding="utf-8"))["client_id"]
    with suppress(RedboothError):
        client_id = Settings.load().client_id
    done = {"written": bool(text), "alone": bool(text) and "redbooth_nb" not in text}
    done["signed_in" if client_id else "registered"] = bool(client_id) and owner == client_id
    texts = TEXTS["requirements"]
    return [
        Requirement(texts[name]["done" if holds else "missing"], holds, tuple(texts[name]["hints"]))
        for name, holds in done.items()
    ]


QUESTIONS = {name: Question(**each) for name, each in TEXTS["questions"].items()}
LESSON = Lesson("your-own-app", "06-your-own-app", requirements, QUESTIONS)
