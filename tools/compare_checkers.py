"""What nbgrader's `validate` and otter's `assign` find in tests/broken_courses, by running them.

    python tools/compare_checkers.py --otter OTTER_VENV/bin/otter

Writes docs/explanation/checks-compared.md. Otter reads a format of its own, so each notebook is
translated to it first; a course whose notebook is the clean one's is not run again. Both tools
count as having found something when they fail, or say what they do not say of the clean course.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "tests" / "broken_courses"
PAGE = ROOT / "docs" / "explanation" / "checks-compared.md"
TIMEOUT = 150  # seconds; a notebook that never ends is stopped by nbgrader after 30 a cell

INTRODUCTION = """\
# What other checkers find

Every folder of `tests/broken_courses/` is a small course with one thing wrong. `markbook check`
finds each (a test compares what it says word for word). This page says what the `validate` of
nbgrader {nbgrader} and the `assign` of otter-grader {otter} find on the same courses. It is written
by running them: `python tools/compare_checkers.py --otter OTTER`.

- `nbgrader validate` is run on each notebook of `source/`: it runs the author's solution and
  reports tests that fail.
- `otter assign` is run on each notebook of `source/`, translated to otter's own format: raw cells
  around questions, solutions and tests, with the same ids, points, texts and code. It builds what
  students get, and runs the tests on the solution. A notebook that cannot be translated is given
  to it as it stands.
- A tool has found something when it fails, or says what it does not say of the clean course. What
  it said is shown: it need not name what is wrong.
- Rubrics, releases and graders are Markbook's own files, which the others do not read.

| | of {total} broken courses | of the {notebooks} whose source notebook is broken |
|---|---|---|
| `markbook check` | {total} | {notebooks} |
| `nbgrader validate` | {by_nbgrader} | {by_nbgrader} |
| `otter assign` | {by_otter} | {by_otter} |

| course | `nbgrader validate` | `otter assign` |
|---|---|---|
"""


@dataclass(frozen=True)
class Found:
    """What the tools said of one course; None is nothing, "" that they were not concerned."""

    name: str
    concerned: bool
    nbgrader: str | None = None
    otter: str | None = None


def lay_out(name: str, target: Path) -> list[Path]:
    """Put a broken course together; return its source notebooks."""
    shutil.copytree(HOME / "_clean", target)
    if name != "_clean":
        removed = HOME / name / "REMOVED"
        for line in removed.read_text().split() if removed.is_file() else ():
            (target / line).unlink()
        shutil.copytree(
            HOME / name,
            target,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("REMOVED", "COMMITTED", "gradebook.sql", "expected.txt"),
        )
    return sorted((target / "source" / "hw").glob("*.ipynb"))


def run(command: list[str], cwd: Path) -> tuple[int, str]:
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        return 1, f"still running after {TIMEOUT} seconds"
    return done.returncode, re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)


def validate(notebook: Path, root: Path) -> str | None:
    """Return what `nbgrader validate` says is wrong, or None."""
    program = str(Path(sys.executable).with_name("nbgrader"))
    code, said = run([program, "validate", str(notebook.relative_to(root))], root)
    if code == 0 and "Success! Your notebook passes all the tests." in said:
        return None
    return telling(said, root)


def assign(notebook: Path, root: Path, otter: str) -> str | None:
    """Return what `otter assign` says is wrong with the translated notebook, or None."""
    work = root / "otter"
    work.mkdir(exist_ok=True)
    translated = work / notebook.name
    try:
        text = json.dumps(translate(json.loads(notebook.read_bytes())))
        translated.write_text(text)
    except (ValueError, KeyError, AttributeError, TypeError):
        shutil.copy(notebook, translated)
    code, said = run([otter, "assign", translated.name, "out"], work)
    if code == 0 and "[WARNING otter" not in said:
        return None
    return telling(said, root)


def telling(said: str, root: Path) -> str:
    """Return the line that tells most: the last that names an error, or the last."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    lines = [re.sub(r"^\[\w+ \| \w+\] ", "", line) for line in lines if "IPKernelApp" not in line]
    lines = [line for line in lines if "encountered a fatal error" not in line] or lines
    telltale = re.compile(r"error|fail|warning|cannot|invalid|changed", re.IGNORECASE)
    errors = [line for line in lines if telltale.search(line)]
    last = (errors or lines or ["failed without a word"])[-1]
    last = last.replace(str(root), "").replace("|", r"\|").replace("`", "'")
    return last[:110]


def raw(text: str) -> dict[str, Any]:
    return {"cell_type": "raw", "metadata": {}, "source": text}


def translate(document: dict[str, Any]) -> dict[str, Any]:
    """Return an nbgrader notebook in otter's format."""
    cells: list[dict[str, Any]] = [raw("# ASSIGNMENT CONFIG\ninit_cell: false\nexport_cell: false")]
    question = ""
    for cell in document["cells"]:
        meta = cell["metadata"].get("nbgrader", {})
        source = "".join(cell["source"])
        is_test = meta.get("grade") and not meta.get("solution")
        if question and not is_test:
            cells += [raw("# END TESTS"), raw("# END QUESTION")]
            question = ""
        if meta.get("solution") and meta.get("grade"):
            cells += manual(cell, meta, source)
        elif meta.get("solution") and cell["cell_type"] == "code":
            question = str(meta.get("grade_id"))
            cells += opened(cell, question, source)
        elif is_test and question:
            cells.append(test(cell, meta, source))
        else:
            cells.append(plain(cell, source))
    if question:
        cells += [raw("# END TESTS"), raw("# END QUESTION")]
    for number, cell in enumerate(cells):
        cell["id"] = (
            f"cell-{number}" if cell["cell_type"] == "raw" else cell.get("id", f"c{number}")
        )
    return document | {"cells": cells}


def plain(cell: dict[str, Any], source: str) -> dict[str, Any]:
    return cell | {"metadata": {}, "source": source}


def manual(cell: dict[str, Any], meta: dict[str, Any], source: str) -> list[dict[str, Any]]:
    head = f"# BEGIN QUESTION\nname: {meta.get('grade_id')}\nmanual: true"
    if "points" in meta:
        head += f"\npoints: {meta['points']}"
    answer = re.sub(r"(?m)^### (BEGIN|END) SOLUTION\n?", "", source)
    return [
        raw(head),
        raw("# BEGIN SOLUTION"),
        plain(cell, answer),
        raw("# END SOLUTION"),
        raw("# END QUESTION"),
    ]


def opened(cell: dict[str, Any], question: str, source: str) -> list[dict[str, Any]]:
    return [
        raw(f"# BEGIN QUESTION\nname: {question}"),
        raw("# BEGIN SOLUTION"),
        plain(cell, re.sub(r"###\s*(BEGIN|END) SOLUTION", r"# \1 SOLUTION", source)),
        raw("# END SOLUTION"),
        raw("# BEGIN TESTS"),
    ]


def test(cell: dict[str, Any], meta: dict[str, Any], source: str) -> dict[str, Any]:
    hidden = "HIDDEN TESTS" in source
    body = re.sub(r"(?m)^\s*### (BEGIN|END) HIDDEN TESTS\n?", "", source)
    head = f'""" # BEGIN TEST CONFIG\nhidden: {str(hidden).lower()}\n'
    if "points" in meta:
        head += f"points: {meta['points']}\n"
    return plain(cell, head + '""" # END TEST CONFIG\n' + body)


def examine(name: str, otter: str) -> Found:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "course"
        notebooks = lay_out(name, root)
        clean = (HOME / "_clean" / "source" / "hw" / "part.ipynb").read_bytes()
        if name != "_clean" and [n.read_bytes() for n in notebooks] == [clean]:
            return Found(name, concerned=False)
        by_nbgrader = [said for n in notebooks if (said := validate(n, root)) is not None]
        by_otter = [said for n in notebooks if (said := assign(n, root, otter)) is not None]
    print(name, by_nbgrader, by_otter, sep=" | ", flush=True)
    return Found(name, True, next(iter(by_nbgrader), None), next(iter(by_otter), None))


def version(command: list[str], label: str) -> str:
    return run([*command, "--version"], ROOT)[1].partition(label)[2].split()[0]


def page(found: list[Found], versions: dict[str, str]) -> str:
    concerned = [each for each in found if each.concerned]
    text = INTRODUCTION.format(
        **versions,
        total=len(found),
        notebooks=len(concerned),
        by_nbgrader=sum(each.nbgrader is not None for each in found),
        by_otter=sum(each.otter is not None for each in found),
    )
    for each in found:
        cells = [cell(each, each.nbgrader), cell(each, each.otter)]
        text += f"| {each.name} | {' | '.join(cells)} |\n"
    return text


def cell(each: Found, said: str | None) -> str:
    if not each.concerned:
        return "does not read it"
    return "nothing" if said is None else f"found: `{said}`"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--otter", required=True, help="otter's command, of an environment of its own"
    )
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "names", nargs="*", help="only these courses, and print (default: all, and write)"
    )
    options = parser.parse_args()
    otter = str(Path(options.otter).absolute())
    clean = examine("_clean", otter)
    if clean.nbgrader is not None or clean.otter is not None:
        print(f"The clean course is refused, so nothing can be compared: {clean}", file=sys.stderr)
        return 1
    names = options.names or sorted(p.name for p in HOME.iterdir() if p.name.startswith("MB"))
    with ThreadPoolExecutor(options.jobs) as pool:
        found = list(pool.map(lambda name: examine(name, otter), names))
    versions = {
        "nbgrader": version([str(Path(sys.executable).with_name("nbgrader"))], "nbgrader version "),
        "otter": version([otter], "Otter-Grader version: "),
    }
    text = page(found, versions)
    if options.names:
        print(text)
    else:
        PAGE.write_text(text)
        print(f"written  {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
