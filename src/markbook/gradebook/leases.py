"""Who has which answer open: a courtesy between markers, kept where every process sees it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from markbook.gradebook import tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

__all__ = ["LEASE_SECONDS", "give_back", "read_leases", "take"]

LEASE_SECONDS = 300.0  # long enough to read an essay, short enough to not strand it over lunch


def read_leases(connection: Connection, assignment: str, question: str) -> dict[str, str]:
    """Return the marker of each answer that somebody has open, by student."""
    table = tables.lease
    query = select(table.c.student, table.c.marker).where(
        _of(assignment, question), table.c.until > time.time()
    )
    return {row.student: row.marker for row in connection.execute(query)}


def take(
    connection: Connection, assignment: str, question: str, students: Iterable[str], marker: str
) -> str | None:
    """Lease the first answer that no other marker has open; return its student, None without one.

    One that ``marker`` has open already is renewed.
    """
    held = read_leases(connection, assignment, question)
    for student in students:
        if held.get(student, marker) == marker and _take(
            connection, assignment, question, student, marker
        ):
            return student
    return None


def give_back(
    connection: Connection, assignment: str, question: str, student: str, marker: str
) -> None:
    """End a lease of ``marker``; another marker's stays."""
    table = tables.lease
    connection.execute(
        delete(table).where(
            _of(assignment, question), table.c.student == student, table.c.marker == marker
        )
    )


def _take(
    connection: Connection, assignment: str, question: str, student: str, marker: str
) -> bool:
    table = tables.lease
    at = time.time()
    values = {"marker": marker, "until": at + LEASE_SECONDS}
    free = (table.c.marker == marker) | (table.c.until <= at)
    mine = _of(assignment, question) & (table.c.student == student)
    if connection.execute(update(table).where(mine, free).values(values)).rowcount:
        return True
    values |= {"assignment": assignment, "question": question, "student": student}
    try:
        with connection.begin_nested():
            connection.execute(insert(table).values(values))
    except IntegrityError:
        return False  # on PostgreSQL somebody else may have been quicker
    return True


def _of(assignment: str, question: str) -> Any:
    table = tables.lease
    return (table.c.assignment == assignment) & (table.c.question == question)
