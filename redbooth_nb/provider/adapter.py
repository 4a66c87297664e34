"""Delivery over a port of this machine: requests for https://redbooth.com go to a stand-in."""

import re
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from redbooth_nb.child_processes.sitecustomize import REFUSED
from redbooth_nb.provider.addresses import ORIGIN

AUTHORITY = re.compile(r"^(?:https?:)?(?://)?[^/?#]*", re.IGNORECASE)  # maybe with a port or a user name


class LoopbackDelivery(HTTPAdapter):
    """Carries requests for https://redbooth.com to a stand-in on this machine, and makes answers look as asked."""

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
        # so that a stand-in which writes addresses into its answers writes the guide's
        delivered.headers.update({"X-Forwarded-Proto": "https", "X-Forwarded-Host": urlsplit(ORIGIN).netloc})
        response = super().send(delivered, *args, **options | {"proxies": {}})
        response.url = request.url or ""
        response.request = request
        location = response.headers.get("Location", "")
        if location.startswith(self.origin + "/"):
            response.headers["Location"] = ORIGIN + location.removeprefix(self.origin)
        return response
