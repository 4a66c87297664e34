"""The Flask application: who is signed in, forms that can't be forged, headers, and error pages."""

import math
import re
import secrets
from http import HTTPStatus
from typing import Any, Final

from flask import Flask, Response, abort, redirect, render_template, request, session
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response as AnyResponse

from redbooth_nb.provider.sandbox import api, applications, authorize, token
from redbooth_nb.provider.sandbox.context import database
from redbooth_nb.provider.sandbox.database import Database
from redbooth_nb.provider.sandbox.differences import SHOWN_PAGE_CACHING
from redbooth_nb.provider.sandbox.errors import SandboxError
from redbooth_nb.provider.sandbox.people import PEOPLE, person

_LOOPBACK: Final = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?", re.IGNORECASE)
_PAGE_HEADERS: Final = {
    # no form-action: Chromium applies it to the redirect after Allow, which leads to the application
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": SHOWN_PAGE_CACHING.sandbox,
}


def create_app(file: Database) -> Flask:
    """Return the sandbox's web application over its file."""
    app = Flask(__name__)
    with file.transaction() as at:
        app.secret_key = at.setting("secret_key")
    app.config.update(
        DATABASE=file,
        MAX_CONTENT_LENGTH=64 * 1024,
        SESSION_COOKIE_NAME="redbooth_sandbox",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    app.url_map.strict_slashes = False  # one public client posts to /oauth2/token/
    for part in (authorize.pages, applications.pages, token.endpoints, api.endpoints):
        app.register_blueprint(part)
    app.add_url_rule("/", view_func=home)
    app.add_url_rule("/session", view_func=switch_person, methods=["POST"])
    app.add_url_rule("/clock", view_func=clock, methods=["GET", "POST"])
    app.before_request(refuse_strangers)
    app.before_request(refuse_forgeries)
    app.after_request(protect)
    app.context_processor(page_values)
    app.register_error_handler(HTTPException, http_problem)
    app.register_error_handler(SandboxError, file_problem)
    app.register_error_handler(OverflowError, lambda _: http_problem(NotFound()))  # a number no row can have
    return app


def home() -> AnyResponse:
    """Lead to the console."""
    return redirect("oauth2/applications")


def switch_person() -> AnyResponse:
    """Sign the other person in and return to the page where that was asked."""
    session["user_id"] = person(request.form.get("user_id", 0, type=int))["id"]
    back = request.form.get("return_to", "")
    return redirect(back if re.match(r"oauth2/\w", back) else "oauth2/applications")


def clock() -> Response:
    """Return how far the clock is ahead, after moving it by the JSON body's ``advance``; both in seconds.

    For a sandbox that runs alone: the lessons' "let two hours pass" reaches it here.
    """
    sent = request.get_json() if request.method == "POST" else {}
    seconds = sent.get("advance", 0) if isinstance(sent, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds):
        abort(400)
    with database().transaction() as at:
        offset = at.setting("clock_offset", 0.0) + seconds
        at.set("clock_offset", offset)
    return token.answer({"offset": offset})


def refuse_strangers() -> Response | None:
    """Answer only to names of this machine, so that no web site can reach the sandbox by DNS rebinding."""
    if _LOOPBACK.fullmatch(request.host):
        return None
    sentence = "The practice Redbooth answers only to 127.0.0.1 and localhost, and this request names another host.\n"
    return Response(sentence, 400, content_type="text/plain; charset=utf-8")


def refuse_forgeries() -> Response | None:
    """Refuse a form that did not come from one of our own pages (RFC 6749 section 10.12)."""
    harmless = request.endpoint is None or request.method in ("GET", "HEAD", "OPTIONS")
    programs = request.blueprint in ("token", "api") or (request.endpoint == "clock" and request.is_json)
    if harmless or programs:  # no other site's page can send JSON here: it would have to ask first
        return None
    sent = request.form.get("authenticity_token")
    bare = request.endpoint == "authorize.decide" and sent is None and "commit" not in request.form
    if not bare and not secrets.compare_digest((sent or "").encode(), session.get("form", "-").encode()):
        abort(422)
    return None


def protect(response: Response) -> Response:
    """Keep pages out of frames, caches and other sites' logs."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    if response.mimetype == "text/html":
        response.headers.update(_PAGE_HEADERS)
    return response


def page_values() -> dict[str, Any]:
    """Return what every page shows: who is signed in, and addresses that also work behind a proxy."""
    session.setdefault("form", secrets.token_urlsafe(32))
    me = person(session.setdefault("user_id", PEOPLE[0]["id"]))
    here = request.full_path.rstrip("?").lstrip("/")
    return {
        "me": me,
        "others": [one for one in PEOPLE if one is not me],
        "form_token": session["form"],
        "root": "../" * (request.path.count("/") - 1) or "./",
        "return_to": here if request.method == "GET" else "",
    }


_EXPLAINED: Final = {
    400: "The request can't be read. Check its body and content type.",
    404: "There is nothing at this address.",
    413: "The request is larger than the sandbox takes (64 KiB).",
    422: "This form is out of date, or did not come from this page. Go back, reload the page and try again.",
}


def http_problem(problem: HTTPException) -> tuple[str, int]:
    """Show a problem as a page; an address that doesn't know the method does not exist, as in Rails."""
    status = 404 if problem.code == HTTPStatus.METHOD_NOT_ALLOWED else problem.code or 500
    sentence = _EXPLAINED.get(status, "The sandbox could not answer. Please try again.")
    return render_template("problem.html", heading=HTTPStatus(status).phrase, message=sentence), status


def file_problem(problem: SandboxError) -> tuple[str, int]:
    """Show what is wrong with the sandbox's file."""
    return render_template("problem.html", heading="The sandbox can't use its file", message=str(problem)), 503
