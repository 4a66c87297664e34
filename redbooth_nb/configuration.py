"""Where settings come from: the environment first, then the `.env` file. And what the folder for state needs.

Nothing read here is put into `os.environ`: child processes learn no secret (hence `dotenv_values`).
"""

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values

from redbooth_nb.errors import RedboothError


class ConfigurationError(RedboothError):
    """A setting, or the file it is in, cannot be used."""


@dataclass(frozen=True)
class Configuration:
    """The settings as they are now.

    env_file: the `.env` in use, or where one would be written. It need not exist.
    """

    env_file: Path
    file_values: dict[str, str] = field(repr=False)  # the client secret is among them

    @classmethod
    def read(cls) -> "Configuration":
        """Read the nearest `.env` at or above the working directory, but not above the nearest `.env.example`.

        If there is no `.env`, it belongs beside that `.env.example`, or else in the working directory.
        Raises ConfigurationError when the file is there but cannot be read as text, or the working directory is gone.
        """
        try:
            here = Path.cwd()
        except OSError:
            raise ConfigurationError.named("no_folder") from None
        places = (here, *here.parents)
        near = (place for place in places if (place / ".env").exists() or (place / ".env.example").exists())
        env_file = next(near, places[0]) / ".env"
        return cls(env_file, read_env_file(env_file))

    def get(self, name: str, default: str = "") -> str:
        """Return a setting; the environment beats the file, and an empty value counts as none."""
        return os.environ.get(name, "").strip() or self.file_values.get(name, "").strip() or default

    @property
    def unattended(self) -> bool:
        """Whether nobody is at the browser (`REDBOOTH_UNATTENDED=1`): cells press the button they name."""
        return self.get("REDBOOTH_UNATTENDED", "0") not in {"0", "no", "off", "false"}

    @property
    def state_dir(self) -> Path:
        """The folder for tokens, pending authorizations and the sandbox, never inside the repository.

        Raises ConfigurationError when it would be in a home folder that is not known, or is a wrong place.
        """
        chosen = self.get("REDBOOTH_STATE_DIR")
        try:
            if not chosen:
                from platformdirs import user_state_path

                chosen = str(user_state_path("redbooth-nb"))  # older versions leave a ~ that cannot be expanded
            folder = Path(chosen).expanduser()
        except RuntimeError:
            raise ConfigurationError.named("no_home") from None
        repository = self.env_file.parent
        inside = (repository / ".git").exists() and folder.absolute().is_relative_to(repository)
        if inside or not folder.is_absolute():  # git could take the tokens, and each working folder have its own state
            raise ConfigurationError.named("state_here", folder=chosen)
        return folder


def read_env_file(path: Path) -> dict[str, str]:
    """Return the values of a dotenv file; a missing file has none. `${X}` is not expanded: secrets may hold it.

    Raises ConfigurationError, naming the file and the remedy, when it cannot be read.
    """
    try:
        if path.is_file() or not path.exists():
            values = dotenv_values(path, interpolate=False, encoding="utf-8")
            return {name: value for name, value in values.items() if value is not None}
    except UnicodeDecodeError:
        raise ConfigurationError.named("settings_no_text", path=path) from None
    except OSError as error:
        raise ConfigurationError.named("settings_unreadable", path=path, reason=error.strerror) from None
    raise ConfigurationError.named("settings_no_file", path=path)


def for_people(path: Path) -> str:
    """Return a path to show: the home folder, whose name is nobody's business, as `~`."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (RuntimeError, ValueError):  # the home folder is not known, or the path is outside it
        return str(path)


def make_private(folder: Path) -> None:
    """Create a folder that only its owner may enter, and its missing parents likewise (mkdir forgets those)."""
    for missing in reversed([place for place in (folder, *folder.parents) if not place.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def leave_port_note(note: Path) -> None:
    """Say in a file who holds a port. If it cannot be written, others just don't find out."""
    with suppress(OSError):
        me = {"pid": os.getpid(), "notebook": Path(os.environ.get("JPY_SESSION_NAME", "")).name}
        note.write_text(json.dumps(me), encoding="utf-8")


def port_holder(note: Path) -> str:
    """Return which of the kit's notebooks holds a port, according to its note, or "Another program"."""
    try:
        who = json.loads(note.read_text(encoding="utf-8") if note.is_file() else "")  # a pipe would never end
        if os.name != "nt":  # there signal 0 is Ctrl-C
            os.kill(int(who["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return "Another program"
    return f"The notebook {who['notebook']}" if who.get("notebook") else f"Another notebook (process {who['pid']})"
