"""The token on disk, and the lock that makes refreshes happen one at a time.

One folder for each provider and client id, so a token is only ever sent to the service that gave it.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from redbooth_nb.client.errors import failure
from redbooth_nb.client.private_file import PrivateFile, StoreError, locked
from redbooth_nb.client.token import Token
from redbooth_nb.errors import NotYet, RedboothError, only_kit_errors

MARK = "refreshing"  # the field beside a token that is about to be refreshed; the new token's file has none
LOST = "The new token may be lost. If calls to Redbooth fail after this, authorize again."


class TokenStore:
    """The token of one app at one provider. Hold `lock()` to change it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "token.json"
        self._file = PrivateFile(self.path)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the store alone, among all threads and processes. Raises StoreError as `locked` does."""
        with locked(self.folder / "token.lock"):
            self._recover()
            yield

    @only_kit_errors
    def load(self) -> Token | None:
        """Return the token, or None when there is none. Raises StoreError."""
        return _read(self._file)[0]

    def require(self) -> Token:
        """Return the token. Raises NotYet when there is none, StoreError."""
        if (token := self.load()) is None:
            raise failure(NotYet, "refresh", "no_token")
        return token

    @only_kit_errors
    def check(self) -> None:
        """Raise StoreError when the file is one that `save` would refuse to replace."""
        self._file.check()

    @only_kit_errors
    def save(self, token: Token) -> None:
        """Keep the token; when this returns it is on the disk, and the mark is gone.

        Raises StoreError; the old token stays, with its mark. If only the rename failed, `lock` tries it again.
        """
        try:
            self._file.write(token.reveal())
        except StoreError as error:
            error.remedy += f" {LOST}"
            raise

    @only_kit_errors
    def mark_refresh(self, token: Token) -> None:
        """Mark `token` on disk as about to be refreshed: a crash before `save` is then noticed."""
        self._file.write({**token.reveal(), MARK: True})

    def unmark_refresh(self, token: Token) -> None:
        """Take the mark back. On a full disk it stays: the error of the refresh matters more."""
        with suppress(StoreError):
            self.save(token)

    @only_kit_errors
    def interrupted(self) -> bool:
        """Whether the mark is there: a refresh was begun and no answer saved, so the new token may be lost."""
        return _read(self._file)[1]

    @only_kit_errors
    def forget(self) -> None:
        """Delete the token, for example after it was revoked. Copies of damaged files (*.damaged) stay."""
        self._file.remove()

    def _recover(self) -> None:
        """Put a new token in place that is whole in the temporary file, but was not renamed."""
        whole = False
        with suppress(StoreError):  # half a token is none; what is wrong with the file itself, the next read reports
            (old, interrupted), (new, marked) = _read(self._file), _read(PrivateFile(self._file.part))
            if new and not marked:
                whole = old is None or interrupted or new.obtained_at > old.obtained_at
        if whole:
            self._file.finish_write()


def _read(file: PrivateFile) -> tuple[Token | None, bool]:
    """Return the token in a file, and whether it is marked."""
    if (content := file.read()) is None:
        return None, False
    try:
        return Token.from_answer(content, float(content["obtained_at"])), MARK in content
    except (RedboothError, KeyError, TypeError, ValueError, OverflowError):
        raise file.problem("no_token") from None
