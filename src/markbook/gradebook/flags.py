"""Flags: answers that somebody wants to come back to, with a note why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from markbook.gradebook import tables
from markbook.gradebook.events import append_event, now
from markbook.gradebook.strings import restored, storable
from markbook.model import Event

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["FLAGGED", "UNFLAGGED", "Flag", "read_flags", "store_flag"]

FLAGGED = "flagged"
UNFLAGGED = "unflagged"


@dataclass(frozen=True, slots=True)
class Flag:
    """Who flagged an answer, when (ISO 8601, UTC) and why."""

    marker: str
    note: str
    at: str


def read_flags(connection: Connection, assignment: str, question: str) -> dict[str, Flag]:
    """Return the flags of a question's answers, by student."""
    table = tables.flag
    query = select(table).where(table.c.assignment == assignment, table.c.question == question)
    return {
        row.student: Flag(row.marker, restored(row.note), row.at)
        for row in connection.execute(query)
    }


def store_flag(
    connection: Connection,
    subject: dict[str, Any],
    *,
    marker: str,
    flagged: bool,
    note: str = "",
) -> None:
    """Set or take away the flag of the answer that ``subject`` names, with its audit line.

    What is so already changes nothing.
    """
    table = tables.flag
    key = {name: subject[name] for name in ("assignment", "question", "student")}
    mine = [table.c[name] == value for name, value in key.items()]
    kept = connection.execute(select(table).where(*mine)).first()
    if (kept is not None) == flagged and (kept is None or restored(kept.note) == note):
        return
    connection.execute(delete(table).where(*mine))
    at = now()
    if flagged:
        values = key | {"marker": marker, "note": storable(note), "at": at}
        connection.execute(insert(table).values(values))
    what = FLAGGED if flagged else UNFLAGGED
    said = subject | ({"note": note} if note else {})
    append_event(connection, Event(at=at, who=marker, what=what, subject=said), key["assignment"])
