"""Tools for breaking things on purpose, on a stand-in only: codes without clicks, a second app, pretended answers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.register import Settings
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.transcript import reason
from redbooth_nb.client.wire import connect
from redbooth_nb.errors import RedboothError
from redbooth_nb.provider.addresses import ORIGIN
from redbooth_nb.provider.delivery import current_provider
from redbooth_nb.provider.provider import Provider
from redbooth_nb.provider.unattended import press


def allow(settings: Settings | None = None, **options: Any) -> AuthorizationResponse:  # noqa: ANN401
    """Make a request, press Allow for you, and return the answer. options: as for `AuthorizationRequest.new`.

    Raises RedboothError on redbooth.com, where only a person can allow.
    """
    practice_only()
    request = AuthorizationRequest.new(settings, **options)
    url = press(connect(requests.Session()), request.url, request.redirect_uri, "allow")
    return AuthorizationResponse.read(url, request)


def practice_only() -> Provider:
    """Return the provider. Raises RedboothError when it is the real redbooth.com."""
    provider = current_provider()
    if provider.kind == "live":
        raise RedboothError(
            "This lesson breaks things on purpose, and it does not do that to the real redbooth.com.",
            remedy="Set REDBOOTH_PROVIDER=sandbox, restart the kernel and run the lesson again.",
        )
    return provider


@contextmanager
def pretend(
    status: int = 0,
    text: str = "",
    content_type: str = "text/html; charset=utf-8",
    headers: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Let every request to Redbooth inside the block get this made-up answer; nothing is sent.

    status 0: no answer at all, as without a network. For what no provider does on demand.
    """
    provider = practice_only()
    adapter = _Pretended(status, text, {"Content-Type": content_type, **(headers or {})})
    deliver = provider.deliver
    provider.deliver = lambda session: session.mount(f"{ORIGIN}/", adapter)  # type: ignore[method-assign]
    try:
        yield
    finally:
        provider.deliver = deliver  # type: ignore[method-assign]


class _Pretended(BaseAdapter):
    def __init__(self, status: int, text: str, headers: dict[str, str]) -> None:
        super().__init__()
        self.status, self.text, self.headers = status, text, headers

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:  # noqa: ANN401
        """Make the answer up."""
        if not self.status:
            raise requests.ConnectionError("There is no network: this is pretended.")
        response = requests.Response()
        response.status_code, response.reason, response.url = self.status, reason(self.status), request.url or ""
        response.request, response.encoding = request, "utf-8"
        response.headers.update(self.headers)
        response.raw = HTTPResponse(BytesIO(self.text.encode()), self.headers, self.status, preload_content=False)
        return response

    def close(self) -> None:
        """Nothing to close."""
