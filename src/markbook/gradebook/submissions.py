"""What was submitted: one record per submission, one row per answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from markbook.errors import InternalError
from markbook.gradebook import tables
from markbook.gradebook.stamps import stamp
from markbook.gradebook.strings import restored, storable
from markbook.model import Answer, AnswerStatus, Outcome, SubmissionRecord

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection, Row

__all__ = ["read_answers", "read_records", "read_versions", "store_submission"]


def read_records(
    connection: Connection, assignment: str, student: str | None = None
) -> tuple[SubmissionRecord, ...]:
    """Return the records of an assignment, by student."""
    table = tables.submission
    query = select(table).where(table.c.assignment == assignment)
    if student is not None:
        query = query.where(table.c.student == student)
    return tuple(_record(row) for row in connection.execute(query.order_by(table.c.student)))


def read_answers(
    connection: Connection, assignment: str, question: str | None = None
) -> tuple[Answer, ...]:
    """Return the answers of an assignment, by student, in the order they were stored in."""
    table = tables.answer
    query = select(table).where(table.c.assignment == assignment)
    if question is not None:
        query = query.where(table.c.question == question)
    rows = connection.execute(query.order_by(table.c.student, table.c.id))
    return tuple(_answer(row) for row in rows)


def store_submission(
    connection: Connection, record: SubmissionRecord, answers: Sequence[Answer]
) -> None:
    """Make the record and the student's answers be these; what is the same stays untouched.

    Marks and suggestions keep the hash of the text they were made for, so an answer that changed
    leaves them behind as stale. Without answers (a submission that failed) the answers of the
    last run stay.
    """
    for answer in answers:
        if (answer.assignment, answer.student) != (record.assignment, record.student):
            raise InternalError(
                f"An answer of {answer.student!r} to {answer.assignment!r} was handed in with the"
                f" submission of {record.student!r} to {record.assignment!r}."
            )
    _store_record(connection, record)
    if answers and _store_answers(connection, record, answers):
        stamp(connection, record.assignment)


def read_versions(
    connection: Connection, assignment: str, question: str, students: Collection[str] | None = None
) -> dict[str, int]:
    """Return a number for each student's answer that grows with its text and its marks."""
    table = tables.answer
    version = (table.c.mark_version + table.c.text_version).label("version")
    query = select(table.c.student, version).where(
        table.c.assignment == assignment, table.c.question == question
    )
    if students is not None:
        query = query.where(table.c.student.in_(sorted(students)))
    return {row.student: row.version for row in connection.execute(query)}


def _store_answers(
    connection: Connection, record: SubmissionRecord, answers: Sequence[Answer]
) -> bool:
    table = tables.answer
    mine = (table.c.assignment == record.assignment) & (table.c.student == record.student)
    kept = {row.question: row for row in connection.execute(select(table).where(mine))}
    changed = bool(kept.keys() - {answer.question for answer in answers})
    for answer in answers:
        changed |= _store_answer(connection, kept.pop(answer.question, None), answer)
    if kept:
        gone = [row.id for row in kept.values()]
        connection.execute(delete(table).where(table.c.id.in_(gone)))
    return changed


def _store_record(connection: Connection, record: SubmissionRecord) -> None:
    table = tables.submission
    values = {
        "assignment": record.assignment,
        "student": record.student,
        "content_hash": record.content_hash,
        "master_hash": record.master_hash,
        "outcome": record.outcome.value,
        "findings": json.dumps(list(record.findings)),
    }
    mine = (table.c.assignment == record.assignment) & (table.c.student == record.student)
    kept = connection.execute(select(table).where(mine)).first()
    if kept is None:
        connection.execute(insert(table).values(**values))
    elif _differs(kept, values):
        connection.execute(update(table).where(table.c.id == kept.id).values(**values))


def _store_answer(connection: Connection, kept: Row[Any] | None, answer: Answer) -> bool:
    table = tables.answer
    values: dict[str, object] = {
        "assignment": answer.assignment,
        "notebook": answer.notebook,
        "question": answer.question,
        "student": answer.student,
        "text": storable(answer.text),
        "hash": answer.hash,
        "status": answer.status.value,
    }
    if kept is None:
        connection.execute(insert(table).values(**values))
    elif _differs(kept, values):
        if kept.hash != answer.hash:
            # Whoever has the earlier text on the screen must not mark this one by it.
            values["text_version"] = kept.text_version + 1
        connection.execute(update(table).where(table.c.id == kept.id).values(**values))
    else:
        return False
    return True


def _differs(kept: Row[Any], values: Mapping[str, object]) -> bool:
    return any(kept._mapping[name] != value for name, value in values.items())


def _record(row: Row[Any]) -> SubmissionRecord:
    return SubmissionRecord(
        assignment=row.assignment,
        student=row.student,
        content_hash=row.content_hash,
        master_hash=row.master_hash,
        outcome=Outcome(row.outcome),
        findings=tuple(json.loads(row.findings)),
    )


def _answer(row: Row[Any]) -> Answer:
    return Answer(
        assignment=row.assignment,
        notebook=row.notebook,
        question=row.question,
        student=row.student,
        text=restored(row.text),
        status=AnswerStatus(row.status),
    )
