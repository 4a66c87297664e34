"""What every view needs: the sandbox's file, the request's parameters, and who is signed in."""

import json
import re
from typing import Any

from flask import abort, current_app, request, session

from redbooth_nb.provider.sandbox.database import Database
from redbooth_nb.provider.sandbox.people import person


def database() -> Database:
    """Return the sandbox's file."""
    found: Database = current_app.config["DATABASE"]
    return found


def given() -> dict[str, str]:
    """Return the request's parameters from form, multipart or JSON body and query, as Rails reads them.

    Query beats body, the last of several values wins. A JSON body that can't be read is answered with 400.
    """
    found = {name: values[-1] for name, values in request.form.lists()}
    if request.is_json and request.content_length:
        try:
            body = json.loads(request.get_data())
        except ValueError:
            abort(400)
        if isinstance(body, dict):
            found |= {name: _text(value) for name, value in body.items() if isinstance(value, str | int)}
    return found | {name: values[-1] for name, values in request.args.lists()}


def bearer_token(parameters: dict[str, str]) -> str:
    """Return the presented access token (RFC 6750 section 2), or an empty string.

    Header first, in any case, then the parameters ``access_token`` and ``bearer_token``.
    """
    header = request.headers.get("Authorization", "")
    if re.match("Bearer ", header, re.IGNORECASE) and header[7:].strip():
        return header[7:]
    return parameters.get("access_token", "").strip() or parameters.get("bearer_token", "")


def signed_in() -> dict[str, Any]:
    """Return who is signed in; on the first visit that is the first of the invented people."""
    found = person(session.get("user_id", 0))
    session["user_id"] = found["id"]
    return found


def _text(value: object) -> str:
    """Return a JSON value as text; half a surrogate pair, which JSON allows, can't be stored."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace").decode()
