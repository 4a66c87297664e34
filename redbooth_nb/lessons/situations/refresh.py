"""The situations for `refresh(credentials, token)` and `call(credentials, token, path)`."""

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from oauthlib.oauth2 import InvalidClientError, InvalidGrantError, OAuth2Error, TokenExpiredError

from redbooth_nb.client.wire import connect
from redbooth_nb.lessons.situations.save import check_file, holds, stored
from redbooth_nb.lessons.trial import NO_ANSWERS, Mistake, Situation, Trial, expect
from redbooth_nb.provider.addresses import REVOKE_URL


def _refresh_pair(trial: Trial) -> None:
    old = trial.token(later=7300)
    trial.on_sent = _saved_before_used(old)
    try:
        new = trial.good_token(trial.run(trial.credentials, dict(old)))
    except (InvalidClientError, InvalidGrantError) as error:
        sent = trial.posts()[0]
        expect(sent.get("refresh_token") == old["refresh_token"], "other_refresh_token")
        known = "client_secret" in sent or "Authorization" in trial.sent[0].headers
        raise Mistake("raised" if known else "no_credentials", error=error) from None
    expect(new["refresh_token"] != old["refresh_token"], "old_refresh_token_kept")
    saved = stored() or {}
    expect(saved.get("access_token") == new["access_token"], "new_pair_not_saved")
    expect(saved.get("refresh_token") == new["refresh_token"], "old_refresh_token_kept")
    check_file(trial)


def _saved_before_used(old: dict[str, Any]) -> Callable[[requests.PreparedRequest], None]:
    """Return a watch over requests: a new token is on disk before it is sent."""

    def check(request: requests.PreparedRequest) -> None:
        used = request.headers.get("Authorization", "").rpartition(" ")[2]
        if request.method == "GET" and used not in {"", old["access_token"]}:
            expect((stored() or {}).get("access_token") == used, "used_before_saved")

    return check


def _refresh_dead(trial: Trial) -> None:
    old = trial.token(later=7300)
    error = trial.refused(trial.credentials, old | {"refresh_token": "dead-refresh-token"})
    expect(error, "failure_hidden")
    expect(isinstance(error, OAuth2Error), "dead_unnamed", error=type(error).__name__)
    expect(holds(old), "old_pair_lost")


def _refresh_no_answer(trial: Trial) -> None:
    old = trial.token(later=7300)
    for no_answer in NO_ANSWERS:
        trial.answers = [no_answer, no_answer]
        expect(trial.refused(trial.credentials, dict(old)), "failure_hidden")
        expect(holds(old), "old_pair_lost")


def _answer(trial: Trial, token: dict[str, Any], path: str = "/me") -> requests.Response:
    try:
        answer = trial.run(trial.credentials, dict(token), path)
    except TokenExpiredError:
        raise Mistake("expired_unsent") from None
    expect(isinstance(answer, requests.Response), "no_answer_returned", kind=type(answer).__name__)
    expect(trial.sent, "nothing_sent")
    called = {urlsplit(request.url or "").path for request in trial.sent if request.method == "GET"}
    expect(called == {f"/api/3{path}"}, "other_path", path=path)
    return cast(requests.Response, answer)


def _call_good(trial: Trial) -> None:
    token = trial.token()
    trial.on_sent = lambda request: expect(request.method == "GET", "refreshed_too_early")
    for path in ("/me", "/tasks"):
        answer = _answer(trial, token, path)
        sent = trial.sent[0].headers.get("Authorization", "")
        expect(sent.lower().startswith("bearer "), "no_token_sent")
        expect(answer.ok, "not_accepted", status=answer.status_code)


def _call_expired(trial: Trial) -> None:
    token = trial.token(later=7300)
    trial.on_sent = _saved_before_used(token)
    answer = _answer(trial, token)
    expect(trial.posts(), "not_refreshed")
    expect(len(trial.sent) > 2, "not_called_again")  # noqa: PLR2004
    expect(answer.ok, "not_accepted", status=answer.status_code)


def _no_refresh(mistake: str, prepare: Callable[[Trial], dict[str, Any]]) -> Situation:
    """Return a situation in which `call` has to return the answer as it is."""

    def happens(trial: Trial) -> None:
        token = prepare(trial)
        trial.on_sent = lambda request: expect(request.method == "GET", mistake)
        answer = _answer(trial, token)
        expect(not answer.ok, "failure_hidden")

    return happens


def _revoked(trial: Trial) -> dict[str, Any]:
    token = trial.token()
    fields = {"token": token["access_token"], "client_id": trial.credentials["client_id"]}
    fields["client_secret"] = trial.credentials["client_secret"]
    connect(requests.Session()).post(REVOKE_URL, data=fields, timeout=5)
    return token


def _answered(status: int, **headers: str) -> Callable[[Trial], dict[str, Any]]:
    def prepare(trial: Trial) -> dict[str, Any]:
        trial.answers = [(status, headers)]
        return trial.token()

    return prepare


def _call_still_expired(trial: Trial) -> None:
    token = trial.token(later=7300)
    header = {"WWW-Authenticate": 'Bearer realm="Doorkeeper", error_description="The access token expired"'}

    def refuse(request: requests.PreparedRequest) -> None:
        if request.method == "GET":
            trial.answers.append((401, header))

    trial.on_sent = refuse
    answer = _answer(trial, token)
    expect(not answer.ok, "failure_hidden")


def _call_no_answer(trial: Trial) -> None:
    token = trial.token()
    trial.answers = [*NO_ANSWERS]
    expect(trial.refused(trial.credentials, token, "/me"), "failure_hidden")


SITUATIONS: dict[str, dict[str, Situation]] = {
    "refresh": {"pair": _refresh_pair, "dead": _refresh_dead, "no_answer": _refresh_no_answer},
    "call": {
        "good": _call_good,
        "expired": _call_expired,
        "revoked": _no_refresh("refreshed_revoked", _revoked),
        "no_reason": _no_refresh("refreshed_without_reason", _answered(401)),
        "server_error": _no_refresh("refreshed_without_reason", _answered(500, Expires="0, so it has expired")),
        "still_expired": _call_still_expired,
        "no_answer": _call_no_answer,
    },
}
