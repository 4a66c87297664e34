"""Stage 1, register: the app's credentials, where they are kept, and what can be wrong with them (guide, chapter 1)."""

import hashlib
import os
import re
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from redbooth_nb import changes
from redbooth_nb.client.errors import failure, sentences
from redbooth_nb.client.private_file import locked, replace_file
from redbooth_nb.configuration import Configuration, make_private, read_env_file
from redbooth_nb.errors import NotYet, RedboothError, only_kit_errors
from redbooth_nb.provider.addresses import APPLICATIONS_URL
from redbooth_nb.provider.delivery import LOOPBACK_HOSTS, Provider, current_provider
from redbooth_nb.secret import Secret

LONGEST_PLACEHOLDER = 39  # characters; longer values are never taken for one: Redbooth's have 43 or 64
SHOWN = 8  # characters of a client id that are shown
NAMES = ("REDBOOTH_CLIENT_ID", "REDBOOTH_CLIENT_SECRET", "REDBOOTH_REDIRECT_URI")
KINDS_FROM_ENVIRONMENT = {"live", "stand-in"}  # "stand-in": a server of your own; other kinds: "sandbox", "recorded"
DEFAULT_REDIRECT_URI = "http://127.0.0.1:8765/callback"
NONCE_NAME = "attempt"  # see AuthorizationRequest
# what Redbooth adds to the redirect URI; each may appear only once
ANSWER_PARAMETERS = {"code", "error", "error_description", "state", "access_token", "token_type", "expires_in", "scope"}


class CredentialsError(RedboothError):
    """A client id, client secret or redirect URI cannot be right.

    swapped: whether each of client id and client secret was entered in the other's place.
    """

    swapped: bool = False


@dataclass(frozen=True)
class Settings:
    """What the app knows about itself, and which provider it talks to.

    client_id, client_secret, redirect_uri: what Redbooth calls Api Key, App secret and Return URI (RFC 6749 section 2).
    source: where the credentials came from, for people to read.
    """

    client_id: str = field(repr=False)
    client_secret: Secret
    redirect_uri: str
    provider: Provider
    folder: Path
    source: str

    @property
    def wrong_field(self) -> str:
        """What the sandbox knows to be wrong, such as "client_id" for an unknown app; other providers always say ""."""
        return self.provider.wrong_field(self.client_id, self.client_secret.reveal(), self.redirect_uri)

    @property
    def shown_client_id(self) -> str:
        """The beginning of the client id: some people copy the secret into its field by mistake."""
        return f"{self.client_id[:SHOWN]}..."

    def __repr__(self) -> str:
        return f"<app {self.shown_client_id} at {self.provider.label}>"

    @classmethod
    @only_kit_errors
    def load(cls) -> "Settings":
        """Read the credentials of the current provider.

        redbooth.com: each value from the environment, otherwise from `.env`. A stand-in of your own: each from the
        environment, otherwise from its folder. The kit's sandbox and its recordings: only from their folder.
        Raises NotYet when there are none, CredentialsError when they cannot be right.
        """
        configuration = Configuration.read()
        provider = current_provider(configuration)
        path = credentials_file(configuration, provider)
        values, source = read_env_file(path), str(path)
        if provider.kind in KINDS_FROM_ENVIRONMENT:
            given = {name: os.environ[name] for name in NAMES if os.environ.get(name, "").strip()}
            if given:
                rest = [name for name in NAMES if values.get(name) and name not in given]
                source = f"the environment and {path}" if rest else "the environment"
            values |= given
        client_id, secret, uri = (values.get(name, "").strip() for name in NAMES)
        if not client_id and not secret:
            raise failure(NotYet, "register", "missing", path=path)
        uri = uri or DEFAULT_REDIRECT_URI
        if problems := credential_problems(client_id, secret, uri):
            page = provider.link(APPLICATIONS_URL)
            raise failure(CredentialsError, "register", "wrong", source=source, problems=" ".join(problems), page=page)
        # only its first characters: somebody may have entered the secret here, and paths are shown
        named = f"{client_id[:SHOWN]}-{hashlib.sha256(client_id.encode()).hexdigest()[:12]}"
        folder = configuration.state_dir / provider.name / named
        return cls(client_id, Secret("client secret", secret), uri, provider, folder, source)


def credentials_file(configuration: Configuration, provider: Provider) -> Path:
    """Return the file that keeps the credentials for `provider`: `.env` for the real one, else its own folder."""
    if provider.kind == "live":
        return configuration.env_file
    return configuration.state_dir / provider.name / "credentials.env"


@only_kit_errors
def save_credentials(client_id: str, client_secret: str, redirect_uri: str = DEFAULT_REDIRECT_URI) -> Settings:
    """Check the credentials, save them for the current provider (mode 0600), and return the settings.

    In the sandbox they have to be those of a registered app.
    Raises CredentialsError, having saved nothing, when one cannot be right, an environment variable overrides one, or
    the file cannot be written; StoreError when its lock cannot be had.
    """
    client_id, client_secret, redirect_uri = client_id.strip(), client_secret.strip(), redirect_uri.strip()
    if problems := credential_problems(client_id, client_secret, redirect_uri):
        raise failure(CredentialsError, "register", "refused", problems=" ".join(problems))
    configuration = Configuration.read()
    provider = current_provider(configuration)
    if wrong := provider.wrong_field(client_id, client_secret, redirect_uri):
        # if each fits the other's field, they were swapped, even if the redirect URI is wrong, too
        swapped = provider.wrong_field(client_secret, client_id, redirect_uri) in {"", "redirect_uri"}
        error = failure(CredentialsError, "register", "swapped" if swapped else f"wrong_{wrong}")
        error.swapped = swapped
        raise error
    fields = dict(zip(NAMES, (client_id, client_secret, redirect_uri), strict=True))
    other = [name for name, value in fields.items() if os.environ.get(name, "").strip() not in {"", value}]
    if other and provider.kind in KINDS_FROM_ENVIRONMENT:
        raise failure(CredentialsError, "register", "overridden", names=", ".join(other))
    path = credentials_file(configuration, provider)
    try:
        make_private(path.parent)
        with locked(configuration.state_dir / "credentials.lock"):
            before = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
            replace_file(path.resolve(), with_values(before, fields).encode())  # a link stays a link
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: links that lead to one another
        reason = getattr(error, "strerror", None) or "a line in it cannot be read"
        raise failure(CredentialsError, "register", "unsaved", path=path, reason=reason) from None
    changes.announce()
    return Settings.load()


def with_values(text: str, values: dict[str, str]) -> str:
    """Return the text of a dotenv file with these values in it; every other line stays as it is.

    Raises ValueError when they could not be read back, because one of the file's lines is damaged.
    """
    quoted = {name: value.replace("\\", "\\\\").replace("'", "\\'") for name, value in values.items()}
    lines, new = {name: f"{name}='{value}'\n" for name, value in quoted.items()}, ""
    for part in parse_stream(StringIO(text)):
        line = part.original.string  # with the empty lines before it
        blank = line[: len(line) - len(line.lstrip("\r\n"))]
        new += blank + lines.pop(part.key, "") if part.key in values else line
    new += "\n" * (new != "" and not new.endswith("\n")) + "".join(lines.values())
    if not dotenv_values(stream=StringIO(new), interpolate=False).items() >= values.items():
        raise ValueError
    return new


def credential_problems(client_id: str, client_secret: str, redirect_uri: str) -> list[str]:
    """Say what cannot be right, one sentence per problem."""
    problems = []
    for name, value in (("Api Key (client id)", client_id), ("App secret (client secret)", client_secret)):
        wrong = {
            "empty": not value,
            "characters": not re.fullmatch(r"[\x21-\x7e]+", value),
            "placeholder": len(value) <= LONGEST_PLACEHOLDER and re.search(r"(?i)your|paste|example|<|>|\.\.\.", value),
        }
        problems += sentences("credentials", wrong, name=name)[:1]
    mixed_up = {
        # its first characters become part of a folder's name
        "folder": "://" not in client_id and re.search(r"[/\\]|^\.+$", client_id),
        "same": client_id and client_id == client_secret,
        "address": "://" in client_id or "://" in client_secret,
    }
    return problems + sentences("credentials", mixed_up) + redirect_uri_problems(redirect_uri)


def redirect_uri_problems(uri: str) -> list[str]:
    """Say what is wrong with a redirect URI (RFC 6749 section 3.1.2), one sentence per problem."""
    try:
        parts = urlsplit(uri)
        _ = parts.port  # which is checked only when it is asked for
    except ValueError:
        return sentences("redirect_uri", {"invalid": True})
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    unreadable = {"empty": not uri, "blank": re.search(r"[\s\x00-\x1f\x7f]", uri), "foreign": not uri.isascii()}
    wrong = {
        # the scheme of "localhost:8765/callback" would be localhost
        "relative": not parts.scheme or re.match(r"[\w.-]+:\d", uri),
        "no_host": parts.scheme in {"http", "https"} and not parts.hostname,
        "unprotected": parts.scheme == "http" and parts.hostname and parts.hostname not in LOOPBACK_HOSTS,
        "fragment": "#" in uri,
        "parameters": {NONCE_NAME, *ANSWER_PARAMETERS} & set(names) or len(set(names)) < len(names),
    }
    return sentences("redirect_uri", unreadable) or sentences("redirect_uri", wrong)
