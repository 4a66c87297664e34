"""What a server can answer wrongly, each with what the kit says of it. For exchange and refresh alike."""

import gzip
import json

from client.machine import ENDLESS, RESET, SILENT, TRICKLE, reply

GOOD = {"access_token": "new-access", "token_type": "bearer", "expires_in": 7200, "refresh_token": "new-refresh"}
LOGIN_PAGE = "<html><h1>Sign in to the network</h1></html>"


def packed(content: bytes) -> bytes:
    """Return a small answer that becomes large when it is unpacked."""
    body = gzip.compress(content)
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
    return head.encode() + body


BAD_ANSWERS: dict[str, tuple[bytes, str]] = {
    "a page, 200": (reply(200, LOGIN_PAGE, "text/html"), "200 OK .*not JSON .*text/html"),
    "a page, 500": (reply(500, LOGIN_PAGE, "text/html"), "500 Internal Server Error .*not JSON"),
    "a proxy's page": (reply(502, LOGIN_PAGE, "text/html"), "502 Bad Gateway .*not JSON"),
    "nothing, 200": (reply(200, ""), "200 OK with an empty body"),
    "nothing, 204": (reply(204, ""), "204 No Content with an empty body"),
    "nothing, 503": (reply(503, "", ""), "503 Service Unavailable with an empty body"),
    "half the JSON": (reply(200, json.dumps(GOOD)[:40]), "200 OK .*not JSON"),
    "JSON called text": (reply(200, "not json", "text/plain"), r"200 OK .*not JSON \(text/plain\)"),
    "no content type": (reply(200, "not json", ""), r"200 OK .*not JSON \(no content type\)"),
    "not UTF-8": (reply(200, "") [:-4].replace(b"Length: 0", b"Length: 3") + b"\r\n\r\n\xff\xfe{", "200 OK .*not JSON"),
    "very deep JSON": (reply(200, "[" * 50_000), "200 OK .*not JSON"),
    "a list": (reply(200, "[]"), "200 OK"),
    "a number": (reply(200, "7"), "200 OK"),
    "null": (reply(200, "null"), "200 OK"),
    "no token": (reply(200, "{}"), "200 OK.*access_token"),
    "no access token": (reply(200, json.dumps({**GOOD, "access_token": None})), "200 OK.*access_token"),
    "empty access token": (reply(200, json.dumps({**GOOD, "access_token": ""})), "200 OK.*access_token"),
    "a number as token": (reply(200, json.dumps({**GOOD, "access_token": 7})), "200 OK.*access_token"),
    "a list as refresh token": (reply(200, json.dumps({**GOOD, "refresh_token": ["x"]})), "200 OK.*refresh_token"),
    "another type": (reply(200, json.dumps({**GOOD, "token_type": "mac"})), "200 OK.*token_type"),
    "a number as type": (reply(200, json.dumps({**GOOD, "token_type": 1})), "200 OK.*token_type"),
    "an error with 200": (reply(200, json.dumps({**GOOD, "error": "invalid_grant"})), "200 OK: invalid_grant"),
    "an error of one's own": (reply(418, json.dumps({"error": "tea_pot"})), "418 .*tea_pot"),
    "an error without a name": (reply(400, json.dumps({"message": "no"})), "400 Bad Request: no error code"),
    "an error that is a number": (reply(400, json.dumps({"error": 7})), "400 Bad Request: 7"),
    "an error that is an empty object": (reply(400, json.dumps({"error": {}})), "400 Bad Request: no error code"),
    "too many, in words": (reply(429, "Retry later\n", "text/plain"), "429 Too Many Requests .*text/plain"),
    "too many, for a while": (reply(429, "Retry later\n", "text/plain", Retry_After="30"), "429 Too .*not JSON"),
    "too many, in JSON": (reply(429, json.dumps({"error": "slow_down"}), Retry_After="30"), "429 Too .*: slow"),
    "maintenance, in JSON": (reply(503, json.dumps({"error": "temporarily_unavailable"})), "503 .*: temporarily"),
}  # fmt: skip

NO_ANSWERS: dict[str, tuple[bytes, str]] = {
    "reset": (RESET, "no connection"),
    "silence": (SILENT, "did not respond in time"),
    "silence in the middle": (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "could not be read|no connection"),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.0\r\n", "no connection"),
    "a redirect to a login page": (reply(302, "", Location="https://redbooth.com/login"), "302 Found"),
    "a redirect that keeps the POST": (reply(307, "", Location="https://redbooth.com/elsewhere"), "307 "),
    "a redirect elsewhere": (reply(308, "", Location="http://127.0.0.1:9/x"), "308 "),
    "a huge page": (reply(200, "x" * 200_000, "text/html"), "200 OK: the response is larger than 64 KiB"),
    "a huge token": (
        reply(200, json.dumps({**GOOD, "x": "x" * 200_000})),
        "200 OK: the response is larger than 64 KiB",
    ),
    "a huge error": (reply(500, "x" * 200_000, ""), "500 Internal Server Error: the response is larger than 64 KiB"),
    "a body that is unpacked and huge": (packed(b" " * 9_000_000), "200 OK: the response is larger than 64 KiB"),
    "a body without end": (ENDLESS, "200 OK: the response is larger than 64 KiB"),
    "a trickle": (TRICKLE, "200 OK: the response did not end within"),
}
