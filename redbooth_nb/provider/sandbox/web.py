"""The Flask application: who is signed in, forms that can't be forged, headers, and error pages."""

import re
import secrets
from http import HTTPStatus
from typing import Any, Final

from flask import Flask, Request, Response, abort, g, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, ServiceUnavailable
from werkzeug.routing import MapAdapter
from werkzeug.wrappers import Response as AnyResponse

from redbooth_nb.provider.sandbox.context import answer, from_the_page, given, json_body, signed_in, tx
from redbooth_nb.provider.sandbox.data import DIFFERENCES, PEOPLE, SENTENCES, SETTINGS, SandboxError, person
from redbooth_nb.provider.sandbox.database import Database, Transaction
from redbooth_nb.provider.sandbox.endpoints import endpoints
from redbooth_nb.provider.sandbox.pages import pages

_LOOPBACK: Final = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?", re.IGNORECASE)


class _App(Flask):
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
        """Run the view; an exception undoes what it did."""
        view = super().dispatch_request

        def within(opened: Transaction) -> ResponseReturnValue:
            g.transaction = opened
            return view()

        return view() if request.endpoint == "static" else self.config["DATABASE"].transact(within)


def create_app(file: Database) -> Flask:
    """Return the sandbox's web application over its file. It needs no listener."""
    app = _App(__name__)
    app.secret_key = file.transact(lambda opened: opened.setting("secret_key", ""))
    app.config.update(SETTINGS["flask"], DATABASE=file)
    app.url_map.strict_slashes = False  # one public client posts to /oauth2/token/
    app.register_blueprint(pages)
    app.register_blueprint(endpoints)
    app.add_url_rule("/", "home", lambda: redirect("oauth2/applications"))
    app.add_url_rule("/session", view_func=_switch_person, methods=["POST"])
    app.add_url_rule("/clock", view_func=_clock, methods=["GET", "POST"])
    app.before_request(refuse_strangers)
    app.before_request(refuse_forgeries)
    app.after_request(_protect)
    app.context_processor(_page_values)
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(SandboxError, lambda problem: _http_problem(ServiceUnavailable(str(problem))))
    return app


def _switch_person() -> AnyResponse:
    session["user_id"] = person(request.form.get("user_id", 0, type=int))["id"]
    back = request.form.get("return_to", "")
    return redirect(back if back.isprintable() and re.match(r"oauth2/\w", back) else "oauth2/applications")


def _clock() -> Response:
    # for a sandbox that runs alone
    sent = json_body() if request.method == "POST" else {}
    try:
        return answer({"offset": tx.advance(sent.get("advance", 0) if isinstance(sent, dict) else None)})
    except SandboxError as problem:
        return answer({"error": "invalid_request", "error_description": str(problem)}, 400)


def refuse_strangers() -> None:
    """Answer only to names of this machine, so that no web site can reach the sandbox by DNS rebinding."""
    if not _LOOPBACK.fullmatch(request.host):
        abort(Response(SENTENCES["http"]["stranger"] + "\n", 400, content_type="text/plain; charset=utf-8"))


def refuse_forgeries() -> None:
    """Refuse a form that didn't come from one of our own pages (RFC 6749 section 10.12)."""
    harmless = request.endpoint is None or request.method in ("GET", "HEAD", "OPTIONS")
    programs = request.blueprint == "endpoints" or (request.endpoint == "_clock" and request.is_json)
    if harmless or programs:  # another site's page can't send JSON here without asking first
        return
    if request.endpoint == "pages._allow" and not from_the_page(given()):
        return  # it only shows the consent page
    sent = given().get("authenticity_token", "")
    if not secrets.compare_digest(sent.encode(), session.get("form", "-").encode()):
        abort(422)


def _protect(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    if response.mimetype == "text/html":
        caching = DIFFERENCES["shown_page_caching"]["sandbox"]
        response.headers.update(SETTINGS["page_headers"] | {"Cache-Control": caching})
    return response


def _page_values() -> dict[str, Any]:
    """Return what every page shows: who is signed in, and addresses that also work behind a proxy."""
    me, form_token = signed_in(), session.setdefault("form", secrets.token_urlsafe(32))
    others = [other for other in PEOPLE if other is not me]
    root = "../" * (request.path.count("/") - 1) or "./"
    return_to = request.full_path.rstrip("?").lstrip("/") if request.method == "GET" else ""
    return {"me": me, "others": others, "form_token": form_token, "root": root, "return_to": return_to}


def _http_problem(problem: HTTPException) -> tuple[str, int]:
    # an address that doesn't know the method doesn't exist, as in Rails
    status = 404 if problem.code == HTTPStatus.METHOD_NOT_ALLOWED else problem.code or 500
    sentence = SENTENCES["http"].get(str(status), problem.description)
    return render_template("problem.html", heading=HTTPStatus(status).phrase, message=sentence), status
