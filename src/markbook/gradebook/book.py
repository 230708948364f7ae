"""The gradebook as the rest of Markbook sees it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Self

from markbook.gradebook.database import make_engine, prepare, reading, writing
from markbook.gradebook.events import read_events
from markbook.gradebook.marks import read_marks, remove, store_marks
from markbook.gradebook.nbgrader_tables import exists_for, read_grades, read_master
from markbook.gradebook.rescore import rescore
from markbook.gradebook.resync import resync
from markbook.gradebook.rubrics import find_rubric, store_rubric
from markbook.gradebook.submissions import read_answers, read_records, store_submission
from markbook.gradebook.suggestions import read_suggestions, store_suggestions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from sqlalchemy import Engine

    from markbook.course import Course
    from markbook.gradebook.rescore import Carried, RubricEdit
    from markbook.model import (
        Answer,
        Event,
        Grade,
        Mark,
        Rubric,
        SubmissionRecord,
        Suggestion,
    )

__all__ = ["Gradebook"]


class Gradebook:
    """Markbook's tables and nbgrader's, in one database.

    Every method is one transaction: it reads one state, or stores all or nothing. Made by
    ``open``; a context manager. May be shared by threads, not by forked processes.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, course: Course) -> Self:
        """Open the course's gradebook; make or migrate its tables if they need it.

        Raises ``CourseError`` when the database cannot be opened or is newer than this Markbook.
        """
        engine = make_engine(course.db_url)
        try:
            prepare(engine, course)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # Submissions and answers

    def students(self, assignment: str) -> tuple[str, ...]:
        """Return the students that have a submission record, sorted."""
        return tuple(record.student for record in self.records(assignment))

    def record(self, assignment: str, student: str) -> SubmissionRecord | None:
        with reading(self._engine) as connection:
            found = read_records(connection, assignment, student)
        return found[0] if found else None

    def records(self, assignment: str) -> tuple[SubmissionRecord, ...]:
        """Return the submission records, by student."""
        with reading(self._engine) as connection:
            return read_records(connection, assignment)

    def save_submission(self, record: SubmissionRecord, answers: Sequence[Answer]) -> None:
        """Store a record with the student's answers; without answers the earlier ones stay."""
        with writing(self._engine) as connection:
            store_submission(connection, record, answers)

    def answers(self, assignment: str, question: str | None = None) -> tuple[Answer, ...]:
        """Return the answers by student, each student's in the order they were saved in."""
        with reading(self._engine) as connection:
            return read_answers(connection, assignment, question)

    # Rubrics and suggestions

    def save_rubric(self, assignment: str, rubric: Rubric) -> None:
        """Keep a version of a rubric, which marks and suggestions then can name."""
        with writing(self._engine) as connection:
            store_rubric(connection, assignment, rubric)

    def rubric(self, version: str) -> Rubric | None:
        with reading(self._engine) as connection:
            return find_rubric(connection, version)

    def replace_suggestions(
        self, assignment: str, question: str, suggestions: Sequence[Suggestion]
    ) -> int:
        """Make these the question's suggestions; return how many came, changed or went."""
        with writing(self._engine) as connection:
            return store_suggestions(connection, assignment, question, suggestions)

    def suggestions(self, assignment: str, question: str | None = None) -> tuple[Suggestion, ...]:
        """Return the suggestions by question, answer hash and criterion."""
        with reading(self._engine) as connection:
            return read_suggestions(connection, assignment, question)

    # Marks

    def marks(self, assignment: str, question: str | None = None) -> tuple[Mark, ...]:
        """Return the counting mark of each answer, by student and question."""
        with reading(self._engine) as connection:
            return read_marks(connection, assignment, question)

    def all_marks(self, assignment: str, question: str | None = None) -> tuple[Mark, ...]:
        """Return every marker's mark, also those that do not count."""
        with reading(self._engine) as connection:
            return read_marks(connection, assignment, question, all_=True)

    def save_marks(
        self, marks: Sequence[Mark], *, who: str, what: str, rule: str = ""
    ) -> tuple[Mark, ...]:
        """Store marks, their audit lines and nbgrader's grades and comments, or nothing at all.

        ``row_version`` of each must be that of the mark that counts now, or 0 where none does;
        otherwise, and when the answer has changed, ``StaleMark``. A score that the criteria do
        not earn is a ``MarkbookError``, an answer that is not there ``UnknownName``. Marks that
        are stored already change nothing.
        """
        with writing(self._engine) as connection:
            return store_marks(connection, marks, who=who, what=what, rule=rule)

    def remove_mark(self, mark: Mark, *, who: str) -> None:
        """Take back the counting mark; the event stays. Raises ``StaleMark``."""
        with writing(self._engine) as connection:
            remove(connection, mark, who=who)

    def rescore_marks(self, assignment: str, edit: RubricEdit, *, who: str) -> tuple[Carried, ...]:
        """Store an edited rubric and carry its question's counting marks over, or nothing at all.

        Each mark that changes has an audit line "rescored", the edit one of its own.
        """
        with writing(self._engine) as connection:
            return rescore(connection, assignment, edit, who=who)

    def events(self, assignment: str | None = None) -> Iterator[Event]:
        """Yield the audit, oldest first."""
        return read_events(self._engine, assignment)

    # nbgrader's record

    def grades(self, assignment: str) -> tuple[Grade, ...]:
        """Return nbgrader's own rows, scored as nbgrader scores them."""
        with reading(self._engine) as connection:
            return read_grades(connection, assignment)

    def resync(self, assignment: str) -> int:
        """Put nbgrader's grades right from the marks after autograding; return how many changed."""
        with writing(self._engine) as connection:
            return resync(connection, assignment)

    def released(self, assignment: str) -> bool:
        """Tell whether nbgrader's gradebook knows the assignment."""
        with reading(self._engine) as connection:
            return exists_for(connection, assignment)

    def master_hash(self, assignment: str) -> str:
        """Return a hash of all that nbgrader autogrades against: tests, locked cells, points."""
        with reading(self._engine) as connection:
            master = read_master(connection, assignment)
        return hashlib.sha256(json.dumps(master).encode()).hexdigest()
