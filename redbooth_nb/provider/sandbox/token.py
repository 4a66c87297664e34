"""The token endpoint, revocation and token info: what the application calls without the user."""

import json

from flask import Blueprint, Response, request

from redbooth_nb.provider.sandbox import records, rules
from redbooth_nb.provider.sandbox.context import bearer_token, given, tx
from redbooth_nb.provider.sandbox.data import SENTENCES, TOKEN_TYPE

endpoints = Blueprint("token", __name__, url_prefix="/oauth2")

NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}  # RFC 6749 section 5.1
KEPT_PRIVATE = {"Cache-Control": "max-age=0, private, must-revalidate"}  # what Rails sends with any other 200


def answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON answer, as compact as Rails writes it."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, headers or KEPT_PRIVATE, content_type="application/json; charset=utf-8")


def challenge(error: str, description: str) -> dict[str, str]:
    """Return the headers of an error: RFC 6750 section 3, in Doorkeeper's words."""
    value = f'Bearer realm="Doorkeeper", error="{error}", error_description="{description}"'
    return {**NOT_KEPT, "WWW-Authenticate": value}


@endpoints.post("/token")
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
            description = SENTENCES["doorkeeper"][error]
        state = {"state": parameters["state"]} if refused.echoes_state and parameters.get("state") else {}
        body = {"error": error, "error_description": description, **state}
        return answer(body, status, challenge(error, description))
    created = {"created_at": int(token.created_at)} if tx.switches.style != "2015" else {}
    return answer({
        "access_token": token.token,
        "token_type": TOKEN_TYPE,
        "expires_in": token.remaining(tx.now),
        "refresh_token": token.refresh_token,
        "scope": token.scopes,
        **created,
    }, 200, NOT_KEPT)  # fmt: skip


@endpoints.post("/revoke")
def _revoke() -> Response:
    """Revoke a pair by either of its tokens (RFC 7009); unconfirmed for Redbooth."""
    parameters = given()
    client = records.authenticated(tx, *_credentials(parameters))
    value = parameters.get("token", "")
    token = tx.find(records.Token, "token", value) or tx.find(records.Token, "refresh_token", value)
    owner = tx.find(records.Application, "id", token.application_id) if token else None
    if client is None or (owner and owner.confidential and owner.id != client.id):
        body = {"error": "unauthorized_client", "error_description": SENTENCES["doorkeeper"]["unauthorized_client"]}
        return answer(body, 403, {"Cache-Control": "no-cache"})
    if token and token.accessible(tx.now):
        tx.update(token, revoked_at=tx.now)
    return answer({})


@endpoints.get("/token/info")
def _info() -> Response:
    # unconfirmed for Redbooth
    token = records.use_token(tx, bearer_token(given()))
    if token is None or not token.accessible(tx.now):
        body = {"error": "invalid_token", "error_description": "The access token is invalid"}
        return answer({**body, "state": "unauthorized"}, 401, challenge(*body.values()))
    owner = tx.find(records.Application, "id", token.application_id)
    return answer({
        "resource_owner_id": token.user_id,
        "scope": token.scopes.split(),
        "expires_in": token.remaining(tx.now),
        "application": {"uid": owner.uid if owner else None},
        "created_at": int(token.created_at),
    })  # fmt: skip


def _granted(parameters: dict[str, str]) -> records.Token:
    """Check the grant and issue a pair for it, or raise RefusedError."""
    grant_type = rules.required(parameters, "grant_type")
    uid, secret = _credentials(parameters)
    client = records.authenticated(tx, uid, secret)
    if grant_type == "authorization_code":
        found = tx.find(records.Code, "code", rules.required(parameters, "code"))
        code = rules.check_exchange(parameters, found, client, tx.now)
        tx.update(code, revoked_at=tx.now)
        return records.issue_token(tx, code, code.scopes)
    if grant_type == "refresh_token":
        old = tx.find(records.Token, "refresh_token", parameters.get("refresh_token", ""))
        old, scopes = rules.check_refresh(parameters, old, uid, client, tx.now)
        if tx.switches.refresh_revokes_old == "at once":
            tx.update(old, revoked_at=tx.now)
        return records.issue_token(tx, old, scopes)
    raise rules.RefusedError("unsupported_grant_type")


def _credentials(parameters: dict[str, str]) -> tuple[str, str | None]:
    """Return client id and secret: HTTP Basic first, then the parameters (RFC 6749 section 2.3.1)."""
    basic = request.authorization
    if basic and basic.username and basic.username.strip():
        return basic.username, basic.password
    return parameters.get("client_id", "").strip(), parameters.get("client_secret")
