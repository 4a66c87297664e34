"""My Redbooth app: sign in once, keep the token in my_redbooth_token.json, and list open tasks.

It needs `pip install requests-oauthlib python-dotenv`, and the app's credentials in a file named .env beside it.
"""

import json
import os
import secrets
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests
from dotenv import dotenv_values
from oauthlib.oauth2 import AccessDeniedError, InvalidGrantError, InvalidRequestError, OAuth2Error
from requests_oauthlib import OAuth2Session

REDBOOTH = "https://redbooth.com"
TOKEN_URL = f"{REDBOOTH}/oauth2/token"
TOKEN_FILE = Path("my_redbooth_token.json")


def read_credentials():
    """Register: return client id, client secret and redirect URI, from the environment or else from .env."""
    settings = {**dotenv_values(interpolate=False), **os.environ}
    names = ["REDBOOTH_CLIENT_ID", "REDBOOTH_CLIENT_SECRET", "REDBOOTH_REDIRECT_URI"]
    missing = [name for name in names if not settings.get(name)]
    if missing:
        raise SystemExit(f"Put {', '.join(missing)} into .env. You can find them at {REDBOOTH}/oauth2/applications")
    if not settings["REDBOOTH_REDIRECT_URI"].startswith("http://127.0.0.1:"):
        raise SystemExit(
            "REDBOOTH_REDIRECT_URI must begin with http://127.0.0.1: followed by the port that the app listens on."
        )
    return [settings[name] for name in names]


CLIENT_ID, CLIENT_SECRET, REDIRECT_URI = read_credentials()
CREDENTIALS = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


def with_attempt(state):
    """Authorize: return the redirect URI of one sign-in. It repeats `state`, in case Redbooth does not return it."""
    return f"{REDIRECT_URI}?attempt={state}"


def authorization_link(state):
    """Authorize: return the link that sends the user to Redbooth."""
    oauth = OAuth2Session(CLIENT_ID, redirect_uri=with_attempt(state))
    return oauth.authorization_url(f"{REDBOOTH}/oauth2/authorize", state=state)[0]


def is_ours(address, state):
    """Authorize: return whether a callback address belongs to the sign-in that sent this `state`."""
    fields = parse_qs(urlsplit(address).query)
    return (fields.get("state") or fields.get("attempt")) == [state]


def wait_for_callback(state):
    """Authorize: send the user to Redbooth, and return the address that the browser comes back to."""
    answers = []

    class Callback(BaseHTTPRequestHandler):
        timeout = 1  # in seconds; browsers also open connections that they do not use

        def do_GET(self):
            # On this machine, the browser uses http; oauthlib accepts only https.
            address = "https://" + urlsplit(REDIRECT_URI).netloc + self.path  # gap: address
            if is_ours(address, state):
                answers.append(address)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"You can close this tab and go back to the app.")
            else:
                self.send_error(404)

        def log_message(self, *_):
            pass  # the address contains the code

    with HTTPServer(("127.0.0.1", urlsplit(REDIRECT_URI).port), Callback) as server:
        link = authorization_link(state)
        webbrowser.open(link) or print("Open this address in a browser:", link)
        while not answers:
            server.handle_request()
    return answers[0]


def exchange(address, state):
    """Exchange: send the code in the callback address to Redbooth, and return the token."""
    # oauthlib compares `state` once more. If Redbooth did not return it, is_ours has compared `attempt` instead.
    sent = state if "state" in parse_qs(urlsplit(address).query) else None
    oauth = OAuth2Session(CLIENT_ID, redirect_uri=with_attempt(state), state=sent)
    return oauth.fetch_token(
        TOKEN_URL, authorization_response=address, include_client_id=True, timeout=30, **CREDENTIALS
    )


def save(token):
    """Replace the token file in one step: a crash leaves the old token or the new one, never half of it."""
    part = TOKEN_FILE.with_suffix(".part")
    with open(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        json.dump({**token, "client_id": CLIENT_ID}, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(TOKEN_FILE)


def load():
    """Return the stored token, or None if there is none or it belongs to another app."""
    if not TOKEN_FILE.exists():
        return None
    try:
        token = json.loads(TOKEN_FILE.read_text())
        return token if token["client_id"] == CLIENT_ID else None
    except (ValueError, TypeError, KeyError):
        raise SystemExit(f"{TOKEN_FILE} is damaged. Delete it, then run the app again to sign in.") from None


def sign_in():
    """Authorize and exchange: return a new token, already saved."""
    state = secrets.token_urlsafe(32)
    token = exchange(wait_for_callback(state), state)
    save(token)
    return token


def refresh(token):
    """Refresh: return a new pair of tokens. It is saved before anything else happens: the old pair is dead now."""
    oauth = OAuth2Session(CLIENT_ID, token=token)
    token = oauth.refresh_token(TOKEN_URL, timeout=30, **CREDENTIALS)  # gap: credentials
    save(token)  # gap: save
    return token


def call(token, path):
    """Call the API and return its answer. If the answer says that the token expired, refresh once and call again."""
    url = f"{REDBOOTH}/api/3{path}"
    answer = requests.get(url, headers={"Authorization": f"Bearer {token['access_token']}"}, timeout=30)
    if answer.status_code == 401 and "expired" in answer.headers.get("WWW-Authenticate", ""):  # gap: expired
        token = refresh(token)
        answer = requests.get(url, headers={"Authorization": f"Bearer {token['access_token']}"}, timeout=30)
    return answer


def get(path):
    """Return what the API says. If there is no token, or Redbooth no longer accepts it, have the user sign in first."""
    token = load() or sign_in()
    try:
        answer = call(token, path)
    except (InvalidGrantError, InvalidRequestError):  # a dead refresh token: the error today, and the one before 2015
        answer = None
    if answer is None or answer.status_code == 401:
        print("Redbooth no longer accepts the stored token. Please sign in again.")
        answer = call(sign_in(), path)
    answer.raise_for_status()
    return answer.json()


def main():
    """Greet the user, and list a few of their open tasks."""
    print(f"Hello, {get('/me')['first_name']}. Some of your open tasks:")
    for task in [task for task in get("/tasks") if task["status"] == "open"][:3]:
        print("-", task["name"])


if __name__ == "__main__":
    try:
        main()
    except AccessDeniedError:
        raise SystemExit("You did not allow access. Run the app again if you change your mind.") from None
    except OAuth2Error as error:
        raise SystemExit(f"Redbooth refused ({error.error!r:.60}). Are the credentials in .env right?") from None
    except requests.HTTPError as error:
        raise SystemExit(f"Redbooth answered {error.response.status_code}. Try again later.") from None
    except requests.RequestException as error:
        raise SystemExit(f"Redbooth gave no usable answer ({type(error).__name__}). Check the network.") from None
    except OSError as error:  # a file, or else the port in the redirect URI
        hint = "" if error.filename else " Close the notebook or program that uses it, then run the app again."
        raise SystemExit(f"{error.filename or REDIRECT_URI}: {error.strerror}.{hint}") from None
    except KeyboardInterrupt:
        raise SystemExit("Stopped.") from None
