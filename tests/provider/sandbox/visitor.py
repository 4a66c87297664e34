"""Somebody at a browser, with one application registered at a running sandbox."""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from bs4 import BeautifulSoup

from redbooth_nb.provider.sandbox import Sandbox
from redbooth_nb.provider.sandbox.data import Application

CALLBACK = "http://127.0.0.1:8765/callback"


def registered(sandbox: Sandbox) -> list[dict[str, str]]:
    """Return the registered applications, oldest first, without their secrets."""
    found = sandbox._database.transact(lambda tx: tx.records(Application))
    return [{"name": app.name, "client_id": app.uid, "redirect_uri": app.redirect_uri} for app in found]


@dataclass
class Visitor:
    """One application and one browser at a sandbox."""

    sandbox: Sandbox
    app: dict[str, str]
    browser: requests.Session = field(default_factory=requests.Session)

    def url(self, path: str) -> str:
        return self.sandbox.start() + path

    def get(self, path: str, **options: Any) -> requests.Response:  # noqa: ANN401 - handed on to requests
        return self.browser.get(self.url(path), timeout=20, allow_redirects=False, **options)

    def asked(self, **changes: str) -> dict[str, str]:
        asked = {"client_id": self.app["client_id"], "redirect_uri": CALLBACK, "response_type": "code", "state": "s1"}
        return asked | changes

    def consent(self, **changes: str) -> requests.Response:
        return self.get("/oauth2/authorize", params=self.asked(**changes))

    def press(self, page: requests.Response, word: str = "Allow") -> requests.Response:
        button = BeautifulSoup(page.text, "html.parser").select_one(f'form [name=commit][value="{word}"]')
        assert button is not None
        form = button.find_parent("form")
        assert form is not None
        fields = {str(one["name"]): str(one.get("value", "")) for one in form.select("input[name]")}
        target = urljoin(page.url, str(form["action"]))
        return self.browser.post(target, fields, timeout=20, allow_redirects=False)

    def code(self, **changes: str) -> str:
        page = self.consent(**changes)
        answer = self.press(page) if page.status_code == 200 else page
        return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]

    def token(self, **given: str) -> requests.Response:
        pair = {"client_id": self.app["client_id"], "client_secret": self.app["client_secret"]}
        return requests.post(self.url("/oauth2/token"), pair | given, timeout=60)

    def exchange(self, code: str) -> requests.Response:
        return self.token(grant_type="authorization_code", code=code, redirect_uri=CALLBACK)

    def refresh(self, token: str) -> requests.Response:
        return self.token(grant_type="refresh_token", refresh_token=token)

    def me(self, token: str) -> requests.Response:
        return requests.get(self.url("/api/3/me"), headers={"Authorization": f"Bearer {token}"}, timeout=20)

    def form_token(self, path: str = "/oauth2/applications/new") -> str:
        found = re.search(r'name="authenticity_token" value="([^"]+)"', self.get(path).text)
        assert found
        return found[1]
