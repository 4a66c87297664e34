"""The registration form: where to register the app, and where its credentials go."""

import html

import ipywidgets as w
import requests

from redbooth_nb.client.register import (
    DEFAULT_REDIRECT_URI,
    Settings,
    credential_problems,
    credentials_file,
    save_credentials,
)
from redbooth_nb.client.wire import connect
from redbooth_nb.configuration import Configuration, for_people
from redbooth_nb.errors import NotYet
from redbooth_nb.provider.addresses import NEW_APPLICATION_URL
from redbooth_nb.provider.delivery import current_provider
from redbooth_nb.provider.unattended import register_application
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.view import Markup, View, button, field, link


class RegisterForm(View):
    """Takes Api Key, App secret and Return URI; `save()` does the same by function call.

    name: what to call the app. Where nobody sits at the browser, the kit registers it by that name.
    """

    picture = (
        "register",
        "a link to the registration page, fields for Api Key, App secret and Return URI, and the button Save.",
    )

    def __init__(self, name: str = "My first Redbooth app", redirect_uri: str = DEFAULT_REDIRECT_URI) -> None:
        configuration = Configuration.read()
        provider = current_provider(configuration)
        self.settings: Settings | None = _existing()
        if self.settings is None and configuration.unattended and provider.kind != "live":
            self.settings = save_credentials(*register_application(connect(requests.Session()), name, redirect_uri))
        file = credentials_file(configuration, provider)
        self._client_id = field(w.Text, "Api Key (client id)")
        self._secret = field(w.Password, "App secret")
        self._redirect_uri = field(w.Text, "Return URI", value=redirect_uri)
        self._message = Message()
        page = link(provider.link(NEW_APPLICATION_URL), "the registration page")
        steps = Markup(
            f"<ol><li>Open {page} on {html.escape(provider.label)}.</li>"
            f"<li>Name it <code>{html.escape(name)}</code>; its Return URI is <code>{html.escape(redirect_uri)}</code>."
            "</li><li>Copy Api Key and App secret into these fields.</li></ol>"
            f"Saved in <code>{html.escape(for_people(file))}</code>, readable only by you."
        )
        save = button("Save", self._clicked, self._message, primary=True)
        for typed in (self._client_id, self._redirect_uri):
            typed.observe(self._look, names="value")
        super().__init__([steps, self._client_id, self._secret, self._redirect_uri, save, self._message])
        self._announce()

    def save(self, client_id: str, client_secret: str, redirect_uri: str = DEFAULT_REDIRECT_URI) -> Settings:
        """Check and save the credentials. Raises CredentialsError, having saved nothing, when one cannot be right."""
        self.settings = save_credentials(client_id, client_secret, redirect_uri)
        self._announce()
        return self.settings

    def _clicked(self) -> None:
        secret, self._secret.value = self._secret.value, ""  # what a widget holds could be saved with the notebook
        self.save(self._client_id.value, secret, self._redirect_uri.value)

    def _look(self, _: object) -> None:
        if not self._client_id.value:
            return
        # the secret is looked at when it is saved; until then any good one stands for it
        problems = credential_problems(self._client_id.value.strip(), "-", self._redirect_uri.value.strip())
        if problems:
            self._message.say(" ".join(problems), "problem")
        else:
            self._message.say("So far so good. Add the App secret and press Save.")

    def _announce(self) -> None:
        if self.settings:
            self._message.say(self.text(), "good")

    def text(self) -> str:
        """Say which app is registered."""
        if self.settings is None:
            return "No app is registered yet. Fill in the form, or call .save(client_id, client_secret)."
        return (
            f"Registered: client id {self.settings.client_id}, {self.settings.client_secret}, "
            f"redirect URI {self.settings.redirect_uri}"
        )


def _existing() -> Settings | None:
    try:
        return Settings.load()
    except NotYet:
        return None
