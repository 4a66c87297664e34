"""Where the sandbox deliberately answers differently from Doorkeeper 5.5: ``differences.toml``, read."""

import tomllib
from pathlib import Path
from typing import Any, Final

DIFFERENCES: Final[dict[str, dict[str, Any]]] = tomllib.loads(
    Path(__file__).with_name("differences.toml").read_text(encoding="utf-8")
)
TOKEN_TYPE: Final[str] = DIFFERENCES["token_type"]["sandbox"]
UNAUTHORIZED_BODY: Final[dict[str, Any]] = DIFFERENCES["unauthorized_body"]["sandbox"]
PAGE_CACHING: Final[str] = DIFFERENCES["shown_page_caching"]["sandbox"]
