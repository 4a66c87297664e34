"""Three runs of the whole app: it signs in, two hours later it refreshes, and it signs in again after a revocation.

And the same with every switch of the sandbox.
"""

from functools import partial
from typing import Any

import requests

from redbooth_nb.client.wire import connect
from redbooth_nb.lessons.situations.register import write_env
from redbooth_nb.lessons.trial import REDIRECT_URI, Situation, Trial, expect
from redbooth_nb.provider.addresses import ORIGIN
from redbooth_nb.provider.visitor import Visitor, press


def _three_runs(trial: Trial, **switches: object) -> None:
    trial.sandbox.switch(**switches)
    browser = connect(requests.Session())

    def sign_in(credentials: Any, state: str) -> str:
        return press(browser, trial.app["authorization_link"](credentials, state), REDIRECT_URI, "allow")

    write_env(trial)
    trial.load()["wait_for_callback"] = sign_in
    _run(trial)
    trial.later += 7300
    _run(trial)
    user = Visitor(browser)
    user.open(f"{ORIGIN}/oauth2/authorized_applications")
    user.press("Revoke")
    _run(trial)


def _run(trial: Trial) -> None:
    trial.run()
    expect(trial.seen, "nothing_sent")
    expect(trial.seen[-1].status == requests.codes.ok, "not_accepted", status=trial.seen[-1].status)


SITUATIONS: dict[str, dict[str, Situation]] = {
    "main": {
        "as_it_is": _three_runs,
        "state_dropped": partial(_three_runs, state="dropped"),
        "old_pair_until_first_use": partial(_three_runs, refresh_revokes_old="on first use"),
        "answers_of_2015": partial(_three_runs, style="2015"),
        "short_lifetimes": partial(_three_runs, token_lifetime=60, code_lifetime=60),
    }
}
