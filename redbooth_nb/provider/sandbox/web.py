"""What every request meets: its parameters, who is signed in, forms that can't be forged, headers, and error pages."""

import json
import re
import secrets
from http import HTTPStatus
from typing import Any, Final, cast

from flask import Flask, Request, Response, abort, g, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.local import LocalProxy
from werkzeug.routing import MapAdapter
from werkzeug.wrappers import Response as AnyResponse

from redbooth_nb.provider.sandbox import data
from redbooth_nb.provider.sandbox.data import SandboxError, Transaction, person

_LOOPBACK: Final = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?", re.IGNORECASE)
tx: Transaction = cast("Transaction", LocalProxy(lambda: g.transaction))  # in which the present request is answered


class App(Flask):
    """Answers each request in one transaction, so that only one of two exchanges of a code succeeds."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Let a form choose another method with ``_method``, or a program with a header, as Rack does for Rails."""
        if request is not None and request.method == "POST":
            request.max_content_length = self.config["MAX_CONTENT_LENGTH"]
            chosen = request.form.get("_method") or request.headers.get("X-HTTP-Method-Override", "")
            if chosen.upper() in ("GET", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"):
                request.method = request.environ["REQUEST_METHOD"] = chosen.upper()
        return super().create_url_adapter(request)

    def dispatch_request(self) -> ResponseReturnValue:
        view = super().dispatch_request

        def within(opened: Transaction) -> ResponseReturnValue:
            g.transaction = opened
            return view()

        return view() if request.endpoint == "static" else self.config["DATABASE"].transact(within)


def answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON answer, as compact as Rails writes it."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    kept = headers or {"Cache-Control": "max-age=0, private, must-revalidate"}  # what Rails sends with any other 200
    return Response(text, status, kept, content_type="application/json; charset=utf-8")


def _json_body() -> object:
    """Return the JSON body of the request, None where it has none; answer an unreadable one with 400."""
    try:
        return json.loads(request.get_data()) if request.is_json and request.content_length else None
    except (ValueError, RecursionError):  # RecursionError: thousands of nested brackets
        abort(400)


def given() -> dict[str, str]:
    """Return the parameters of query, form and JSON body as Rails does: query before body, the last value wins."""
    found = {name: values[-1] for name, values in request.form.lists()}
    body = _json_body()
    for name, value in body.items() if isinstance(body, dict) else ():
        if isinstance(value, str | int):
            text = value if isinstance(value, str) else json.dumps(value)
            found[name] = text.encode("utf-8", "replace").decode()  # half a surrogate pair can't be stored
    return found | {name: values[-1] for name, values in request.args.lists()}


def from_the_page(parameters: dict[str, str]) -> bool:
    """Tell whether the consent page's form was sent, not a bare POST from elsewhere."""
    return "authenticity_token" in parameters or "commit" in parameters


def bearer_token(parameters: dict[str, str]) -> str:
    """Return the access token (RFC 6750 section 2): the header's in any case, or a parameter's, or an empty string."""
    header = request.headers.get("Authorization", "")
    if re.match("Bearer ", header, re.IGNORECASE) and header[7:].strip():
        return header[7:]
    return parameters.get("access_token", "").strip() or parameters.get("bearer_token", "")


def signed_in() -> dict[str, Any]:
    return person(session.setdefault("user_id", data.PEOPLE[0]["id"]))


def switch_person() -> AnyResponse:
    session["user_id"] = person(request.form.get("user_id", 0, type=int))["id"]
    back = request.form.get("return_to", "")
    return redirect(back if back.isprintable() and re.match(r"oauth2/\w", back) else "oauth2/applications")


def clock() -> Response:
    """Tell the time, or move the clock, for a sandbox that runs alone."""
    sent = _json_body() if request.method == "POST" else {}
    try:
        return answer({"offset": tx.advance(sent.get("advance", 0) if isinstance(sent, dict) else None)})
    except SandboxError as problem:
        return answer({"error": "invalid_request", "error_description": str(problem)}, 400)


def refuse_strangers() -> None:
    """Answer only to names of this machine, so that no website can reach the sandbox by DNS rebinding."""
    if not _LOOPBACK.fullmatch(request.host):
        abort(Response(data.SENTENCES["http"]["stranger"] + "\n", 400, content_type="text/plain; charset=utf-8"))


def refuse_forgeries() -> None:
    """Refuse a form that didn't come from one of our own pages (RFC 6749 section 10.12)."""
    harmless = request.endpoint is None or request.method in ("GET", "HEAD", "OPTIONS")
    # another site's page can't send JSON here without asking first
    programs = request.blueprint == "endpoints" or (request.endpoint == "clock" and request.is_json)
    bare = request.endpoint == "pages._authorize" and not from_the_page(given())  # only shows the consent page
    if harmless or programs or bare:
        return
    sent, own = given().get("authenticity_token", ""), session.get("form", "")
    if not own or not secrets.compare_digest(sent.encode(), own.encode()):
        abort(422)


def protect(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    if response.mimetype == "text/html":
        caching = data.DIFFERENCES["shown_page_caching"]["sandbox"]
        response.headers.update(data.SETTINGS["page_headers"] | {"Cache-Control": caching})
    return response


def page_values() -> dict[str, Any]:
    """Return what every page shows: who is signed in, and addresses that also work behind a proxy."""
    me, form_token = signed_in(), session.setdefault("form", secrets.token_urlsafe(32))
    others = [other for other in data.PEOPLE if other is not me]
    root = "../" * (request.path.count("/") - 1) or "./"
    return_to = request.full_path.rstrip("?").lstrip("/") if request.method == "GET" else ""
    return {"me": me, "others": others, "form_token": form_token, "root": root, "return_to": return_to}


def http_problem(problem: HTTPException) -> tuple[str, int]:
    # an address that doesn't know the method doesn't exist, as in Rails
    status = 404 if problem.code == HTTPStatus.METHOD_NOT_ALLOWED else problem.code or 500
    sentence = data.SENTENCES["http"].get(str(status), problem.description)
    return render_template("problem.html", heading=HTTPStatus(status).phrase, message=sentence), status
