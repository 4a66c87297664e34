"""A small file that only its owner may read, and that a crash never leaves half written.

Every write is a temporary file, fsync, rename, fsync of the folder. The variables in here hold secrets, so the public
functions that lead here are decorated with `only_kit_errors`, which drops the frames of an error.
"""

import errno
import json
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from redbooth_nb import changes
from redbooth_nb.configuration import make_private
from redbooth_nb.errors import RedboothError

FORMAT = 1
LONGEST_WRITE = 60  # seconds; a temporary file older than this is from a program that was killed
RENAME_WAITS = (0.01, 0.05, 0.2, 0.5)  # seconds; on Windows a file that somebody is reading cannot be replaced
NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP}  # from file systems that cannot fsync a folder, as some network drives


class StoreError(RedboothError):
    """A file of the kit cannot be read, written or locked. What it held is still there."""


class PrivateFile:
    """A small JSON file that only its owner may read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Any] | None:
        """Return the content, or None when there is no file.

        Raises StoreError for a link, another owner, a mode that lets others read, content that is not
        ours, or a newer format. The file is left as it is.
        """
        self.check()
        try:
            content = self._content()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._problem(f"cannot be read ({error.strerror})", "Make it readable for you.") from None
        if content is None:
            raise self.damaged()
        if content["format"] > FORMAT:
            raise self._problem("was written by a newer redbooth-nb", "Update the kit, or set REDBOOTH_STATE_DIR.")
        return content

    def write(self, content: dict[str, Any], *, keep_unrenamed: bool = False) -> None:
        """Replace the content; when this returns it is on the disk. Raises StoreError; the old content stays.

        A damaged file, or one of a newer kit, is kept beside the new one.
        keep_unrenamed: leave the temporary file where it is if it is complete and only the rename fails.
        """
        self.check()
        with self._named_failures():
            make_private(self.path.parent)
            self._keep_what_makes_no_sense()
            # mkstemp opens with mode 0600 whatever the umask
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            complete = False
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump({**content, "format": FORMAT}, file, indent=1)
                    file.flush()
                    os.fsync(file.fileno())
                complete = True
                self._replace_by(Path(name))
            except BaseException:
                if not (complete and keep_unrenamed):
                    Path(name).unlink(missing_ok=True)
                raise
        with suppress(OSError):
            self._remove_old_leftovers()
        changes.announce()
        with self._named_failures():
            self._sync_folder()

    def check(self) -> None:
        """Raise StoreError when there is a file that is not safe to use: a link, or one that others own or can read."""
        try:
            found = self.path.lstat()
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._problem(f"cannot be reached ({error.strerror})", "Make its folder readable.") from None
        if stat.S_ISLNK(found.st_mode):
            raise self._problem("is a link to another file", "Remove the link; the kit writes only its own file.")
        if not stat.S_ISREG(found.st_mode):  # opening a named pipe would wait for ever
            raise self._problem("is not a plain file", "Move it out of the way.")
        if sys.platform != "win32":
            if found.st_uid != os.getuid():
                raise self._problem("belongs to another user", "Set REDBOOTH_STATE_DIR to a folder of your own.")
            if found.st_mode & 0o077:
                raise self._problem("can be read by others", f"Run: chmod 600 {self.path}")

    def unfinished(self) -> list[Path]:
        """Return the temporary files that a crash left behind, or that are being written right now."""
        return sorted(self.path.parent.glob(f".{self.path.name}.*"))

    def remove(self) -> None:
        """Delete the file, if it is there, and what crashes left of it."""
        with self._named_failures():
            self.path.unlink(missing_ok=True)
        self.remove_unfinished()
        changes.announce()

    def remove_unfinished(self) -> None:
        """Delete the temporary files, for example before one is written that a crash may leave behind."""
        with self._named_failures():
            for left in self.unfinished():
                left.unlink(missing_ok=True)

    def damaged(self) -> StoreError:
        """Return the error that says the content makes no sense."""
        remedy = f"Rename it to {self.path.name}.damaged (support may need it), then authorize again."
        return self._problem("is damaged", remedy)

    def _content(self) -> dict[str, Any] | None:
        """Return what the file holds, None when it makes no sense."""
        try:
            content = json.loads(self.path.read_bytes())
        except (ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) and isinstance(content.get("format"), int) else None

    def _keep_what_makes_no_sense(self) -> None:
        if self.path.exists():
            before = self._content()
            if before is None or before["format"] > FORMAT:
                names = (self.path.with_name(f"{self.path.name}.damaged{number or ''}") for number in count())
                self.path.replace(next(name for name in names if not name.exists()))

    def _remove_old_leftovers(self) -> None:
        for left in self.unfinished():
            with suppress(FileNotFoundError):  # another program has finished it meanwhile
                if abs(time.time() - left.stat().st_mtime) > LONGEST_WRITE:
                    left.unlink()

    def _replace_by(self, new: Path) -> None:
        for wait in RENAME_WAITS:
            with suppress(PermissionError):
                new.replace(self.path)
                return
            time.sleep(wait)
        new.replace(self.path)

    def _sync_folder(self) -> None:
        if sys.platform == "win32":
            return  # folders cannot be opened there
        handle = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        except OSError as error:
            if error.errno not in NO_FOLDER_SYNC:
                raise
        finally:
            os.close(handle)

    @contextmanager
    def _named_failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            problem = error.strerror or type(error).__name__
            remedy = "Free some space, or make the folder writable."
            raise self._problem(f"cannot be written ({problem})", remedy) from None

    def _problem(self, what: str, remedy: str) -> StoreError:
        return StoreError(f"The file {self.path} {what}.", remedy=remedy)
