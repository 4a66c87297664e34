"""The registration form: where to register the app, and where its credentials go."""

from contextlib import suppress

import ipywidgets as w
import requests

from redbooth_nb import Settings, connect, save_credentials
from redbooth_nb.client.register import (
    DEFAULT_REDIRECT_URI,
    CredentialsError,
    credential_problems,
    credentials_file,
)
from redbooth_nb.configuration import Configuration, for_people
from redbooth_nb.errors import NotYet
from redbooth_nb.provider.addresses import NEW_APPLICATION_URL
from redbooth_nb.provider.delivery import current_provider
from redbooth_nb.provider.visitor import register_application
from redbooth_nb.secret import Secret
from redbooth_nb.widgets.browser import Browser
from redbooth_nb.widgets.flow_map import Snapshot
from redbooth_nb.widgets.live import LiveView
from redbooth_nb.widgets.markup import panels
from redbooth_nb.widgets.view import Markup, field, row

CLEARED = " The App secret was cleared, so paste it again, too."
GONE = "\nRedbooth does not know this app (anymore). Register another one."


class RegisterForm(LiveView):
    """Takes Api Key, App secret and Return URI; `save()` does the same by function call.

    name: what to call the app. When nobody is at the browser, the kit registers the app under that name.
    """

    def __init__(self, name: str = "My first Redbooth app", redirect_uri: str = DEFAULT_REDIRECT_URI) -> None:
        configuration = Configuration.read()
        provider = current_provider(configuration)
        self.settings: Settings | None = None
        with suppress(NotYet):
            self.settings = Settings.load()
        if self.settings is None and configuration.unattended and provider.kind != "live":
            self.settings = save_credentials(*register_application(connect(requests.Session()), name, redirect_uri))
        self._client_id = field(w.Text, "Api Key (client id)")
        # once it has been typed, it goes where no saved notebook can hold it
        self._secret, self._kept = field(w.Password, "App secret", continuous_update=False), ""
        self._secret.observe(self._keep_secret, names="value")
        app = self.settings
        self._redirect_uri = field(w.Text, "Return URI", value=app.redirect_uri if app else redirect_uri)
        file = for_people(credentials_file(configuration, provider))
        self._steps = Markup(panels.register(provider.label, name, redirect_uri, file))
        save = self._button("Save", self._clicked, primary=True)
        for typed in (self._client_id, self._redirect_uri):
            typed.observe(self._typed, names="value")
        self.browser = Browser(NEW_APPLICATION_URL, "Open the registration page")
        self._fields = [self._client_id, self._secret, self._redirect_uri, row(save, self._message)]
        self._another = self._button("Register another app", self.show_page)
        self._keep = self._button("Keep the current app", self.hide_page)
        super().__init__([])
        if app:
            self.hide_page()
        else:
            self.show_page()

    def show_page(self) -> None:
        """Show the registration page and the fields, even if an app is already registered."""
        self._message.say("")
        self.children = [self._steps, self.browser, *self._fields, *([self._keep] if self.settings else [])]

    def hide_page(self) -> None:
        """Show only which app is registered."""
        self._message.say(self.text(), "good")
        self.children = [self._message, self._another]

    def _show(self) -> None:
        if self._another in self.children:  # it shows which app is registered
            now = Snapshot()
            self.settings, kind = now.settings, "good" if now.registered else "problem"
            self._message.say(self.text() + GONE * now.gone, kind)

    def save(self, client_id: str, client_secret: str, redirect_uri: str = DEFAULT_REDIRECT_URI) -> Settings:
        """Check and save the credentials. Raises CredentialsError, and saves nothing, if one cannot be right."""
        self.settings = save_credentials(client_id, client_secret, redirect_uri)
        self._message.say(self.text(), "good")
        return self.settings

    def _clicked(self) -> None:
        app, secret = self.settings, self._kept
        self._hold("")
        client_id, uri = self._client_id.value, self._redirect_uri.value
        if secret or app is None or (client_id, uri) != (app.client_id, app.redirect_uri):  # else it is saved already
            try:
                self.save(client_id, secret, uri)
            except CredentialsError as error:  # the secret may be in the wrong field
                if error.swapped:
                    self._client_id.value = ""
                if "://" not in uri:
                    self._redirect_uri.value = DEFAULT_REDIRECT_URI
                error.remedy += CLEARED if secret else ""
                raise

    def _keep_secret(self, change: dict[str, str]) -> None:
        if change["new"]:  # nothing that moves the button: it is being pressed
            self._hold(change["new"])

    def _hold(self, secret: str) -> None:
        self._kept, self._secret.value = secret, ""
        self._secret.placeholder = str(Secret("client secret", secret)) if secret else ""

    def _typed(self, _: object) -> None:
        if self._client_id.value:
            # the secret is checked when it is saved; until then any good one will do
            problems = credential_problems(self._client_id.value.strip(), "-", self._redirect_uri.value.strip())
            good = "So far so good. Once the App secret is entered, too, click Save."
            self._message.say(" ".join(problems) or good, "problem" if problems else "info")

    def text(self) -> str:
        """Say which app is registered."""
        app = self.settings
        if app is None:
            return "No app is registered yet. Fill in the form, or call .save(client_id, getpass.getpass())."
        return f"Registered: client id {app.shown_client_id}, {app.client_secret}, redirect URI {app.redirect_uri}"
