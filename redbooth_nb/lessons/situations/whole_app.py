"""Three runs of the whole app: it signs in, two hours later it refreshes, and it signs in again after a revocation."""

from typing import Any

import requests

from redbooth_nb.client.wire import connect
from redbooth_nb.lessons.situations.register import write_env
from redbooth_nb.lessons.trial import REDIRECT_URI, Situation, Trial, expect
from redbooth_nb.provider.addresses import ORIGIN
from redbooth_nb.provider.visitor import Visitor, press


def _three_runs(trial: Trial) -> None:
    browser = connect(requests.Session())

    def sign_in(credentials: Any, state: str) -> str:
        return press(browser, trial.app["authorization_link"](credentials, state), REDIRECT_URI, "allow")

    write_env(trial)
    trial.load()["wait_for_callback"] = sign_in
    _run(trial)
    trial.sandbox.advance(7300)
    _run(trial)
    user = Visitor(browser)
    user.open(f"{ORIGIN}/oauth2/authorized_applications")
    user.press("Revoke")
    _run(trial)


def _run(trial: Trial) -> None:
    trial.run()
    expect(trial.seen, "nothing_sent")
    expect(trial.seen[-1].status == requests.codes.ok, "not_accepted", status=trial.seen[-1].status)


SITUATIONS: dict[str, dict[str, Situation]] = {"main": {"three_runs": _three_runs}}
