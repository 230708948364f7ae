"""Reading the class, and writing its report."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from markbook.model import decided_by_rule
from markbook.notebooks import read_notebook, read_questions
from markbook.rubrics import load_rubrics
from markbook.statistics import draw
from markbook.statistics.compute import ClassData, compute
from markbook.statistics.figures import ClassFigures, Doubt
from markbook.text.files import write_atomic
from markbook.text.pages import PageTemplate
from markbook.text.plainfiles import read_plain
from markbook.text.titles import humanise, split_title

if TYPE_CHECKING:
    from pathlib import Path

    from markbook.course import Course
    from markbook.model import Question
    from markbook.statistics.source import StatsSource

__all__ = ["StatsReport", "write_report"]

SIDECAR = "collected.json"
_MOST = 50_000_000  # bytes: ten times what a paper may have
_UNMATCHED = "This text belongs to no question."


@dataclass(frozen=True, slots=True)
class StatsReport:
    """Where the report is, what it says, and which files changed (or would)."""

    page: Path
    data: Path
    figures: ClassFigures
    changed: tuple[Path, ...]


def write_report(
    course: Course, gb: StatsSource, assignment: str, *, dry_run: bool = False
) -> StatsReport:
    """Write ``report.html`` and ``report.json`` to the assignment's folder of reports.

    Raises ``UnknownName`` for an assignment that the course lacks, ``NotebookError`` and
    ``RubricError`` for authored files that cannot be read. What is right already stays untouched.
    """
    course.require(assignment)
    figures = compute(read_class(course, gb, assignment))
    folder = course.reports(assignment)
    files = {
        folder / "report.html": render_report(figures),
        folder / "report.json": json.dumps(as_json(figures), indent=1, ensure_ascii=False) + "\n",
    }
    changed = [path for path, text in files.items() if _write(path, text, dry_run=dry_run)]
    page, data = files
    return StatsReport(page, data, figures, tuple(changed))


def read_class(course: Course, gb: StatsSource, assignment: str) -> ClassData:
    """Gather what the report is about."""
    questions = read_questions(course.source(assignment), assignment)
    folder = course.rubrics(assignment)
    marks = gb.marks(assignment)
    records = gb.records(assignment)
    doubts: list[Doubt] = []
    unreadable: list[str] = []
    for record in records:
        path = course.submitted(assignment, record.student) / SIDECAR
        found = read_doubts(path, record.student)
        if found is None:
            unreadable.append(course.relative(path))
        doubts += found or ()
    return ClassData(
        course=course.course_id,
        assignment=assignment,
        title=_title(course, questions, assignment),
        questions=questions,
        records=records,
        answers=gb.answers(assignment),
        marks=marks,
        suggestions=gb.suggestions(assignment),
        grades=gb.grades(assignment),
        rubrics={v: gb.rubric(v) for v in sorted({mark.rubric_version for mark in marks})},
        current=load_rubrics(folder) if folder.is_dir() else {},
        by_rule=decided_by_rule(gb.events(assignment)),
        doubts=doubts,
        unreadable=unreadable,
    )


def as_json(figures: ClassFigures) -> dict[str, Any]:
    """Return the figures as JSON values, the sums with them."""
    data = dataclasses.asdict(figures)
    data["waiting"] = figures.waiting
    data["possible"] = figures.possible
    for question, values in zip(figures.questions, data["questions"], strict=True):
        values["waits"] = question.waits
    for student, values in zip(figures.students, data["students"], strict=True):
        values["total"] = student.total
    return data


def render_report(figures: ClassFigures) -> str:
    """Return the report as HTML."""
    return _template().render(figures=figures, draw=draw)


def read_doubts(path: Path, student: str) -> list[Doubt] | None:
    """Return what the collector left for a person to confirm; None for an unreadable sidecar.

    A submission that came through the exchange has no sidecar, and no doubts.
    """
    try:
        document = json.loads(read_plain(path, _MOST))
        doubts = [
            Doubt(
                student,
                question=str(said.get("question") or ""),
                matched_as=str(said.get("matched_as") or ""),
                confidence=float(said.get("confidence") or 0.0),
                why=str(said.get("why") or ""),
            )
            for said in document.get("doubtful", ())
        ]
        known = set(document.get("preamble", ()))
        doubts += [
            Doubt(student, matched_as=str(text), why=_UNMATCHED)
            for text in document.get("unmatched", ())
            if text not in known
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return doubts


def _title(course: Course, questions: tuple[Question, ...], assignment: str) -> str:
    if not questions:
        return humanise(assignment)
    notebook = read_notebook(course.source(assignment) / f"{questions[0].notebook}.ipynb")
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.lstrip().startswith("# "):
            return split_title(str(cell.source))[0] or humanise(assignment)
    return humanise(assignment)


def _write(path: Path, text: str, *, dry_run: bool) -> bool:
    data = text.encode("utf-8", "replace")
    if dry_run:
        return not path.is_file() or path.read_bytes() != data
    return write_atomic(path, data)


@cache
def _template() -> PageTemplate:
    return PageTemplate("markbook.statistics", "report.html.j2", ["report.css"])
