"""What people see: the consent page, what they have allowed, and the console, where applications are registered."""

import datetime as dt
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from redbooth_nb.provider.sandbox import rules
from redbooth_nb.provider.sandbox.data import TOKEN_TYPE, Application, Code, Token
from redbooth_nb.provider.sandbox.web import answer, from_the_page, given, signed_in, tx

pages = Blueprint("pages", __name__, url_prefix="/oauth2")

_LIVING = "WHERE application_id = ? AND user_id = ? AND revoked_at IS NULL"
_EMPTY = {"name": "", "redirect_uri": "", "scopes": "", "confidential": True}


@pages.route("/authorize", methods=["GET", "POST"])
def _authorize() -> Response | str:
    """Show the consent page, or its errors with status 200; issue a code (or token) if the user allows it or once did.

    A bare POST, which the guide permits, gets the consent page too.
    """
    allowed = request.method == "POST" and from_the_page(given())
    parameters, application = _asked()
    try:
        application, asked = rules.check_authorization(parameters, application)
    except rules.RefusedError as refused:
        return _refuse(refused, parameters) if allowed else render_template("refused.html", message=refused.description)
    if not allowed and application.confidential:
        wanted = set(asked["scope"].split())
        known = tx.records(Token, _LIVING, application.id, signed_in()["id"])  # even an expired token will do
        allowed = any(set(token.scopes.split()) == wanted for token in known)
    if allowed:
        return _grant(application, asked)
    return render_template("consent.html", application=application, asked=asked)


@pages.delete("/authorize")
def _deny() -> Response:
    parameters, application = _asked()
    return _refuse(rules.denial(parameters, application), parameters)


@pages.get("/authorize/native")
def _show_code() -> str:
    # for an out-of-band redirect URI; unconfirmed for Redbooth
    return render_template("code.html", code=request.args.get("code", ""))


@pages.get("/authorized_applications")
def _allowed() -> str:
    living = "SELECT 1 FROM tokens WHERE application_id = applications.id AND user_id = ? AND revoked_at IS NULL"
    mine = tx.records(Application, f"WHERE EXISTS ({living})", signed_in()["id"])
    return render_template("allowed.html", applications=mine)


@pages.delete("/authorized_applications/<number>")
def _withdraw(number: str) -> Response:
    for kind in (Code, Token):
        for record in tx.records(kind, _LIVING, number, signed_in()["id"]):
            tx.update(record, revoked_at=tx.now)
    return redirect("../authorized_applications")


def _asked() -> tuple[dict[str, str], Application | None]:
    parameters = given() | ({"state": ""} if tx.switches.state == "dropped" else {})
    return parameters, tx.find(Application, "uid", parameters.get("client_id", ""))


def _grant(application: Application, asked: dict[str, str]) -> Response:
    granted = {"application_id": application.id, "user_id": signed_in()["id"]}
    granted["scopes"] = " ".join(dict.fromkeys(asked["scope"].split()))
    more = {"state": asked["state"]}
    if implicit := asked["response_type"] == "token":
        token = tx.issue(Token, previous_refresh_token="", **granted)  # and no refresh token: RFC 6749 section 4.2
        page, result = "token/info", {"access_token": token.token}
        more = {"token_type": TOKEN_TYPE, "expires_in": str(token.remaining(tx.now)), **more}
    else:
        bound = {name: asked[name] for name in ("redirect_uri", "code_challenge", "code_challenge_method")}
        page, result = "authorize/native", {"code": tx.issue(Code, **granted, **bound).code}
    if asked["redirect_uri"] in rules.OUT_OF_BAND:
        return redirect(rules.with_answer(page, result, fragment=False))
    return redirect(rules.with_answer(asked["redirect_uri"], result | more, fragment=implicit))


def _refuse(refused: rules.RefusedError, parameters: dict[str, str]) -> Response:
    """Tell the application with a redirect (RFC 6749 section 4.1.2.1), unless it or its redirect URI is unknown."""
    result = {"error": refused.error, "error_description": refused.description, "state": parameters.get("state", "")}
    redirect_uri = parameters.get("redirect_uri", "")
    if refused.may_redirect and redirect_uri not in rules.OUT_OF_BAND:
        fragment = rules.error_on_fragment(parameters, refused.error)
        return redirect(rules.with_answer(redirect_uri, result, fragment=fragment))
    body = {name: value for name, value in result.items() if value}
    return answer(body, refused.status, {"Cache-Control": "no-cache"})


def problems(values: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong with an application, by field; empty if nothing is."""
    found = {name: "can't be blank" for name in ("name", "redirect_uri") if not values[name].strip()}
    for problem in filter(None, map(rules.redirect_uri_problem, values["redirect_uri"].split())):
        return {**found, "redirect_uri": problem}
    return found


@pages.get("/applications")
def _index() -> str:
    return render_template("applications.html", applications=tx.records(Application))


@pages.get("/applications/<number>")
def _show(number: str) -> str:
    return render_template("application.html", application=_found(number))


@pages.get("/applications/<number>.json")
def _show_json(number: str) -> Response:
    shown = vars(_found(number))  # with its secret, as Doorkeeper does
    for name in ("created_at", "updated_at"):
        moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=shown[name])
        shown[name] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return answer(shown | {"scopes": shown["scopes"].split(), "confidential": bool(shown["confidential"])})


@pages.get("/applications/new", defaults={"number": None})
@pages.get("/applications/<number>/edit")
def _edit(number: str | None) -> str:
    found = _found(number) if number else None
    return render_template("application_form.html", application=found, values=found or _EMPTY, problems={})


@pages.post("/applications", defaults={"number": None})
@pages.route("/applications/<number>", methods=["PATCH", "PUT"])
def _save(number: str | None) -> Response | str:
    """Register or change an application; show the form again if something is wrong (status 200, as Doorkeeper does)."""
    found = _found(number) if number else None
    sent = {name: request.form.getlist(f"doorkeeper_application[{name}]") for name in _EMPTY}
    if not any(sent.values()):
        abort(400)
    present = vars(found) if found else _EMPTY
    values = {name: sent[name][-1] if sent[name] else present[name] for name in _EMPTY}
    values["confidential"] = values["confidential"] in (True, "1", "true", "on")
    if wrong := problems(values):
        return render_template("application_form.html", application=found, values=values, problems=wrong)
    saved = tx.save_application(found, values)
    return redirect(str(saved.id) if found else f"applications/{saved.id}")


@pages.delete("/applications/<number>")
def _delete(number: str) -> Response:
    tx.run("DELETE FROM applications WHERE id = ?", _found(number).id)  # codes and tokens go with it
    return redirect("../applications")


def _found(number: str) -> Application:
    return tx.find(Application, "id", number) or abort(404)
