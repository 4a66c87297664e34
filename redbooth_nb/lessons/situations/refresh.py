"""The situations for `refresh(credentials, token)` and `call(credentials, token, path)`, and for the whole app."""

import os
import sys
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import requests
from oauthlib.oauth2 import InvalidGrantError, OAuth2Error
from werkzeug.wrappers import Response

from redbooth_nb.lessons.situations.files import TOKEN_FILE, check_file, check_privacy, holds, stored, write_env
from redbooth_nb.lessons.trial import NO_ANSWERS, Json, Trial, expect
from redbooth_nb.provider.addresses import ORIGIN, REVOKE_URL, TOKEN_URL
from redbooth_nb.provider.visitor import Visitor

MOST_TRIES = 6  # of a GET, which may be sent again
AHEAD = 10**6  # seconds; how long a token is still valid by the clock of a computer that is behind


def _expired_token(trial: Trial) -> Json:
    """Return a stored token that has expired. From now on, what is sent to refresh it and after that is judged."""
    old = trial.token(later=7300)

    def check(request: requests.PreparedRequest) -> None:
        used = request.headers.get("Authorization", "").rpartition(" ")[2]
        if request.method == "GET":
            known = used in ("", old["access_token"], (stored() or {}).get("access_token"))
            expect(known, "used_before_saved")
            return
        form = "urlencoded" in str(request.headers.get("Content-Type"))  # Redbooth reads JSON and multipart, too
        for sent in trial.posts() if form else ():
            expect(sent.get("refresh_token") == old["refresh_token"], "other_refresh_token")
            expect({*sent} >= {"client_id", "client_secret"} or used, "no_credentials")

    trial.on_sent = check
    return old


def _revoked_token(trial: Trial) -> Json:
    token = trial.token()
    trial.browser.post(REVOKE_URL, data={"token": token["access_token"], **trial.credentials}, timeout=5)
    return token


def refresh_pair(trial: Trial) -> None:
    old = _expired_token(trial)
    deleted: list[str] = []
    sys.addaudithook(lambda event, about: deleted.append(os.fsdecode(about[0])) if event == "os.remove" else None)
    with TOKEN_FILE.open() as before:  # open, so that no other file gets its number
        new = trial.good_token(trial.run(trial.credentials, old | {"expires_at": old["expires_at"] + AHEAD}))
        in_place = TOKEN_FILE.exists() and os.path.samestat(os.fstat(before.fileno()), TOKEN_FILE.stat())
    expect(new["refresh_token"] != old["refresh_token"], "old_refresh_token_kept")
    saved = stored() or {}
    expect(saved.get("access_token") == new["access_token"], "new_pair_not_saved")
    expect(saved.get("refresh_token") == new["refresh_token"], "old_refresh_token_kept")
    check_file(trial)
    check_privacy(trial, "others_can_read_a_copy")
    expect(not in_place and TOKEN_FILE.name not in {Path(each).name for each in deleted}, "saved_in_place")


def _failed(trial: Trial, old: Json) -> BaseException | None:
    """Refresh where that fails, and return the exception. The old pair has to be there still."""
    return trial.failed(trial.credentials, dict(old), check=lambda: expect(holds(old), "old_pair_lost"))


def refresh_dead(trial: Trial) -> None:
    old = _revoked_token(trial)
    trial.later += 7300
    error = _failed(trial, old)
    named = isinstance(error, OAuth2Error) and error.error in {"invalid_grant", "invalid_request"}  # as get() asks
    expect(named, "dead_unnamed", error=type(error).__name__)


def refresh_no_answer(trial: Trial) -> None:
    old = trial.token(later=7300)
    for no_answer in (*NO_ANSWERS, Response("<h1>Sorry</h1>", 500), Response("Retry later", 429)):
        trial.answers = [no_answer, no_answer]
        expect(not isinstance(_failed(trial, old), InvalidGrantError), "called_dead")


def _answer(trial: Trial, token: Json, path: str = "/me") -> requests.Response:
    answer = trial.run(trial.credentials, dict(token), path)
    expect(isinstance(answer, requests.Response), "no_answer_returned", kind=type(answer).__name__)
    expect(trial.sent, "nothing_sent")
    methods = {request.method for request in trial.sent if request.url != TOKEN_URL}
    expect(methods <= {"GET"}, "other_method", method=", ".join(map(str, methods)))
    called = {urlsplit(request.url or "").path for request in trial.sent if request.method == "GET"}
    expect(called == {f"/api/3{path}"}, "other_path", path=path)
    return cast(requests.Response, answer)


def call_good(trial: Trial) -> None:
    token = trial.token()
    trial.on_sent = lambda request: expect(request.url != TOKEN_URL, "refreshed_too_early")
    for path in ("/me", "/tasks"):
        answer = _answer(trial, token, path)
        sent = trial.sent[0].headers.get("Authorization", "")
        expect(sent.lower().startswith("bearer "), "no_token_sent")
        expect(answer.ok, "not_accepted", status=answer.status_code)


def call_expired(trial: Trial) -> None:
    for ahead in (0, AHEAD):
        old = _expired_token(trial)
        answer = _answer(trial, old | {"expires_at": old["expires_at"] + ahead})
        expect(trial.posts(), "not_refreshed")
        expect(trial.sent[-1].method == "GET", "not_called_again")  # whether it was called before it was refreshed, too
        expect(answer.ok, "not_accepted", status=answer.status_code)
        used = trial.sent[-1].headers.get("Authorization", "").rpartition(" ")[2]
        expect((stored() or {}).get("access_token") == used, "new_pair_not_saved")


def _no_refresh(trial: Trial, token: Json, mistake: str) -> None:
    """Expect that `call` returns the refusal as it is."""
    trial.on_sent = lambda request: expect(request.method == "GET", mistake)
    expect(not _answer(trial, token).ok, "refusal_hidden")


def call_revoked(trial: Trial) -> None:
    _no_refresh(trial, _revoked_token(trial), "refreshed_revoked")


def call_no_reason(trial: Trial) -> None:
    trial.answers = [Response(status=401)]
    _no_refresh(trial, trial.token(), "refreshed_without_reason")
    _no_refresh(trial, trial.token() | {"access_token": "never-issued"}, "refreshed_without_reason")


def call_server_error(trial: Trial) -> None:
    trial.answers = [Response(status=500, headers={"Expires": "0, so it has expired"})] * MOST_TRIES
    _no_refresh(trial, trial.token(), "refreshed_without_reason")


def call_still_expired(trial: Trial) -> None:
    token = trial.token(later=7300)
    header = {"WWW-Authenticate": 'Bearer realm="Doorkeeper", error_description="The access token expired"'}

    def refuse(request: requests.PreparedRequest) -> None:
        if request.method == "GET":
            trial.answers.append(Response(status=401, headers=header))

    trial.on_sent = refuse
    expect(not _answer(trial, token).ok, "failure_hidden")


def call_no_answer(trial: Trial) -> None:
    token = trial.token()
    trial.answers = [*NO_ANSWERS] * MOST_TRIES
    trial.failed(trial.credentials, token, "/me")


def main(trial: Trial, **switches: object) -> None:
    """Run the app three times: it signs in, two hours later it refreshes, and after a revocation it signs in again."""
    trial.sandbox.switch(**switches)
    write_env(trial)
    app = trial.load()
    app["wait_for_callback"] = lambda *given: trial.follow(app["authorization_link"](*given))
    _run(trial)
    trial.later += 7300
    _run(trial)
    user = Visitor(trial.browser)
    user.open(f"{ORIGIN}/oauth2/authorized_applications")
    user.press("Revoke")
    _run(trial)


def _run(trial: Trial) -> None:
    trial.run()
    expect(trial.seen, "nothing_sent")
    expect(trial.seen[-1].status == requests.codes.ok, "not_accepted", status=trial.seen[-1].status)
