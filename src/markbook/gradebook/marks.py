"""Marks: a decision, its audit line and nbgrader's grade, stored together or not at all."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from markbook.errors import MarkbookError, StaleMark, UnknownName
from markbook.gradebook import nbgrader_tables, tables
from markbook.gradebook.events import append_event, now
from markbook.gradebook.rubrics import find_rubric
from markbook.gradebook.strings import plain, restored, storable
from markbook.model import Event, Mark, counted, score

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection, Row

    from markbook.gradebook.nbgrader_tables import GradeRow
    from markbook.model import Rubric

__all__ = [
    "nbgrader_comment",
    "nbgrader_scores",
    "read_comments",
    "read_marks",
    "remove",
    "store_marks",
]

_READ_AGAIN = "Read it again and decide anew; nothing was stored."


def read_marks(
    connection: Connection,
    assignment: str,
    question: str | None = None,
    *,
    all_: bool = False,
    students: Collection[str] | None = None,
) -> tuple[Mark, ...]:
    """Return the counting mark of each answer; with ``all_`` every marker's, by student."""
    table = tables.mark
    query = select(table).where(table.c.assignment == assignment)
    if not all_:
        query = query.where(table.c.counts)
    if question is not None:
        query = query.where(table.c.question == question)
    if students is not None:
        query = query.where(table.c.student.in_(sorted(students)))
    rows = connection.execute(query.order_by(table.c.student, table.c.question, table.c.marker))
    return tuple(_mark(row) for row in rows)


def read_comments(connection: Connection, assignment: str) -> dict[tuple[str, str], int]:
    """Return how often each (question, comment) is in a mark that counts."""
    table = tables.mark
    query = (
        select(table.c.question, table.c.comment, func.count().label("times"))
        .where(table.c.assignment == assignment, table.c.counts, table.c.comment != "")
        .group_by(table.c.question, table.c.comment)
    )
    rows = connection.execute(query)
    return {(row.question, restored(row.comment)): row.times for row in rows}


def store_marks(
    connection: Connection,
    marks: Sequence[Mark],
    *,
    who: str,
    what: str,
    rule: str = "",
    batch: str = "",
) -> tuple[Mark, ...]:
    """Store the marks as those that count and return them as stored.

    Every mark is checked against the stored answer, the stored rubric version and nbgrader's
    points. A mark that is stored already is returned as it is, without an event.
    """
    grades = {
        name: nbgrader_tables.find_rows(
            connection,
            name,
            students={mark.student for mark in marks},
            questions={mark.question for mark in marks},
        )
        for name in sorted({mark.assignment for mark in marks})
    }
    about = {name: value for name, value in (("rule", rule), ("batch", batch)) if value}
    rubrics: dict[tuple[str, str], Rubric] = {}
    stored = []
    for mark in marks:
        answer = _answer(connection, mark)
        grade = grades[mark.assignment].get((mark.student, mark.question))
        if grade is None:
            raise UnknownName(
                f"nbgrader's gradebook has no grade for {_place(mark)}.",
                hint=f"Run 'markbook autograde {mark.assignment}' first.",
            )
        key = (mark.assignment, mark.rubric_version)
        if key not in rubrics:
            rubrics[key] = _rubric(connection, mark)
        checked = _checked(mark, rubrics[key], grade)
        stored.append(_store(connection, checked, answer, grade, rubrics[key], (who, what, about)))
        # What was just written is what a second mark for the same answer is compared with.
        grades[mark.assignment][mark.student, mark.question] = dataclasses.replace(
            grade,
            **nbgrader_scores(checked, rubrics[key]),
            manual_comment=nbgrader_comment(checked),
        )
    return tuple(stored)


def nbgrader_scores(mark: Mark, rubric: Rubric) -> dict[str, Any]:
    """Return the mark as nbgrader's columns: a bonus question's score is all extra credit."""
    if rubric.bonus:
        return {"manual_score": 0.0, "extra_credit": mark.score, "needs_marking": False}
    return {"manual_score": mark.score, "extra_credit": None, "needs_marking": False}


def nbgrader_comment(mark: Mark) -> str | None:
    """Return the mark's comment as nbgrader's column; None without one."""
    return plain(mark.comment) or None


def remove(
    connection: Connection, mark: Mark, *, who: str, what: str = "remove", batch: str = ""
) -> None:
    """Take back the counting mark; nbgrader's grade is as it was before anybody marked it."""
    counting = _counting(connection, mark)
    if counting is None or counting.row_version != mark.row_version:
        raise _stale(f"The mark for {_place(mark)} has changed since.", counting)
    connection.execute(delete(tables.mark).where(tables.mark.c.id == counting.id))
    grade = nbgrader_tables.find_rows(
        connection, mark.assignment, students={mark.student}, questions={mark.question}
    ).get((mark.student, mark.question))
    if grade is not None:
        nbgrader_tables.write_grade(
            connection,
            grade,
            manual_score=None,
            extra_credit=None,
            needs_marking=grade.auto_score is None,
        )
        nbgrader_tables.write_comment(connection, grade, None)
    before = _described(_mark(counting), grade)
    subject = _subject(mark) | ({"batch": batch} if batch else {})
    append_event(
        connection,
        Event(at=now(), who=who, what=what, subject=subject, before=before),
        mark.assignment,
    )


def _store(
    connection: Connection,
    mark: Mark,
    answer: Row[Any],
    grade: GradeRow,
    rubric: Rubric,
    why: tuple[str, str, dict[str, str]],
) -> Mark:
    counting = _counting(connection, mark)
    scores = nbgrader_scores(mark, rubric)
    comment = nbgrader_comment(mark)
    if counting is not None and _same(_mark(counting), mark) and _stands(grade, scores, comment):
        return _mark(counting)
    expected = 0 if counting is None else counting.row_version
    if mark.row_version != expected:
        by = f" by {counting.marker!r}" if counting is not None else ""
        raise _stale(f"The mark for {_place(mark)} was changed{by} since it was read.", counting)
    if mark.answer_hash != answer.hash:
        raise _stale(f"The answer for {_place(mark)} was changed since it was read.", counting)
    saved = dataclasses.replace(mark, marked_at=now(), row_version=answer.mark_version + 1)
    connection.execute(
        update(tables.answer)
        .where(tables.answer.c.id == answer.id)
        .values(mark_version=saved.row_version)
    )
    _write_mark(connection, saved)
    nbgrader_tables.write_grade(connection, grade, **scores)
    nbgrader_tables.write_comment(connection, grade, comment)
    who, what, about = why
    append_event(
        connection,
        Event(
            at=saved.marked_at,
            who=who,
            what=what,
            subject=_subject(saved) | about,
            before=None if counting is None else _described(_mark(counting), grade),
            after=_described(saved, None),
        ),
        saved.assignment,
    )
    return saved


def _stale(what: str, counting: Row[Any] | None) -> StaleMark:
    error = StaleMark(what, hint=_READ_AGAIN)
    error.theirs = None if counting is None else _mark(counting)
    return error


def _write_mark(connection: Connection, mark: Mark) -> None:
    table = tables.mark
    mine = _answer_key(mark)
    connection.execute(update(table).where(mine, table.c.counts).values(counts=False))
    values = dataclasses.asdict(mark) | {
        "earned": json.dumps(list(mark.earned)),
        "reason": storable(mark.reason),
        "comment": storable(mark.comment),
        "counts": True,
    }
    done = connection.execute(
        update(table).where(mine, table.c.marker == mark.marker).values(values)
    )
    if done.rowcount == 0:
        connection.execute(insert(table).values(values))


def _answer_key(mark: Mark) -> Any:
    table = tables.mark
    return (
        (table.c.assignment == mark.assignment)
        & (table.c.question == mark.question)
        & (table.c.student == mark.student)
    )


def _counting(connection: Connection, mark: Mark) -> Row[Any] | None:
    table = tables.mark
    return connection.execute(select(table).where(_answer_key(mark), table.c.counts)).first()


def _answer(connection: Connection, mark: Mark) -> Row[Any]:
    table = tables.answer
    # FOR UPDATE makes two markers on PostgreSQL take turns; SQLite's transaction already does.
    query = (
        select(table)
        .where(
            table.c.assignment == mark.assignment,
            table.c.question == mark.question,
            table.c.student == mark.student,
        )
        .with_for_update()
    )
    row = connection.execute(query).first()
    if row is None or row.notebook != mark.notebook:
        raise UnknownName(
            f"There is no answer for {_place(mark)}.",
            hint=f"Run 'markbook autograde {mark.assignment}' first.",
        )
    return row


def _rubric(connection: Connection, mark: Mark) -> Rubric:
    rubric = find_rubric(connection, mark.rubric_version, assignment=mark.assignment)
    if rubric is None or rubric.question != mark.question:
        raise MarkbookError(
            f"The mark for {_place(mark)} names the rubric version {mark.rubric_version!r},"
            f" which the gradebook does not have for {mark.question!r}.",
            hint=f"Run 'markbook suggest {mark.assignment}', or mark with the present rubric.",
        )
    return rubric


def _checked(mark: Mark, rubric: Rubric, grade: GradeRow) -> Mark:
    """Return the mark with its criteria in rubric order; raise if its score is not theirs."""
    if not mark.marker:
        raise MarkbookError(f"The mark for {_place(mark)} has no marker.", hint="Name one.")
    if not (math.isfinite(mark.score) and math.isfinite(mark.adjustment)):
        raise MarkbookError(f"The mark for {_place(mark)} is not a number.", hint="Give one.")
    try:
        counted(rubric, mark.earned)
        right = score(rubric, mark.earned, points=grade.max_score, adjustment=mark.adjustment)
    except KeyError as error:
        raise MarkbookError(
            f"The mark for {_place(mark)} names the criterion {error.args[0]!r}, which the rubric"
            " does not have.",
            hint=f"Its criteria are: {', '.join(c.id for c in rubric.criteria)}.",
        ) from error
    if mark.score != right:
        raise MarkbookError(
            f"The mark for {_place(mark)} says {mark.score:g}, but its criteria earn {right:g}"
            f" (from {rubric.floor:g} to {rubric.cap(grade.max_score):g}).",
            hint="Choose criteria, or adjust the score by an adjustment with a reason.",
        )
    earned = set(mark.earned)
    return dataclasses.replace(
        mark, earned=tuple(c.id for c in rubric.criteria if c.id in earned), score=right
    )


def _same(stored: Mark, mark: Mark) -> bool:
    return stored == dataclasses.replace(
        mark, marked_at=stored.marked_at, row_version=stored.row_version
    )


def _stands(grade: GradeRow, scores: dict[str, Any], comment: str | None) -> bool:
    """Tell whether nbgrader's grade says what the mark says."""
    wanted = scores | {"manual_comment": comment if grade.comment_id is not None else None}
    return all(getattr(grade, name) == value for name, value in wanted.items())


def _subject(mark: Mark) -> dict[str, Any]:
    return {
        "assignment": mark.assignment,
        "notebook": mark.notebook,
        "question": mark.question,
        "student": mark.student,
    }


def _described(mark: Mark, grade: GradeRow | None) -> dict[str, Any]:
    described = {
        name: value
        for name, value in dataclasses.asdict(mark).items()
        if name not in ("assignment", "notebook", "question", "student")
    }
    if grade is not None:
        described["nbgrader"] = {
            "manual_score": grade.manual_score,
            "extra_credit": grade.extra_credit,
            "manual_comment": grade.manual_comment,
        }
    return described


def _place(mark: Mark) -> str:
    return f"{mark.student!r}, question {mark.question!r} of {mark.assignment!r}"


def _mark(row: Row[Any]) -> Mark:
    return Mark(
        assignment=row.assignment,
        notebook=row.notebook,
        question=row.question,
        student=row.student,
        answer_hash=row.answer_hash,
        earned=tuple(json.loads(row.earned)),
        marker=row.marker,
        rubric_version=row.rubric_version,
        score=row.score,
        adjustment=row.adjustment,
        reason=restored(row.reason),
        comment=restored(row.comment),
        marked_at=row.marked_at,
        row_version=row.row_version,
    )
