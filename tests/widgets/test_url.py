"""The authorize URL taken apart."""

from urllib.parse import parse_qs, quote, urlsplit

from widgets.clicks import click, field, shown

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.register import Settings
from redbooth_nb.widgets.url import UrlView


def test_every_parameter_is_shown_decoded_and_encoded(app: Settings) -> None:
    request = AuthorizationRequest.new(app)
    view = UrlView(request)
    assert view.url == request.url
    for name, value in request.parameters.items():
        assert f"    {name} = {value}    (" in view.text()
        assert field(view, name).value == value
        assert quote(value, safe="") in shown(view)


def test_typing_and_calling_change_the_same(app: Settings) -> None:
    view = UrlView(AuthorizationRequest.new(app))
    field(view, "redirect_uri").value = "http://localhost:8765/call back"
    assert parse_qs(urlsplit(view.url).query)["redirect_uri"] == ["http://localhost:8765/call back"]
    assert "(changed)" in shown(view)
    view.change("response_type", "")
    assert "response_type" not in view.url
    assert field(view, "response_type").value == ""


def test_reset(app: Settings) -> None:
    request = AuthorizationRequest.new(app)
    view = UrlView(request)
    view.change("state", "guessed")
    assert view.url != request.url
    click(view, "Reset")
    assert view.url == request.url
    assert "(changed)" not in shown(view)


def test_a_window_that_shows_another_address_is_closed(app: Settings) -> None:
    view = UrlView(AuthorizationRequest.new(app))
    for change in (lambda: view.change("state", "guessed"), view.reset):
        view.visit()
        assert len(view.browser.children) == 1
        change()
        assert view.browser.children == ()


def test_pkce_shows_its_formula_and_never_the_verifier(app: Settings) -> None:
    request = AuthorizationRequest.new(app, pkce=True)
    assert request.code_verifier is not None
    view = UrlView(request)
    assert "BASE64URL(SHA256(code_verifier))" in shown(view)
    assert request.parameters["code_challenge"] in shown(view)
    assert request.code_verifier.reveal() not in shown(view) + view.text()
    assert "SHA256" not in shown(UrlView(AuthorizationRequest.new(app)))


def test_what_is_typed_is_escaped(app: Settings) -> None:
    view = UrlView(AuthorizationRequest.new(app))
    view.change("client_id", "<script>alert(1)</script>")
    assert "<script>" not in shown(view)
