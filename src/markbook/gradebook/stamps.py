"""A number for each assignment that grows when a step changed what marking shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from markbook.gradebook import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["read_stamp", "stamp"]


def read_stamp(connection: Connection, assignment: str) -> int:
    """Return the assignment's number; 0 before anything was stored."""
    table = tables.stamp
    return connection.scalar(select(table.c.version).where(table.c.assignment == assignment)) or 0


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
