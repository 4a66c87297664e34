"""The addresses the guide names. They are the same in every cell, whoever answers."""

from typing import Final

ORIGIN: Final = "https://redbooth.com"
APPLICATIONS_URL: Final = f"{ORIGIN}/oauth2/applications"
NEW_APPLICATION_URL: Final = f"{APPLICATIONS_URL}/new"
AUTHORIZE_URL: Final = f"{ORIGIN}/oauth2/authorize"
TOKEN_URL: Final = f"{ORIGIN}/oauth2/token"
# Doorkeeper's standard address; the guide does not mention it (RFC 7009).
REVOKE_URL: Final = f"{ORIGIN}/oauth2/revoke"
API_URL: Final = f"{ORIGIN}/api/3"
