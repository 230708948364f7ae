"""Write the tables of docs/explanation/honest-tests.md: python tools/honest_page.py [--print]"""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "explanation" / "honest-tests.md"


def page() -> str:
    """Return the page with its tables made anew."""
    sys.path.insert(0, str(ROOT / "tests" / "honest"))
    entries = vars(importlib.import_module("catalogue"))
    forgeries = ["| | |", "|---|---|"]
    forgeries += [f"| {n} | {e.name} |" for n, e in enumerate(entries["FORGERIES"], start=1)]
    styles = ["| | verified | |", "|---|---|---|"]
    styles += [
        f"| {entry.name} | {'yes' if entry.examined else 'no'} | {entry.why} |"
        for entry in entries["STYLES"]
    ]
    text = PAGE.read_text(encoding="utf-8")
    for name, table in (("forgeries", forgeries), ("styles", styles)):
        lines = "\n".join(table)
        text = re.sub(
            rf"(<!-- begin {name} -->\n).*?(<!-- end -->)",
            lambda found, lines=lines: f"{found[1]}{lines}\n{found[2]}",
            text,
            flags=re.DOTALL,
        )
    return text


if __name__ == "__main__":
    if "--print" in sys.argv:
        sys.stdout.write(page())
    else:
        PAGE.write_text(page(), encoding="utf-8")
