"""The class list: what nbgrader's gradebook knows of the students."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["read_people"]


def read_people(connection: Connection) -> dict[str, tuple[str, ...]]:
    """Return each student's first name, last name and e-mail address, those that are known."""
    query = text("SELECT id, first_name, last_name, email FROM student ORDER BY id")
    return {
        str(row.id): tuple(
            str(value).strip()
            for value in (row.first_name, row.last_name, row.email)
            if value and str(value).strip()
        )
        for row in connection.execute(query)
    }
