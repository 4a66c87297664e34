"""My Redbooth app: signs in once, keeps its token in my_redbooth_token.json, and lists open tasks.

It needs `pip install requests-oauthlib python-dotenv`, and a .env file with the app's credentials.
"""

import json
import os
import time
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values
from oauthlib.oauth2 import InvalidGrantError
from requests_oauthlib import OAuth2Session

REDBOOTH = "https://redbooth.com"
TOKEN_URL = f"{REDBOOTH}/oauth2/token"
TOKEN_FILE = Path("my_redbooth_token.json")
SETTINGS = {**dotenv_values(), **os.environ}
REDIRECT_URI = SETTINGS["REDBOOTH_REDIRECT_URI"]
CREDENTIALS = {"client_id": SETTINGS["REDBOOTH_CLIENT_ID"], "client_secret": SETTINGS["REDBOOTH_CLIENT_SECRET"]}


def save(token):
    """Replace the file in one step: a crash leaves the old token or the new one, never half of it."""
    part = TOKEN_FILE.with_suffix(".part")
    with open(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        json.dump({**token, "expires_at": time.time() + token["expires_in"]}, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(TOKEN_FILE)


def sign_in():
    """Send the user to Redbooth, wait until the browser comes back, and exchange the code."""
    came_back = []

    class Callback(BaseHTTPRequestHandler):
        def do_GET(self):
            if urlsplit(self.path).path == urlsplit(REDIRECT_URI).path:
                came_back.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"You can close this tab and go back to the app.")

        def log_message(self, *_):
            pass  # the address holds the code

    oauth = OAuth2Session(CREDENTIALS["client_id"], redirect_uri=REDIRECT_URI)
    with HTTPServer(("127.0.0.1", urlsplit(REDIRECT_URI).port), Callback) as server:
        url, _ = oauth.authorization_url(f"{REDBOOTH}/oauth2/authorize")
        webbrowser.open(url) or print("Open this address in a browser:", url)
        while not came_back:
            server.handle_request()
    # The address came by http inside this machine; oauthlib reads only https, and checks state in it.
    address = "https://" + urlsplit(REDIRECT_URI).netloc + came_back[0]  # gap: address
    save(oauth.fetch_token(TOKEN_URL, authorization_response=address, include_client_id=True, **CREDENTIALS))


def refresh():
    """Get a new pair of tokens, and save it before anything else: the old pair is dead now."""
    oauth = OAuth2Session(CREDENTIALS["client_id"], token=json.loads(TOKEN_FILE.read_text()))
    token = oauth.refresh_token(TOKEN_URL, **CREDENTIALS)  # gap: credentials
    save(token)  # gap: save


def call(path):
    """Call the API with the stored token, whatever it answers."""
    token = {"access_token": json.loads(TOKEN_FILE.read_text())["access_token"]}
    return OAuth2Session(CREDENTIALS["client_id"], token=token).get(f"{REDBOOTH}/api/3{path}", timeout=30)


def get(path):
    """Call the API; refresh a minute early, and once when the answer says that the token expired."""
    if json.loads(TOKEN_FILE.read_text())["expires_at"] < time.time() + 60:
        refresh()
    answer = call(path)
    if "expired" in answer.headers.get("WWW-Authenticate", ""):  # gap: expired
        refresh()
        answer = call(path)
    answer.raise_for_status()
    return answer.json()


if __name__ == "__main__":
    if not TOKEN_FILE.exists():
        sign_in()
    try:
        me = get("/me")
    except InvalidGrantError:  # the permission is gone: ask again
        sign_in()
        me = get("/me")
    print(f"Hello, {me['first_name']}. Some of your open tasks:")
    for task in [task for task in get("/tasks") if task["status"] == "open"][:3]:
        print("-", task["name"])
