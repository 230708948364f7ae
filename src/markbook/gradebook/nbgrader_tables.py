"""nbgrader's grades and comments, one by one: read with where they belong, and set.

``write_grade`` and ``write_comment`` leave what formgrader would leave. What autograding leaves,
of many submissions at once, is written by ``markbook.gradebook.grading``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, case, func, select, update

from markbook.gradebook.nbgrader_schema import (
    assignment,
    base_cell,
    comment,
    grade,
    grade_cells,
    notebook,
    submitted_assignment,
    submitted_notebook,
    task_cells,
)
from markbook.model import Grade

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection, Select

__all__ = [
    "GradeRow",
    "find_rows",
    "read_grades",
    "write_comment",
    "write_grade",
    "write_scores",
]

_NAMES_IN_A_QUERY = 500  # beyond, reading all is quicker, and databases limit parameters


@dataclass(frozen=True, slots=True)
class GradeRow:
    """One grade of nbgrader, with the id of the comment that belongs to it.

    ``written`` tells a question that students answer in the graded cell itself (a text question)
    from a test cell.
    """

    id: str
    question: str
    student: str
    notebook: str
    max_score: float
    auto_score: float | None
    manual_score: float | None
    extra_credit: float | None
    needs_marking: bool
    written: bool
    comment_id: str | None
    manual_comment: str | None


@cache
def _rows(*, by_student: bool, by_question: bool) -> Select[Any]:
    """Select the grades of the assignment ``:name`` with where they belong.

    Of ``:students`` and ``:questions`` only, if so wanted. Built once: to build it takes as long
    as to run it.
    """
    solution = base_cell.alias("solution")
    query = (
        select(
            grade.c.id,
            base_cell.c.name.label("question"),
            submitted_assignment.c.student_id.label("student"),
            notebook.c.name.label("notebook"),
            func.coalesce(grade_cells.c.max_score, task_cells.c.max_score, 0.0).label("max_score"),
            grade.c.auto_score,
            grade.c.manual_score,
            grade.c.extra_credit,
            grade.c.needs_manual_grade.label("needs_marking"),
            case((solution.c.id.is_not(None), True), else_=False).label("written"),
            comment.c.id.label("comment_id"),
            comment.c.manual_comment,
        )
        .select_from(assignment)
        .join(submitted_assignment, submitted_assignment.c.assignment_id == assignment.c.id)
        .join(submitted_notebook, submitted_notebook.c.assignment_id == submitted_assignment.c.id)
        .join(
            notebook,
            # the second half says nothing new, but lets the database begin with the notebooks
            and_(
                notebook.c.id == submitted_notebook.c.notebook_id,
                notebook.c.assignment_id == assignment.c.id,
            ),
        )
        .join(grade, grade.c.notebook_id == submitted_notebook.c.id)
        .join(
            base_cell,
            and_(base_cell.c.id == grade.c.cell_id, base_cell.c.notebook_id == notebook.c.id),
        )
        .outerjoin(grade_cells, grade_cells.c.id == base_cell.c.id)
        .outerjoin(task_cells, task_cells.c.id == base_cell.c.id)
        .outerjoin(
            solution,
            and_(
                solution.c.notebook_id == base_cell.c.notebook_id,
                solution.c.name == base_cell.c.name,
                solution.c.type == "SolutionCell",
            ),
        )
        .outerjoin(
            comment,
            and_(
                comment.c.notebook_id == submitted_notebook.c.id,
                comment.c.cell_id == func.coalesce(solution.c.id, base_cell.c.id),
            ),
        )
        .where(assignment.c.name == bindparam("name"))
        .order_by(
            submitted_assignment.c.student_id, notebook.c.name, base_cell.c.name, base_cell.c.id
        )
    )
    if by_student:
        student = submitted_assignment.c.student_id
        query = query.where(student.in_(bindparam("students", expanding=True)))
    if by_question:
        query = query.where(base_cell.c.name.in_(bindparam("questions", expanding=True)))
    return query


def find_rows(
    connection: Connection,
    name: str,
    *,
    students: Collection[str] | None = None,
    questions: Collection[str] | None = None,
) -> dict[tuple[str, str], GradeRow]:
    """Return nbgrader's grades of the assignment ``name`` by (student, question).

    ``students`` and ``questions`` narrow them down.
    """
    few = students is not None and len(students) <= _NAMES_IN_A_QUERY
    narrow = questions is not None and len(questions) <= _NAMES_IN_A_QUERY
    values: dict[str, Any] = {"name": name}
    if few:
        values["students"] = sorted(students or ())
    if narrow:
        values["questions"] = sorted(questions or ())
    query = _rows(by_student=few, by_question=narrow)
    rows = (GradeRow(**row) for row in connection.execute(query, values).mappings())
    return {(row.student, row.question): row for row in rows}


def read_grades(
    connection: Connection, name: str, question: str | None = None
) -> tuple[Grade, ...]:
    """Return nbgrader's own record of the assignment, scored as nbgrader scores it."""
    only = None if question is None else (question,)
    return tuple(
        Grade(
            question=row.question,
            student=row.student,
            notebook=row.notebook,
            score=_score(row),
            max_score=row.max_score,
            auto_score=row.auto_score,
            manual_score=row.manual_score,
            extra_credit=row.extra_credit,
            needs_marking=bool(row.needs_marking),
        )
        for row in find_rows(connection, name, questions=only).values()
    )


def _score(row: GradeRow) -> float:
    """Score as ``nbgrader.api.Grade.score`` does."""
    base = row.manual_score if row.manual_score is not None else row.auto_score
    return 0.0 if base is None else base + (row.extra_credit or 0.0)


def write_grade(
    connection: Connection,
    row: GradeRow,
    *,
    manual_score: float | None,
    extra_credit: float | None,
    needs_marking: bool,
) -> None:
    """Set a grade as formgrader's ``GradeHandler.put`` does."""
    connection.execute(
        update(grade)
        .where(grade.c.id == row.id)
        .values(
            manual_score=manual_score, extra_credit=extra_credit, needs_manual_grade=needs_marking
        )
    )


def write_scores(
    connection: Connection,
    row: GradeRow,
    *,
    auto_score: float | None,
    manual_score: float | None,
    extra_credit: float | None,
    needs_marking: bool,
) -> None:
    """Set all of a grade."""
    connection.execute(
        update(grade)
        .where(grade.c.id == row.id)
        .values(
            auto_score=auto_score,
            manual_score=manual_score,
            extra_credit=extra_credit,
            needs_manual_grade=needs_marking,
        )
    )


def write_comment(connection: Connection, row: GradeRow, text: str | None) -> None:
    """Set a comment as formgrader's ``CommentHandler.put`` does; None clears it."""
    if row.comment_id is not None:
        connection.execute(
            update(comment).where(comment.c.id == row.comment_id).values(manual_comment=text)
        )
