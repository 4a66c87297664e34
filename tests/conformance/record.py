"""Write facts.json from a real Doorkeeper: ``uv run python tests/conformance/record.py``."""

import json
import sys
from contextlib import ExitStack
from pathlib import Path

FACTS = Path(__file__).with_name("facts.json")


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from conformance.scenario import engine_stage, play  # noqa: PLC0415 - needs the path above
    from doorkeeper.engine import Doorkeeper  # noqa: PLC0415

    with ExitStack() as running:
        first = running.enter_context(Doorkeeper())
        facts = play(lambda **settings: engine_stage(running.enter_context(Doorkeeper(**settings))))
        origin = f"Doorkeeper {first.version} on Rails {first.rails}"
    lines = [f"  {json.dumps(case)}: {json.dumps(fact, ensure_ascii=False)}" for case, fact in facts.items()]
    text = ",\n".join(lines)
    FACTS.write_text(f'{{\n"from": {json.dumps(origin)},\n"cases": {{\n{text}\n}}\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
