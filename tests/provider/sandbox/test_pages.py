"""The sandbox's pages: forms nobody else can send, headers that keep them private, words people need."""

import html
import re
from urllib.parse import urljoin

import pytest
import requests
from bs4 import BeautifulSoup
from provider.sandbox.visitor import CALLBACK, Visitor, registered

PAGES = ("/oauth2/applications", "/oauth2/applications/new", "/oauth2/applications/1", "/oauth2/applications/1/edit",
         "/oauth2/authorized_applications", "/oauth2/authorize", "/nowhere")  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_private_and_say_what_they_are(visitor: Visitor, path: str) -> None:
    page = visitor.get(path)
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "form-action" not in page.headers["Content-Security-Policy"]  # it would stop the redirect after Allow
    assert "This is the practice Redbooth" in page.text
    cookie = page.headers["Set-Cookie"]
    assert cookie.startswith("redbooth_sandbox=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize("path", PAGES)
def test_pages_work_behind_a_proxy(visitor: Visitor, path: str) -> None:
    """Every address on a page is relative, and leads where it should."""
    page = BeautifulSoup(visitor.get(path).text, "html.parser")
    addresses = [("GET", str(link["href"])) for link in page.select("[href]")]
    addresses += [("POST", str(form["action"])) for form in page.select("[action]")]
    assert addresses
    for method, address in addresses:
        assert not address.startswith(("/", "http")), address
        reached = visitor.browser.request(method, urljoin(visitor.url(path), address), timeout=20)
        # a form without its token is refused; nothing listens for POST where the form chooses DELETE or PATCH
        assert reached.status_code == 200 if method == "GET" else reached.status_code in {200, 404, 422}, address


def test_consent_page_says_who_what_and_where(visitor: Visitor) -> None:
    visitor.app = visitor.sandbox.seed_application("<b>Bold</b> & co", CALLBACK)
    page = visitor.consent(state='"><script>')
    text = BeautifulSoup(page.text, "html.parser").get_text()
    for expected in ("<b>Bold</b> & co", "Act on your behalf", CALLBACK, "Signed in as Ada Marlow"):
        assert expected in text
    assert "<script>" not in page.text


@pytest.mark.parametrize("token", [None, "", "wrong"])
def test_forged_forms_are_refused(visitor: Visitor, token: str | None) -> None:
    visitor.consent()
    sent = visitor.asked(commit="Authorize") | ({} if token is None else {"authenticity_token": token})
    before = registered(visitor.sandbox)
    for path, method in (
        ("/oauth2/authorize", "post"),
        ("/oauth2/authorize", "delete"),
        ("/oauth2/applications", "post"),
        ("/oauth2/applications/1", "patch"),
        ("/oauth2/applications/1", "delete"),
        ("/session", "post"),
        ("/oauth2/authorized_applications/1", "delete"),
    ):
        form = {"data": sent | {"_method": method}, "timeout": 20, "allow_redirects": False}
        assert visitor.browser.post(visitor.url(path), **form).status_code == 422, path
        assert visitor.browser.request(method.upper(), visitor.url(path), **form).status_code == 422, path
    assert registered(visitor.sandbox) == before


def test_somebody_else_s_form_token_is_refused(visitor: Visitor) -> None:
    theirs = requests.get(visitor.url("/oauth2/applications/new"), timeout=20).text
    token = re.search(r'name="authenticity_token" value="([^"]+)"', theirs)
    assert token
    sent = visitor.asked(commit="Authorize", authenticity_token=token[1])
    assert visitor.browser.post(visitor.url("/oauth2/authorize"), sent, timeout=20).status_code == 422
    # as another site's page would, to which the browser sends no cookies along: there is no session
    for made_up in (token[1], "-", ""):
        sent["authenticity_token"] = made_up
        assert requests.post(visitor.url("/oauth2/authorize"), sent, timeout=20).status_code == 422


def test_a_bare_post_only_asks(visitor: Visitor) -> None:
    answer = requests.post(visitor.url("/oauth2/authorize"), visitor.asked(), timeout=20, allow_redirects=False)
    assert answer.status_code == 200
    assert 'value="Allow"' in answer.text


@pytest.mark.parametrize("host", ["evil.example.test", "127.0.0.1.example.test", "localhost:x", "10.0.0.1", "[::2]"])
def test_other_host_names_are_refused(visitor: Visitor, host: str) -> None:
    answer = visitor.get("/oauth2/applications", headers={"Host": host})
    assert answer.status_code == 400
    assert visitor.app["client_id"] not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "LOCALHOST:8764", "[::1]:8764"])
def test_this_machine_s_names_are_welcome(visitor: Visitor, host: str) -> None:
    assert visitor.get("/oauth2/applications", headers={"Host": host}).status_code == 200


def test_application_page_names_both_vocabularies(visitor: Visitor) -> None:
    page = BeautifulSoup(visitor.get("/oauth2/applications/1").text, "html.parser")
    text = " ".join(page.get_text(" ").split())
    for expected in ("Api Key client_id", "App secret client_secret", "Return URI or Callback URL redirect_uri"):
        assert expected in text
    assert page.select_one("code#application_id").get_text() == visitor.app["client_id"]
    assert page.select_one("code#secret").get_text() == visitor.app["client_secret"]
    link = html.unescape(str(page.find("a", string="Authorize")["href"]))
    assert "state" not in link
    assert visitor.browser.get(urljoin(visitor.url("/oauth2/applications/1"), link), timeout=20).ok


def test_an_application_can_be_changed_and_deleted(visitor: Visitor) -> None:
    token = visitor.exchange(visitor.code()).json()["access_token"]
    form = {"authenticity_token": visitor.form_token(), "_method": "patch", "doorkeeper_application[name]": "New name"}
    url = visitor.url("/oauth2/applications/1")
    changed = visitor.browser.post(url, form, timeout=20)
    assert changed.url == url
    assert "New name" in changed.text
    assert visitor.get("/oauth2/applications/1.json").json()["redirect_uri"] == CALLBACK
    wrong = visitor.browser.post(url, form | {"doorkeeper_application[redirect_uri]": "/x"}, timeout=20)
    assert "Must be an absolute URI." in wrong.text
    gone = visitor.browser.post(url, form | {"_method": "delete"}, timeout=20)
    assert gone.url == visitor.url("/oauth2/applications")
    assert visitor.me(token).status_code == 401
    assert visitor.get("/oauth2/applications/1").status_code == 404
    assert visitor.get("/oauth2/applications/99999999999999999999999").status_code == 404


def test_switching_person_returns_to_the_page(visitor: Visitor) -> None:
    page = visitor.consent()
    form = BeautifulSoup(page.text, "html.parser").select_one("form.who")
    fields = {str(one["name"]): str(one.get("value")) for one in form.select("[name]")}
    back = visitor.browser.post(visitor.url("/session"), fields, timeout=20)
    assert back.url == page.url
    assert "Signed in as <strong>Bo Sandell" in back.text
    token = visitor.exchange(visitor.code()).json()["access_token"]
    assert visitor.me(token).json()["first_name"] == "Bo"
    for elsewhere in ("https://evil.example.test/", "//evil.example.test", "/\\evil", "javascript:alert(1)", ""):
        away = visitor.browser.post(
            visitor.url("/session"),
            fields | {"return_to": elsewhere, "user_id": "x"},
            timeout=20,
            allow_redirects=False,
        )
        assert away.headers["Location"] == "oauth2/applications"


def test_revoking_on_the_page_asks_again(visitor: Visitor) -> None:
    token = visitor.exchange(visitor.code()).json()["access_token"]
    assert visitor.consent().status_code == 302
    page = visitor.get("/oauth2/authorized_applications")
    assert f"Api Key {visitor.app['client_id'][:8]}..." in page.text  # two apps may have the same name
    visitor.press(page, "Revoke")
    assert visitor.me(token).status_code == 401
    assert visitor.consent().status_code == 200


def test_large_and_odd_requests_get_a_page(visitor: Visitor) -> None:
    form = {"authenticity_token": visitor.form_token(), "x": "y" * 70_000}
    assert visitor.browser.post(visitor.url("/oauth2/applications"), form, timeout=20).status_code == 413
    empty = {"authenticity_token": visitor.form_token()}
    assert visitor.browser.post(visitor.url("/oauth2/applications"), empty, timeout=20).status_code == 400
    assert visitor.browser.put(visitor.url("/oauth2/token"), timeout=20).status_code == 404
