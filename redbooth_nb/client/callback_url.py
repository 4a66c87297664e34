"""Whether a callback URL is an address of the redirect URI."""

from urllib.parse import SplitResult, parse_qsl, urlsplit

LONGEST_URL = 64 * 1024  # characters


def address_problem(url: str, redirect_uri: str) -> str:
    """Say why this is no address of the redirect URI; "" when it is."""
    if len(url) > LONGEST_URL:
        return f"It is longer than {LONGEST_URL // 1024} KiB."
    if not url.isprintable() or " " in url:
        return "It contains spaces, line breaks, or characters that no address has."
    try:
        parts, registered = urlsplit(url), urlsplit(redirect_uri)
        parse_qsl(f"{parts.query}&{parts.fragment}", max_num_fields=100)
        same = _place(parts) == _place(registered)
    except ValueError:
        return "It is not a valid address."
    return "" if same else f"It does not begin with your redirect URI, {redirect_uri.partition('?')[0]}."


def _place(uri: SplitResult) -> tuple[object, ...]:
    # browsers write an empty path as a slash, and leave out the port that goes with the scheme
    port = uri.port or {"http": 80, "https": 443}.get(uri.scheme)
    return uri.scheme, uri.hostname, port, uri.path or "/"
