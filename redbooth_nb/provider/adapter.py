"""Delivery of requests for https://redbooth.com to a stand-in: over a port on this machine, or within this process."""

import re
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import WSGIApplication

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.util.request import body_to_chunks

from redbooth_nb.child_processes.sitecustomize import REFUSED
from redbooth_nb.provider.addresses import ORIGIN

AUTHORITY = re.compile(r"^(?:https?:)?(?://)?[^/?#]*", re.IGNORECASE)  # maybe with a port or a user name


class LoopbackDelivery(HTTPAdapter):
    """Carries requests for https://redbooth.com to a stand-in on this machine; answers look like Redbooth's."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self.origin = origin

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send to the stand-in. A proxy is never used: it could not reach this machine, and would see the secrets.

        Raises requests.ConnectionError for a spelling of the address that is not https://redbooth.com.
        """
        asked = urlsplit(request.url or "")
        if (asked.scheme, asked.hostname, asked.port or 443) != ("https", urlsplit(ORIGIN).hostname, 443):
            raise requests.ConnectionError(REFUSED)
        delivered = request.copy()
        delivered.url = self.origin + AUTHORITY.sub("", request.url or "")
        # so that a stand-in that puts addresses into its answers uses the guide's
        delivered.headers.update({"X-Forwarded-Proto": "https", "X-Forwarded-Host": urlsplit(ORIGIN).netloc})
        response = super().send(delivered, *args, **options | {"proxies": {}})
        response.url = request.url or ""
        response.request = request
        location = response.headers.get("Location", "")
        if location.startswith(self.origin + "/"):
            response.headers["Location"] = ORIGIN + location.removeprefix(self.origin)
        return response


class InProcessDelivery(LoopbackDelivery):
    """Calls `app` as its web server would: no socket, no thread, no port. It takes timeouts, but never waits."""

    def __init__(self, app: WSGIApplication) -> None:
        super().__init__("http://127.0.0.1")
        self._app = app

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> Any:
        """Return this object, which the requests library then uses as a connection."""
        return self

    def urlopen(self, method: str, url: str, body: Any, headers: Any, **_unused: Any) -> HTTPResponse:
        """Get the answer from the application, where urllib3 would ask a server; one that fails answers 500."""
        from werkzeug.exceptions import InternalServerError
        from werkzeug.test import EnvironBuilder
        from werkzeug.wrappers import Response

        parts = body_to_chunks(body, method, blocksize=2**16).chunks or ()
        sent = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
        asked = EnvironBuilder("", self.origin, method=method, input_stream=BytesIO(sent))
        asked.path, _, asked.query_string = url.partition("?")  # as it is: a path may begin with //
        for given in headers.items():
            sent_as = (part if isinstance(part, bytes) else part.encode("latin-1") for part in given)
            name, value = (part.decode("latin-1") for part in sent_as)
            if "_" not in name and name.lower() != "transfer-encoding":
                asked.headers[name] = value.strip()
        try:
            answer = Response.from_app(self._app, asked.get_environ(), buffered=True)
        except Exception:  # its frames hold secrets
            answer = Response.from_app(InternalServerError(), asked.get_environ())
        content, told = BytesIO(answer.get_data()), HTTPHeaderDict(list(answer.headers))
        cookies = SimpleNamespace(msg=told, isclosed=lambda: True, close=lambda: None)  # where requests looks for them
        more: Any = {"preload_content": False, "request_method": method, "original_response": cookies, "version": 11}
        return HTTPResponse(content, told, answer.status_code, reason=answer.status.partition(" ")[2], **more)
