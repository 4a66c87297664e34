"""Where the sandbox answers differently from Doorkeeper 5.5, on purpose: the only place where that is decided.

Everything not listed here follows the engine, and tests/conformance holds the sandbox to both.
Where a row has values, ``doorkeeper`` is what the engine sends, and ``sandbox`` is what the code here sends.
"""

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Difference:
    """One deliberate difference: which part of which answers, both values, and where we know it from.

    ``where`` is matched against "METHOD path status content-type case". ``part`` is a header, "body", or a member of
    the body or of the redirect's parameters. The part "answer" differs as a whole: the values then say how, in words.
    """

    where: str
    part: str
    doorkeeper: Any
    sandbox: Any
    source: str


TOKEN_TYPE: Final = Difference(
    r"POST /oauth2/(token|authorize)/? ", "token_type", "Bearer", "bearer",
    "recorded from redbooth.com in February 2015; its documentation and every public client agree",
)  # fmt: skip
UNAUTHORIZED_BODY: Final = Difference(
    r"GET /api/3/\S+ 401 ", "body", "", {"error": {"message": "Unauthorized"}},
    "Redbooth's API documentation, and the specs of its Ruby gem",
)  # fmt: skip
UNAUTHORIZED_TYPE: Final = Difference(
    r"GET /api/3/\S+ 401 ", "Content-Type", "text/html", "application/json; charset=utf-8",
    "Redbooth's API documentation: the body is JSON",
)  # fmt: skip
CLIENT_ID: Final = Difference(
    r"GET /oauth2/applications/N.json ", "uid", "<43 urlsafe>", "<64 hex>",
    "client ids in public Redbooth clients (an older Doorkeeper's generator)",
)  # fmt: skip
CLIENT_SECRET: Final = Difference(
    r"GET /oauth2/applications/N.json ", "secret", "<43 urlsafe>", "<64 hex>",
    "client secrets have the same shape as client ids",
)  # fmt: skip
SHOWN_PAGE_CACHING: Final = Difference(
    r".* 200 text/html; charset=utf-8 ", "Cache-Control", "max-age=0, private, must-revalidate", "no-store",
    "pages that show codes and secrets are not kept by the browser (RFC 9700 section 4.2.4)",
)  # fmt: skip
REDIRECT_CACHING: Final = Difference(
    r".* 302 text/html; charset=utf-8 ", "Cache-Control", "no-cache", "no-store", SHOWN_PAGE_CACHING.source,
)  # fmt: skip
ERROR_PAGE_CACHING: Final = Difference(
    r".* (400|404|422) text/html; charset=utf-8 ", "Cache-Control", None, "no-store", SHOWN_PAGE_CACHING.source,
)  # fmt: skip
BARE_POST: Final = Difference(
    r"POST /oauth2/authorize 422 .* x-bare-post", "answer", "422, for want of a form token", "the consent page",
    "Redbooth's guide, chapter 2: the person may be sent there with a POST request",
)  # fmt: skip
DENY: Final = Difference(
    r"POST /oauth2/authorize 302 .* x-deny-wrong-redirect-uri", "answer", "a redirect to any address", "400, as Allow",
    "RFC 6749 section 3.1.2.4 forbids an open redirector; 5.5 checks nothing before it denies",
)  # fmt: skip
FORM_POST: Final = Difference(
    r"GET /oauth2/authorize 200 .* x-authorize-response-mode-form-post", "answer", "a form that posts the code",
    "unsupported_response_mode", "no sign of response_mode at Redbooth",
)  # fmt: skip

DIFFERENCES: Final = tuple(value for value in list(globals().values()) if isinstance(value, Difference))
