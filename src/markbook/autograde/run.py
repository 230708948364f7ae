"""Autograding an assignment's submissions: what changed, and only that."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from markbook.autograde.batch import Batch, Plan, read, unchanged
from markbook.autograde.lock import only_run
from markbook.autograde.master import read_master
from markbook.autograde.nursery import Nursery
from markbook.autograde.prepared import prepare
from markbook.autograde.prescan import hash_folder
from markbook.autograde.report import AutogradeReport
from markbook.autograde.settings import file_rules, late_penalty, read_settings, refuse_foreign
from markbook.autograde.with_nbgrader import NbgraderBatch
from markbook.course import CONFIG_NAME
from markbook.errors import CourseError, NotebookError, NothingMatched, UnknownName, UsageError
from markbook.executors import ProcessPool, SerialExecutor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from markbook.autograde.events import AutogradeEvent
    from markbook.autograde.values import Isolation, Master
    from markbook.course import Course
    from markbook.gradebook import Gradebook

__all__ = ["Engine", "Options", "autograde"]

Engine = Literal["markbook", "nbgrader"]


@dataclass(frozen=True, slots=True)
class Options:
    """How submissions are run, where that is not as the course says.

    ``timeout`` is in seconds for each cell (0: none); ``run_all`` runs code cells also where none
    carries points or an answer. Only Markbook's own ``engine`` knows these two, and only it can
    lock up students' code: ``isolation`` is as the course says, unless it is given.
    """

    engine: Engine = "markbook"
    timeout: float | None = None
    run_all: bool = False
    isolation: Isolation | None = None


def autograde(  # noqa: PLR0913  (a step's seam: every argument is one choice of the caller)
    course: Course,
    gb: Gradebook,
    assignment: str,
    students: Sequence[str] | None = None,
    *,
    force: bool = False,
    dry_run: bool = False,
    options: Options | None = None,
    executor: Executor | None = None,
    on_event: Callable[[AutogradeEvent], None] = lambda event: None,
) -> AutogradeReport:
    """Grade every submission that changed since it was last run, and store its answers.

    A failed submission is tried again; ``force`` runs all. One that fails gets a record that says
    why, and the rest go on. Submissions are graded by ``executor``, which stays open (default: in
    this thread); only this process reads and writes the gradebook and the course folder.

    Raises ``UnknownName`` for a student without submission, ``NothingMatched`` if nobody has one,
    ``NotebookError`` before the assignment is released, ``CourseError`` for a setting that cannot
    be followed, ``MarkbookError`` while another run is at the same assignment or when results
    cannot be stored: what was stored before it is good, and another run does the rest.
    """
    started = time.monotonic()
    course.require(assignment)
    _require_release(course, gb, assignment)
    chosen = _choose(course, assignment, students)
    how = options or Options()
    if how.engine == "nbgrader":
        run: _Run = _WithNbgrader(course, gb, assignment, force, how)
    else:
        run = _WithMarkbook(course, gb, assignment, force, how)
    if dry_run:
        todo = set(run.todo(chosen))
        same = tuple(student for student in chosen if student not in todo)
        planned = tuple(student for student in chosen if student in todo)
        return AutogradeReport(assignment, unchanged=same, planned=planned)
    with only_run(course, assignment):
        report = run.run(chosen, executor or SerialExecutor(), on_event)
    return replace(report, seconds=time.monotonic() - started)


def _require_release(course: Course, gb: Gradebook, assignment: str) -> None:
    release = course.release(assignment)
    if not any(release.glob("*.ipynb")) or not gb.released(assignment):
        raise NotebookError(
            f"The assignment {assignment!r} has not been released from this course folder.",
            path=release,
            hint=f"Run 'markbook release {assignment}' first.",
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
    if students is not None:
        return tuple(student for student in submitted if student in set(students))
    excluded = str(course.setting("student_id_exclude", "CourseDirectory", default="")).split(",")
    return tuple(student for student in submitted if student not in excluded)


def _master_hash(course: Course, gb: Gradebook, assignment: str) -> str:
    """Return a hash of all that scores depend on beside the submission; the same for each engine.

    That are the released cells, the source's helper files, and the course's settings.
    """
    settings = replace(read_settings(course), preload=(), isolation="auto", readable=())
    parts = [
        gb.master_hash(assignment),
        hash_folder(course.source(assignment), skip=".ipynb"),
        repr((settings, file_rules(course, assignment).keep, late_penalty(course))),
    ]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _require_modules(course: Course, names: Sequence[str]) -> None:
    """Raise ``CourseError`` for one that is not here: with it gone, every submission would fail."""
    for name in names:
        if find_spec(name.partition(".")[0]) is None:
            raise CourseError(
                f"{course.root / CONFIG_NAME}: c.Markbook.preload names {name!r}, which is not"
                " installed here.",
                hint="Install it, or take it out of the list.",
            )


def _require_isolation(master: Master) -> None:
    """Raise ``IsolationError`` where code would be run and cannot be locked up as it should."""
    if master.settings.isolation == "none":
        return
    if any(notebook.runs for notebook in prepare(master).notebooks.values()):
        from markbook.kernels.sandbox.probe import require_isolation

        require_isolation()


class _Run:
    """A run of one engine."""

    def todo(self, students: Sequence[str]) -> list[str]:
        """Return the students whose submission would be run."""
        raise NotImplementedError

    def run(
        self,
        students: Sequence[str],
        executor: Executor,
        on_event: Callable[[AutogradeEvent], None],
    ) -> AutogradeReport:
        raise NotImplementedError


class _WithMarkbook(_Run):
    def __init__(
        self, course: Course, gb: Gradebook, assignment: str, force: bool, options: Options
    ) -> None:
        refuse_foreign(course)
        master = read_master(course, gb, assignment)
        changes: dict[str, Any] = {"run_all": options.run_all or master.settings.run_all}
        if options.isolation is not None:
            changes["isolation"] = options.isolation
        if options.timeout is not None:
            changes["cell_seconds"] = options.timeout or None
        self.plan = Plan(
            course=course,
            gb=gb,
            master=replace(master, settings=replace(master.settings, **changes)),
            master_hash=_master_hash(course, gb, assignment),
            rules=file_rules(course, assignment),
            late_penalty=late_penalty(course),
            force=force,
        )

    def todo(self, students: Sequence[str]) -> list[str]:
        plan = self.plan
        records = {record.student: record for record in plan.gb.records(plan.assignment)}
        return [
            student
            for student in students
            if plan.force or not unchanged(plan, read(plan, student), records.get(student))
        ]

    def run(
        self,
        students: Sequence[str],
        executor: Executor,
        on_event: Callable[[AutogradeEvent], None],
    ) -> AutogradeReport:
        plan = self.plan
        if isinstance(executor, SerialExecutor | ProcessPool):
            _require_modules(plan.course, plan.master.settings.preload)
            _require_isolation(plan.master)
        if plan.force:
            plan.gb.reopen(plan.assignment, students)
        folder = plan.course.autograded(plan.assignment, "x").parent.parent
        with Nursery(folder, plan.assignment, plan.rules) as nursery:
            batch = Batch(plan, executor, nursery, on_event, total=len(students))
            batch.run(students)
        return AutogradeReport(
            plan.assignment,
            records=tuple(sorted(batch.reports, key=lambda report: report.student)),
            unchanged=tuple(batch.unchanged),
            resynced=batch.resynced,
        )


class _WithNbgrader(_Run):
    def __init__(
        self, course: Course, gb: Gradebook, assignment: str, force: bool, options: Options
    ) -> None:
        if options.timeout is not None or options.run_all:
            raise UsageError(
                "nbgrader's own autograder takes its time limit from nbgrader_config.py, and runs"
                " all cells anyway.",
                hint="Set c.ExecutePreprocessor.timeout there, or leave --engine away.",
            )
        if (options.isolation or read_settings(course).isolation) != "none":
            raise UsageError(
                "nbgrader's own autograder runs students' code as you, with your files and your"
                " network.",
                hint="Say '--isolation none' if it may, or leave --engine away.",
            )
        self.gb = gb
        self.assignment = assignment
        self.force = force
        master_hash = _master_hash(course, gb, assignment)
        self.batch = NbgraderBatch(course, gb, assignment, master_hash)

    def todo(self, students: Sequence[str]) -> list[str]:
        return [student for student in students if self.force or self.batch.changed(student)]

    def run(
        self,
        students: Sequence[str],
        executor: Executor,
        on_event: Callable[[AutogradeEvent], None],
    ) -> AutogradeReport:
        todo = self.todo(students)
        reports = self.batch.run(todo, on_event)
        return AutogradeReport(
            self.assignment,
            records=tuple(sorted(reports, key=lambda report: report.student)),
            unchanged=tuple(student for student in students if student not in set(todo)),
            resynced=self.gb.resync(self.assignment),
        )
