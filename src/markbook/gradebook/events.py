"""The audit: who did what to which answer, appended and never changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from markbook.gradebook import tables
from markbook.gradebook.database import reading
from markbook.model import Event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection, Engine

__all__ = ["append_event", "now", "read_events"]

_PAGE = 500  # events in memory at once


def now() -> str:
    """Return the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).replace(microsecond=0).isoformat()


def append_event(connection: Connection, event: Event, assignment: str) -> None:
    """Append an event in the transaction of the change that it records."""
    connection.execute(
        insert(tables.event).values(
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
            yield Event(
                at=row.at,
                who=row.who,
                what=row.what,
                subject=json.loads(row.subject),
                before=None if row.before is None else json.loads(row.before),
                after=None if row.after is None else json.loads(row.after),
            )
        if len(page) < _PAGE:
            return
        last = page[-1].id


def _dump(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), sort_keys=True)
