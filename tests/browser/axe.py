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
    """Return a sentence for everything wrong in `part` and in the pages in its windows; empty when all is well.

    `part` must be exactly one element.
    """
    pages = [frame for frame in part.page.frames if frame.parent_frame]
    windows = [page for page in pages if part.evaluate("(part, page) => part.contains(page)", page.frame_element())]
    found: list[str] = []
    for place, what in [(part.page.main_frame, part), *((window, window.locator("html")) for window in windows)]:
        if not place.evaluate("typeof axe === 'object'"):
            place.evaluate(SCRIPT)
        found += what.evaluate(RUN)
    return found
