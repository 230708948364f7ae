"""Courses and classes for benchmarks, made from this repository's course and its sample class.

Every student's answers are those of one of the sample class with a word of their own behind
them; their code is the model solution, and every seventh leaves the code as it was released.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness import Bench

ASSIGNMENT = "web-apis-and-testing"
NOTEBOOK = "conceptual"
THIRTEEN, FOURTEEN, CODE = "thirteen-answers", "fourteen-answers", "two-code-cells"

_CODE_CELLS = ("jwt-sign-and-verify-prompt", "jwt-sign-and-verify", "jwt-sign-and-verify-tests")
_LAZY = 7  # every seventh student leaves the code as it was
_WORD = "(word @NUMBER@)"
_TIME = "2026-01-02 03:04:05.000000 UTC"

Notebook = dict[str, Any]


@dataclass
class Base:
    """A course, what the sample class answered in it, and its assignments, each made when asked."""

    bench: Bench
    root: Path
    answers: tuple[dict[str, str], ...]
    released: set[str] = field(default_factory=set)

    def release(self, assignment: str) -> None:
        """Author and release one of the smaller assignments, once."""
        if assignment in self.released:
            return
        self.bench.say(f"releasing {assignment}")
        source = json.loads((self.root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb").read_text())
        questions = [_id(cell) for cell in source["cells"] if _is_text_question(cell)]
        cells = {
            THIRTEEN: _with_prompts(questions[:13]),
            FOURTEEN: _with_prompts(questions[:14]),
            CODE: [*_with_prompts(questions[:13]), *_CODE_CELLS],
        }
        _author(self.root, assignment, source, cells[assignment])
        run_markbook(self.root, "release", assignment)
        self.released.add(assignment)


def base(bench: Bench) -> Base:
    """Return the course that all benchmarks of a run copy, made the first time."""
    if "base" not in bench.shared:
        bench.say("collecting the sample class")
        bench.shared["base"] = _make(bench)
    found: Base = bench.shared["base"]
    return found


def class_of(bench: Bench, assignment: str, students: int) -> Path:
    """Return a new course in which ``students`` have handed in ``assignment``."""
    made = base(bench)
    made.release(assignment)
    target = bench.place(f"{assignment}-{students}")
    target.mkdir()
    for name in ("source", "release"):
        shutil.copytree(made.root / name / assignment, target / name / assignment)
    for name in ("nbgrader_config.py", "gradebook.db"):
        shutil.copy(made.root / name, target)
    drafts = _drafts(made, target, assignment)
    for number in range(students):
        folder = target / "submitted" / student(number) / assignment
        folder.mkdir(parents=True)
        draft = drafts[number % len(drafts)]
        text = draft.replace(b"@NUMBER@", b"%05d" % number)
        (folder / f"{NOTEBOOK}.ipynb").write_bytes(text)
        (folder / "timestamp.txt").write_text(_TIME)
    return target


def student(number: int) -> str:
    return f"student-{number:05d}"


def _make(bench: Bench) -> Base:
    root = bench.place("base")
    root.mkdir()
    for name in ("source", "release", "graders"):
        shutil.copytree(ROOT / name / ASSIGNMENT, root / name / ASSIGNMENT)
    shutil.copytree(ROOT / "sample-class" / ASSIGNMENT, root / "papers")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    # 1: papers have findings, which is what a sample class is for
    run_markbook(root, "collect", ASSIGNMENT, "--from", "papers", fine=(0, 1))
    sidecars = sorted((root / "submitted").glob(f"*/{ASSIGNMENT}/collected.json"))
    answers = tuple(_answers(json.loads(path.read_text())) for path in sidecars)
    shutil.rmtree(root / "submitted")
    return Base(bench, root, answers)


def run_markbook(root: Path, *arguments: str, fine: tuple[int, ...] = (0,)) -> None:
    command = [sys.executable, "-m", "markbook", *arguments]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if result.returncode not in fine:
        raise RuntimeError(f"markbook {arguments[0]}: {result.stdout}{result.stderr}")


def _author(root: Path, assignment: str, source: Notebook, cells: Iterable[str]) -> None:
    """Write an assignment with only some of the cells of the real one."""
    wanted = set(cells)
    kept = [cell for cell in source["cells"] if _id(cell) in wanted]
    folder = root / "source" / assignment
    folder.mkdir(parents=True)
    (folder / f"{NOTEBOOK}.ipynb").write_text(json.dumps(source | {"cells": kept}))
    rubrics = root / "graders" / assignment
    rubrics.mkdir()
    for path in (root / "graders" / ASSIGNMENT).glob("*.yaml"):
        if path.stem in wanted:
            shutil.copy(path, rubrics)


def _answers(sidecar: dict[str, Any]) -> dict[str, str]:
    return {
        question: answer["text"]
        for question, answer in sidecar["answers"].items()
        if answer["status"] == "answered"
    }


def _drafts(made: Base, course: Path, assignment: str) -> list[bytes]:
    """Return the different submissions, with a mark where a student's number goes."""
    released = json.loads((course / "release" / assignment / f"{NOTEBOOK}.ipynb").read_text())
    source = json.loads((course / "source" / assignment / f"{NOTEBOOK}.ipynb").read_text())
    solutions = {
        _id(cell): _model("".join(cell["source"]))
        for cell in source["cells"]
        if cell["cell_type"] == "code" and not _id(cell).endswith("-tests")
    }
    drafts = []
    for number, answers in enumerate(made.answers):
        texts = {question: f"{text} {_WORD}" for question, text in answers.items()}
        known = texts if number % _LAZY == _LAZY - 1 else texts | solutions
        cells = [
            cell | {"source": known.get(_id(cell), "".join(cell["source"]))}
            for cell in released["cells"]
        ]
        drafts.append(json.dumps(released | {"cells": cells}, indent=1).encode())
    return drafts


def _model(source: str) -> str:
    """Return a cell with its solution, without the lines that frame it."""
    return re.sub(r"^.*### (BEGIN|END) SOLUTION.*\n?", "", source, flags=re.MULTILINE)


def _id(cell: Notebook) -> str:
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))


def _is_text_question(cell: Notebook) -> bool:
    return cell["cell_type"] == "markdown" and cell["metadata"].get("nbgrader", {}).get("grade")


def _with_prompts(questions: Iterable[str]) -> list[str]:
    return ["introduction", *(name for q in questions for name in (f"{q}-prompt", q))]
