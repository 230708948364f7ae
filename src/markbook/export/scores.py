"""Gathering what is exported, and handing it to the format that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Protocol

from markbook.errors import UsageError
from markbook.export.formats import ExportData, ScoreLine
from markbook.model import AnswerStatus, QuestionKind
from markbook.notebooks import read_questions
from markbook.rubrics import load_rubrics
from markbook.text.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from markbook.course import Course
    from markbook.model import Answer, Event, Grade, Mark, Question, Rubric, SubmissionRecord

__all__ = ["GROUP", "ExportReport", "ExportSource", "export_scores", "exporter_names"]

GROUP = "markbook.exporters"
"""The entry points that are exporters: functions from ``ExportData`` to the file's text."""


class ExportSource(Protocol):
    """The part of ``Gradebook`` that exports need."""

    def records(self, assignment: str) -> tuple[SubmissionRecord, ...]: ...

    def answers(self, assignment: str, question: str | None = None) -> tuple[Answer, ...]: ...

    def marks(self, assignment: str, question: str | None = None) -> tuple[Mark, ...]: ...

    def grades(self, assignment: str) -> tuple[Grade, ...]: ...

    def events(self, assignment: str | None = None) -> Iterator[Event]: ...


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written: ``lines`` of scores were at hand; ``changed`` is False if all was there."""

    path: Path
    fmt: str
    lines: int
    changed: bool


def exporter_names() -> tuple[str, ...]:
    """Return the names of the installed formats, sorted."""
    return tuple(sorted(metadata.entry_points(group=GROUP).names))


def export_scores(
    course: Course, gb: ExportSource, assignment: str, fmt: str, path: Path
) -> ExportReport:
    """Write an assignment's scores (or audit) to ``path`` in the format named ``fmt``.

    Raises ``UsageError`` for a format that is not installed or cannot be loaded, and
    ``UnknownName`` for an assignment that the course lacks.
    """
    course.require(assignment)
    exporter = _exporter(fmt)
    data = ExportData(
        course=course.course_id,
        assignment=assignment,
        scores=tuple(_lines(course, gb, assignment)),
        events=tuple(gb.events(assignment)),
    )
    text = exporter(data).encode("utf-8", "replace")
    return ExportReport(path, fmt, len(data.scores), write_atomic(path, text))


def _exporter(fmt: str) -> Callable[[ExportData], str]:
    for point in metadata.entry_points(group=GROUP, name=fmt):
        try:
            exporter: Callable[[ExportData], str] = point.load()
        except (ImportError, AttributeError) as error:
            raise UsageError(
                f"The export format {fmt!r} ({point.value}) cannot be loaded: {error}.",
                hint="Install its package again.",
            ) from error
        return exporter
    raise UsageError(
        f"There is no export format {fmt!r}.",
        hint=f"These are installed: {', '.join(exporter_names()) or 'none'}.",
    )


def _lines(course: Course, gb: ExportSource, assignment: str) -> Iterator[ScoreLine]:
    questions = read_questions(course.source(assignment), assignment)
    folder = course.rubrics(assignment)
    rubrics = load_rubrics(folder) if folder.is_dir() else {}
    answers = {(a.student, a.question): a for a in gb.answers(assignment)}
    marks = {(m.student, m.question): m for m in gb.marks(assignment)}
    grades = {(g.student, g.question): g for g in gb.grades(assignment)}
    for record in gb.records(assignment):
        for question in questions:
            key = (record.student, question.id)
            if question.kind is QuestionKind.CODE:
                yield _tested(question, record.student, grades.get(key))
            else:
                rubric = rubrics.get(question.id)
                yield _marked(question, record.student, answers.get(key), marks.get(key), rubric)


def _tested(question: Question, student: str, grade: Grade | None) -> ScoreLine:
    done = grade is not None and not grade.needs_marking
    return _line(question, student, "tested" if done else "not-tested", _score(grade, done=done))


def _score(grade: Grade | None, *, done: bool) -> float | None:
    return grade.score if grade is not None and done else None


def _marked(
    question: Question,
    student: str,
    answer: Answer | None,
    mark: Mark | None,
    rubric: Rubric | None,
) -> ScoreLine:
    status = answer.status if answer else AnswerStatus.MISSING
    if mark is None:
        waits = status is AnswerStatus.ANSWERED
        return _line(question, student, "waiting" if waits else str(status), None if waits else 0.0)
    bonus = rubric.bonus if rubric else question.points == 0
    current = answer is not None and answer.hash == mark.answer_hash
    return ScoreLine(
        assignment=question.assignment,
        student=student,
        notebook=question.notebook,
        question=question.id,
        kind=str(question.kind),
        status="marked" if current else "changed",
        score=0.0 if bonus else mark.score,
        max=question.points,
        extra_credit=mark.score if bonus else None,
        criteria=mark.earned,
        adjustment=mark.adjustment,
        marker=mark.marker,
        marked_at=mark.marked_at,
        comment=mark.comment,
    )


def _line(question: Question, student: str, status: str, score: float | None) -> ScoreLine:
    return ScoreLine(
        assignment=question.assignment,
        student=student,
        notebook=question.notebook,
        question=question.id,
        kind=str(question.kind),
        status=status,
        score=score,
        max=question.points,
    )
