"""What every view needs: the transaction, the request's parameters, and who is signed in."""

import json
import re
from typing import Any, cast

from flask import Response, abort, g, request, session
from werkzeug.local import LocalProxy

from redbooth_nb.provider.sandbox.data import PEOPLE, person
from redbooth_nb.provider.sandbox.database import Transaction

tx: Transaction = cast("Transaction", LocalProxy(lambda: g.transaction))  # in which the present request is answered


def answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON answer, as compact as Rails writes it."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    kept = headers or {"Cache-Control": "max-age=0, private, must-revalidate"}  # what Rails sends with any other 200
    return Response(text, status, kept, content_type="application/json; charset=utf-8")


def json_body() -> object:
    """Return the JSON body of the request, None where it has none; answer an unreadable one with 400."""
    try:
        return json.loads(request.get_data()) if request.is_json and request.content_length else None
    except (ValueError, RecursionError):  # RecursionError: thousands of nested brackets
        abort(400)


def given() -> dict[str, str]:
    """Return the parameters of query, form and JSON body as Rails does: query before body, the last value wins."""
    found = {name: values[-1] for name, values in request.form.lists()}
    body = json_body()
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
    """Return who is signed in: on the first visit, the first of the invented people."""
    return person(session.setdefault("user_id", PEOPLE[0]["id"]))
