"""What programs call without the user: the token endpoint, revocation, token info, and a part of the API, version 3."""

import re
from math import ceil
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from redbooth_nb.provider.sandbox import data, rules
from redbooth_nb.provider.sandbox.data import Application, Code, Token, person
from redbooth_nb.provider.sandbox.web import answer, bearer_token, given, tx

endpoints = Blueprint("endpoints", __name__)

NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}  # RFC 6749 section 5.1
PER_PAGE, MOST_PER_PAGE = 30, 1000  # recorded default; documented maximum


def _challenge(error: str, description: str) -> dict[str, str]:
    """Return the headers of an error: RFC 6750 section 3, in Doorkeeper's words."""
    value = f'Bearer realm="Doorkeeper", error="{error}", error_description="{description}"'
    return {**NOT_KEPT, "WWW-Authenticate": value}


@endpoints.post("/oauth2/token")
def _create() -> Response:
    """Exchange a code for a pair of tokens, or refresh a pair (the guide's chapters 3 and 4)."""
    parameters = given()
    try:
        token = _granted(parameters)
    except rules.RefusedError as refused:
        error, description, status = refused.error, refused.description, refused.status
        if tx.switches.style == "2015":  # every error is a 401, and a dead refresh token an invalid request
            dead = error == "invalid_grant" and parameters.get("grant_type") == "refresh_token"
            error, status = ("invalid_request" if dead else error), 401
            description = data.SENTENCES["doorkeeper"][error]
        state = {"state": parameters["state"]} if refused.echoes_state and parameters.get("state") else {}
        body = {"error": error, "error_description": description, **state}
        return answer(body, status, _challenge(error, description))
    pair = {"access_token": token.token, "token_type": data.TOKEN_TYPE, "expires_in": token.remaining(tx.now)}
    pair |= {"refresh_token": token.refresh_token, "scope": token.scopes}
    created = {"created_at": int(token.created_at)} if tx.switches.style != "2015" else {}
    return answer(pair | created, 200, NOT_KEPT)


@endpoints.post("/oauth2/revoke")
def _revoke() -> Response:
    """Revoke a pair by either of its tokens (RFC 7009); unconfirmed for Redbooth."""
    parameters = given()
    client = tx.authenticated(*_credentials(parameters))
    value = parameters.get("token", "")
    token = tx.find(Token, "token", value) or tx.find(Token, "refresh_token", value)
    owner = tx.find(Application, "id", token.application_id) if token else None
    if client is None or (owner and owner.confidential and owner.id != client.id):
        error = "unauthorized_client"
        body = {"error": error, "error_description": data.SENTENCES["doorkeeper"][error]}
        return answer(body, 403, {"Cache-Control": "no-cache"})
    if token and token.accessible(tx.now):
        tx.update(token, revoked_at=tx.now)
    return answer({})


@endpoints.get("/oauth2/token/info")
def _info() -> Response:
    # unconfirmed for Redbooth
    token = tx.use_token(bearer_token(given()))
    if token is None or not token.accessible(tx.now):
        body = {"error": "invalid_token", "error_description": "The access token is invalid"}
        return answer({**body, "state": "unauthorized"}, 401, _challenge(*body.values()))
    owner = tx.find(Application, "id", token.application_id)
    about = {"resource_owner_id": token.user_id, "scope": token.scopes.split(), "expires_in": token.remaining(tx.now)}
    return answer({**about, "application": {"uid": owner and owner.uid}, "created_at": int(token.created_at)})


def _granted(parameters: dict[str, str]) -> Token:
    """Check the grant and issue a pair for it, or raise RefusedError."""
    grant_type = rules.required(parameters, "grant_type")
    uid, secret = _credentials(parameters)
    client = tx.authenticated(uid, secret)
    if grant_type == "authorization_code":
        found = tx.find(Code, "code", rules.required(parameters, "code"))
        code = rules.check_exchange(parameters, found, client, tx.now)
        tx.update(code, revoked_at=tx.now)
        return tx.issue_pair(code, code.scopes)
    if grant_type == "refresh_token":
        old = tx.find(Token, "refresh_token", parameters.get("refresh_token", ""))
        old, scopes = rules.check_refresh(parameters, old, uid, client, tx.now)
        if tx.switches.refresh_revokes_old == "at once":
            tx.update(old, revoked_at=tx.now)
        return tx.issue_pair(old, scopes)
    raise rules.RefusedError("unsupported_grant_type")


def _credentials(parameters: dict[str, str]) -> tuple[str, str | None]:
    """Return client id and secret: HTTP Basic first, then the parameters (RFC 6749 section 2.3.1)."""
    basic = request.authorization
    if basic and basic.username and basic.username.strip():
        return basic.username, basic.password
    return parameters.get("client_id", "").strip(), parameters.get("client_secret")


@endpoints.get("/api/3/<any(me, projects, tasks):kind>")
@endpoints.get("/api/3/<any(tasks):kind>/<number>")
def _call(kind: str, number: str = "") -> Response:
    if tx.switches.rate_limited:  # rack-attack's answer, before the token is checked
        return Response("Retry later\n", 429, content_type="text/plain")
    token = tx.use_token(bearer_token(given()))
    if token is None or not token.accessible(tx.now):
        reason = "is invalid" if token is None else "was revoked" if token.revoked(tx.now) else "expired"
        body = data.DIFFERENCES["unauthorized_body"]["sandbox"]
        return answer(body, 401, _challenge("invalid_token", f"The access token {reason}"))
    if kind == "me":
        return answer(person(token.user_id))
    if not number:
        return _page(data.ROWS[kind])
    missing = {"error": {"message": "Not Found", "description": "No task found with the given id"}}
    row = next((row for row in data.ROWS[kind] if row["id"] == _whole(number)), None)
    return answer(row) if row else answer(missing, 404, {"Cache-Control": "no-cache"})


def _page(rows: list[dict[str, Any]]) -> Response:
    """Return a page of projects or tasks, described in Redbooth's own headers (not RFC 8288's Link)."""
    for name, field in data.FILTERS.items():
        if name in request.args:
            rows = [row for row in rows if str(row.get(field, request.args[name])) == request.args[name]]
    per_page = min(max(_whole(request.args.get("per_page", PER_PAGE)), 1), MOST_PER_PAGE)
    page, pages = max(_whole(request.args.get("page", 1)), 1), max(ceil(len(rows) / per_page), 1)
    relations = {"previous": page - 1, "next": page + 1, "last": pages}
    links = ", ".join(f'<{_address(n)}>; rel="{name}"' for name, n in relations.items() if 1 <= n <= pages)
    response = answer(rows[(page - 1) * per_page : page * per_page])
    response.headers.update(PaginationLinks=links, PaginationTotalPages=pages, PaginationPerPage=per_page)
    response.headers.update(PaginationCurrentPage=page, PaginationTotalObjects=len(rows))
    return response


def _whole(text: object) -> int:
    """Read a number as Ruby's to_i does: up to the first character that isn't a digit, or 0."""
    digits = re.match(r"\s*[-+]?\d{1,18}", str(text), re.ASCII)
    return int(digits[0]) if digits else 0


def _address(page: int) -> str:
    """Return the address of a page, as the caller knows it from behind a proxy, without any token."""
    scheme = request.headers.get("X-Forwarded-Proto", request.scheme)
    host = request.headers.get("X-Forwarded-Host", request.host)
    query = {name: value for name, value in request.args.items() if name not in ("access_token", "bearer_token")}
    return f"{scheme}://{host}{request.path}?{urlencode(sorted({**query, 'page': str(page)}.items()))}"
