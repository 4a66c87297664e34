"""Part of Redbooth's API, version 3: enough to try out a token."""

import re
from collections.abc import Callable
from functools import wraps
from math import ceil
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from redbooth_nb.provider.sandbox import records
from redbooth_nb.provider.sandbox.context import bearer_token, given, tx
from redbooth_nb.provider.sandbox.data import DIFFERENCES, FILTERS, ROWS, person
from redbooth_nb.provider.sandbox.token import answer, challenge

endpoints = Blueprint("api", __name__, url_prefix="/api/3")

PER_PAGE, MOST_PER_PAGE = 30, 1000  # recorded default; documented maximum


def _authorized(view: Callable[..., Response]) -> Callable[..., Response]:
    @wraps(view)
    def guarded(**path: str) -> Response:
        if tx.switches.rate_limited:  # rack-attack's answer, before the token is checked
            return Response("Retry later\n", 429, content_type="text/plain")
        token = records.use_token(tx, bearer_token(given()))
        if token and token.accessible(tx.now):
            return view(person(token.user_id), **path)
        reason = "is invalid" if token is None else "was revoked" if token.revoked(tx.now) else "expired"
        body = DIFFERENCES["unauthorized_body"]["sandbox"]
        return answer(body, 401, challenge("invalid_token", f"The access token {reason}"))

    return guarded


@endpoints.get("/me")
@_authorized
def _me(owner: dict[str, Any]) -> Response:
    return answer(owner)


@endpoints.get("/<any(projects, tasks):kind>")
@_authorized
def _page(_owner: dict[str, Any], kind: str) -> Response:
    """Return a page of projects or tasks, described in Redbooth's own headers (not RFC 8288's Link)."""
    rows = ROWS[kind]
    for name, field in FILTERS.items():
        if name in request.args and field in ROWS[kind][0]:
            rows = [row for row in rows if str(row[field]) == request.args[name]]
    per_page = min(max(_whole(request.args.get("per_page", PER_PAGE)), 1), MOST_PER_PAGE)
    page, pages = max(_whole(request.args.get("page", 1)), 1), max(ceil(len(rows) / per_page), 1)
    relations = {"previous": page - 1, "next": page + 1, "last": pages}
    numbers = {name: n for name, n in relations.items() if name == "last" or 1 <= n <= pages}
    response = answer(rows[(page - 1) * per_page : page * per_page])
    response.headers.update(
        PaginationLinks=", ".join(f'<{_address(number)}>; rel="{name}"' for name, number in numbers.items()),
        PaginationTotalPages=pages,
        PaginationPerPage=per_page,
        PaginationCurrentPage=page,
        PaginationTotalObjects=len(rows),
    )
    return response


@endpoints.get("/tasks/<number>")
@_authorized
def _task(_owner: dict[str, Any], number: str) -> Response:
    found = next((row for row in ROWS["tasks"] if row["id"] == _whole(number)), None)
    if found:
        return answer(found)
    error = {"message": "Not Found", "description": "No task found with the given id"}
    return answer({"error": error}, 404, {"Cache-Control": "no-cache"})


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
