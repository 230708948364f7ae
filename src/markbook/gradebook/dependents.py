"""Which cells of an assignment students' work hangs on, asked without changing anything."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlalchemy import create_engine, inspect, select, union
from sqlalchemy.exc import SQLAlchemyError

from markbook.gradebook import tables
from markbook.gradebook.journal import address
from markbook.gradebook.nbgrader_schema import (
    assignment,
    base_cell,
    notebook,
    submitted_assignment,
    submitted_notebook,
)
from markbook.model import AnswerStatus

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from markbook.course import Course

__all__ = ["students_by_cell"]

_SECONDS = 5  # for a server that does not answer: CI often has none of the course's
_CELLS = ("GradeCell", "SolutionCell", "TaskCell")
_NBGRADERS = (assignment, base_cell, notebook, submitted_assignment, submitted_notebook)


def students_by_cell(course: Course, name: str) -> dict[tuple[str, str], int]:
    """Return how many students' work hangs on each cell of an assignment, by notebook and id.

    Of a text question these are the students who answered it or have a mark there; of any other
    cell those who handed in its notebook. Nothing is made, migrated or written: an older gradebook
    is read as it is, and one that is not there or out of reach knows of nobody.
    """
    try:
        engine = _engine(course.db_url)
        try:
            with engine.connect() as connection:
                found = _handed_in(connection, name) | _answered(connection, name)
        finally:
            engine.dispose()
    except (SQLAlchemyError, sqlite3.Error, ImportError):
        return {}
    return {cell: students for cell, students in found.items() if students}


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, connect_args={"connect_timeout": _SECONDS})
    path = Path(url.removeprefix("sqlite:///"))
    place = address(path)  # with a log that cannot be opened, a promise that nobody writes
    if not place.startswith("file:"):
        place = f"file:{quote(str(path))}?mode=ro"
    return create_engine("sqlite://", creator=lambda: sqlite3.connect(place, _SECONDS, uri=True))


def _handed_in(connection: Connection, name: str) -> dict[tuple[str, str], int]:
    """Count the students who handed in the notebook of each cell that nbgrader knows."""
    there = inspect(connection)
    if not all(there.has_table(table.name) for table in _NBGRADERS):
        return {}
    query = (
        select(notebook.c.name, base_cell.c.name, submitted_assignment.c.student_id)
        .distinct()
        .join_from(assignment, notebook, notebook.c.assignment_id == assignment.c.id)
        .join(base_cell, base_cell.c.notebook_id == notebook.c.id)
        .join(submitted_notebook, submitted_notebook.c.notebook_id == notebook.c.id)
        .join(
            submitted_assignment,
            submitted_assignment.c.id == submitted_notebook.c.assignment_id,
        )
        .where(assignment.c.name == name, base_cell.c.type.in_(_CELLS))
    )
    return Counter((home, cell) for home, cell, _student in connection.execute(query))


def _answered(connection: Connection, name: str) -> dict[tuple[str, str], int]:
    """Count the students who answered each text question, or have a mark for it.

    A question that everybody left blank counts 0.
    """
    there = inspect(connection)
    answer, mark = tables.answer, tables.mark
    if not (there.has_table(answer.name) and there.has_table(mark.name)):
        return {}
    asked = select(answer.c.notebook, answer.c.question).where(answer.c.assignment == name)
    count = {(home, question): 0 for home, question in connection.execute(asked.distinct())}
    answered = select(answer.c.notebook, answer.c.question, answer.c.student).where(
        answer.c.assignment == name, answer.c.status == AnswerStatus.ANSWERED.value
    )
    marked = select(mark.c.notebook, mark.c.question, mark.c.student).where(
        mark.c.assignment == name
    )
    for home, question, _student in connection.execute(union(answered, marked)):
        count[home, question] = count.get((home, question), 0) + 1
    return count
