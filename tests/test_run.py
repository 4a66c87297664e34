"""R54: under `redbooth-nb run` a script and every Python it starts reach the stand-in and never the real service.

Each script is a real process. Where a name is about to be looked up for good, a guard writes it down and fails.
"""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from client.machine import FaultyServer, own_machine, reply, save_registered, unused_port

from redbooth_nb.cli import main
from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.token import Token, TokenStore
from redbooth_nb.secret import Secret

KEY, SECRET = "an-api-key", "canary-app-secret/11e8"
GUARD = """
import _socket, os, socket, sys
really = _socket.getaddrinfo
def look_up(host, port, *rest, **more):
    if host in ("127.0.0.1", b"127.0.0.1", "0.0.0.0", "localhost", None):
        return really(host, port, *rest, **more)
    sys.audit("socket.getaddrinfo", host, port, 0, 0, 0)
    with open(os.environ["LOOKED_UP"], "a") as file:
        file.write(f"{host}\\n")
    raise socket.gaierror(socket.EAI_NONAME, "no test looks anything up")
_socket.getaddrinfo = look_up
_socket.gethostbyname = socket.gethostbyname = lambda host: look_up(host, None)
"""
SPAWNED = """
import multiprocessing, sys
def call():
    {call}
if __name__ == "__main__":
    process = multiprocessing.get_context({way!r}).Process(target=call)
    process.start()
    process.join()
    sys.exit(process.exitcode)
"""
GET = "import requests; print(requests.get('https://redbooth.com/api/3/me', timeout=10).status_code)"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test a machine of its own, whose Python already has a sitecustomize: the guard."""
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "guard"))
    monkeypatch.setenv("LOOKED_UP", str(tmp_path / "looked-up"))
    with own_machine(tmp_path, monkeypatch) as folder:
        yield folder
    assert not (tmp_path / "looked-up").exists(), (tmp_path / "looked-up").read_text()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyServer]:
    """Serve as the stand-in, with an app registered there."""
    with FaultyServer.running() as server:
        monkeypatch.setenv("REDBOOTH_PROVIDER", server.origin)
        save_credentials(KEY, SECRET, f"http://127.0.0.1:{unused_port()}/callback")
        yield server


@pytest.fixture
def run(machine: Path) -> Run:
    """Return a function that runs a script with `redbooth-nb run`."""

    def run(script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        (machine / "app.py").write_text(script)
        command = [sys.executable, "-m", "redbooth_nb", "run", "app.py", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603

    return run


# Delivered


SENT = [
    "requests.get('https://redbooth.com/api/3/me?a=b')",
    "requests.get('https://redbooth.com:443/api/3/me?a=b')",
    "requests.get('https://u@redbooth.com/api/3/me?a=b')",
    "requests.get('https://u:p@RedBooth.COM:443/api/3/me?a=b')",
    "session.get('https://redbooth.com/api/3/me?a=b')",
    "OAuth2Session('an-id', token={'access_token': 'x'}).get('https://redbooth.com/api/3/me?a=b')",
    "requests.get('https://redbooth.com/api/3/me?a=b', proxies={'https': 'http://proxy.test:3128'})",
]
MOUNTED = """
import requests
from requests.adapters import HTTPAdapter
from requests_oauthlib import OAuth2Session
session = requests.Session()
for place in ("https://redbooth.com", "https://redbooth.com/", "https://redbooth.com/api/3/"):
    session.mount(place, HTTPAdapter())
"""


def test_however_it_is_addressed_it_reaches_the_stand_in(run: Run, service: FaultyServer) -> None:
    done = run(f"{MOUNTED}for answer in ({', '.join(SENT)}):\n    print(answer.status_code, answer.request.url)\n")
    assert [line[:12] for line in done.stdout.splitlines()] == ["200 https://"] * len(SENT), done.stderr
    assert [asked["path"] for asked in service.received] == ["/api/3/me?a=b"] * len(SENT)


CHILDREN = {
    "subprocess": f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', {GET!r}], cwd='/'))",
    "of a child": "import os, sys; sys.exit(os.system(sys.executable + ' -c \"import subprocess, sys;"
    " subprocess.check_call([sys.executable, \\'child.py\\'])\"'))",
    **{way: SPAWNED.format(way=way, call=GET) for way in ("spawn", "forkserver", "fork")},
}


@pytest.mark.skipif(sys.platform == "win32", reason="it has no fork")
@pytest.mark.parametrize("way", CHILDREN)
def test_child_processes_reach_the_stand_in(run: Run, service: FaultyServer, machine: Path, way: str) -> None:
    (machine / "child.py").write_text(GET)
    done = run(CHILDREN[way])
    assert (done.returncode, done.stdout) == (0, "200\n"), done.stderr
    assert [asked["path"] for asked in service.received] == ["/api/3/me"]


def test_children_reach_the_sandbox_although_their_folder_says_live(run: Run, machine: Path) -> None:
    """What the run was started with counts, not the settings of the folder where a child happens to be.

    Each process calls the sandbox itself: none of them opens a port.
    """
    save_registered(KEY, SECRET.replace("/", ""), f"http://127.0.0.1:{unused_port()}/callback")
    (machine / "live").mkdir()
    (machine / "live" / ".env").write_text("REDBOOTH_PROVIDER=live\n")
    hook = "import os, sys; sys.addaudithook(lambda *of: of[0] == 'socket.bind' and '127' in str(of) and os._exit(9)); "
    child = f"subprocess.call([sys.executable, '-c', {hook + GET!r}], cwd='live')"
    done = run(f"{hook}{GET}\nimport subprocess\nsys.exit({child})")
    assert (done.returncode, done.stdout.split()) == (0, ["401", "401"]), done.stderr


def test_a_recording_answers_children_too(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"status": 200, "reason": "OK", "headers": {}, "body": "recorded"}
    asked = {"method": "GET", "path": "/api/3/me", "fields": {}}
    recording = tmp_path / "recording.json"
    recording.write_text(json.dumps({"about": {}, "round_trips": [{"request": asked, "response": answer, "at": 0}]}))
    monkeypatch.setenv("REDBOOTH_PROVIDER", "recorded")
    monkeypatch.setenv("REDBOOTH_RECORDING", str(recording))
    save_credentials(KEY, SECRET, f"http://127.0.0.1:{unused_port()}/callback")
    done = run(f"import subprocess, sys; subprocess.call([sys.executable, '-c', {GET!r}])")
    assert done.stdout == "200\n", done.stderr


# Refused


REFUSED = {
    "urllib3": "import urllib3; urllib3.request('GET', 'https://redbooth.com/', retries=False)",
    "http.client": "import http.client; http.client.HTTPSConnection('redbooth.com').request('GET', '/')",
    "urllib.request": "import urllib.request; urllib.request.urlopen('https://redbooth.com/')",
    "httpx": "import httpx; httpx.get('https://redbooth.com/')",
    "asyncio": "import asyncio; asyncio.run(asyncio.open_connection('redbooth.com', 443))",
    "socket": "import socket; socket.create_connection(('redbooth.com', 443))",
    "a socket's connect": "import socket; socket.socket().connect(('redbooth.com', 443))",
    "a socket's connect_ex": "import socket; socket.socket().connect_ex((b'www.redbooth.com', 443))",
    "a socket's sendto": "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('redbooth.com', 443))",
    "a socket's sendmsg": "import socket; socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, "
    "('redbooth.com', 443))",
    "an old function": "import socket; socket.gethostbyname('redbooth.com')",
    "bytes": "import socket; socket.getaddrinfo(b'redbooth.com', 443)",
    "odd spelling": "import socket; socket.getaddrinfo('\\uff32edbooth\\u3002COM.', 443)",
    "plain http": "import requests; requests.get('http://redbooth.com/')",
    "another port": "import requests; requests.get('https://redbooth.com:8443/')",
    "another host": "import requests; requests.get('https://www.redbooth.com/')",
    "a trailing dot": "import requests; requests.get('https://redbooth.com./')",
    "a proxy for urllib": "import urllib.request as u; u.build_opener(u.ProxyHandler({'https': PROXY})).open("
    "'https://redbooth.com/')",
    "a proxy for urllib3": "import urllib3; urllib3.ProxyManager(PROXY).request("
    "'GET', 'https://redbooth.com/', retries=False)",
    "a proxy for plain http": "import requests; requests.get('http://redbooth.com/x', proxies={'http': PROXY})",
    "urllib3's for plain http": "import urllib3; urllib3.ProxyManager(PROXY).request("
    "'GET', 'http://redbooth.com/', retries=False)",
    **{f"httpx's for {way}": f"import httpx; httpx.Client(proxy=PROXY).get('{way}://redbooth.com/')"
       for way in ("http", "https")},
}  # fmt: skip


TRY_ALL = """
import json, sys
ends = {{}}
for name, call in {calls}.items():
    try:
        exec(call, {{"PROXY": {proxy!r}}})
        ends[name] = "it was sent"
    except Exception as error:
        ends[name] = str(error)
print(json.dumps(ends))
"""


def test_a_token_that_the_script_got_is_in_no_traceback(run: Run, service: FaultyServer) -> None:
    """The kit has only seen it pass."""
    pair = {"access_token": "canary-access-1", "refresh_token": "canary-refresh-1", "token_type": "bearer"}
    service.answers = [reply(200, json.dumps(pair))]
    done = run("import requests\ndef fail(token):\n    raise ValueError(*token.values())\n"
               "fail(requests.post('https://redbooth.com/oauth2/token', timeout=9).json())")  # fmt: skip
    assert done.returncode == 1
    assert "canary" not in done.stderr
    assert "ValueError: ('<access token ..." in done.stderr


@pytest.mark.parametrize("where", ["in the script", "in a child"])
def test_what_cannot_be_delivered_is_refused_with_a_sentence(
    run: Run, service: FaultyServer, machine: Path, where: str
) -> None:
    service.answers = [reply(200, "this is the proxy")]
    script = TRY_ALL.format(calls=REFUSED, proxy=service.origin)
    (machine / "child.py").write_text(script)
    in_child = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, 'child.py']))"
    done = run(script if where == "in the script" else in_child)
    ends = json.loads(done.stdout)
    assert ends.keys() == REFUSED.keys()
    assert {name: end for name, end in ends.items() if "would have gone to the real redbooth.com" not in end} == {}
    assert service.received == []


UNDELIVERED = {
    "isolated": "[sys.executable, '-I', '-c', '']",
    "without the environment": "[sys.executable, '-W', 'ignore', '-bE', '-c', '']",
    "without site": "[os.fsencode(sys.executable), '-Wignore', '-S', '-c', '']",
    "with an environment of its own": "[sys.executable, '-c', ''], env={'PATH': os.environ['PATH']}",
    "with an empty environment": "[sys.executable, '-c', ''], env={}",
    "by name": "['python3', '-Ic', '']",
    "another program given": "['a-name', '-I'], executable=sys.executable",
    "after a long option": "[sys.executable, '--check-hash-based-pycs', 'always', '-I', '-c', '']",
    "behind another sitecustomize": "[sys.executable, '-c', ''], env={**os.environ, 'PYTHONPATH': own() + ':' + PATH}",
}
STARTED = {
    "options of the script": "[sys.executable, '-c', '', '-I', '-E', '-S']",
    "options with values": "[sys.executable, '-W', 'ignore::ImportWarning', '-X', 'utf8', '-sBc', '0 # SEI']",
    "a path of its own": "[sys.executable, '-c', ''], env={**os.environ, 'PYTHONPATH': 'x:' + PATH}",
    "another program": "['env', '-i'], env={}",
    "a long option": "[sys.executable, '--check-hash-based-pycs', 'default', '-c', '', '-I']",
}


@pytest.mark.parametrize("way", UNDELIVERED)
def test_a_python_that_would_reach_the_real_service_is_not_started(run: Run, service: FaultyServer, way: str) -> None:
    """It would not load what delivers and refuses."""
    del service
    done = run(f"import os, pathlib, subprocess, sys\nPATH = os.environ['PYTHONPATH']\n"
               "def own():\n    pathlib.Path('sitecustomize.py').touch()\n    return os.getcwd()\n"
               f"subprocess.run({UNDELIVERED[way]})\nprint('started')")  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert "without the code that delivers requests" in done.stderr
    assert "Start it without -I, -E or -S" in done.stderr


@pytest.mark.parametrize("way", STARTED)
def test_what_loads_the_delivery_or_is_no_python_is_started(run: Run, service: FaultyServer, way: str) -> None:
    del service
    done = run(f"import os, subprocess, sys\nPATH = os.environ['PYTHONPATH']\n"
               f"subprocess.run({STARTED[way]}, check=True)\n"
               "os.posix_spawn(sys.executable, [sys.executable, '-c', ''], os.environ)\n"
               "os.execv(sys.executable, [sys.executable, '-c', 'print(1)'])")  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


def test_sockets_that_name_nobody_work_as_ever(run: Run, service: FaultyServer) -> None:
    """Addresses may be anything: text, numbers, nothing."""
    del service
    done = run("import socket\na, b = socket.socketpair()\n"
               "a.sendall(b'GET / HTTP/1.1')\na.send(memoryview(b'x'))\na.sendmsg([b'y'])\n"
               "c = socket.socket(socket.AF_UNIX)\n"
               "for wrong in ('/nowhere', b'redbooth.com', (), (10**12, 1), None):\n"
               "    try: c.connect(wrong)\n    except (OSError, TypeError) as error: print(type(error).__name__)\n"
               "print(b.recv(99))")  # fmt: skip
    assert done.stdout.splitlines()[0] == "FileNotFoundError", done.stderr
    assert done.stdout.splitlines()[-1] == "b'GET / HTTP/1.1xy'"


def test_a_refusal_that_ends_the_script_is_not_blamed_on_the_network(run: Run, service: FaultyServer) -> None:
    done = run(REFUSED["plain http"])
    assert done.returncode == 1
    assert "would have gone to the real redbooth.com" in done.stderr
    assert "Check your network" not in done.stderr
    assert service.received == []


@pytest.mark.parametrize("call", [REFUSED["urllib.request"], REFUSED["httpx"]])
def test_a_proxy_of_the_environment_is_not_asked(
    run: Run, service: FaultyServer, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", service.origin)
    done = run(call)
    assert "would have gone to the real redbooth.com" in done.stderr, done.stderr
    assert service.received == []


def test_other_hosts_are_the_scripts_own_business(run: Run, service: FaultyServer, tmp_path: Path) -> None:
    """Neither delivered nor refused, not even where the name looks alike."""
    done = run("import socket\nfor name in ('notredbooth.com', 'redbooth.com.example'):\n"
               "    try: socket.getaddrinfo(name, 443)\n    except socket.gaierror: print('looked up')")  # fmt: skip
    assert done.stdout == "looked up\n" * 2, done.stderr
    assert (tmp_path / "looked-up").read_text().split() == ["notredbooth.com", "redbooth.com.example"]
    (tmp_path / "looked-up").unlink()
    assert service.received == []


def test_a_child_without_the_kit_is_refused_and_starts_all_the_same(run: Run, service: FaultyServer) -> None:
    """Another Python knows no redbooth_nb: here the import is forbidden."""
    child = "import sys; sys.modules['redbooth_nb'] = None; import requests; print('started', flush=True); "
    child += "requests.get('https://redbooth.com/')"
    done = run(f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', {child!r}]))")
    assert done.stdout == "started\n", done.stderr
    assert "would have gone to the real redbooth.com" in done.stderr
    assert service.received == []


def test_on_the_real_service_nothing_is_changed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDBOOTH_PROVIDER", "live")
    monkeypatch.setenv("REDBOOTH_CLIENT_ID", KEY)
    monkeypatch.setenv("REDBOOTH_CLIENT_SECRET", SECRET)
    before = os.environ["PYTHONPATH"]
    done = run("import os, sys; print(os.environ['PYTHONPATH'], 'NO_PROXY' in os.environ, len(sys.meta_path))")
    plain = subprocess.run(
        [sys.executable, "-c", "import sys; print(len(sys.meta_path))"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{before} False {plain.stdout}", done.stderr


# Pages


@pytest.mark.parametrize("provider", ["stand-in", "live"])
def test_a_page_is_opened_where_the_provider_is_and_its_link_is_printed(
    run: Run, service: FaultyServer, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    if provider == "live":
        monkeypatch.setenv("REDBOOTH_PROVIDER", "live")
        monkeypatch.setenv("REDBOOTH_CLIENT_ID", KEY)
        monkeypatch.setenv("REDBOOTH_CLIENT_SECRET", SECRET)
    monkeypatch.setenv("BROWSER", f"{sys.executable} -c pass %s")
    page = "/oauth2/authorize?a=b"
    done = run(f"import webbrowser; print(webbrowser.open('https://redbooth.com{page}'))")
    origin = service.origin if provider == "stand-in" else "https://redbooth.com"
    assert done.stdout == f"Sign in: {origin}{page}\nTrue\n", done.stderr


def test_a_child_opens_pages_there_too(run: Run, service: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER", f"{sys.executable} -c pass %s")
    child = "import webbrowser; webbrowser.open('https://redbooth.com/x')"
    done = run(f"import subprocess, sys; subprocess.call([sys.executable, '-c', {child!r}])")
    assert done.stdout == f"Sign in: {service.origin}/x\n", done.stderr


OTHER_PAGES = [
    "http://127.0.0.1:5000/report.html",
    "report.html",
    "https://redbooth.com.example/",
    "mailto:a@redbooth.com",
]


@pytest.mark.parametrize("unattended", ["0", "1"])
@pytest.mark.parametrize("page", OTHER_PAGES)
def test_a_page_of_another_site_is_opened_as_it_is(
    run: Run, service: FaultyServer, monkeypatch: pytest.MonkeyPatch, unattended: str, page: str
) -> None:
    monkeypatch.setenv("REDBOOTH_UNATTENDED", unattended)
    monkeypatch.setenv("BROWSER", "echo %s")
    done = run(f"import webbrowser; print(webbrowser.open({page!r}), webbrowser.get().open({page!r}))")
    assert done.stdout == f"{page}\n{page}\nTrue True\n", done.stderr
    assert service.received == []


@pytest.mark.parametrize(
    "origin", ["https://redbooth.com:443", "HTTPS://u@RedBooth.com", "http://www.redbooth.com", "redbooth.com"]
)
@pytest.mark.parametrize("call", ["webbrowser.open", "webbrowser.get().open", "webbrowser.get().open_new"])
def test_however_a_page_of_redbooths_is_addressed_it_opens_at_the_provider(
    run: Run, service: FaultyServer, monkeypatch: pytest.MonkeyPatch, origin: str, call: str
) -> None:
    monkeypatch.setenv("BROWSER", "echo %s")
    done = run(f"import webbrowser; {call}('{origin}/y?a=b')")
    assert done.stdout == f"Sign in: {service.origin}/y?a=b\n{service.origin}/y?a=b\n", done.stderr


def test_the_netrc_file_is_not_sent_when_allow_is_pressed(
    run: Run, service: FaultyServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine redbooth.com login me password from-netrc\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("REDBOOTH_UNATTENDED", "1")
    done = run("import webbrowser; webbrowser.open('https://redbooth.com/oauth2/authorize')")
    assert 'no "allow" button' in done.stderr  # this stand-in has no such page
    assert ["authorization" in asked["headers"] for asked in service.received] == [False]


# How it ends


def test_a_traceback_starts_at_the_scripts_own_frames(run: Run, service: FaultyServer) -> None:
    del service
    done = run("def divide():\n    return 1 / 0\n\n\ndivide()\n")
    assert done.returncode == 1
    plain = subprocess.run([sys.executable, "app.py"], capture_output=True, text=True, check=False)
    assert done.stderr.replace('"app.py"', "") == re.sub(r'".*app\.py"', "", plain.stderr)


@pytest.mark.parametrize("script", ["1 +\n", "import a_module_nobody_has\n", "raise SystemExit('the end')\n"])
def test_other_ends_look_as_python_shows_them(run: Run, service: FaultyServer, script: str) -> None:
    del service
    done = run(script)
    assert done.returncode == 1
    assert not re.search("runpy|redbooth_nb|site-packages", done.stderr), done.stderr
    assert done.stderr


OAUTH = "from oauthlib.oauth2.rfc6749.errors import *\nimport requests\n"
ENDS = {
    "denied": ("raise AccessDeniedError('The resource owner denied the request')", "The user clicked Deny"),
    "dead token": ("raise InvalidGrantError()", "Otherwise, start over at the authorize stage"),
    "state dropped": ("raise MismatchingStateError()", "does not contain the state that was sent"),
    "no token": ("raise MissingTokenError()", "What to do: "),
    "stops at 401": ("requests.get('https://redbooth.com/api/3/me').raise_for_status()", "The access token expired"),
    "no network": ("raise requests.ConnectionError('nothing there')", "Check your network"),
    "too slow": ("raise requests.ReadTimeout('too slow')", "did not respond in time"),
}


@pytest.mark.parametrize("end", ENDS)
def test_an_end_that_the_kit_knows_has_cause_and_remedy(run: Run, service: FaultyServer, end: str) -> None:
    challenge = 'Bearer error="invalid_token", error_description="The access token expired"'
    service.answers = [reply(401, "{}", WWW_Authenticate=challenge)]
    script, words = ENDS[end]
    done = run(f"{OAUTH}{script}\n")
    assert done.returncode == 1
    assert done.stderr.startswith('Traceback (most recent call last):\n  File "app.py"')
    told = done.stderr.rpartition("Error")[2]
    assert words in told, done.stderr
    assert "What to do: " in told


def test_a_busy_port_names_the_port_and_the_way_out(run: Run, service: FaultyServer) -> None:
    del service
    with closing(socket.create_server(("127.0.0.1", 0))) as busy:
        port = busy.getsockname()[1]
        save_credentials(KEY, SECRET, f"http://127.0.0.1:{port}/callback")
        done = run(f"import http.server\nhttp.server.HTTPServer(('127.0.0.1', {port}), None)\n")
    assert "Address already in use" in done.stderr
    assert f"Port {port} is in use" in done.stderr
    assert "What to do: " in done.stderr


def test_no_secret_is_in_the_traceback(run: Run, service: FaultyServer) -> None:
    del service
    done = run(
        "import os, urllib.parse\n"
        "secret = os.environ['REDBOOTH_CLIENT_SECRET']\n"
        "try:\n    raise ValueError(secret)\n"
        "except ValueError as error:\n"
        "    raise OSError('/token?code=canary-code&x=' + urllib.parse.quote(secret, safe='')) from error\n"
    )
    assert done.returncode == 1
    assert "canary" not in done.stderr
    assert re.search(r"code=<authorization code \.\.\.\w{4}>&x=<client secret \.\.\.\w{4}>", done.stderr)


ELSEWHERE = {
    "a thread": "t = threading.Thread(target=fail)\nt.start()\nt.join()",
    "a task": "async def main():\n    task = asyncio.create_task(wait())\n    await asyncio.sleep(0)\n"
    "async def wait():\n    fail()\nasyncio.run(main())",
    "the end": "atexit.register(fail)",
    "a finalizer": "class Kept:\n    def __del__(self): fail()\nKept()",
    "a finalizer at the end": "class Kept:\n    def __del__(self): fail()\nkept = Kept()",
    "a text to exit with": "import sys\nsys.exit(f'app.py: token=canary-token {secret}')",
    "no Exception": "class Stop(BaseException): pass\nraise Stop(secret)",
    "a log": "import logging\ntry: fail()\nexcept ValueError: logging.getLogger('x').exception('it failed')",
}


@pytest.mark.parametrize("where", ELSEWHERE)
def test_no_secret_is_in_what_python_says_of_other_exceptions(run: Run, service: FaultyServer, where: str) -> None:
    del service
    done = run(f"import asyncio, atexit, os, threading\nsecret = os.environ['REDBOOTH_CLIENT_SECRET']\n"
               f"def fail():\n    raise ValueError('token=canary-token ' + secret)\n{ELSEWHERE[where]}\n")  # fmt: skip
    assert "canary" not in done.stderr
    assert "app.py" in done.stderr
    assert re.search(r"<client secret \.\.\.\w{4}>", done.stderr), done.stderr


def test_no_token_that_was_stored_before_is_in_what_is_printed(run: Run, service: FaultyServer, machine: Path) -> None:
    """Those of the script that are beside it, and the kit's own."""
    del service
    (machine / "my_redbooth_token.json").write_text('{"access_token": "canary-access-1", "scope": "all", "x": 5}')
    TokenStore(Settings.load().folder).save(
        Token(Secret("access token", "canary-access-2"), "bearer", None, None, "", 0.0)
    )
    done = run("raise SystemExit('It was canary-access-1, then canary-access-2.')")
    assert re.fullmatch(r"It was (<access token \.\.\.\w{4}>), then (<access token \.\.\.\w{4}>)\.\n", done.stderr)


def test_a_browser_does_not_inherit_the_secret(
    run: Run, service: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    del service
    monkeypatch.setenv("BROWSER", f"{sys.executable} -c 'import os; print(sorted(os.environ))' %s")
    pages = "webbrowser.open('https://redbooth.com/oauth2/authorize')\nwebbrowser.open('https://example.org')\n"
    done = run(f"import os, webbrowser\n{pages}print('mine', os.environ['REDBOOTH_CLIENT_SECRET'] != '')\n")
    assert done.stdout.count("REDBOOTH_CLIENT_ID") == 2
    assert "REDBOOTH_CLIENT_SECRET" not in done.stdout
    assert "mine True" in done.stdout


def test_run_without_a_script_says_what_to_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run"]) == 1
    assert "Give the name of a Python file" in capsys.readouterr().err
