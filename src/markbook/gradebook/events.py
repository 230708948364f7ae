"""The audit: who did what to which answer, appended and never changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from markbook.gradebook import tables
from markbook.gradebook.database import reading
from markbook.gradebook.queries import batched
from markbook.model import Event

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from sqlalchemy import Connection, Engine, Row

__all__ = [
    "append_event",
    "now",
    "read_batch",
    "read_events",
    "read_histories",
    "touched",
]

_PAGE = 500  # events in memory at once


def now() -> str:
    """Return the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).replace(microsecond=0).isoformat()


def append_event(connection: Connection, event: Event, assignment: str) -> None:
    """Append an event in the transaction of the change that it records."""
    found = {name: event.subject.get(name) for name in ("question", "student", "batch")}
    connection.execute(
        insert(tables.event).values(
            **found,
            at=event.at,
            assignment=assignment,
            who=event.who,
            what=event.what,
            subject=_dump(event.subject),
            before=None if event.before is None else _dump(event.before),
            after=None if event.after is None else _dump(event.after),
        )
    )


def read_events(engine: Engine, assignment: str | None) -> Iterator[Event]:
    """Yield the events, oldest first, holding no transaction open in between."""
    last = 0
    while True:
        query = select(tables.event).where(tables.event.c.id > last)
        if assignment is not None:
            query = query.where(tables.event.c.assignment == assignment)
        with reading(engine) as connection:
            page = connection.execute(query.order_by(tables.event.c.id).limit(_PAGE)).all()
        for row in page:
            yield _event(row)
        if len(page) < _PAGE:
            return
        last = page[-1].id


def read_histories(
    connection: Connection, assignment: str, question: str, students: Collection[str]
) -> dict[str, tuple[Event, ...]]:
    """Return the events of these students' answers to the question, oldest first."""
    table = tables.event
    found: dict[str, list[Event]] = {student: [] for student in students}
    for some in batched(sorted(found)):
        query = select(table).where(
            table.c.assignment == assignment,
            table.c.question == question,
            table.c.student.in_(some),
        )
        for row in connection.execute(query.order_by(table.c.id)):
            found[row.student].append(_event(row))
    return {student: tuple(events) for student, events in found.items()}


def read_batch(connection: Connection, assignment: str, batch: str) -> tuple[Event, ...]:
    """Return the events that were stored together under the name ``batch``."""
    table = tables.event
    query = select(table).where(table.c.batch == batch, table.c.assignment == assignment)
    return tuple(_event(row) for row in connection.execute(query.order_by(table.c.id)))


def touched(
    connection: Connection, assignment: str, question: str, since: int
) -> frozenset[str | None]:
    """Return whose answers to the question have events after ``since``; None for all of them."""
    table = tables.event
    # By id alone: with more conditions SQLite would rather read the question's whole history.
    query = select(table.c.assignment, table.c.question, table.c.student).where(table.c.id > since)
    return frozenset(
        row.student
        for row in connection.execute(query)
        if (row.assignment, row.question) == (assignment, question)
    )


def _event(row: Row[Any]) -> Event:
    return Event(
        at=row.at,
        who=row.who,
        what=row.what,
        subject=json.loads(row.subject),
        before=None if row.before is None else json.loads(row.before),
        after=None if row.after is None else json.loads(row.after),
    )


def _dump(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), sort_keys=True)
