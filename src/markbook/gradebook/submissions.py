"""What was submitted: one record per submission, one row per answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update

from markbook.errors import InternalError
from markbook.gradebook import tables
from markbook.gradebook.queries import all_in, batched, many
from markbook.gradebook.stamps import stamp
from markbook.gradebook.strings import restored, storable
from markbook.model import Answer, AnswerStatus, Outcome, SubmissionRecord

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Row

__all__ = [
    "read_answers",
    "read_records",
    "read_versions",
    "reopen",
    "store_submission",
    "store_submissions",
]

_RECORD = (
    "assignment",
    "student",
    "content_hash",
    "master_hash",
    "outcome",
    "findings",
)
_ANSWER = ("assignment", "notebook", "question", "student", "text", "hash", "status")

_RECORDS_OF = select(tables.submission).where(
    tables.submission.c.assignment == bindparam("assignment"),
    tables.submission.c.student.in_(bindparam("some", expanding=True)),
)
_ANSWERS_OF = select(tables.answer).where(
    tables.answer.c.assignment == bindparam("assignment"),
    tables.answer.c.student.in_(bindparam("some", expanding=True)),
)


def _set_by_id(table: Any, names: Iterable[str]) -> Any:
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    return update(table).where(table.c.id == bindparam("_id")).values(values)


_INSERT_RECORDS = insert(tables.submission)
_UPDATE_RECORDS = _set_by_id(tables.submission, _RECORD)
_REOPEN = (
    update(tables.submission)
    .where(
        tables.submission.c.assignment == bindparam("of"),
        tables.submission.c.student.in_(bindparam("some", expanding=True)),
    )
    .values(content_hash="")
)
_INSERT_ANSWERS = insert(tables.answer)
_UPDATE_ANSWERS = _set_by_id(tables.answer, (*_ANSWER, "text_version"))
_DELETE_ANSWERS = delete(tables.answer).where(tables.answer.c.id == bindparam("_id"))


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
    store_submissions(connection, record.assignment, [(record, answers)])


def store_submissions(
    connection: Connection,
    assignment: str,
    submissions: Sequence[tuple[SubmissionRecord, Sequence[Answer]]],
) -> None:
    """Do for each of the submissions, all of one assignment, what ``store_submission`` does."""
    for record, answers in submissions:
        _check(assignment, record, answers)
    _store_records(connection, assignment, [record for record, _ in submissions])
    answered = {record.student: answers for record, answers in submissions if answers}
    if answered and _store_answers(connection, assignment, answered):
        stamp(connection, assignment)


def reopen(connection: Connection, assignment: str, students: Sequence[str]) -> None:
    """Forget what the students' records were made from, so that they hold no longer."""
    for part in batched(students):
        connection.execute(_REOPEN, {"of": assignment, "some": list(part)})


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


def _check(assignment: str, record: SubmissionRecord, answers: Sequence[Answer]) -> None:
    if record.assignment != assignment:
        raise InternalError(
            f"A submission to {record.assignment!r} was handed in with those to {assignment!r}."
        )
    for answer in answers:
        if (answer.assignment, answer.student) != (record.assignment, record.student):
            raise InternalError(
                f"An answer of {answer.student!r} to {answer.assignment!r} was handed in with the"
                f" submission of {record.student!r} to {record.assignment!r}."
            )


def _store_records(
    connection: Connection, assignment: str, records: Sequence[SubmissionRecord]
) -> None:
    students = [record.student for record in records]
    rows = all_in(connection, _RECORDS_OF, students, assignment=assignment)
    kept = {row.student: row for row in rows}
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for record in records:
        values = {
            "assignment": record.assignment,
            "student": record.student,
            "content_hash": record.content_hash,
            "master_hash": record.master_hash,
            "outcome": record.outcome.value,
            "findings": json.dumps(list(record.findings)),
        }
        row = kept.get(record.student)
        if row is None:
            new.append(values)
        elif _differs(row, values):
            changed.append(values | {"_id": row.id})
    many(connection, _INSERT_RECORDS, new)
    many(connection, _UPDATE_RECORDS, changed)


def _store_answers(
    connection: Connection, assignment: str, answered: Mapping[str, Sequence[Answer]]
) -> bool:
    rows = all_in(connection, _ANSWERS_OF, list(answered), assignment=assignment)
    kept = {(row.student, row.question): row for row in rows}
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for student, answers in answered.items():
        for answer in answers:
            row = kept.pop((student, answer.question), None)
            values = _answer_values(answer)
            if row is None:
                new.append(values)
            elif _differs(row, values):
                # Whoever has the earlier text on the screen must not mark this one by it.
                version = row.text_version + (row.hash != values["hash"])
                changed.append(values | {"_id": row.id, "text_version": version})
    many(connection, _INSERT_ANSWERS, new)
    many(connection, _UPDATE_ANSWERS, changed)
    many(connection, _DELETE_ANSWERS, [{"_id": row.id} for row in kept.values()])
    return bool(new or changed or kept)


def _answer_values(answer: Answer) -> dict[str, Any]:
    return {
        "assignment": answer.assignment,
        "notebook": answer.notebook,
        "question": answer.question,
        "student": answer.student,
        "text": storable(answer.text),
        "hash": answer.hash,
        "status": answer.status.value,
    }


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
