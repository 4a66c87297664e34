"""The situations for `exchange(credentials, address, state)`."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from oauthlib.oauth2 import InsecureTransportError, InvalidClientError, InvalidGrantError, OAuth2Error

from redbooth_nb.lessons import my_redbooth_app
from redbooth_nb.lessons.trial import NO_ANSWERS, REDIRECT_URI, STATE, Mistake, Situation, Trial, expect


def _try_exchange(trial: Trial, address: str) -> Any:
    try:
        return trial.run(trial.credentials, address, STATE)
    except InsecureTransportError:
        raise Mistake("http_refused") from None
    except InvalidClientError:
        raise Mistake("no_credentials") from None
    except InvalidGrantError:
        raise Mistake("other_redirect_uri") from None


def _allow(trial: Trial) -> None:
    for scheme in ("http", "https"):  # the latter on a server
        trial.good_token(_try_exchange(trial, scheme + trial.arrive().removeprefix("http")))


def _forged(trial: Trial) -> None:
    for ending in ("state=guessed", "", "state=guessed&attempt=guessed"):
        code = dict(parse_qsl(urlsplit(trial.arrive()).query))["code"]
        error = trial.refused(trial.credentials, f"{REDIRECT_URI}?code={code}&{ending}", STATE)
        compared, given = trial.fetched
        if trial.sent:
            own = compared == "guessed"
            raise Mistake("compared_with_itself" if own else "code_passed" if given.get("code") else "forged_sent")
        expect(error, "forged_ignored")


def _deny(trial: Trial) -> None:
    error = trial.refused(trial.credentials, trial.arrive("deny"), STATE)
    expect(not trial.sent, "deny_sent")
    expect(error, "deny_ignored")
    expect(isinstance(error, OAuth2Error | SystemExit), "deny_by_accident", error=type(error).__name__)


def _dropped(trial: Trial) -> None:
    trial.sandbox.switch(state="dropped")
    address = trial.arrive()
    error = trial.refused(trial.credentials, address, STATE)
    expect(error is None, "dropped_refused", error=type(error).__name__)


def _refused(trial: Trial) -> None:
    address = trial.arrive()
    my_redbooth_app.exchange(trial.credentials, address, STATE)
    expect(trial.refused(trial.credentials, address, STATE), "failure_hidden")


def _no_answer(trial: Trial) -> None:
    for no_answer in NO_ANSWERS:
        trial.answers = [no_answer, no_answer]
        expect(trial.refused(trial.credentials, trial.arrive(), STATE), "failure_hidden")


SITUATIONS: dict[str, dict[str, Situation]] = {
    "exchange": {
        "allow": _allow,
        "forged": _forged,
        "deny": _deny,
        "dropped": _dropped,
        "refused": _refused,
        "no_answer": _no_answer,
    },
}
