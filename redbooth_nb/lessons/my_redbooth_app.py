"""My Redbooth app: sign in once, keep the token in my_redbooth_token.json, and list open tasks.

It needs `pip install requests-oauthlib python-dotenv`, and the app's credentials in a file named .env beside it.
"""

import errno
import json
import os
import secrets
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from dotenv import dotenv_values
from oauthlib.oauth2 import AccessDeniedError, InvalidGrantError, OAuth2Error
from requests_oauthlib import OAuth2Session

REDBOOTH = "https://redbooth.com"
TOKEN_URL = f"{REDBOOTH}/oauth2/token"
TOKEN_FILE = Path("my_redbooth_token.json")


def read_credentials():
    """Register: return client_id, client_secret and redirect_uri as a dict, from the environment or else from .env."""
    settings = {**dotenv_values(interpolate=False), **os.environ}
    names = {name: f"REDBOOTH_{name.upper()}" for name in ("client_id", "client_secret", "redirect_uri")}
    missing = [variable for variable in names.values() if not settings.get(variable)]
    if missing:
        raise SystemExit(f"Put {', '.join(missing)} into .env. You can find them at {REDBOOTH}/oauth2/applications")
    return {name: settings[variable] for name, variable in names.items()}


def return_address(credentials, state):
    """Authorize: return the redirect URI of one sign-in. It repeats `state`, in case Redbooth does not return it."""
    uri = credentials["redirect_uri"]
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode({'attempt': state})}"


def authorization_link(credentials, state):
    """Authorize: return the link that sends the user to Redbooth."""
    oauth = OAuth2Session(credentials["client_id"], redirect_uri=return_address(credentials, state))
    link, _ = oauth.authorization_url(f"{REDBOOTH}/oauth2/authorize", state=state)
    return link


def is_ours(address, state):
    """Authorize: return whether a callback address belongs to the sign-in that sent this `state`."""
    fields = parse_qs(urlsplit(address).query)
    return (fields.get("state") or fields.get("attempt")) == [state]


def wait_for_callback(credentials, state):
    """Authorize: send the user to Redbooth, and return the address that the browser comes back to."""
    here = urlsplit(credentials["redirect_uri"])
    if (here.scheme, here.hostname) != ("http", "127.0.0.1") or not here.port:
        raise SystemExit("REDBOOTH_REDIRECT_URI must begin with http://127.0.0.1: and the port the app listens on.")
    answers = []

    class Callback(BaseHTTPRequestHandler):
        timeout = 1  # in seconds; browsers also open connections that they do not use

        def do_GET(self):
            address = f"http://{here.netloc}{self.path}"
            if is_ours(address, state):
                answers.append(address)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"You can go back to the app now.")
            else:
                self.send_error(404)

        def log_message(self, *_):
            pass  # the address contains the code

    with HTTPServer(("127.0.0.1", here.port), Callback) as server:
        server.handle_error = lambda *_: None  # a connection that broke
        link = authorization_link(credentials, state)
        webbrowser.open(link) or print("Open this address in a browser:", link)
        while not answers:
            server.handle_request()
    return answers[0]


def exchange(credentials, address, state):
    """Exchange: send the code in the callback address to Redbooth, and return the token."""
    if not is_ours(address, state):
        raise SystemExit("This answer does not belong to this sign-in.")
    oauth = OAuth2Session(credentials["client_id"], redirect_uri=return_address(credentials, state))
    oauth.max_redirects = 0  # the secret goes to Redbooth and nowhere else
    return oauth.fetch_token(
        TOKEN_URL,
        # On this machine, the browser uses http; oauthlib reads only https.
        authorization_response=address.replace("http://", "https://", 1),
        include_client_id=True,
        client_secret=credentials["client_secret"],
        timeout=30,
    )


def save(credentials, token):
    """Replace the token file in one step: a crash leaves either the old token or the new one."""
    part = TOKEN_FILE.with_suffix(".part")
    part.unlink(missing_ok=True)  # left behind by a crash
    with open(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump({**token, "client_id": credentials["client_id"]}, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(TOKEN_FILE)


def load(credentials):
    """Return the stored token, or None if there is none or it belongs to another app."""
    if not TOKEN_FILE.exists():
        return None
    try:
        token = json.loads(TOKEN_FILE.read_text())
        return token if token["client_id"] == credentials["client_id"] else None
    except (ValueError, TypeError, KeyError):
        raise SystemExit(f"{TOKEN_FILE} is damaged. Delete it, then run the app again to sign in.") from None


def sign_in(credentials):
    """Authorize and exchange: return a new token, already saved."""
    state = secrets.token_urlsafe(32)
    token = exchange(credentials, wait_for_callback(credentials, state), state)
    save(credentials, token)
    return token


def refresh(credentials, token):
    """Refresh: return a new token pair, saved before anything else happens, because the old pair may no longer work."""
    oauth = OAuth2Session(credentials["client_id"], token=token)
    oauth.max_redirects = 0
    new = oauth.refresh_token(
        TOKEN_URL, client_id=credentials["client_id"], client_secret=credentials["client_secret"], timeout=30
    )
    save(credentials, new)
    return new


def call(credentials, token, path):
    """Call the API and return the response. If it says that the token expired, refresh once and call again."""
    url = f"{REDBOOTH}/api/3{path}"
    response = requests.get(url, headers={"Authorization": f"Bearer {token['access_token']}"}, timeout=30)
    if response.status_code == 401 and "expired" in response.headers.get("WWW-Authenticate", ""):
        token = refresh(credentials, token)
        response = requests.get(url, headers={"Authorization": f"Bearer {token['access_token']}"}, timeout=30)
    return response


def get(credentials, path):
    """Return what the API says. If there is no token, or Redbooth no longer accepts it, have the user sign in first."""
    token = load(credentials) or sign_in(credentials)
    try:
        response = call(credentials, token, path)
    except OAuth2Error as error:  # a dead refresh token is an invalid_grant; in 2015 it was an invalid_request
        if error.error not in (InvalidGrantError.error, "invalid_request"):
            raise
        response = None
    if response is None or response.status_code == 401:
        print("Redbooth no longer accepts the stored token. Please sign in again.")
        response = call(credentials, sign_in(credentials), path)
    response.raise_for_status()
    return response.json()


def main():
    """Greet the user, and list a few of their open tasks."""
    credentials = read_credentials()
    print(f"Hello, {get(credentials, '/me')['first_name']}. Some of your open tasks:")
    for task in [task for task in get(credentials, "/tasks") if task["status"] == "open"][:3]:
        print("-", task["name"])


if __name__ == "__main__":
    try:
        main()
    except AccessDeniedError:
        raise SystemExit("You did not allow access. Run the app again if you change your mind.") from None
    except OAuth2Error as error:
        code = str(error.error) if str(error.error).replace("_", "").isalpha() else "?"  # other text may hold a secret
        raise SystemExit(f"Redbooth refused ({code}). Run the app again. If that doesn't help, check .env.") from None
    except requests.HTTPError as error:
        raise SystemExit(f"Redbooth returned {error.response.status_code}. Try again later.") from None
    except requests.RequestException as error:
        raise SystemExit(f"Redbooth gave no usable response ({type(error).__name__}). Check the network.") from None
    except OSError as error:  # a file, or else the port in the redirect URI
        if error.errno is None:  # requests did not find its certificates
            raise SystemExit(f"{error}.") from None
        port = error.errno in (errno.EADDRINUSE, errno.EACCES) and not error.filename
        where = "The port in REDBOOTH_REDIRECT_URI" if port else error.filename or TOKEN_FILE
        hint = " Cancel any other sign-in, or close the program that uses the port, and try again." if port else ""
        raise SystemExit(f"{where}: {error.strerror}.{hint}") from None
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        where = f".env, {TOKEN_FILE} or Redbooth's response"  # such as a port that isn't a number
        raise SystemExit(f"Something in {where} cannot be used: {type(error).__name__}: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit("Stopped.") from None
