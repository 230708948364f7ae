"""Rubrics as they were when a mark was made under them."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from markbook.errors import InternalError
from markbook.gradebook import tables
from markbook.model import Criterion, Exemplar, Rubric

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["find_rubric", "store_rubric"]


def store_rubric(connection: Connection, assignment: str, rubric: Rubric) -> None:
    """Keep this version of a rubric; what decides a score never changes under its version.

    Raises ``InternalError`` if the version is already kept with other points.
    """
    table = tables.rubric
    same = (table.c.assignment == assignment) & (table.c.version == rubric.version)
    kept = connection.execute(select(table.c.id, table.c.document).where(same)).first()
    document = json.dumps(dataclasses.asdict(rubric), sort_keys=True)
    if kept is None:
        connection.execute(
            insert(table).values(
                assignment=assignment,
                question=rubric.question,
                version=rubric.version,
                document=document,
            )
        )
    elif kept.document != document:
        if _arithmetic(_load(kept.document)) != _arithmetic(rubric):
            raise InternalError(
                f"Two rubrics of {rubric.question!r} have the version {rubric.version}, but"
                " different points.",
                hint="This is a fault of Markbook; please report it with both rubric files.",
            )
        connection.execute(update(table).where(table.c.id == kept.id).values(document=document))


def find_rubric(
    connection: Connection, version: str, *, assignment: str | None = None
) -> Rubric | None:
    """Return the rubric of that version, or None if no such version was ever kept."""
    table = tables.rubric
    query = select(table.c.document).where(table.c.version == version)
    if assignment is not None:
        query = query.where(table.c.assignment == assignment)
    document = connection.scalar(query.order_by(table.c.id).limit(1))
    return None if document is None else _load(document)


def _load(document: str) -> Rubric:
    fields: dict[str, Any] = json.loads(document)
    fields["criteria"] = tuple(Criterion(**_tuples(c)) for c in fields["criteria"])
    fields["exemplars"] = tuple(Exemplar(**_tuples(e)) for e in fields["exemplars"])
    fields["pick_one"] = tuple(tuple(group) for group in fields["pick_one"])
    fields["asked_as"] = tuple(fields["asked_as"])
    return Rubric(**fields)


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}


def _arithmetic(rubric: Rubric) -> tuple[object, ...]:
    return (
        rubric.question,
        rubric.start,
        rubric.floor,
        rubric.extra_credit,
        rubric.pick_one,
        tuple((c.id, c.points) for c in rubric.criteria),
    )
