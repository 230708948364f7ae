"""The engine of before: nbgrader's own autograder, one submission after another."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from markbook.autograde.answers import read_answers
from markbook.autograde.events import AutogradeEvent, SubmissionFinished, SubmissionStarted
from markbook.autograde.files import read_submission
from markbook.autograde.prescan import prescan
from markbook.autograde.report import SubmissionReport
from markbook.errors import NotebookError
from markbook.gradebook import nbgrader
from markbook.model import Answer, AnswerStatus, Outcome, SubmissionRecord
from markbook.notebooks import read_questions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from markbook.course import Course
    from markbook.gradebook import Gradebook

__all__ = ["NbgraderBatch"]

_UNFINISHED = "autograding was interrupted; run it again"


class NbgraderBatch:
    """One run over the submissions of one assignment."""

    def __init__(
        self,
        course: Course,
        gb: Gradebook,
        assignment: str,
        master_hash: str,
    ) -> None:
        self.course = course
        self.gb = gb
        self.assignment = assignment
        self.master_hash = master_hash
        self.on_event: Callable[[AutogradeEvent], None] = lambda event: None
        self.questions = read_questions(course.release(assignment), assignment)
        self.notebooks = frozenset(question.notebook for question in self.questions) | frozenset(
            path.stem for path in course.release(assignment).glob("*.ipynb")
        )
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

    def run(
        self, students: Sequence[str], on_event: Callable[[AutogradeEvent], None]
    ) -> list[SubmissionReport]:
        self.on_event = on_event
        self.total = len(students)
        reports: list[SubmissionReport] = []
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
                reports.append(self._fail(student, hashes[student], scan.failure))
        runnable = [student for student in students if scans[student].failure is None]
        self._open(runnable, hashes)
        waiting = iter(runnable)
        self._start(next(waiting, None))
        for run in nbgrader.autograde(self.course, self.assignment, runnable):
            if run.failure is not None:
                self._clear(run.student)
                reports.append(self._fail(run.student, hashes[run.student], run.failure))
            else:
                findings = (*scans[run.student].findings, *run.warnings)
                reports.append(self._read(run.student, hashes[run.student], findings))
            self._start(next(waiting, None))
        return reports

    def _open(self, students: Sequence[str], hashes: dict[str, str]) -> None:
        """Take back that earlier runs are done, so that a killed run is made up for."""
        earlier = {record.student: record for record in self.gb.records(self.assignment)}
        for student in students:
            if student in earlier and earlier[student].outcome is not Outcome.FAILED:
                record = self._record(student, hashes[student], Outcome.FAILED, (_UNFINISHED,))
                self.gb.save_submission(record, ())

    def _read(self, student: str, content_hash: str, findings: Iterable[str]) -> SubmissionReport:
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

    def _fail(self, student: str, content_hash: str, reason: str) -> SubmissionReport:
        return self._save(student, content_hash, Outcome.FAILED, (reason,), ())

    def _save(
        self,
        student: str,
        content_hash: str,
        outcome: Outcome,
        findings: tuple[str, ...],
        answers: Sequence[Answer],
    ) -> SubmissionReport:
        record = self._record(student, content_hash, outcome, findings)
        self.gb.save_submission(record, answers)
        self.done += 1
        self.on_event(SubmissionFinished(student, self.done, self.total, outcome, findings))
        return SubmissionReport(student, outcome, findings)

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
            self.on_event(SubmissionStarted(student, self.done, self.total))

    def _clear(self, student: str) -> None:
        """Leave no autograded notebook of a submission that failed, or none of an earlier one."""
        folder = self.course.autograded(self.assignment, student)
        shutil.rmtree(folder, ignore_errors=True)
        if folder.parent.is_dir() and not any(folder.parent.iterdir()):
            folder.parent.rmdir()

    def _content_hash(self, student: str) -> str:
        folder = self.course.submitted(self.assignment, student)
        try:
            return read_submission(folder, student).content_hash
        except OSError:
            return ""  # the look at it says why, and another run tries again


def _missing(answers: Iterable[Answer]) -> list[str]:
    return [
        f"the cell of question {answer.question!r} is missing from {answer.notebook}.ipynb"
        for answer in answers
        if answer.status is AnswerStatus.MISSING
    ]
