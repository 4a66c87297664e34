"""`redbooth-nb run app.py`: an unchanged script, delivered to the current provider."""

import os
import runpy
import sys
import threading
import urllib.request
import webbrowser
from pathlib import Path

import requests

from redbooth_nb.client.register import Settings
from redbooth_nb.configuration import Configuration
from redbooth_nb.errors import RedboothError
from redbooth_nb.provider.unattended import press


def run(arguments: list[str]) -> int:
    """Run a script as `python app.py` would; only the delivery of https://redbooth.com differs.

    The script finds the current provider's credentials in its environment. A page it opens is opened at the
    provider, or, where nobody sits at the browser, Allow is pressed. Raises RedboothError without a script.
    """
    script = Path(arguments[0] if arguments else "")
    if not script.is_file():
        raise RedboothError(
            f"There is no script {arguments[0]}." if arguments else "Which script?",
            remedy="Name a Python file: redbooth-nb run my_redbooth_app.py",
        )
    settings = Settings.load()
    os.environ |= {
        "REDBOOTH_CLIENT_ID": settings.client_id,
        "REDBOOTH_CLIENT_SECRET": settings.client_secret.reveal(),
        "REDBOOTH_REDIRECT_URI": settings.redirect_uri,
    }
    make = requests.Session.__init__

    def make_delivered(session: requests.Session) -> None:
        make(session)
        settings.provider.deliver(session)

    requests.Session.__init__ = make_delivered  # type: ignore[method-assign, assignment]  # this process is the script's alone
    webbrowser.open = _browser(settings)
    sys.argv = arguments
    sys.path.insert(0, str(script.parent.absolute()))
    runpy.run_path(str(script), run_name="__main__")
    return 0


def _browser(settings: Settings):  # type: ignore[no-untyped-def]  # noqa: ANN202  (webbrowser.open's own signature)
    really_open = webbrowser.open

    def come_back(address: str) -> None:
        # as a browser does: to the address itself, past any proxy and any delivery
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=30).close()

    def open_at_provider(url: str, *rest: object, **more: object) -> bool:
        if Configuration.read().unattended and settings.provider.kind != "live":
            address = press(requests.Session(), url, settings.redirect_uri, "allow")
            threading.Thread(target=come_back, args=[address], daemon=True).start()  # the script listens after this
            return True
        link = settings.provider.link(url)
        print(f"Sign in: {link}", flush=True)  # noqa: T201  (where no browser opens, this is the way)
        really_open(link, *rest, **more)  # type: ignore[arg-type]
        return True  # with the line above a person can go on, whether a browser opened or not

    return open_at_provider
