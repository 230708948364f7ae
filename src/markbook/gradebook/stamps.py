"""A number for each assignment that grows when a step changed what marking shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from markbook.gradebook import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["read_pulse", "stamp"]


_PULSE = select(
    select(func.max(tables.event.c.id)).scalar_subquery().label("event"),
    select(tables.stamp.c.version)
    .where(tables.stamp.c.assignment == bindparam("assignment"))
    .scalar_subquery()
    .label("stamp"),
)


def read_pulse(connection: Connection, assignment: str) -> tuple[int, int]:
    """Return the number of the gradebook's newest event and the assignment's number.

    Both are 0 before anything was stored.
    """
    row = connection.execute(_PULSE, {"assignment": assignment}).one()
    return row.event or 0, row.stamp or 0


def stamp(connection: Connection, assignment: str) -> None:
    """Tell, in the transaction of the change, that answers or suggestions changed."""
    table = tables.stamp
    grow = update(table).where(table.c.assignment == assignment).values(version=table.c.version + 1)
    if connection.execute(grow).rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(insert(table).values(assignment=assignment, version=1))
    except IntegrityError:
        connection.execute(grow)  # on PostgreSQL another process may have been the first
