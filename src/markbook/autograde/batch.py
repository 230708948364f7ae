"""The coordinator: submissions out to workers, results into the gradebook and the folders."""

from __future__ import annotations

import errno
import time
import uuid
from concurrent.futures import BrokenExecutor, CancelledError
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from markbook.autograde.events import SubmissionFinished, SubmissionStarted, SubmissionUnchanged
from markbook.autograde.files import HandedIn, laid_down, read_submission
from markbook.autograde.interrupts import finishing
from markbook.autograde.nursery import cannot_write
from markbook.autograde.report import SubmissionReport
from markbook.autograde.shares import Shares
from markbook.autograde.worker import MASTER_WANTED, failed, grade_here
from markbook.executors import ExecutorLost, SerialExecutor, warm, width
from markbook.model import GradedSubmission, Outcome, SubmissionRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Executor, Future
    from typing import Any, Literal

    from markbook.autograde.events import AutogradeEvent
    from markbook.autograde.nursery import Nursery
    from markbook.autograde.settings import FileRules
    from markbook.autograde.values import Master, Result
    from markbook.course import Course
    from markbook.gradebook import Gradebook

__all__ = ["Batch", "Plan", "read", "unchanged"]

# Each worker has one task in hand and the next ones at hand, while the coordinator stores.
_EACH = 3
_TASK_BYTES = 1_000_000
# Bytes under way together: large submissions wait for each other.
_UNDER_WAY = 64_000_000
# A result is stored when it is this old (seconds) or has this much company.
_OLDEST = 0.5
_MOST = 64
_SLOW = 0.1
_GRADER = "markbook.autograde.worker"
_KILLED = "the process that graded it was killed, and again when it was tried once more"


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run goes by. ``force``: submissions that did not change are graded again."""

    course: Course
    gb: Gradebook
    master: Master
    master_hash: str
    rules: FileRules
    late_penalty: Literal["none", "zero"]
    force: bool

    @property
    def assignment(self) -> str:
        return self.master.assignment


@dataclass(frozen=True, slots=True)
class _Done:
    """A submission that waits to be stored."""

    handed: HandedIn
    result: Result

    @property
    def student(self) -> str:
        return self.result.student


@dataclass(slots=True)
class Batch:
    """One run over submissions: bounded in what is under way, whatever the class's size.

    ``reports`` and ``unchanged`` tell how they ended; ``resynced`` counts the grades that were
    put right from marks.
    """

    plan: Plan
    executor: Executor
    nursery: Nursery
    on_event: Callable[[AutogradeEvent], None]
    total: int = 0
    done: int = 0
    reports: list[SubmissionReport] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    resynced: int = 0
    _key: str = field(default_factory=lambda: uuid.uuid4().hex)
    _records: dict[str, SubmissionRecord] = field(default_factory=dict)
    _next: list[HandedIn] = field(default_factory=list)
    _flight: dict[Future[Any], tuple[HandedIn, ...]] = field(default_factory=dict)
    _size: int = 0
    _shares: Shares = field(default_factory=Shares)
    _taken: int = 0
    _sent: int = 0
    _landed: SimpleQueue[Future[Any]] = field(default_factory=SimpleQueue)
    _waiting: list[_Done] = field(default_factory=list)
    _since: float = 0.0
    _slow: bool = False

    def run(self, students: Iterable[str]) -> None:
        """Grade the submissions that changed, and store the results as they come.

        What is done when somebody stops the run, or the workers are lost, is stored before the
        ``KeyboardInterrupt`` or ``ExecutorLost`` goes on. Raises ``MarkbookError`` when results
        cannot be stored.
        """
        records = self.plan.gb.records(self.plan.assignment)
        self._records = {record.student: record for record in records}
        warm(self.executor, _GRADER)
        try:
            for student in students:
                self._take(student)
                self._land(wait=False)
                self._store_when_due()
            self._send()
            while self._flight:
                self._land(wait=True)
                self._store_when_due()
        except (KeyboardInterrupt, ExecutorLost):
            self._store()
            raise
        self._store()

    def _take(self, student: str) -> None:
        """Read one submission, and have it graded unless it is as it was."""
        handed = read(self.plan, student)
        self._taken += 1
        if not self.plan.force and unchanged(self.plan, handed, self._records.get(student)):
            self.unchanged.append(student)
            self.done += 1
            self.on_event(SubmissionUnchanged(student, self.done, self.total))
        elif handed.failure is not None:
            self.on_event(SubmissionStarted(student, self.done, self.total))
            self._finish(_Done(handed, failed(student, handed.failure)))
        else:
            self._next.append(handed)
            if len(self._next) >= self._share() or _bytes(self._next) >= _TASK_BYTES:
                self._send()

    def _share(self) -> int:
        """Return how many submissions share a task, by what those before them took."""
        if isinstance(self.executor, SerialExecutor):
            return 1
        return self._shares.next(self.total - self._taken, width(self.executor))

    def _send(self) -> None:
        """Have the submissions graded that were read, when there is room."""
        task, self._next = tuple(self._next), []
        if not task:
            return
        while self._flight and (
            len(self._flight) >= _EACH * width(self.executor)
            or self._size + _bytes(task) > _UNDER_WAY
        ):
            self._land(wait=True)
            self._store_when_due()
        for handed in task:
            self.on_event(SubmissionStarted(handed.submission.student, self.done, self.total))
        # the first ones bring the master to every worker; one that comes later asks for it
        self._submit(task, with_master=self._sent < width(self.executor))

    def _submit(self, task: tuple[HandedIn, ...], *, with_master: bool) -> None:
        master = self.plan.master if with_master else None
        submissions = tuple(handed.submission for handed in task)
        started = time.monotonic()
        try:
            future = self.executor.submit(grade_here, self._key, master, submissions)
        except BrokenExecutor as error:
            raise _lost("are gone") from error
        self._sent += 1
        self._size += _bytes(task)
        self._flight[future] = task
        future.add_done_callback(self._landed.put)
        # an executor that works in this thread: the next one may keep it from storing for long
        self._slow = future.done() and time.monotonic() - started > _SLOW

    def _land(self, *, wait: bool) -> None:
        """Take what has come back; with ``wait``, until something has or storing is due."""
        try:
            future = self._landed.get(block=wait, timeout=self._patience() if wait else None)
            while True:
                self._unpack(future)
                future = self._landed.get(block=False)
        except Empty:
            return

    def _unpack(self, future: Future[Any]) -> None:
        """Take the results of a task, or have it tried again."""
        task = self._flight.pop(future)
        self._size -= _bytes(task)
        try:
            results = future.result()
        except CancelledError as error:
            raise _lost("were stopped") from error
        except BrokenExecutor:
            if len(task) > 1:
                for handed in task:
                    self._submit((handed,), with_master=False)
                return
            results = (failed(task[0].submission.student, _KILLED),)
        if results == MASTER_WANTED:
            self._submit(task, with_master=True)
            return
        for handed, result in zip(task, results, strict=True):
            self._shares.learn(sum(result.seconds.values()))
            self._finish(_Done(handed, result))

    def _patience(self) -> float | None:
        """Return the seconds until storing is due; None while nothing waits for it."""
        if not self._waiting:
            return None
        return max(0.0, self._since + _OLDEST - time.monotonic())

    def _finish(self, done: _Done) -> None:
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.append(done)

    def _store_when_due(self) -> None:
        if len(self._waiting) >= _MOST or self._slow or self._patience() == 0.0:
            self._store()

    def _store(self) -> None:
        """Store what waits; a Ctrl-C waits as well."""
        batch, self._waiting = self._waiting, []
        if batch:
            with finishing():
                self._store_batch(batch)

    def _store_batch(self, batch: list[_Done]) -> None:
        """Store a batch: folders built, old ones away, gradebook, new ones in their place.

        In this order a kill leaves a submission that is as it was, or one without autograded
        notebooks, which the next run grades again.
        """
        away: list[str] = []
        try:
            batch = [self._grown(done) for done in batch]
            for done in batch:
                away.append(done.student)
                self.nursery.take_away(done.student, self._folder(done.student))
        except OSError as error:
            self._put_back(away)
            raise cannot_write(error) from error
        try:
            self.resynced += self._save(batch)
        except BaseException:
            self._look_after(batch)
            raise
        try:
            self._hand_over(batch)
        except OSError as error:  # what is stored is graded again for want of its folder
            raise cannot_write(error) from error

    def _grown(self, done: _Done) -> _Done:
        """Build a submission's new folder; one that no folder can be built of has failed."""
        if done.result.outcome is Outcome.FAILED:
            return done
        submission, notebooks = done.handed.submission, done.result.notebooks
        files = laid_down(submission, notebooks, self.plan.master.helpers, self.plan.rules)
        try:
            self.nursery.grow(done.student, files)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            self.nursery.drop(done.student)
            return _Done(
                done.handed, failed(done.student, "the path of one of its files is too long")
            )
        return done

    def _save(self, batch: list[_Done]) -> int:
        graded = [self._graded(done) for done in batch]
        return self.plan.gb.save_graded(
            self.plan.assignment, graded, late_penalty=self.plan.late_penalty
        )

    def _graded(self, done: _Done) -> GradedSubmission:
        record, result = self._record(done), done.result
        if result.outcome is Outcome.FAILED:
            return GradedSubmission(record)
        names = (notebook.name for notebook in self.plan.master.notebooks)
        return GradedSubmission(
            record,
            result.answers,
            result.grades,
            result.comments,
            result.timestamp,
            absent=tuple(name for name in names if name not in result.notebooks),
        )

    def _record(self, done: _Done) -> SubmissionRecord:
        return SubmissionRecord(
            assignment=self.plan.assignment,
            student=done.student,
            content_hash=done.handed.content_hash,
            master_hash=self.plan.master_hash,
            outcome=done.result.outcome,
            findings=done.result.findings,
        )

    def _hand_over(self, batch: list[_Done]) -> None:
        for done in batch:
            self.nursery.hand_over(done.student, self._folder(done.student))
        for done in batch:
            result = done.result
            self.done += 1
            self.reports.append(
                SubmissionReport(
                    result.student,
                    result.outcome,
                    result.findings,
                    result.repairs,
                    result.unverified,
                    dict(result.seconds),
                )
            )
            self.on_event(
                SubmissionFinished(
                    result.student, self.done, self.total, result.outcome, result.findings
                )
            )

    def _look_after(self, batch: list[_Done]) -> None:
        """Set the folders right after storing broke off, which may have been just after it.

        All of a batch is stored or nothing, and no submission whose record is as it will be is
        graded. Where the gradebook does not answer, the folders stay away: the next run makes
        them again.
        """
        try:
            stored = self.plan.gb.record(self.plan.assignment, batch[0].student)
        except Exception:  # noqa: BLE001  (what is raised already says more)
            return
        if stored == self._record(batch[0]):
            self._hand_over(batch)
        else:
            self._put_back([done.student for done in batch])

    def _put_back(self, students: Iterable[str]) -> None:
        for student in students:
            self.nursery.put_back(student, self._folder(student))

    def _folder(self, student: str) -> Any:
        return self.plan.course.autograded(self.plan.assignment, student)


def unchanged(plan: Plan, handed: HandedIn, record: SubmissionRecord | None) -> bool:
    """Tell whether a submission's last run holds: same files, same master, notebooks there."""
    if (
        record is None
        or record.outcome is Outcome.FAILED
        or record.master_hash != plan.master_hash
        or record.content_hash != handed.content_hash
    ):
        return False
    folder = plan.course.autograded(plan.assignment, handed.submission.student)
    names = {f"{notebook.name}.ipynb" for notebook in plan.master.notebooks}
    expected = names & handed.submission.files.keys()
    if not expected:
        return any(folder.glob("*.ipynb"))
    return all((folder / name).is_file() for name in expected)


def read(plan: Plan, student: str) -> HandedIn:
    """Read a student's submission; one that cannot be read is one with a failure."""
    try:
        return read_submission(plan.course.submitted(plan.assignment, student), student)
    except OSError as error:
        return HandedIn.unreadable(student, error)


def _bytes(task: Iterable[HandedIn]) -> int:
    return sum(handed.size for handed in task)


def _lost(how: str) -> ExecutorLost:
    return ExecutorLost(
        f"The processes that grade {how}.",
        hint="What was done is kept; run it again to do the rest.",
    )
