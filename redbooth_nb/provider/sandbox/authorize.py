"""The authorization endpoint: the consent page, Allow and Deny, and the list of what was allowed."""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from redbooth_nb.provider.sandbox import rules
from redbooth_nb.provider.sandbox.context import from_the_page, given, signed_in, tx
from redbooth_nb.provider.sandbox.data import TOKEN_TYPE
from redbooth_nb.provider.sandbox.records import Application, Code, Token, issue_code, issue_implicit_token
from redbooth_nb.provider.sandbox.token import answer

pages = Blueprint("authorize", __name__, url_prefix="/oauth2")

_LIVING = "WHERE application_id = ? AND user_id = ? AND revoked_at IS NULL"


@pages.get("/authorize")
def _new() -> Response | str:
    """Show the consent page, or skip it if the user allowed this before; show errors as a page with status 200."""
    try:
        application, asked = rules.check_authorization(*_asked())
    except rules.RefusedError as refused:
        return render_template("refused.html", message=refused.description)
    wanted = set(asked["scope"].split())
    known = tx.records(Token, _LIVING, application.id, signed_in()["id"])  # even an expired token will do
    if application.confidential and any(set(token.scopes.split()) == wanted for token in known):
        return _grant(application, asked)
    return render_template("consent.html", application=application, asked=asked)


@pages.post("/authorize")
def _allow() -> Response | str:
    """Issue a code, or a token in the implicit flow; a bare POST, which the guide permits, gets the consent page."""
    if not from_the_page(given()):
        return _new()
    parameters, application = _asked()
    try:
        return _grant(*rules.check_authorization(parameters, application))
    except rules.RefusedError as refused:
        return _refuse(refused, parameters)


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
    user_id, scopes = signed_in()["id"], " ".join(dict.fromkeys(asked["scope"].split()))
    more = {"state": asked["state"]}
    if implicit := asked["response_type"] == "token":
        token = issue_implicit_token(tx, application.id, user_id, scopes)
        page, result = "token/info", {"access_token": token.token}
        more = {"token_type": TOKEN_TYPE, "expires_in": str(token.remaining(tx.now)), **more}
    else:
        bound = {name: asked[name] for name in ("redirect_uri", "code_challenge", "code_challenge_method")}
        code = issue_code(tx, application_id=application.id, user_id=user_id, scopes=scopes, **bound)
        page, result = "authorize/native", {"code": code}
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
