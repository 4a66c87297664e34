"""With widgets switched off, a person does the whole tour by function calls alone."""

import re

from notebooks.lessons import NAMES, ROOT, Lessons

SHELL = str(ROOT / "tests" / "notebooks" / "without_widgets.py")
SHOWN = {
    "00-start-here": "0 of 4 stages done. Next is register.",
    "01-register": "An app is registered: client id",
    "02-authorize": "Denied: access_denied.",
    "03-exchange": "('Ada', 'Marlow')",
    "04-refresh": 'error_description="The access token expired"',
    "05-help-desk": "tickets are solved.",
    "06-your-own-app": "Please sign in again.",
    "07-every-error": "--> 400 Bad Request: invalid_grant",
}


def test_the_tour_by_function_calls(lessons: Lessons) -> None:
    """Every lesson in a plain Python shell, a process each, with nobody's button pressed by the kit."""
    assert SHOWN.keys() == {*NAMES}, "each lesson needs something that it is sure to print"
    lessons.solve()
    for number, name in enumerate(NAMES, 1):
        file = lessons.path(name)
        done = lessons.python(SHELL, str(file), cwd=file.parent, BROWSER="true")
        assert done.returncode == 0, done.stderr[-3000:]
        # a check says so only when it finds nothing left to do, and the first cell when there is something to say
        assert re.findall(rf"Lessons  (\d) of {len(NAMES)} done", done.stdout)[-1] == str(number), done.stdout[-3000:]
        assert SHOWN[name] in done.stdout
