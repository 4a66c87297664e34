"""The authorization endpoint: the consent page, Allow and Deny, and the list of what was allowed."""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from redbooth_nb.provider.sandbox import records
from redbooth_nb.provider.sandbox.context import database, given, signed_in
from redbooth_nb.provider.sandbox.database import Transaction
from redbooth_nb.provider.sandbox.differences import TOKEN_TYPE
from redbooth_nb.provider.sandbox.rules import (
    OUT_OF_BAND,
    AuthorizationRequest,
    Refused,
    check_authorization,
    with_answer,
)
from redbooth_nb.provider.sandbox.token import answer

pages = Blueprint("authorize", __name__, url_prefix="/oauth2")


@pages.get("/authorize")
def new() -> Response | str:
    """Show the consent page; skip it where the person allowed this before; show errors as a page, status 200."""
    with database().transaction() as at:
        parameters = _parameters(at)
        try:
            asked = _checked(at, parameters)
        except Refused as refused:
            note = "Nothing was granted, and the application was not told: such errors are shown only here."
            heading = "This request can't be authorized"
            return render_template("problem.html", heading=heading, message=refused.description, note=note)
        if asked.application.confidential and _allowed_before(at, asked):
            return _allow(at, asked)
    return render_template("consent.html", asked=asked)


@pages.post("/authorize")
def decide() -> Response | str:
    """Take the consent page's answer; a bare POST, which the guide allows, gets the consent page."""
    if "authenticity_token" not in request.form and "commit" not in request.form:
        return new()
    with database().transaction() as at:
        parameters = _parameters(at)
        try:
            asked = _checked(at, parameters)
            if parameters.get("_method") == "delete":
                raise Refused("access_denied")  # noqa: TRY301 - one road for every refusal
            return _allow(at, asked)
        except Refused as refused:
            return _refuse(refused, parameters)


@pages.get("/authorize/native")
def show_code() -> str:
    """Show a code to copy, for a redirect URI that is no address (out of band); unconfirmed for Redbooth."""
    return render_template("code.html", code=request.args.get("code", ""))


@pages.get("/authorized_applications")
def allowed() -> str:
    """List the applications that hold a living grant of this person."""
    with database().transaction() as at:
        rows = at.all(
            "SELECT * FROM applications WHERE id IN"
            " (SELECT application_id FROM tokens WHERE user_id = ? AND revoked_at IS NULL) ORDER BY id",
            signed_in()["id"],
        )
    return render_template("allowed.html", applications=rows)


@pages.post("/authorized_applications/<int:number>")
def withdraw(number: int) -> Response:
    """Revoke everything this person granted an application (the form posts _method=delete)."""
    with database().transaction() as at:
        owner = signed_in()["id"]
        for table in ("tokens", "codes"):
            at.run(
                f"UPDATE {table} SET revoked_at = ? WHERE application_id = ? AND user_id = ? AND revoked_at IS NULL",  # noqa: S608 - one of two literals
                at.now, number, owner,
            )  # fmt: skip
    return redirect("../authorized_applications")


def _parameters(at: Transaction) -> dict[str, str]:
    return given() | ({"state": ""} if at.switches.state == "dropped" else {})


def _checked(at: Transaction, parameters: dict[str, str]) -> AuthorizationRequest:
    uid = parameters.get("client_id", "")
    return check_authorization(parameters, records.application(at, uid=uid) if uid else None)


def _allowed_before(at: Transaction, asked: AuthorizationRequest) -> bool:
    """Look for an unrevoked token for the same application, person and scope; an expired one counts, too."""
    rows = at.all(
        "SELECT scopes FROM tokens WHERE application_id = ? AND user_id = ? AND revoked_at IS NULL",
        asked.application.id, signed_in()["id"],
    )  # fmt: skip
    return any(sorted(row["scopes"].split()) == sorted(set(asked.scope.split())) for row in rows)


def _allow(at: Transaction, asked: AuthorizationRequest) -> Response:
    owner = (asked.application.id, signed_in()["id"])
    scopes = " ".join(dict.fromkeys(asked.scope.split()))
    if asked.response_type == "token":
        token = records.issue_implicit_token(at, *owner, scopes)
        result = {
            "access_token": token.token,
            "token_type": TOKEN_TYPE.sandbox,
            "expires_in": str(token.remaining(at.now)),
        }
    else:
        result = {"code": records.issue_code(at, {
            "application_id": owner[0], "user_id": owner[1], "redirect_uri": asked.redirect_uri, "scopes": scopes,
            "code_challenge": asked.code_challenge, "code_challenge_method": asked.code_challenge_method,
        })}  # fmt: skip
    if asked.redirect_uri in OUT_OF_BAND:
        return redirect(with_answer("authorize/native", result, fragment=asked.response_type == "token"))
    result["state"] = asked.state
    return redirect(with_answer(asked.redirect_uri, result, fragment=asked.response_type == "token"))


def _refuse(refused: Refused, parameters: dict[str, str]) -> Response:
    """Tell the application by a redirect (RFC 6749 section 4.1.2.1), unless it or its redirect URI is not known."""
    result = {"error": refused.error, "error_description": refused.description, "state": parameters.get("state", "")}
    redirect_uri = parameters.get("redirect_uri", "")
    if refused.may_redirect and redirect_uri not in OUT_OF_BAND:
        fragment = parameters.get("response_type") == "token"
        return redirect(with_answer(redirect_uri, result, fragment=fragment))
    return answer(
        {name: value for name, value in result.items() if value}, refused.status, {"Cache-Control": "no-cache"}
    )
