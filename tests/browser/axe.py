"""What axe-core, the checker for accessible pages, finds wrong in a part of a page."""

from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Locator

SCRIPT = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RUN = """async (part) => {
    const found = await axe.run(part, {resultTypes: ["violations"]});
    return found.violations.flatMap((rule) => rule.nodes.map((node) =>
        `${rule.id} (${rule.impact}): ${node.html}\\n    ${node.failureSummary.replaceAll("\\n", "\\n    ")}`));
}"""


def violations(part: Locator) -> list[str]:
    """Return a sentence for everything wrong in `part`, which must be exactly one element; empty when all is well."""
    if not part.page.evaluate("typeof axe === 'object'"):
        part.page.evaluate(SCRIPT)
    found: list[str] = part.evaluate(RUN)
    return found
