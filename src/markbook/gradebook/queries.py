"""Many rows at once: lists of any length in queries, and statements for many rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Executable, Row

__all__ = ["all_in", "batched", "many"]

# Far below what databases allow in one statement (SQLite 32,766 values, PostgreSQL 65,535).
_AT_ONCE = 500


def batched(names: Sequence[str], size: int = _AT_ONCE) -> Iterator[Sequence[str]]:
    """Cut a list of names into pieces that fit one query."""
    for start in range(0, len(names), size):
        yield names[start : start + size]


def all_in(
    connection: Connection, query: Executable, some: Sequence[str], **values: Any
) -> Iterator[Row[Any]]:
    """Yield what ``query`` finds for the values of its list ``:some``, however many."""
    for part in batched(some):
        yield from connection.execute(query, {**values, "some": list(part)})


def many(connection: Connection, statement: Executable, rows: Sequence[dict[str, Any]]) -> None:
    """Execute a statement for each of the rows, of which there may be none."""
    if rows:
        connection.execute(statement, rows)
