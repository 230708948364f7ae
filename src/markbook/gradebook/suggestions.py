"""What graders suggested, by the text of an answer: identical answers share suggestions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, select, update

from markbook.errors import InternalError
from markbook.gradebook import tables
from markbook.gradebook.stamps import stamp
from markbook.gradebook.strings import restored, storable
from markbook.model import Suggestion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

__all__ = ["read_suggestions", "store_suggestions"]

# In the order of a suggestion's own fields.
_COLUMNS = (
    "question", "answer_hash", "criterion", "awarded", "confidence", "grader", "rubric_version",
    "span", "span_start", "span_end", "note",
)  # fmt: skip


def read_suggestions(
    connection: Connection, assignment: str, question: str | None = None, *, awarded: bool = False
) -> tuple[Suggestion, ...]:
    """Return the suggestions by question, answer and criterion, perhaps ``awarded`` ones only."""
    table = tables.suggestion
    query = select(*(table.c[name] for name in _COLUMNS)).where(table.c.assignment == assignment)
    if question is not None:
        query = query.where(table.c.question == question)
    if awarded:
        query = query.where(table.c.awarded)
    rows = connection.execute(
        query.order_by(table.c.question, table.c.answer_hash, table.c.criterion)
    )
    # By place: by name it takes twice as long, and a class has more of these than of anything.
    return tuple(
        Suggestion(
            asked, answer, criterion, found, confidence, grader, version,
            None if span is None else restored(span), start, end, restored(note),
        )
        for (
            asked, answer, criterion, found, confidence, grader, version, span, start, end, note,
        ) in rows
    )  # fmt: skip


def store_suggestions(
    connection: Connection, assignment: str, question: str, suggestions: Sequence[Suggestion]
) -> int:
    """Make these the question's suggestions; return how many came, changed or went."""
    table = tables.suggestion
    mine = (table.c.assignment == assignment) & (table.c.question == question)
    columns = (table.c[name] for name in ("id", "assignment", *_COLUMNS))
    kept = {(row[3], row[4]): row for row in connection.execute(select(*columns).where(mine))}
    seen: set[tuple[str, str]] = set()
    fresh: list[dict[str, object]] = []
    others: list[dict[str, object]] = []
    for suggestion in suggestions:
        key = (suggestion.answer_hash, suggestion.criterion)
        if suggestion.question != question or key in seen:
            raise InternalError(
                f"Suggestions for {question!r} name {suggestion.question!r} or the criterion"
                f" {suggestion.criterion!r} twice for one answer."
            )
        seen.add(key)
        values = _values(assignment, suggestion)
        old = kept.pop(key, None)
        if old is None:
            fresh.append(values)
        elif old[1:] != tuple(values.values()):
            others.append({"row": old[0], **values})
    gone = [{"row": old[0]} for old in kept.values()]
    # One statement for many rows each: a class has 50,000, and each would be built anew.
    row = table.c.id == bindparam("row")
    if fresh:
        connection.execute(insert(table), fresh)
    if others:
        connection.execute(update(table).where(row), others)
    if gone:
        connection.execute(delete(table).where(row), gone)
    changed = len(fresh) + len(others) + len(gone)
    if changed:
        stamp(connection, assignment)
    return changed


def _values(assignment: str, suggestion: Suggestion) -> dict[str, object]:
    return {
        "assignment": assignment,
        "question": suggestion.question,
        "answer_hash": suggestion.answer_hash,
        "criterion": suggestion.criterion,
        "awarded": suggestion.awarded,
        "confidence": float(suggestion.confidence),
        "grader": suggestion.grader,
        "rubric_version": suggestion.rubric_version,
        "span": None if suggestion.span is None else storable(suggestion.span),
        "span_start": suggestion.start,
        "span_end": suggestion.end,
        "note": storable(suggestion.note),
    }
