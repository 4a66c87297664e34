"""Redbooth's API, version 3: enough of it to have something to call with a token."""

import re
from collections.abc import Callable
from functools import wraps
from math import ceil
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from redbooth_nb.provider.sandbox import records
from redbooth_nb.provider.sandbox.context import bearer_token, database, given
from redbooth_nb.provider.sandbox.differences import UNAUTHORIZED_BODY
from redbooth_nb.provider.sandbox.people import PROJECTS, TASKS, person
from redbooth_nb.provider.sandbox.token import answer, challenge

endpoints = Blueprint("api", __name__, url_prefix="/api/3")

PER_PAGE, MOST_PER_PAGE = 30, 1000  # recorded default; documented maximum
_FILTERS = {
    "project_id": "project_id",
    "task_list_id": "task_list_id",
    "assigned_user_id": "assigned_id",
    "status": "status",
    "organization_id": "organization_id",
}


def authorized(view: Callable[..., Response]) -> Callable[..., Response]:
    """Let a view run only with a living access token, and hand it the token's owner."""

    @wraps(view)
    def guarded(**path: int) -> Response:
        with database().transaction() as at:
            if at.switches.rate_limited:  # rack-attack's answer, before anybody looks at the token
                return Response("Retry later\n", 429, content_type="text/plain")
            token = records.use_token(at, bearer_token(given()))
            now = at.now
        if token and token.accessible(now):
            return view(person(token.user_id), **path)
        reason = "is invalid"
        if token:
            reason = "was revoked" if token.revoked(now) else "expired"
        return answer(UNAUTHORIZED_BODY.sandbox, 401, challenge("invalid_token", f"The access token {reason}"))

    return guarded


@endpoints.get("/me")
@authorized
def me(owner: dict[str, Any]) -> Response:
    """Return the person the token acts for."""
    return answer(owner)


@endpoints.get("/projects")
@authorized
def projects(_owner: dict[str, Any]) -> Response:
    """Return a page of projects."""
    return _page(PROJECTS)


@endpoints.get("/tasks")
@authorized
def tasks(_owner: dict[str, Any]) -> Response:
    """Return a page of tasks, filtered by project_id, task_list_id, assigned_user_id or status."""
    return _page(TASKS)


@endpoints.get("/tasks/<int:number>")
@authorized
def task(_owner: dict[str, Any], number: int) -> Response:
    """Return one task, or Redbooth's JSON for an id it doesn't know."""
    found = next((row for row in TASKS if row["id"] == number), None)
    if found:
        return answer(found)
    error = {"message": "Not Found", "description": "No task found with the given id"}
    return answer({"error": error}, 404, {"Cache-Control": "no-cache"})


def _page(rows: list[dict[str, Any]]) -> Response:
    """Cut one page out and describe it in Redbooth's own headers (not RFC 8288's Link)."""
    for name, field in _FILTERS.items():
        if name in request.args and rows and field in rows[0]:
            rows = [row for row in rows if str(row[field]) == request.args[name]]
    per_page = min(max(_whole("per_page", PER_PAGE), 1), MOST_PER_PAGE)
    page, pages = max(_whole("page", 1), 1), max(ceil(len(rows) / per_page), 1)
    response = answer(rows[(page - 1) * per_page : page * per_page])
    relations = {"previous": page - 1, "next": page + 1, "last": pages}
    numbers = {name: n for name, n in relations.items() if name == "last" or 1 <= n <= pages}
    for name, value in {
        "Links": ", ".join(f'<{_address(number)}>; rel="{name}"' for name, number in numbers.items()),
        "TotalPages": pages,
        "PerPage": per_page,
        "CurrentPage": page,
        "TotalObjects": len(rows),
    }.items():
        response.headers[f"Pagination{name}"] = str(value)
    return response


def _whole(name: str, default: int) -> int:
    """Read a number as Ruby's to_i does: what is none counts as 0."""
    digits = re.match(r"\s*-?\d{1,9}", request.args.get(name, str(default)))
    return int(digits[0]) if digits else 0


def _address(page: int) -> str:
    """Return the address of a page; behind a proxy, the one the caller knows. Never with a token in it."""
    scheme = request.headers.get("X-Forwarded-Proto", request.scheme)
    host = request.headers.get("X-Forwarded-Host", request.host)
    query = {name: value for name, value in request.args.items() if name not in ("access_token", "bearer_token")}
    return f"{scheme}://{host}{request.path}?{urlencode(sorted({**query, 'page': str(page)}.items()))}"
