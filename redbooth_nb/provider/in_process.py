"""Delivery to an application of this process: it is called, so there is no socket, no thread and no port."""

import sys
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.util import setup_testing_defaults

from flask import Flask
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.util.request import body_to_chunks
from werkzeug.exceptions import InternalServerError
from werkzeug.wrappers import Response

from redbooth_nb.provider.adapter import LoopbackDelivery


class InProcessDelivery(LoopbackDelivery):
    """Hands requests for https://redbooth.com to `app`, as its web server would. It takes timeouts, but never waits."""

    def __init__(self, app: Flask) -> None:
        super().__init__("http://127.0.0.1")
        self._app = app

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> Any:
        """Return what requests then calls as if it were a connection: this object."""
        return self

    def urlopen(self, method: str, url: str, body: Any, headers: Any, **_unused: Any) -> HTTPResponse:
        """Let the application answer, as urllib3 would a server; an application that fails answers 500."""
        path, _, query = url.partition("?")
        parts = body_to_chunks(body, method, blocksize=2**16).chunks or ()
        sent = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
        environ: dict[str, Any] = {"REQUEST_METHOD": method, "QUERY_STRING": query, "wsgi.errors": sys.stderr}
        environ |= {"SCRIPT_NAME": "", "PATH_INFO": unquote_to_bytes(path).decode("latin-1")}
        environ |= {"wsgi.input": BytesIO(sent), "CONTENT_LENGTH": str(len(sent))}
        for given in headers.items():
            sent_as = (part if isinstance(part, bytes) else part.encode("latin-1") for part in given)
            name, value = (part.decode("latin-1") for part in sent_as)
            if "_" not in name and name.lower() not in {"content-length", "transfer-encoding"}:
                field = name.upper().replace("-", "_")
                environ[field if field == "CONTENT_TYPE" else f"HTTP_{field}"] = value.strip()
        setup_testing_defaults(environ)  # what else PEP 3333 demands, such as a host: 127.0.0.1
        try:
            answer = Response.from_app(self._app, environ, buffered=True)
        except Exception:  # its frames hold secrets
            answer = Response.force_type(InternalServerError().get_response())
        told = HTTPHeaderDict(list(answer.headers))
        return HTTPResponse(
            BytesIO(answer.get_data()),
            told,
            status=answer.status_code,
            version=11,
            reason=answer.status.partition(" ")[2],
            preload_content=False,
            request_method=method,
            # where requests looks for cookies
            original_response=SimpleNamespace(msg=told, isclosed=lambda: True, close=lambda: None),  # type: ignore[arg-type]
        )
