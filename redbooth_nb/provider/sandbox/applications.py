"""The console: register applications, look up their credentials, change and delete them."""

import datetime as dt
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from redbooth_nb.provider.sandbox import records
from redbooth_nb.provider.sandbox.context import database
from redbooth_nb.provider.sandbox.database import Transaction
from redbooth_nb.provider.sandbox.rules import redirect_uri_problem
from redbooth_nb.provider.sandbox.token import answer

pages = Blueprint("applications", __name__, url_prefix="/oauth2/applications")

_EMPTY = {"name": "", "redirect_uri": "", "scopes": "", "confidential": True}


def problems(values: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong with an application, by field; empty when nothing is."""
    found = {}
    if not values["name"].strip():
        found["name"] = "can't be blank"
    if not values["redirect_uri"].split():
        found["redirect_uri"] = "can't be blank"
    for uri in values["redirect_uri"].split():
        if redirect_uri_problem(uri):
            found["redirect_uri"] = redirect_uri_problem(uri)
            break
    return found


@pages.get("")
def index() -> str:
    """List the registered applications."""
    with database().transaction() as at:
        rows = at.all("SELECT * FROM applications ORDER BY created_at, id")
    return render_template("applications.html", applications=rows)


@pages.get("/new")
def new() -> str:
    """Show the registration form."""
    return render_template("application_form.html", application=None, values=_EMPTY, problems={})


@pages.post("")
def create() -> Response | str:
    """Register an application; show the form again where something is wrong (status 200, as Doorkeeper)."""
    values = _submitted(_EMPTY)
    wrong = problems(values)
    if wrong:
        return render_template("application_form.html", application=None, values=values, problems=wrong)
    with database().transaction() as at:
        number = records.save_application(at, values)
    return redirect(f"applications/{number}")


@pages.get("/<int:number>")
def show(number: int) -> str:
    """Show an application's credentials, and an Authorize link for each of its redirect URIs."""
    with database().transaction() as at:
        return render_template("application.html", application=_found(at, number))


@pages.get("/<int:number>.json")
def show_json(number: int) -> Response:
    """Return an application as JSON, its secret included, as Doorkeeper does."""
    with database().transaction() as at:
        found = _found(at, number)
    return answer({
        "id": found.id, "name": found.name, "uid": found.uid, "secret": found.secret,
        "redirect_uri": found.redirect_uri, "scopes": found.scopes.split(),
        "confidential": bool(found.confidential),
        "created_at": _iso(found.created_at), "updated_at": _iso(found.updated_at),
    })  # fmt: skip


@pages.get("/<int:number>/edit")
def edit(number: int) -> str:
    """Show the form with an application's present values."""
    with database().transaction() as at:
        found = _found(at, number)
    return render_template("application_form.html", application=found, values=vars(found), problems={})


@pages.route("/<int:number>", methods=["POST", "PATCH", "PUT", "DELETE"])
def change(number: int) -> Response | str:
    """Change or delete an application; a form says which in ``_method``, as Rails does."""
    method = request.form.get("_method", request.method).upper()
    with database().transaction() as at:
        found = _found(at, number)
        if method == "DELETE":
            at.run("DELETE FROM applications WHERE id = ?", number)
            return redirect("../applications")
        if method == "POST":
            abort(404)
        values = _submitted(vars(found))
        wrong = problems(values)
        if wrong:
            return render_template("application_form.html", application=found, values=values, problems=wrong)
        records.save_application(at, {**values, "secret": None}, number)
    return redirect(f"{number}")


def _found(at: Transaction, number: int) -> records.Application:
    found = records.application(at, id_=number)
    if found is None:
        abort(404)
    return found


def _submitted(values: dict[str, Any]) -> dict[str, Any]:
    """Read the form's fields over the present values; without any of them the request is malformed."""
    sent = {name: request.form.getlist(f"doorkeeper_application[{name}]") for name in _EMPTY}
    if not any(sent.values()):
        abort(400)
    read: dict[str, Any] = {name: given[-1] for name, given in sent.items() if given}
    if "confidential" in read:
        read["confidential"] = read["confidential"] in ("1", "true", "on")
    return {**{name: values[name] for name in _EMPTY}, **read}


def _iso(seconds: float) -> str:
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
