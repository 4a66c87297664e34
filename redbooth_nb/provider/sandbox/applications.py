"""The console: register applications, look up their credentials, change and delete them."""

import datetime as dt
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from redbooth_nb.provider.sandbox.context import tx
from redbooth_nb.provider.sandbox.records import Application, save_application
from redbooth_nb.provider.sandbox.rules import redirect_uri_problem
from redbooth_nb.provider.sandbox.token import answer

pages = Blueprint("applications", __name__, url_prefix="/oauth2/applications")

_EMPTY = {"name": "", "redirect_uri": "", "scopes": "", "confidential": True}


def problems(values: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong with an application, by field; empty if nothing is."""
    found = {name: "can't be blank" for name in ("name", "redirect_uri") if not values[name].strip()}
    for problem in filter(None, map(redirect_uri_problem, values["redirect_uri"].split())):
        return {**found, "redirect_uri": problem}
    return found


@pages.get("")
def _index() -> str:
    return render_template("applications.html", applications=tx.records(Application))


@pages.get("/<number>")
def _show(number: str) -> str:
    return render_template("application.html", application=_found(number))


@pages.get("/<number>.json")
def _show_json(number: str) -> Response:
    found = _found(number)  # with its secret, as Doorkeeper does
    times = {"created_at": _iso(found.created_at), "updated_at": _iso(found.updated_at)}
    return answer(vars(found) | times | {"scopes": found.scopes.split(), "confidential": bool(found.confidential)})


@pages.get("/new", defaults={"number": None})
@pages.get("/<number>/edit")
def _edit(number: str | None) -> str:
    found = _found(number) if number else None
    return render_template("application_form.html", application=found, values=found or _EMPTY, problems={})


@pages.post("", defaults={"number": None})
@pages.route("/<number>", methods=["PATCH", "PUT"])
def _save(number: str | None) -> Response | str:
    """Register or change an application; show the form again if something is wrong (status 200, as Doorkeeper)."""
    found = _found(number) if number else None
    sent = {name: request.form.getlist(f"doorkeeper_application[{name}]") for name in _EMPTY}
    if not any(sent.values()):
        abort(400)
    present = vars(found) if found else _EMPTY
    values = {name: sent[name][-1] if sent[name] else present[name] for name in _EMPTY}
    values["confidential"] = values["confidential"] in (True, "1", "true", "on")
    if wrong := problems(values):
        return render_template("application_form.html", application=found, values=values, problems=wrong)
    saved = save_application(tx, found, values)
    return redirect(str(saved.id) if found else f"applications/{saved.id}")


@pages.delete("/<number>")
def _delete(number: str) -> Response:
    tx.run("DELETE FROM applications WHERE id = ?", _found(number).id)  # codes and tokens go with it
    return redirect("../applications")


def _found(number: str) -> Application:
    return tx.find(Application, "id", number) or abort(404)


def _iso(seconds: float) -> str:
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
