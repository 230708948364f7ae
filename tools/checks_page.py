"""Write docs/reference/checks.md from the checks themselves: python tools/checks_page.py"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

from markbook.checks import all_checks

HEAD = """# The checks

What `markbook check` and `pytest source graders` look for. This page is written from the checks
themselves (`python tools/checks_page.py`); the codes stay the same for ever.

An **error** keeps the exit code from being 0. `--fix` applies the fixes of those marked *fixable*.
*Slow* ones run code; `--quick` leaves them out. Those *with --mutate* run only with that option, or
when selected by code.
"""

FAMILIES = {
    "MB10": "Notebook files",
    "MB20": "nbgrader's cells",
    "MB22": "Solutions and hidden tests",
    "MB30": "The release",
    "MB40": "Running the notebooks",
    "MB50": "Rubric files",
    "MB51": "What a rubric says",
    "MB60": "Rubrics, tested",
    "MB61": "Graders, tried on wrong answers",
    "MB70": "What students read",
}


def page() -> str:
    """Return the page as Markdown."""
    lines = [HEAD]
    family = ""
    for check in all_checks():
        mine = max((f for f in FAMILIES if f <= check.code), default="")
        if mine != family:
            family = mine
            lines.append(f"## {FAMILIES.get(mine, 'More')}\n")
        kinds = [str(check.severity)]
        kinds += ["fixable"] if check.fixable else []
        kinds += ["slow"] if check.slow else []
        kinds += ["with --mutate"] if check.optional else []
        lines.append(f"### {check.code} {check.name}\n")
        lines.append(f"*{', '.join(kinds)}* · {inspect.getdoc(check)}\n")
    return "\n".join(lines)


if __name__ == "__main__":
    if "--print" in sys.argv:
        sys.stdout.write(page())
        raise SystemExit
    target = Path(__file__).resolve().parent.parent / "docs" / "reference" / "checks.md"
    target.write_text(page(), encoding="utf-8")
    print(f"wrote {target.name}")
