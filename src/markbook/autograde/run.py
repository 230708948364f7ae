"""Autograding an assignment's submissions: what changed, and only that."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.autograde.answers import read_answers
from markbook.autograde.events import AutogradeEvent, SubmissionFinished, SubmissionStarted
from markbook.autograde.prescan import hash_folder, prescan
from markbook.errors import NotebookError, NothingMatched, UnknownName
from markbook.gradebook import nbgrader
from markbook.model import Answer, AnswerStatus, Outcome, SubmissionRecord
from markbook.notebooks import read_questions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.model import Question

__all__ = ["AutogradeReport", "autograde"]


_UNFINISHED = "autograding was interrupted; run it again"


@dataclass(frozen=True, slots=True)
class AutogradeReport:
    """How the submissions of an assignment ended: the ``records`` of those run, by student.

    ``unchanged`` are the students whose submission was as at the last run; ``resynced`` counts
    the grades of nbgrader that were put right from the marks. After a dry run ``planned`` are
    the students whose submission would be run.
    """

    assignment: str
    records: tuple[SubmissionRecord, ...]
    unchanged: tuple[str, ...]
    resynced: int
    planned: tuple[str, ...] = ()

    def of(self, outcome: Outcome) -> tuple[SubmissionRecord, ...]:
        return tuple(record for record in self.records if record.outcome is outcome)

    @property
    def failed(self) -> tuple[SubmissionRecord, ...]:
        return self.of(Outcome.FAILED)


def autograde(  # noqa: PLR0913  (a step's seam: every argument is one choice of the caller)
    course: Course,
    gb: Gradebook,
    assignment: str,
    students: Sequence[str] | None = None,
    *,
    force: bool = False,
    dry_run: bool = False,
    on_event: Callable[[AutogradeEvent], None] = lambda event: None,
) -> AutogradeReport:
    """Run every submission that changed since it was last run, and store its answers.

    A failed submission is tried again; ``force`` runs all. One that fails gets a record that says
    why, and the rest go on. Raises ``UnknownName`` for a student without submission,
    ``NothingMatched`` if nobody has one, ``NotebookError`` before the assignment is released.
    """
    course.require(assignment)
    batch = _Batch(course, gb, assignment, on_event)
    chosen = _choose(course, assignment, students)
    todo = [student for student in chosen if force or batch.changed(student)]
    if dry_run:
        same = tuple(student for student in chosen if student not in set(todo))
        return AutogradeReport(assignment, (), same, 0, planned=tuple(todo))
    records = batch.run(todo)
    return AutogradeReport(
        assignment=assignment,
        records=tuple(sorted(records, key=lambda record: record.student)),
        unchanged=tuple(student for student in chosen if student not in set(todo)),
        resynced=gb.resync(assignment),
    )


def _choose(course: Course, assignment: str, students: Sequence[str] | None) -> tuple[str, ...]:
    submitted = course.students("submitted", assignment)
    if not submitted:
        raise NothingMatched(
            f"Nobody has submitted {assignment!r}.",
            hint=f"Run 'markbook collect {assignment}' first.",
        )
    unknown = sorted(set(students or ()) - set(submitted))
    if unknown:
        raise UnknownName(
            f"There is no submission of {', '.join(map(repr, unknown))} to {assignment!r}.",
            hint=f"There are those of: {', '.join(submitted)}.",
        )
    return submitted if students is None else tuple(s for s in submitted if s in set(students))


class _Batch:
    """One run over the submissions of one assignment."""

    def __init__(
        self,
        course: Course,
        gb: Gradebook,
        assignment: str,
        on_event: Callable[[AutogradeEvent], None],
    ) -> None:
        self.course = course
        self.gb = gb
        self.assignment = assignment
        self.on_event = on_event
        self.questions = _questions(course, gb, assignment)
        self.notebooks = frozenset(question.notebook for question in self.questions) | frozenset(
            path.stem for path in course.release(assignment).glob("*.ipynb")
        )
        # helper files of the source are copied over a student's before running
        helpers = hash_folder(course.source(assignment), skip=".ipynb")
        master = gb.master_hash(assignment) + helpers
        self.master_hash = hashlib.sha256(master.encode()).hexdigest()
        self.total = 0
        self.done = 0

    def changed(self, student: str) -> bool:
        record = self.gb.record(self.assignment, student)
        return (
            record is None
            or record.outcome is Outcome.FAILED
            or record.master_hash != self.master_hash
            or record.content_hash != self._content_hash(student)
            or not any(self.course.autograded(self.assignment, student).glob("*.ipynb"))
        )

    def run(self, students: Sequence[str]) -> list[SubmissionRecord]:
        self.total = len(students)
        records: list[SubmissionRecord] = []
        # What was hashed is what will be said to have run, even if a student hands in meanwhile.
        hashes = {student: self._content_hash(student) for student in students}
        scans = {
            student: prescan(self.course.submitted(self.assignment, student), self.notebooks)
            for student in students
        }
        for student, scan in scans.items():
            if scan.failure is not None:
                self._start(student)
                self._clear(student)
                records.append(self._fail(student, hashes[student], scan.failure))
        runnable = [student for student in students if scans[student].failure is None]
        self._open(runnable, hashes)
        waiting = iter(runnable)
        self._start(next(waiting, None))
        for run in nbgrader.autograde(self.course, self.assignment, runnable):
            if run.failure is not None:
                self._clear(run.student)
                records.append(self._fail(run.student, hashes[run.student], run.failure))
            else:
                findings = (*scans[run.student].findings, *run.warnings)
                records.append(self._read(run.student, hashes[run.student], findings))
            self._start(next(waiting, None))
        return records

    def _open(self, students: Sequence[str], hashes: dict[str, str]) -> None:
        """Take back that earlier runs are done, so that a killed run is made up for."""
        earlier = {record.student: record for record in self.gb.records(self.assignment)}
        for student in students:
            if student in earlier and earlier[student].outcome is not Outcome.FAILED:
                record = self._record(student, hashes[student], Outcome.FAILED, (_UNFINISHED,))
                self.gb.save_submission(record, ())

    def _read(self, student: str, content_hash: str, findings: Iterable[str]) -> SubmissionRecord:
        folder = self.course.autograded(self.assignment, student)
        release = self.course.release(self.assignment)
        try:
            answers = read_answers(self.questions, release, folder, student)
        except NotebookError as error:
            self._clear(student)
            return self._fail(student, content_hash, str(error))
        all_findings = tuple(dict.fromkeys([*findings, *_missing(answers)]))
        outcome = Outcome.NEEDS_ATTENTION if all_findings else Outcome.GRADED
        return self._save(student, content_hash, outcome, all_findings, answers)

    def _fail(self, student: str, content_hash: str, reason: str) -> SubmissionRecord:
        return self._save(student, content_hash, Outcome.FAILED, (reason,), ())

    def _save(
        self,
        student: str,
        content_hash: str,
        outcome: Outcome,
        findings: tuple[str, ...],
        answers: Sequence[Answer],
    ) -> SubmissionRecord:
        record = self._record(student, content_hash, outcome, findings)
        self.gb.save_submission(record, answers)
        self.on_event(SubmissionFinished(student, self.done, self.total, outcome, findings))
        return record

    def _record(
        self, student: str, content_hash: str, outcome: Outcome, findings: tuple[str, ...]
    ) -> SubmissionRecord:
        return SubmissionRecord(
            assignment=self.assignment,
            student=student,
            content_hash=content_hash,
            master_hash=self.master_hash,
            outcome=outcome,
            findings=findings,
        )

    def _start(self, student: str | None) -> None:
        if student is not None:
            self.done += 1
            self.on_event(SubmissionStarted(student, self.done, self.total))

    def _clear(self, student: str) -> None:
        """Leave no autograded notebook of a submission that failed, or none of an earlier one."""
        folder = self.course.autograded(self.assignment, student)
        shutil.rmtree(folder, ignore_errors=True)
        if folder.parent.is_dir() and not any(folder.parent.iterdir()):
            folder.parent.rmdir()

    def _content_hash(self, student: str) -> str:
        return hash_folder(self.course.submitted(self.assignment, student))


def _questions(course: Course, gb: Gradebook, assignment: str) -> tuple[Question, ...]:
    release = course.release(assignment)
    if not any(release.glob("*.ipynb")) or not gb.released(assignment):
        raise NotebookError(
            f"The assignment {assignment!r} has not been released from this course folder.",
            path=release,
            hint=f"Run 'markbook release {assignment}' first.",
        )
    return read_questions(release, assignment)


def _missing(answers: Iterable[Answer]) -> list[str]:
    return [
        f"the cell of question {answer.question!r} is missing from {answer.notebook}.ipynb"
        for answer in answers
        if answer.status is AnswerStatus.MISSING
    ]
