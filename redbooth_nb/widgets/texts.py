"""What the widgets say, where it is the same every time: `texts.toml`, read once."""

import tomllib
from pathlib import Path
from typing import Any, Final

TEXTS: Final[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("texts.toml").read_text(encoding="utf-8"))
