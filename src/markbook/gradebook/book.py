"""The gradebook as the rest of Markbook sees it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from markbook.gradebook.database import BUSY_SECONDS, make_engine, prepare, reading, writing
from markbook.gradebook.events import (
    append_event,
    now,
    read_batch,
    read_events,
    read_histories,
    touched,
)
from markbook.gradebook.flags import read_flags, store_flag
from markbook.gradebook.grading import save_graded
from markbook.gradebook.judged import Judged
from markbook.gradebook.leases import give_back, read_leases, take
from markbook.gradebook.marks import read_comments, read_marks, remove, store_marks
from markbook.gradebook.nbgrader_master import exists_for, read_master, read_notebooks
from markbook.gradebook.nbgrader_tables import read_grades
from markbook.gradebook.people import read_people
from markbook.gradebook.queries import batched
from markbook.gradebook.rescore import rescore
from markbook.gradebook.resync import resync
from markbook.gradebook.stamps import read_pulse
from markbook.gradebook.submissions import (
    read_answers,
    read_records,
    read_versions,
    reopen,
    store_submission,
)
from markbook.model import Event

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from sqlalchemy import Engine

    from markbook.course import Course
    from markbook.gradebook.flags import Flag
    from markbook.gradebook.grading import LatePenalty
    from markbook.gradebook.rescore import Carried, RubricEdit
    from markbook.model import (
        Answer,
        Grade,
        GradedSubmission,
        Mark,
        MasterNotebook,
        SubmissionRecord,
    )

__all__ = ["Gradebook", "MarksOf"]


@dataclass(frozen=True, slots=True)
class MarksOf:
    """What people decided about some answers of a question, by student; ``flags`` are all."""

    marks: Mapping[str, Mark]
    versions: Mapping[str, int]
    flags: Mapping[str, Flag]


class Gradebook(Judged):
    """Markbook's tables and nbgrader's, in one database.

    Every method is one transaction: it reads one state, or stores all or nothing. Made by
    ``open``; a context manager. May be shared by threads, not by forked processes.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, course: Course, *, busy_seconds: float = BUSY_SECONDS) -> Self:
        """Open the course's gradebook; make or migrate its tables if they need it.

        Its methods wait ``busy_seconds`` for another process that is writing, then raise
        ``MarkbookError``, as they do when the disk is full or the server has gone.
        Raises ``CourseError`` when the database cannot be opened or is newer than this Markbook.
        """
        engine = make_engine(course.db_url, busy_seconds=busy_seconds)
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

    def people(self) -> dict[str, tuple[str, ...]]:
        """Return nbgrader's class list: by student what is known of first and last name, e-mail."""
        with reading(self._engine) as connection:
            return read_people(connection)

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

    def save_graded(
        self,
        assignment: str,
        batch: Sequence[GradedSubmission],
        *,
        late_penalty: LatePenalty = "none",
    ) -> int:
        """Store graded submissions, each student's once, all of them or nothing.

        nbgrader's tables say then what ``nbgrader autograde`` would have left there, put right
        from the marks: a mark on an answer that did not change stays one and needs no person
        again. ``late_penalty`` is the method of nbgrader's LateSubmissionPlugin. A FAILED one
        changes its record only. Returns how many grades were put right from marks. Raises
        ``UnknownName`` when nbgrader does not know the assignment, ``MarkbookError`` when it has
        other cells than the grades name.
        """
        with writing(self._engine) as connection:
            return save_graded(connection, assignment, batch, late_penalty=late_penalty)

    def reopen(self, assignment: str, students: Sequence[str]) -> None:
        """Have these submissions be graded again, though they did not change.

        Their records lose the hash of their content, and nothing else.
        """
        with writing(self._engine) as connection:
            reopen(connection, assignment, students)

    def answers(self, assignment: str, question: str | None = None) -> tuple[Answer, ...]:
        """Return the answers by student, each student's in the order they were saved in."""
        with reading(self._engine) as connection:
            return read_answers(connection, assignment, question)

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
        self,
        marks: Sequence[Mark],
        *,
        who: str,
        what: str,
        rule: str = "",
        batch: str = "",
    ) -> tuple[Mark, ...]:
        """Store marks, their audit lines and nbgrader's grades and comments, or nothing at all.

        ``row_version`` of each must be that of the mark that counts now, or 0 where none does;
        otherwise, and when the answer has changed, ``StaleMark`` with ``theirs``. ``batch`` is a
        name under which the audit finds what was stored together. A score that the criteria do
        not earn is a ``MarkbookError``, an answer that is not there ``UnknownName``. Marks that
        are stored already change nothing.
        """
        with writing(self._engine) as connection:
            return store_marks(connection, marks, who=who, what=what, rule=rule, batch=batch)

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

    def undo_marks(
        self,
        undone: Sequence[tuple[Mark, Mark | None]],
        *,
        who: str,
        what: str = "undo",
        batch: str = "",
    ) -> tuple[Mark | None, ...]:
        """Put the second mark of each pair in the place of the first, which counts now.

        None in the second place leaves the answer unmarked. All of it or nothing: ``StaleMark``
        when one of the first is no longer what counts. Returns the marks that count then.
        """
        counting: list[Mark | None] = []
        with writing(self._engine) as connection:
            for mark, earlier in undone:
                if earlier is None:
                    remove(connection, mark, who=who, what=what, batch=batch)
                    counting.append(None)
                else:
                    again = dataclasses.replace(earlier, row_version=mark.row_version)
                    counting += store_marks(connection, [again], who=who, what=what, batch=batch)
        return tuple(counting)

    def marks_of(self, assignment: str, question: str, students: Collection[str]) -> MarksOf:
        """Return the counting marks, versions and flags of these students' answers."""
        with reading(self._engine) as connection:
            flags = read_flags(connection, assignment, question)
            marks: dict[str, Mark] = {}
            versions: dict[str, int] = {}
            for some in batched(sorted(students)):
                found = read_marks(connection, assignment, question, students=some)
                marks |= {mark.student: mark for mark in found}
                versions |= read_versions(connection, assignment, question, some)
        return MarksOf(marks, versions, flags)

    def versions(self, assignment: str, question: str) -> dict[str, int]:
        """Return a number for each student's answer that grows with its text and its marks."""
        with reading(self._engine) as connection:
            return read_versions(connection, assignment, question)

    def comments(self, assignment: str) -> dict[tuple[str, str], int]:
        """Return how often each (question, comment) is in a mark that counts."""
        with reading(self._engine) as connection:
            return read_comments(connection, assignment)

    # Markers at work

    def pulse(self, assignment: str) -> tuple[int, int]:
        """Return two numbers: the newest event, and one that grows when a step changed anything.

        Cheap; while both stay, what was read of the assignment still holds.
        """
        with reading(self._engine) as connection:
            return read_pulse(connection, assignment)

    def touched(self, assignment: str, question: str, since: int) -> frozenset[str | None]:
        """Return the students whose answers have events after ``since``; None stands for all."""
        with reading(self._engine) as connection:
            return touched(connection, assignment, question, since)

    def leases(self, assignment: str, question: str) -> dict[str, str]:
        """Return who has which student's answer open."""
        with reading(self._engine) as connection:
            return read_leases(connection, assignment, question)

    def lease(
        self,
        assignment: str,
        question: str,
        students: Iterable[str],
        *,
        marker: str,
        instead_of: str | None = None,
    ) -> str | None:
        """Lease the first of the students' answers that no other marker has open.

        Lasts five minutes; taking one's own again renews it. ``instead_of`` is given back.
        Returns the student, None when there is none.
        """
        with writing(self._engine) as connection:
            if instead_of is not None:
                give_back(connection, assignment, question, instead_of, marker)
            return take(connection, assignment, question, students, marker)

    def release(self, assignment: str, question: str, student: str, *, marker: str) -> None:
        """End the marker's lease."""
        with writing(self._engine) as connection:
            give_back(connection, assignment, question, student, marker)

    def flags(self, assignment: str, question: str) -> dict[str, Flag]:
        """Return the flags by student."""
        with reading(self._engine) as connection:
            return read_flags(connection, assignment, question)

    def flag(self, answer: Answer, *, marker: str, flagged: bool, note: str = "") -> None:
        """Set or take away an answer's flag, with its audit line."""
        with writing(self._engine) as connection:
            store_flag(connection, _subject(answer), marker=marker, flagged=flagged, note=note)

    def note(self, answer: Answer, *, who: str, what: str) -> None:
        """Append to the audit that something was done with an answer that changed nothing."""
        event = Event(at=now(), who=who, what=what, subject=_subject(answer))
        with writing(self._engine) as connection:
            append_event(connection, event, answer.assignment)

    # The audit

    def histories(
        self, assignment: str, question: str, students: Collection[str]
    ) -> dict[str, tuple[Event, ...]]:
        """Return the events of these students' answers, oldest first."""
        with reading(self._engine) as connection:
            return read_histories(connection, assignment, question, students)

    def batch(self, assignment: str, batch: str) -> tuple[Event, ...]:
        """Return the events that were stored together under the name ``batch``."""
        with reading(self._engine) as connection:
            return read_batch(connection, assignment, batch)

    def events(self, assignment: str | None = None) -> Iterator[Event]:
        """Yield the audit, oldest first."""
        return read_events(self._engine, assignment)

    # nbgrader's record

    def grades(self, assignment: str, question: str | None = None) -> tuple[Grade, ...]:
        """Return nbgrader's own rows, scored as nbgrader scores them."""
        with reading(self._engine) as connection:
            return read_grades(connection, assignment, question)

    def resync(self, assignment: str) -> int:
        """Put nbgrader's grades right from the marks after autograding; return how many changed."""
        with writing(self._engine) as connection:
            return resync(connection, assignment)

    def released(self, assignment: str) -> bool:
        """Tell whether nbgrader's gradebook knows the assignment."""
        with reading(self._engine) as connection:
            return exists_for(connection, assignment)

    def master(self, assignment: str) -> tuple[MasterNotebook, ...]:
        """Return the notebooks as nbgrader kept them at release, by name, their cells by id.

        nbgrader keeps no order of the cells: the released notebook has it. Raises ``UnknownName``
        when nbgrader does not know the assignment.
        """
        with reading(self._engine) as connection:
            return read_notebooks(connection, assignment)

    def master_hash(self, assignment: str) -> str:
        """Return a hash of all that nbgrader autogrades against: tests, locked cells, points."""
        with reading(self._engine) as connection:
            master = read_master(connection, assignment)
        return hashlib.sha256(json.dumps(master).encode()).hexdigest()


def _subject(answer: Answer) -> dict[str, str]:
    names = ("assignment", "notebook", "question", "student")
    return {name: getattr(answer, name) for name in names}
