"""Write docs/explanation/hostile-submissions.md from the data: python tools/hostile_page.py"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "explanation" / "hostile-submissions.md"

HEAD = """\
# Hostile submissions

{total} inputs that a course may meet, by accident or on purpose, and what becomes of each. They are
data in `tests/hostile/inputs/`; `tests/hostile/test_hostile.py` hands {run} of them in as one
class, together with ten honest students, and runs the whole course: collect, autograde, suggest,
mark, feedback, report, export. Each has to end exactly as it stands here, and the ten honest
students with the same scores, answers, evidence and feedback, byte for byte, as in a class of
their own. This page is written from the data (`python tools/hostile_page.py`).

Beside what its line says, of every input it is tested that its page of feedback holds no tag,
attribute or address that could do anything, that nothing was written outside of its folder, that
no file of the authors or of another student changed, that nobody was called over the network, and
that nothing of the model answers, hidden tests, other students, environment or home folder turns
up in what its code wrote.

- **graded**: nothing stands out. **needs-attention**: graded, and a person has something to look
  at. **failed**: quarantined with one reason; the others go on. **refused**: the collector says why
  and takes nothing of it.
- *Points* are what the four tests (1, 1, 2 and 3) earn; a **?** is a score that a person decides.
- What the same inputs do to plain nbgrader: [the comparison](hostile-compared.md). Who may want
  what: [the threat model](threat-model.md). How files are refused:
  [hostile files](hostile-files.md).

What remains: a word's rarity is counted over the class, so that {run} hostile answers beside ten
honest ones move the confidence of an honest student's suggestion by up to 0.05 (tested), and none
over the line of 0.9 from which rules accept.
"""

TITLES = {
    "files": "Files: what may be wrong with a notebook's bytes",
    "metadata": "Metadata and cells",
    "folders": "Folders and names",
    "papers": "Papers",
    "archives": "Archives",
    "code": "Code",
    "text": "Text",
    "faults": "Faults around the submissions",
}


def catalogue() -> ModuleType:
    """Return tests/hostile/catalogue.py."""
    path = ROOT / "tests" / "hostile" / "catalogue.py"
    spec = importlib.util.spec_from_file_location("markbook_hostile_catalogue", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def page() -> str:
    """Return the page as Markdown."""
    data = catalogue()
    every = data.inputs()
    parts = [HEAD.format(total=len(every), run=sum(e.heading != "faults" for e in every))]
    for heading in data.HEADINGS:
        parts.append(f"## {TITLES[heading]}\n")
        if heading == "faults":
            rows = ["| what goes wrong | what becomes of it | proved by |", "|---|---|---|"]
            rows += [_fault(each) for each in data.inputs(heading)]
        else:
            rows = ["| input | what it tries | ends | points | said, shown, suggested |"]
            rows += ["|---|---|---|---|---|"]
            rows += [_row(data, each) for each in data.inputs(heading)]
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def _fault(each: Any) -> str:
    proofs = "<br>".join(f"`{name.partition('::')[2]}`" for name in each.proved_by)
    return f"| {each.tries} | {' '.join(each.expect['says'])} | {proofs} |"


def _row(data: ModuleType, each: Any) -> str:
    scores = data.expected_scores(each)
    points = " ".join("?" if value is None else f"{value:g}" for value in scores.values())
    ends = " or ".join(each.statuses)
    return f"| {each.name} | {each.tries} | {ends} | {points} | {'; '.join(_said(each.expect))} |"


def _said(expect: dict[str, Any]) -> list[str]:
    said = [_code(text) for text in expect.get("says", ()) if text]
    said += [f"the answer to {name} is {what}" for name, what in expect.get("answers", {}).items()]
    said += [f"the page shows {_code(text)}" for text in expect.get("page", {}).get("holds", ())]
    if "most" in expect.get("page", {}):
        said.append(f"the page stays below {expect['page']['most'] / 1000:g} kB")
    for wanted in expect.get("suggest", {}).values():
        said += [f"flag {wanted['flag']}"] if "flag" in wanted else []
        said += ["nothing is awarded with confidence"] if wanted.get("confident") == [] else []
    said += [f"the table holds {_code(text)}" for text in expect.get("export", ())]
    said += [f"{name} stays worth {most:g}" for name, most in expect.get("most", {}).items()]
    return said


def _code(text: str) -> str:
    shown = "".join(c if c.isprintable() else f"[U+{ord(c):04X}]" for c in text)
    return "`" + shown.replace("|", r"\|").replace("`", "'") + "`"


if __name__ == "__main__":
    if "--print" in sys.argv:
        sys.stdout.write(page())
        raise SystemExit
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.name}")
