"""Putting nbgrader's grades right after autograding again, from the marks that still hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, select

from markbook.gradebook import nbgrader_tables, tables
from markbook.gradebook.marks import nbgrader_comment, nbgrader_scores, read_marks
from markbook.gradebook.queries import all_in, batched
from markbook.gradebook.rubrics import find_rubric
from markbook.model import AnswerStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from markbook.gradebook.nbgrader_tables import GradeRow
    from markbook.model import Mark, Rubric

__all__ = ["Held", "Present", "Settler", "resync"]

_NO_PERSON = (AnswerStatus.BLANK.value, AnswerStatus.NOT_ASKED.value)

# Students whose rows are in memory at once.
_STUDENTS = 200


class Held(NamedTuple):
    """What nbgrader's grade says."""

    auto_score: float | None
    manual_score: float | None
    extra_credit: float | None
    needs_marking: bool


class Present(NamedTuple):
    """What there is now of an answer: its status and the hash of its text."""

    status: str
    hash: str


class Settler:
    """The marks of some students, and what they make of nbgrader's grades.

    nbgrader flags every hand-marked grade for a person when it autogrades again. A mark on the
    present answer takes the flag away; a stale one sets it and keeps the old score. A score that
    a person changed in formgrader stays theirs. A text question that was left blank or never
    asked scores 0 and needs no person.
    """

    def __init__(self, connection: Connection, assignment: str, students: Sequence[str]) -> None:
        self._connection = connection
        self._assignment = assignment
        self._rubrics: dict[str, Rubric | None] = {}
        self.marks: dict[tuple[str, str], Mark] = {}
        for some in batched(students):
            found = read_marks(connection, assignment, students=some)
            self.marks |= {(mark.student, mark.question): mark for mark in found}

    def settle(
        self, key: tuple[str, str], held: Held, present: Present, *, written: bool
    ) -> tuple[Held, Mark | None] | None:
        """Return what the grade of ``key`` (student, question) has to say, None if it does.

        The mark comes along when its comment has to be written too.
        """
        mark = self.marks.get(key)
        if mark is None:
            return self._unmarked(held, present) if written else None
        return self._marked(held, mark, stale=mark.answer_hash != present.hash)

    @staticmethod
    def _unmarked(held: Held, present: Present) -> tuple[Held, Mark | None] | None:
        done = held.auto_score == 0 and not held.needs_marking
        if present.status not in _NO_PERSON or done:
            return None
        if held.manual_score is not None:
            return None  # somebody marked it in formgrader
        return held._replace(auto_score=0.0, needs_marking=False), None

    def _marked(self, held: Held, mark: Mark, *, stale: bool) -> tuple[Held, Mark | None] | None:
        rubric = self._rubric(mark.rubric_version)
        if rubric is None:
            return None
        scores = nbgrader_scores(mark, rubric)
        manual, extra = scores["manual_score"], scores["extra_credit"]
        if held.manual_score is None and held.extra_credit is None:
            # nbgrader threw the submission away and made it again
            return Held(held.auto_score, manual, extra, stale), mark
        same = _equal(held.manual_score, manual) and _equal(held.extra_credit, extra)
        if not same or held.needs_marking == stale:
            return None
        return held._replace(needs_marking=stale), None

    def _rubric(self, version: str) -> Rubric | None:
        if version not in self._rubrics:
            found = find_rubric(self._connection, version, assignment=self._assignment)
            self._rubrics[version] = found
        return self._rubrics[version]


def resync(connection: Connection, assignment: str) -> int:
    """Say in nbgrader's grades what the marks say; return how many grades changed.

    A few hundred students' rows are in memory at once.
    """
    table = tables.answer
    query = select(table.c.student).where(table.c.assignment == assignment).distinct()
    students = connection.scalars(query.order_by(table.c.student)).all()
    return sum(_resync(connection, assignment, some) for some in batched(students, _STUDENTS))


_PRESENT = select(
    tables.answer.c.student, tables.answer.c.question, tables.answer.c.status, tables.answer.c.hash
).where(
    tables.answer.c.assignment == bindparam("assignment"),
    tables.answer.c.student.in_(bindparam("some", expanding=True)),
)


def _resync(connection: Connection, assignment: str, students: Sequence[str]) -> int:
    settler = Settler(connection, assignment, students)
    present = {
        (row.student, row.question): Present(row.status, row.hash)
        for row in all_in(connection, _PRESENT, students, assignment=assignment)
    }
    changed = 0
    # by question too: else SQLite reads everybody's grades for these students'
    questions = {question for _, question in present}
    grades = nbgrader_tables.find_rows(
        connection, assignment, students=students, questions=questions
    )
    for key, grade in grades.items():
        answer = present.get(key)
        if answer is None:
            continue
        settled = settler.settle(key, _held(grade), answer, written=grade.written)
        if settled is None:
            continue
        held, mark = settled
        nbgrader_tables.write_scores(connection, grade, **held._asdict())
        if mark is not None:
            nbgrader_tables.write_comment(connection, grade, nbgrader_comment(mark))
        changed += 1
    return changed


def _held(grade: GradeRow) -> Held:
    return Held(grade.auto_score, grade.manual_score, grade.extra_credit, bool(grade.needs_marking))


def _equal(held: float | None, score: float | None) -> bool:
    return (held or 0.0) == (score or 0.0)
