"""R48, R50, R51: whatever answers, no secret and no foreign exception comes out of the kit."""

import json
import os
import subprocess
import sys
from pathlib import Path

HELPER = Path(__file__).with_name("answers.py")
NUMBER = 2000


def test_no_generated_answer_gets_a_secret_or_a_foreign_exception_out() -> None:
    """In IPython's verbose mode, every logger at DEBUG: exchange, refresh and API calls."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REDBOOTH_")}
    command = [sys.executable, str(HELPER), str(NUMBER), "1"]
    said = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)  # noqa: S603
    found = json.loads(said.stdout)
    assert found["met"] == {"exchange": NUMBER // 5, "refresh": NUMBER // 5, "call": NUMBER * 3 // 5}
    assert found["wrong"] == []
