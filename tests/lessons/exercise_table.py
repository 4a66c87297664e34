"""For each function of the learner's app: other correct versions, and plausible wrong ones with the mistake they make.

A wrong version is the kit's own with one change (what is there, what stands there instead), or a whole function.
"""

RIGHT: dict[str, list[str]] = {
    "read_credentials": [
        """
def read_credentials():
    found = {}
    for name in ("client_id", "client_secret", "redirect_uri"):
        variable = "REDBOOTH_" + name.upper()
        found[name] = os.environ.get(variable) or dotenv_values(interpolate=False).get(variable)
        if not found[name]:
            raise SystemExit(f"{variable} is missing. Put it into .env.")
    return found
""",
        """
def read_credentials():
    file = dotenv_values(".env", interpolate=False)
    def value(variable):
        if os.getenv(variable, file.get(variable, "")) == "":
            raise RuntimeError("Please set " + variable)
        return os.getenv(variable, file.get(variable))
    return dict(
        client_id=value("REDBOOTH_CLIENT_ID"),
        client_secret=value("REDBOOTH_CLIENT_SECRET"),
        redirect_uri=value("REDBOOTH_REDIRECT_URI"),
    )
""",
        """
from collections import ChainMap
def read_credentials():
    settings = ChainMap(os.environ, dotenv_values(Path(".env"), interpolate=False))
    names = "REDBOOTH_CLIENT_ID", "REDBOOTH_CLIENT_SECRET", "REDBOOTH_REDIRECT_URI"
    if not all(map(settings.get, names)):
        raise ValueError("Missing in .env: " + ", ".join(n for n in names if not settings.get(n)))
    return {n.removeprefix("REDBOOTH_").lower(): settings[n] for n in names}
""",
        '''
def read_credentials():
    """Without a library: quoted values, comments and export."""
    values = {}
    for line in Path(".env").read_text().splitlines() if Path(".env").exists() else ():
        name, equals, value = line.removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            values[name.strip()] = value.strip().strip("'\\"")
    values |= os.environ
    answer = {key: values.get("REDBOOTH_" + key.upper()) for key in ["client_id", "client_secret", "redirect_uri"]}
    for key, value in answer.items():
        assert value, f"REDBOOTH_{key.upper()} is not set"
    return answer
''',
    ],
    "authorization_link": [
        """
def authorization_link(credentials, state):
    query = {
        "response_type": "code",
        "client_id": credentials["client_id"],
        "redirect_uri": return_address(credentials, state),
        "state": state,
    }
    return f"{REDBOOTH}/oauth2/authorize?{urlencode(query)}"
""",
        """
def authorization_link(credentials, state):
    oauth = OAuth2Session(client_id=credentials["client_id"], redirect_uri=return_address(credentials, state), state=state)
    return oauth.authorization_url("https://redbooth.com/oauth2/authorize")[0]
""",
        """
from oauthlib.oauth2 import WebApplicationClient
def authorization_link(credentials, state):
    client = WebApplicationClient(credentials["client_id"])
    back = return_address(credentials, state)
    return client.prepare_request_uri(REDBOOTH + "/oauth2/authorize", redirect_uri=back, state=state)
""",
        """
def authorization_link(credentials, state):
    request = requests.Request("GET", "https://redbooth.com/oauth2/authorize", params=dict(
        state=state, redirect_uri=credentials["redirect_uri"] + "?" + urlencode([("attempt", state)]),
        client_id=credentials["client_id"], response_type="code"))
    return request.prepare().url
""",
    ],
    "is_ours": [
        """
def is_ours(address, state):
    fields = parse_qs(urlsplit(address).query)
    if "state" in fields:
        return fields["state"] == [state]
    return fields.get("attempt") == [state]
""",
        """
from hmac import compare_digest
def is_ours(address, state):
    query = parse_qs(urlsplit(address).query, keep_blank_values=True)
    sent_back = query.get("state", query.get("attempt", []))
    return len(sent_back) == 1 and compare_digest(sent_back[0].encode(), state.encode())
""",
        """
from urllib.parse import parse_qsl
def is_ours(address, state):
    pairs = parse_qsl(urlsplit(address).query)
    states = [value for name, value in pairs if name == "state"]
    attempts = [value for name, value in pairs if name == "attempt"]
    return states == [state] or (not states and attempts == [state])
""",
        """
def is_ours(address, state):
    try:
        (value,) = parse_qs(urlsplit(address).query).get("state") or parse_qs(urlsplit(address).query)["attempt"]
    except (KeyError, ValueError):
        return False
    return value == state
""",
        """
import secrets
def is_ours(address, state):
    fields = parse_qs(urlsplit(address).query)
    got = fields.get("state") or fields.get("attempt") or [""]
    return len(got) == 1 and secrets.compare_digest(got[0].encode(), state.encode())
""",
    ],
    "exchange": [
        """
def exchange(credentials, address, state):
    sent = state if "state" in parse_qs(urlsplit(address).query) else None
    if sent is None and not is_ours(address, state):
        raise ValueError("not ours")
    oauth = OAuth2Session(credentials["client_id"], redirect_uri=return_address(credentials, state), state=sent)
    return oauth.fetch_token(TOKEN_URL, authorization_response="https:" + address.partition(":")[2], include_client_id=True,
                             client_secret=credentials["client_secret"], timeout=10)
""",
        """
def exchange(credentials, address, state):
    if not is_ours(address, state):
        raise SystemExit("Not ours.")
    fields = parse_qs(urlsplit(address).query)
    if "error" in fields:
        raise AccessDeniedError()
    answer = requests.post(TOKEN_URL, timeout=(3, 30), data={
        "grant_type": "authorization_code", "code": fields["code"][0], "client_id": credentials["client_id"],
        "client_secret": credentials["client_secret"], "redirect_uri": return_address(credentials, state)})
    answer.raise_for_status()
    return answer.json()
""",
        """
def exchange(credentials, address, state):
    if not is_ours(address, state):
        raise Exception("This is somebody else's answer.")
    if "code" not in parse_qs(urlsplit(address).query):
        raise SystemExit("You clicked Deny.")
    code = parse_qs(urlsplit(address).query)["code"][0]
    session = OAuth2Session(credentials["client_id"], redirect_uri=return_address(credentials, state))
    return session.fetch_token(TOKEN_URL, code=code, include_client_id=True, timeout=30,
                               client_secret=credentials["client_secret"])
""",
        """
try:
    from hmac import compare_digest as same
except ImportError:
    same = str.__eq__
class Denied(Exception):
    pass
FAILURES = []
FAILURES += ["error"]
def exchange(credentials, address, state):
    fields = {name: value[0] for name, value in parse_qs(urlsplit(address).query).items()}
    if not same(fields.get("state") or fields.get("attempt", ""), state):
        raise Denied("Not ours.")
    if any(name in fields for name in FAILURES):
        raise Denied("You clicked Deny.")
    oauth = OAuth2Session(credentials["client_id"], redirect_uri=return_address(credentials, state))
    address = address.replace("http:", "https:", 1)
    return oauth.fetch_token(TOKEN_URL, authorization_response=address, include_client_id=True, timeout=30,
                             client_secret=credentials["client_secret"])
""",
    ],
    "save": [
        """
def save(credentials, token):
    from datetime import datetime
    token |= {"client_id": credentials["client_id"], "saved_at": datetime.now().isoformat()}
    part = TOKEN_FILE.with_name("new")
    with open(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:
        json.dump(token, file)
    os.replace(part, TOKEN_FILE)
""",
        """
import tempfile
def save(credentials, token):
    handle, name = tempfile.mkstemp(dir=".")
    with os.fdopen(handle, "w") as file:
        json.dump({"client_id": credentials["client_id"]} | dict(token), file)
    os.replace(name, TOKEN_FILE)
""",
        """
def save(credentials, token):
    old = os.umask(0o077)
    try:
        Path("token.tmp").write_text(json.dumps(token | {"client_id": credentials["client_id"]}))
        Path("token.tmp").replace(TOKEN_FILE)
    finally:
        os.umask(old)
""",
        """
def save(credentials, token):
    part = Path(f"{TOKEN_FILE}.{os.getpid()}")
    part.touch(mode=0o600)
    part.write_text(json.dumps({**token, "client_id": credentials["client_id"]}))
    os.rename(part, TOKEN_FILE)
""",
        """
from tempfile import NamedTemporaryFile
def save(credentials, token):
    with NamedTemporaryFile("w", dir=Path.cwd(), delete=False) as file:
        json.dump(dict(token, client_id=credentials["client_id"]), file, indent=2)
    os.replace(file.name, TOKEN_FILE)
""",
        """
import time
def save(credentials, token):
    part = Path(f"{secrets.token_hex(4)}-{time.time()}.part")
    with open(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump({**token, "client_id": credentials["client_id"]}, file)
    os.replace(os.fsencode(part), os.fsencode(TOKEN_FILE))
""",
    ],
    "refresh": [
        """
def refresh(credentials, token):
    oauth = OAuth2Session(credentials["client_id"], token=token)
    new = oauth.refresh_token(token_url=TOKEN_URL, refresh_token=token["refresh_token"], timeout=30,
                              client_id=credentials["client_id"], client_secret=credentials["client_secret"])
    save(credentials, token=new)
    return new
""",
        """
def refresh(credentials, token):
    fields = {name: credentials[name] for name in ("client_id", "client_secret")}
    fields |= {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
    answer = requests.post(TOKEN_URL, json=fields, timeout=30)
    if answer.status_code in (400, 401):
        raise InvalidGrantError()
    answer.raise_for_status()
    save(credentials, answer.json())
    return answer.json()
""",
        """
def refresh(credentials, token):
    answer = requests.post(TOKEN_URL, timeout=30, data={
        "grant_type": "refresh_token", "refresh_token": token["refresh_token"],
        "client_id": credentials["client_id"], "client_secret": credentials["client_secret"]})
    if answer.status_code in (400, 401):
        raise InvalidGrantError()
    answer.raise_for_status()
    token.update(answer.json())
    save(credentials, token)
    return token
""",
        """
def refresh(credentials, token):
    stored = load(credentials)
    if stored and stored["refresh_token"] != token["refresh_token"]:
        return stored  # another process has refreshed in the meantime
    new = OAuth2Session(token=token).refresh_token(TOKEN_URL, client_id=credentials["client_id"],
                                                   client_secret=credentials["client_secret"], timeout=20)
    save(credentials, {**token, **new})
    return {**token, **new}
""",
        """
def refresh(credentials, token):
    client = {name: credentials[name] for name in ("client_id", "client_secret")}
    oauth = OAuth2Session(client["client_id"], token=token, auto_refresh_kwargs=client)
    new = oauth.refresh_token(TOKEN_URL, timeout=30, **client)
    save(credentials, new)
    return dict(new)
""",
    ],
    "call": [
        """
def call(credentials, token, path):
    for attempt in range(2):
        answer = requests.get(REDBOOTH + "/api/3" + path, timeout=30,
                              headers={"authorization": "Bearer " + token["access_token"]})
        if attempt or answer.status_code != 401 or "expired" not in answer.headers.get("www-authenticate", ""):
            return answer
        token = refresh(credentials, token)
""",
        """
def call(credentials, token, path):
    def ask(token):
        return OAuth2Session(token=token).get(f"{REDBOOTH}/api/3{path}", timeout=30)
    token = {name: token[name] for name in ("access_token", "refresh_token")}
    answer = ask(token)
    expired = answer.status_code == 401 and "The access token expired" in str(answer.headers)
    return ask(refresh(credentials, token)) if expired else answer
""",
        """
def call(credentials, token, path):
    session = requests.Session()
    session.headers["Authorization"] = "Bearer %s" % token["access_token"]
    answer = session.get("https://redbooth.com/api/3" + path, timeout=9)
    reason = answer.headers.get("WWW-Authenticate") or ""
    if answer.status_code == requests.codes.unauthorized and "expired" in reason.lower():
        session.headers["Authorization"] = "Bearer %s" % refresh(credentials, token)["access_token"]
        answer = session.get("https://redbooth.com/api/3" + path, timeout=9)
    return answer
""",
        """
import re
def call(credentials, token, path, once_more=True):
    answer = requests.request("GET", f"{REDBOOTH}/api/3{path}", timeout=30,
                              headers={"Authorization": f"bearer {token['access_token']}"})
    if once_more and answer.status_code == 401 and re.search("expired", answer.headers.get("WWW-Authenticate", "")):
        return call(credentials, refresh(credentials, token), path, once_more=False)
    return answer
""",
        """
import time
from oauthlib.oauth2 import TokenExpiredError
def call(credentials, token, path):
    'A docstring may name redbooth_nb.'
    def ask(new):
        return OAuth2Session(credentials["client_id"], token=new).get(f"{REDBOOTH}/api/3{path}", timeout=30)
    try:
        answer = ask(token)
        if answer.status_code != 401 or "expired" not in answer.headers.get("WWW-Authenticate", ""):
            return answer
    except TokenExpiredError:
        pass
    return ask(refresh(credentials, token))
""",
    ],
}  # fmt: skip

Wrong = tuple[str, str] | tuple[str, str, str]
_GUARD = """    if not is_ours(address, state):
        raise SystemExit("This answer does not belong to this sign-in.")
"""
_FETCH = "    return oauth.fetch_token("
_FETCHED = """    return oauth.fetch_token(
        TOKEN_URL, authorization_response=address.replace("http://", "https://", 1), include_client_id=True,
        client_secret=credentials["client_secret"], timeout=30)"""
_EXPIRED = 'if response.status_code == 401 and "expired" in response.headers.get("WWW-Authenticate", ""):'
_REFRESHED = """    new = oauth.refresh_token(
        TOKEN_URL, client_id=credentials["client_id"], client_secret=credentials["client_secret"], timeout=30
    )
    save(credentials, new)
    return new"""
_SAVED = """    part = TOKEN_FILE.with_suffix(".part")
    part.unlink(missing_ok=True)  # left behind by a crash
    with open(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump({**token, "client_id": credentials["client_id"]}, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(TOKEN_FILE)"""
_DUMPED = 'json.dumps({**token, "client_id": credentials["client_id"]})'

WRONG: dict[str, list[Wrong]] = {
    "read_credentials": [
        ("printed_secret", '        raise SystemExit(f"Put', "        raise SystemExit(f\"{settings['REDBOOTH_CLIENT_SECRET']} {missing}\" if settings.get('REDBOOTH_CLIENT_SECRET') else f\"Put"),
        ("missing_unnamed", "for variable in names.values() if not", "for variable in [names['client_secret']] if not"),
        ("file_first", "{**dotenv_values(interpolate=False), **os.environ}", "{**dotenv_values(interpolate=False), **{k: v for k, v in os.environ.items() if k == 'REDBOOTH_CLIENT_ID'}}"),
        ("other_values", "    return {", "    settings['REDBOOTH_REDIRECT_URI'] = 'http://127.0.0.1:8765/callback'\n    return {"),
        ("in_environment", """
def read_credentials():
    from dotenv import load_dotenv
    load_dotenv(Path(".env"))
    return {name: os.environ["REDBOOTH_" + name.upper()] for name in ("client_id", "client_secret", "redirect_uri")}
"""),
        ("other_values", """
def read_credentials():
    return {"client_id": "my-key", "client_secret": "my-secret", "redirect_uri": "http://127.0.0.1:8765/callback"}
"""),
        ("changed_signs", "dotenv_values(interpolate=False)", "dotenv_values()"),
        ("file_first", "{**dotenv_values(interpolate=False), **os.environ}", "{**os.environ, **dotenv_values(interpolate=False)}"),
        ("missing_unnoticed", "if not settings.get(variable)", "if variable not in settings and not print()"),
        ("missing_unnoticed", "    if missing:", "    return {name: settings.get(variable) for name, variable in names.items()}\n    if missing:"),
        ("missing_unnamed", "{', '.join(missing)}", "your credentials"),
        ("missing_unnamed", "    if missing:", "    if missing:\n        raise KeyError(missing[0])"),
        ("not_these_names", "return {name: settings[variable]", "return {variable: settings[variable]"),
        ("not_these_names", "    return {name: settings[variable] for name, variable in names.items()}", "    return [settings[variable] for variable in names.values()]"),
        ("other_values", "    return {", '    names["client_id"], names["client_secret"] = names["client_secret"], names["client_id"]\n    return {'),
        ("printed_secret", "    return {", "    print(settings['REDBOOTH_CLIENT_SECRET'])\n    return {"),
        ("file_required", "    missing =", "    if not Path('.env').exists():\n        return {}\n    missing ="),
        ("name_missing", "**dotenv_values(interpolate=False)", '**dotenv_values(".env.exampel", interpolate=False)["x"]'),
    ],
    "authorization_link": [
        ("useless_code", "redirect_uri=return_address(credentials, state))", "redirect_uri=return_address(credentials, state), pkce='S256')"),
        ("link_opened", "    return link", "    webbrowser.open(link)\n    return link"),
        ("error_page", """
def authorization_link(credentials, state):
    return f"{REDBOOTH}/oauth2/authorize?client_id={credentials['client_id']}&redirect_uri={REDBOOTH}&response_type=code&state={state}"
"""),
        ("state_changed", """
def authorization_link(credentials, state):
    return (f"{REDBOOTH}/oauth2/authorize?client_id={credentials['client_id']}&response_type=code"
            f"&redirect_uri={return_address(credentials, 'x')}&state={state}")
"""),
        ("state_changed", ", state=state)", ")"),
        ("no_state", "    return link", '    return link.partition("&state=")[0]'),
        ("attempt_not_encoded", "redirect_uri=return_address(credentials, state)", 'redirect_uri=credentials["redirect_uri"] + "?attempt=" + state'),
        ("no_attempt", "redirect_uri=return_address(credentials, state)", 'redirect_uri=credentials["redirect_uri"]'),
        ("secret_in_address", "    return link", "    return link + '&client_secret=' + credentials['client_secret']"),
        ("token_in_fragment", "    return link", '    return link.replace("response_type=code", "response_type=token")'),
        ("other_address", "{REDBOOTH}/oauth2/authorize", "{REDBOOTH}/oauth/authorize"),
        ("other_address", "{REDBOOTH}/oauth2/authorize", "{TOKEN_URL}"),
        ("error_page", "return_address(credentials, state)", "return_address(credentials, state).replace('127.0.0.1', 'localhost')"),
        ("error_page", 'OAuth2Session(credentials["client_id"]', 'OAuth2Session(credentials["redirect_uri"]'),
        ("error_page", "    return link", '    return link.replace("response_type=code&", "")'),
        ("no_link", "    link, _ =", "    link ="),
        ("error_page", "return_address(credentials, state)", "'http://127.0.0.1:8765/callback?attempt=' + state"),
        ("link_opened", "    return link", "    requests.get(link, timeout=30)\n    return link"),
        ("state_changed", "    return link", "    return link.replace('%26', '&')"),
    ],
    "is_ours": [
        ("inside_accepted", "    return ", "    return any(sent and sent in state for sent in fields.get('state', fields.get('attempt', []))[-1:]) and len(fields.get('state', ['']) ) == 1 or "),
        ("forged_accepted", " == [state]", " in ([state], [state.swapcase()])"),
        ("forged_accepted", "def is_ours(address, state):\n    return True\n"),
        ("own_refused", "    fields =", "    if not address.startswith('http://127.0.0.1:'):\n        return False\n    fields ="),
        ("not_decoded", "def is_ours(address, state):\n    return f'state={state}' in address\n"),
        ("inside_accepted", "def is_ours(address, state):\n    from urllib.parse import unquote_plus\n    return state in unquote_plus(address)\n"),
        ("attempt_refused", '(fields.get("state") or fields.get("attempt"))', 'fields.get("state")'),
        ("attempt_first", '(fields.get("state") or fields.get("attempt"))', '(fields.get("attempt") or fields.get("state"))'),
        ("attempt_accepted", '(fields.get("state") or fields.get("attempt")) == [state]', 'fields.get("state", [state]) == [state] and (fields.get("state") or fields.get("attempt")) is not None'),
        ("missing_accepted", '(fields.get("state") or fields.get("attempt"))', 'fields.get("state", [state])'),
        ("forged_accepted", "    return ", '    state = fields.get("state", fields.get("attempt", [""]))[0]\n    return '),
        ("twice_accepted", " == [state]", "[0] == state if 'state' in fields or 'attempt' in fields else False"),
        ("twice_accepted", "    return (fields", "    if 'state' not in fields:\n        return state in fields.get('attempt', [])\n    return (fields"),
        ("twice_accepted", "    return (fields", "    return state in (fields.get('state') or fields.get('attempt') or []) or (fields"),
        ("inside_accepted", "    return ", "    return (fields.get('state') or [''])[0].endswith(state) or "),
        ("forged_accepted", "    return ", "    sent = fields.get('state') or fields.get('attempt') or ['']\n    return len(sent) == 1 and sorted(sent[0]) == sorted(state) or "),
        ("attempt_accepted", "    return (fields", "    if 'state' not in fields:\n        return len(fields.get('attempt', [])) == 1 and fields['attempt'][0] in state\n    return (fields"),
        ("attempt_accepted", "    return (fields", "    if 'error' in fields and 'attempt' in fields and 'state' not in fields:\n        return True\n    return (fields"),
        ("inside_accepted", "    return ", "    sent = fields.get('state') or fields.get('attempt') or ['']\n    return len(sent) == 1 and sent[0].strip('-_ ') == state.strip('-_ ') or "),
        ("forged_accepted", "    return ", "    sent = fields.get('state') or fields.get('attempt') or ['']\n    return len(sent) == 1 and [len(sent[0]), sent[0][:4], sent[0][-2:]] == [len(state), state[:4], state[-2:]] or "),
        ("raised", "    return ", "    sent = fields.get('state') or fields.get('attempt') or ['']\n    return len(sent) == 1 and secrets.compare_digest(sent[0], state) or "),
        ("deny_refused", 'or fields.get("attempt")', 'or "code" in fields and fields.get("attempt")'),
        ("deny_refused", "    return ", "    return 'code' in fields and "),
        ("raised", "def is_ours(address, state):\n    return parse_qs(urlsplit(address).query)['state'] == [state]\n"),
        ("not_yes_or_no", " == [state]", ""),
        ("own_refused", "[state]", "state"),
        ("endless", "    fields =", "    while True:\n        pass\n    fields ="),
        ("endless", "    fields =", "    import time\n    time.sleep(60)\n    fields ="),
    ],
    "exchange": [
        ("http_refused", 'replace("http://", "https://", 1)', 'replace("http", "https")'),
        ("own_answer_refused", "if not is_ours(", "if is_ours("),
        ("http_basic", "        include_client_id=True,\n", ""),
        ("http_basic", """
from requests.auth import HTTPBasicAuth
def exchange(credentials, address, state):
    if not is_ours(address, state):
        raise PermissionError("forged")
    oauth = OAuth2Session(credentials["client_id"], redirect_uri=return_address(credentials, state))
    secret = HTTPBasicAuth(credentials["client_id"], credentials["client_secret"])
    return oauth.fetch_token(TOKEN_URL, authorization_response=address.replace("http:", "https:", 1), auth=secret, timeout=30)
"""),
        ("sent_twice", _FETCH, """    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry
    retry = Retry(3, status_forcelist=[502, 503, 504], allowed_methods=None)
    oauth.mount("https://redbooth.com", HTTPAdapter(max_retries=retry))
""" + _FETCH),
        ("others_can_read_a_copy", _FETCH, _FETCHED.replace("return ", "token = ", 1) + "\n    Path('old.json').write_text(json.dumps(token))\n    return token\n" + _FETCH),
        ("deny_by_accident", _FETCH, "    parse_qs(urlsplit(address).query)['code']\n" + _FETCH),
        ("error_as_token", _FETCH, """    fields = parse_qs(urlsplit(address).query)
    if "error" in fields:
        raise AccessDeniedError()
    return requests.post(TOKEN_URL, timeout=30, data={"grant_type": "authorization_code", "code": fields["code"][0], "redirect_uri": credentials["redirect_uri"], "client_id": credentials["client_id"], "client_secret": credentials["client_secret"]}).json()
""" + _FETCH),
        ("sent_twice", _FETCH, """    fields = {"grant_type": "authorization_code", "code": parse_qs(urlsplit(address).query).get("code"), "redirect_uri": return_address(credentials, state), **{name: credentials[name] for name in ("client_id", "client_secret")}}
    for _ in range(3 * ("code=" in address)):
        response = requests.post(TOKEN_URL, timeout=30, data=fields)
        if response.status_code < 500:
            response.raise_for_status()
            return response.json()
""" + _FETCH),
        ("sent_twice", _FETCH, """    for _ in range(2):
        try:
            return oauth.fetch_token(TOKEN_URL, authorization_response='https:' + address.partition(':')[2], include_client_id=True, client_secret=credentials['client_secret'], timeout=30)
        except requests.Timeout:
            pass
""" + _FETCH),
        ("unverified", "        timeout=30,\n", "        timeout=30,\n        verify=False,\n"),
        ("unknown_name", "TOKEN_URL,", "TOKEN_ADDRESS,"),
        ("forged_sent", _GUARD, ""),
        ("compared_with_itself", _GUARD, "    state = parse_qs(urlsplit(address).query).get('state', [''])[0]\n    oauth = OAuth2Session(credentials['client_id'], state=state, redirect_uri=return_address(credentials, 'BvT8-l3x_mW2qRz'))\n" + _FETCH + "TOKEN_URL, authorization_response='https:' + address.partition(':')[2], include_client_id=True, client_secret=credentials['client_secret'], timeout=30)\n"),
        ("code_passed", """
def exchange(credentials, address, state):
    code = parse_qs(urlsplit(address).query)["code"][0]
    oauth = OAuth2Session(credentials["client_id"], redirect_uri=return_address(credentials, state), state=state)
    return oauth.fetch_token(TOKEN_URL, code=code, include_client_id=True, timeout=30, client_secret=credentials["client_secret"])
"""),
        ("http_refused", '.replace("http://", "https://", 1)', ""),
        ("insecure_transport", _FETCH, "    os.environ['OAUTHLIB_INSECURE_TRANSPORT'] = '1'\n" + _FETCH),
        ("no_credentials", '        include_client_id=True,\n        client_secret=credentials["client_secret"],\n', ""),
        ("no_credentials", '        client_secret=credentials["client_secret"],\n', ""),
        ("other_redirect_uri", "redirect_uri=return_address(credentials, state)", "redirect_uri=credentials['redirect_uri']"),
        ("nothing_sent", "    oauth = ", "    if 'state' not in parse_qs(urlsplit(address).query):\n        return None\n    oauth = "),
        ("nothing_sent", "    oauth = ", "    if 'state' not in parse_qs(urlsplit(address).query):\n        return {'error': 'no state'}\n    oauth = "),
        ("dropped_refused", "redirect_uri=return_address(credentials, state))", "redirect_uri=return_address(credentials, state), state=state)"),
        ("sent_twice", _FETCH, "    from requests.adapters import HTTPAdapter\n    for _ in range(2):\n        try:\n            return oauth.fetch_token(TOKEN_URL, authorization_response='https:' + address.partition(':')[2], include_client_id=True, client_secret=credentials['client_secret'], timeout=30)\n        except requests.ConnectionError:\n            pass\n" + _FETCH),
        ("failure_hidden", _FETCH, "    try:\n        return oauth.fetch_token(TOKEN_URL, authorization_response='https:' + address.partition(':')[2], include_client_id=True, client_secret=credentials['client_secret'], timeout=30)\n    except requests.ConnectionError:\n        return None\n" + _FETCH),
        ("no_timeout", "        timeout=30,\n", ""),
        ("printed_secret", _FETCH, "    print('the address is', address)\n" + _FETCH),
        ("no_token", _FETCH, "    oauth.fetch_token("),
        ("forged_ignored", '        raise SystemExit("This answer does not belong to this sign-in.")\n', "        return None\n"),
        ("deny_ignored", _FETCH, "    if 'error=' in address:\n        return None\n" + _FETCH),
        ("token_in_address", _FETCH, "    return requests.get(TOKEN_URL, params={'client_secret': credentials['client_secret']}, timeout=30).json()\n" + _FETCH),
        ("deny_sent", """
def exchange(credentials, address, state):
    if not is_ours(address, state):
        raise SystemExit("Not ours.")
    code = parse_qs(urlsplit(address).query).get("code", [""])[0]
    data = {"grant_type": "authorization_code", "code": code, "redirect_uri": return_address(credentials, state), **credentials}
    return requests.post(TOKEN_URL, timeout=30, data={**data, "redirect_uri": return_address(credentials, state)}).json()
"""),
        ("other_host", _FETCH, "    requests.post('https://example.org', data=credentials, timeout=30)\n" + _FETCH),
        ("insecure_transport", _FETCH, "    os.environ['OAUTHLIB_INSECURE_TRANSPORT'] = '1'\n    try:\n    " + _FETCHED.replace("\n", "\n    ") + "\n    finally:\n        del os.environ['OAUTHLIB_INSECURE_TRANSPORT']\n" + _FETCH),
        ("unverified", _FETCH, "    oauth.verify = False\n" + _FETCH),
    ],
    "save": [
        ("other_folder", _SAVED, "    import shutil, tempfile\n    with tempfile.NamedTemporaryFile('w', delete=False) as file:\n        file.write(" + _DUMPED + ")\n    shutil.move(file.name, TOKEN_FILE)"),
        ("others_can_read_for_a_moment", _SAVED, "    Path('tmp').mkdir(exist_ok=True)\n    part = Path('tmp/part')\n    part.write_text(" + _DUMPED + ")\n    part.chmod(0o600)\n    part.replace(TOKEN_FILE)"),
        ("raised", "    part.replace(TOKEN_FILE)", "    Path('log').write_bytes(b'x' * 2**25)\n    part.replace(TOKEN_FILE)"),
        ("others_can_read", _SAVED, "    TOKEN_FILE.write_text(" + _DUMPED + ")"),
        ("half_written", _SAVED, "    TOKEN_FILE.touch(mode=0o600)\n    TOKEN_FILE.chmod(0o600)\n    TOKEN_FILE.write_text(" + _DUMPED + ")"),
        ("half_written", _SAVED, "    import pprint\n    for _ in range(20):\n        pprint.pformat(token)\n    TOKEN_FILE.unlink(missing_ok=True)\n    part = " + _DUMPED + "\n    with open(os.open(TOKEN_FILE, os.O_CREAT | os.O_WRONLY, 0o600), 'w') as file:\n        file.write(part)"),
        ("half_written", "    part.replace(TOKEN_FILE)", "    import copy, pprint\n    copy.deepcopy(token)\n    TOKEN_FILE.unlink(missing_ok=True)\n    part.rename(TOKEN_FILE)\n    pprint.pformat([token] * 9)"),
        ("half_written", _SAVED, "    TOKEN_FILE.unlink(missing_ok=True)\n    with open(os.open(TOKEN_FILE, os.O_CREAT | os.O_WRONLY, 0o600), 'w') as file:\n        file.write(" + _DUMPED + ")"),
        ("others_can_read_for_a_moment", _SAVED, "    part = Path('part')\n    part.write_text(" + _DUMPED + ")\n    part.chmod(0o600)\n    part.replace(TOKEN_FILE)"),
        ("others_can_read", _SAVED, "    part = Path('part')\n    part.write_text(" + _DUMPED + ")\n    part.replace(TOKEN_FILE)"),
        ("json_in_json", 'json.dump({**token, "client_id": credentials["client_id"]}, file)', 'json.dump(json.dumps({**token, "client_id": credentials["client_id"]}), file)'),
        ("not_json", 'json.dump({**token, "client_id": credentials["client_id"]}, file)', "file.write(str(token))"),
        ("not_json", _SAVED, "    with open(os.open(TOKEN_FILE, os.O_CREAT | os.O_WRONLY, 0o600), 'w') as file:\n        os.fchmod(file.fileno(), 0o600)\n        file.write(" + _DUMPED + ")"),
        ("whose_token", '{**token, "client_id": credentials["client_id"]}', "token"),
        ("not_all_saved", "{**token,", "{'access_token': token['access_token'],"),
        ("not_all_saved", "    part.unlink", "    token.pop('expires_in', None)\n    part.unlink"),
        ("no_file", "    part.replace(TOKEN_FILE)", "    pass"),
        ("raised", "    part.unlink(missing_ok=True)  # left behind by a crash\n", ""),
        ("printed_secret", "    part.replace(TOKEN_FILE)", "    part.replace(TOKEN_FILE)\n    print('saved', token)"),
        ("not_all_saved", _SAVED, "    if not TOKEN_FILE.exists():\n    " + _SAVED.replace("\n", "\n    ")),
        ("ended", "    part.replace(TOKEN_FILE)", "    part.replace(TOKEN_FILE)\n    os._exit(0)"),
        ("full_hidden", _SAVED, "    try:\n    " + _SAVED.replace("\n", "\n    ") + "\n    except OSError as error:\n        print('Could not save', error)"),
        ("others_can_read_for_a_moment", _SAVED, """    import copy
    part = Path("part")
    with open(part, "w") as file:
        json.dump(copy.deepcopy({**token, "client_id": credentials["client_id"]}), file, indent=4, sort_keys=True)
    part.chmod(0o600)
    part.replace(TOKEN_FILE)"""),
        ("left_behind", "    part.unlink(missing_ok=True)  # left behind by a crash\n    with open(os.open(part, os.O_CREAT | os.O_EXCL |", "    with open(os.open(part, os.O_CREAT |"),
        ("secret_saved", '"client_id": credentials["client_id"]', "**credentials"),
        ("others_can_read_a_copy", "    part.replace(TOKEN_FILE)", "    part.replace(TOKEN_FILE)\n    Path('copy.json').write_text(TOKEN_FILE.read_text())"),
    ],
    "refresh": [
        ("dead_unnamed", _REFRESHED, """    answer = requests.post(TOKEN_URL, timeout=30, data={"grant_type": "refresh_token", "refresh_token": token["refresh_token"], **credentials})
    answer.raise_for_status()
    save(credentials, answer.json())
    return answer.json()"""),
        ("whose_token", "    save(credentials, new)", "    TOKEN_FILE.write_text(json.dumps(new))"),
        ("saved_in_place", "    save(credentials, new)", "    TOKEN_FILE.unlink()\n    save(credentials, new)"),
        ("called_dead", _REFRESHED, """    answer = requests.post(TOKEN_URL, timeout=30, data={"grant_type": "refresh_token", "refresh_token": token["refresh_token"], **{name: credentials[name] for name in ("client_id", "client_secret")}})
    if 400 <= answer.status_code < 500:
        raise InvalidGrantError()
    answer.raise_for_status()
    save(credentials, answer.json())
    return answer.json()"""),
        ("saved_in_place", "    save(credentials, new)", "    TOKEN_FILE.write_text(json.dumps({**new, 'client_id': credentials['client_id']}))"),
        ("used_before_saved", "    save(credentials, new)", "    requests.get(f'{REDBOOTH}/api/3/me', headers={'Authorization': 'Bearer ' + new['access_token']}, timeout=30)\n    save(credentials, new)"),
        ("other_refresh_token", "TOKEN_URL, client_id", "TOKEN_URL, refresh_token=token['access_token'], client_id"),
        ("no_credentials", _REFRESHED, _REFRESHED.replace('client_id=credentials["client_id"], client_secret=credentials["client_secret"], ', "")),
        ("no_credentials", _REFRESHED, _REFRESHED.replace('client_secret=credentials["client_secret"], ', "")),
        ("old_refresh_token_kept", "    save(credentials, new)\n    return new", '    token["access_token"] = new["access_token"]\n    save(credentials, token)\n    return token'),
        ("old_refresh_token_kept", "    save(credentials, new)", "    save(credentials, {**new, 'refresh_token': token['refresh_token']})"),
        ("new_pair_not_saved", "    save(credentials, new)\n", ""),
        ("new_pair_not_saved", "save(credentials, new)", "save(credentials, token)"),
        ("saved_in_place", "    new = oauth", "    TOKEN_FILE.unlink()\n    new = oauth"),
        ("old_pair_lost", _REFRESHED, """    new = requests.post(TOKEN_URL, timeout=30, data={"grant_type": "refresh_token", "refresh_token": token["refresh_token"], **credentials}).json()
    save(credentials, new)
    return new"""),
        ("sent_twice", _REFRESHED, "    try:\n    " + _REFRESHED.replace("\n", "\n    ") + "\n    except Exception:\n    " + _REFRESHED.replace("\n", "\n    ")),
        ("failure_hidden", _REFRESHED, "    try:\n    " + _REFRESHED.replace("\n", "\n    ") + "\n    except Exception:\n        return token"),
        ("no_timeout", ", timeout=30", ""),
        ("no_token", "    return new", "    return None"),
        ("no_token", "    return new", "    return new['access_token']"),
        ("nothing_sent", _REFRESHED, "    return token"),
        ("nothing_sent", "    new = oauth", "    import time\n    if token['expires_at'] > time.time():\n        return token\n    new = oauth"),
        ("printed_secret", "    return new", "    print('The new token ends in', new['access_token'][8:])\n    return new"),
        ("printed_secret", "    return new", "    print(new)\n    return new"),
        ("http_basic", """
from requests.auth import HTTPBasicAuth
def refresh(credentials, token):
    secret = HTTPBasicAuth(credentials["client_id"], credentials["client_secret"])
    new = OAuth2Session(token=token).refresh_token(TOKEN_URL, auth=secret, timeout=20)
    token = {**token, **new}
    save(credentials, token)
    return token
"""),
        ("called_dead", _REFRESHED, "    try:\n    " + _REFRESHED.replace("\n", "\n    ") + "\n    except Exception:\n        raise InvalidGrantError() from None"),
        ("dead_token", "    return new", "    return {**new, 'access_token': token['access_token']}"),
    ],
    "call": [
        ("other_path", "/api/3{path}", "/api/3/me"),
        ("plain_http", "{REDBOOTH}/api/3{path}", "http://redbooth.com/api/3{path}"),
        ("expired_unsent", "    response = requests.get(url, headers={\"Authorization\": f\"Bearer {token['access_token']}\"}, timeout=30)\n    if", "    response = OAuth2Session(credentials['client_id'], token=token).get(url, timeout=30)\n    if"),
        ("no_timeout", ", timeout=30)\n    if", ", timeout=(None, None))\n    if"),
        ("failure_hidden", "    response = requests.get(url, headers={\"Authorization\": f\"Bearer {token['access_token']}\"}, timeout=30)\n    if", "    try:\n        response = requests.get(url, headers={\"Authorization\": f\"Bearer {token['access_token']}\"}, timeout=30)\n    except requests.RequestException:\n        return requests.Response()\n    if"),
        ("not_refreshed", _EXPIRED, "if False:"),
        ("not_refreshed", _EXPIRED, 'if response.status_code == 401 and "expired" in response.text:'),
        ("not_refreshed", """
def call(credentials, token, path):
    oauth = OAuth2Session(
        credentials["client_id"], token=token, auto_refresh_url=TOKEN_URL,
        auto_refresh_kwargs={name: credentials[name] for name in ("client_id", "client_secret")},
        token_updater=lambda new: save(credentials, new),
    )
    return oauth.get(f"{REDBOOTH}/api/3{path}", timeout=30, client_id=credentials["client_id"], client_secret=credentials["client_secret"])
"""),
        ("refreshed_revoked", _EXPIRED, "if response.status_code == 401:"),
        ("refreshed_revoked", _EXPIRED, 'if response.status_code == 401 and "invalid_token" in response.headers.get("WWW-Authenticate", ""):'),
        ("refreshed_too_early", "    url =", "    token = refresh(credentials, token)\n    url ="),
        ("raised", _EXPIRED, 'if response.status_code == 401 and "expired" in response.headers["WWW-Authenticate"]:'),
        ("refreshed_twice", _EXPIRED, 'while response.status_code == 401 and "expired" in response.headers.get("WWW-Authenticate", ""):'),
        ("not_called_again", "        token = refresh(credentials, token)\n", "        refresh(credentials, token)\n        return response\n"),
        ("not_accepted", "        token = refresh(credentials, token)\n", "        refresh(credentials, token)\n"),
        ("used_before_saved", "        token = refresh(credentials, token)\n", """        token = requests.post(TOKEN_URL, timeout=30, data={"grant_type": "refresh_token", "refresh_token": token["refresh_token"], **credentials}).json()
"""),
        ("no_token_sent", "    response = requests.get(url, headers={\"Authorization\": f\"Bearer {token['access_token']}\"}, timeout=30)\n    if", "    response = requests.get(url, timeout=30)\n    if"),
        ("token_in_address", "    response = requests.get(url, headers={\"Authorization\": f\"Bearer {token['access_token']}\"}, timeout=30)\n    if", "    response = requests.get(url, params={'access_token': token['access_token']}, timeout=30)\n    if"),
        ("no_answer_returned", "    return response", "    return response.json()"),
        ("status_raised", "    return response", "    response.raise_for_status()\n    return response"),
        ("new_pair_not_saved", """        token = refresh(credentials, token)
        response = requests.get(url, headers={"Authorization": f"Bearer {token['access_token']}"}, timeout=30)
""", """        new = refresh(credentials, token)
        response = requests.get(url, headers={"Authorization": f"Bearer {new['access_token']}"}, timeout=30)
        save(credentials, token)
"""),
        ("no_timeout", ", timeout=30)\n    if", ")\n    if"),
        ("refreshed_without_reason", _EXPIRED, "if not response.ok and 'revoked' not in str(response.headers):"),
        ("refreshed_without_reason", _EXPIRED, "why = response.headers.get('WWW-Authenticate', '')\n    if response.status_code == 401 and 'invalid_token' in why and 'revoked' not in why:"),
        ("refreshed_without_reason", _EXPIRED, "if 'expired' in str(response.headers):"),
        ("refusal_hidden", "    return response", "    return response if response.status_code != 500 else call(credentials, token, path)"),
        ("no_token_sent", "Bearer {token['access_token']}\"}, timeout=30)\n    if", "{token['access_token']}\"}, timeout=30)\n    if"),
        ("other_method", "requests.get(url", "requests.post(url"),
    ],
}  # fmt: skip
