"""The scores that graders expect, by the text of an answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from markbook.errors import InternalError
from markbook.gradebook import tables
from markbook.gradebook.stamps import stamp
from markbook.gradebook.strings import restored, storable
from markbook.model import Expectation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

__all__ = ["read_expectations", "store_expectations"]


def read_expectations(
    connection: Connection, assignment: str, question: str | None = None
) -> tuple[Expectation, ...]:
    """Return the expectations by question, those to mark first in front."""
    table = tables.expectation
    query = select(table).where(table.c.assignment == assignment)
    if question is not None:
        query = query.where(table.c.question == question)
    order = (table.c.question, table.c.rank, table.c.answer_hash)
    return tuple(_expectation(row) for row in connection.execute(query.order_by(*order)))


def store_expectations(
    connection: Connection, assignment: str, question: str, expectations: Sequence[Expectation]
) -> bool:
    """Make these the question's expectations; tell whether they are others than before."""
    texts = {each.answer_hash for each in expectations}
    if len(texts) < len(expectations) or any(e.question != question for e in expectations):
        raise InternalError(
            f"Expectations for {question!r} name another question, or one answer twice."
        )
    if set(read_expectations(connection, assignment, question)) == set(expectations):
        return False
    table = tables.expectation
    mine = (table.c.assignment == assignment) & (table.c.question == question)
    connection.execute(delete(table).where(mine))
    if expectations:
        connection.execute(insert(table), [_values(assignment, each) for each in expectations])
    stamp(connection, assignment)
    return True


def _values(assignment: str, each: Expectation) -> dict[str, object]:
    return {
        "assignment": assignment,
        "question": each.question,
        "answer_hash": each.answer_hash,
        "mean": float(each.mean),
        "sd": float(each.sd),
        "confidence": float(each.confidence),
        "rank": each.rank,
        "flags": json.dumps(each.flags),
        "refused": None if each.refused is None else storable(each.refused),
        "suggested": None if each.suggested is None else float(each.suggested),
    }


def _expectation(row: Row[Any]) -> Expectation:
    return Expectation(
        question=row.question,
        answer_hash=row.answer_hash,
        mean=row.mean,
        sd=row.sd,
        confidence=row.confidence,
        rank=row.rank,
        flags=() if row.flags == "[]" else tuple(json.loads(row.flags)),
        refused=None if row.refused is None else restored(row.refused),
        suggested=row.suggested,
    )
