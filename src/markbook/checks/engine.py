"""Running checks over assignments: which examinations there are, and what they find."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markbook.checks.base import Scope, Target
from markbook.checks.views import AssignmentView
from markbook.errors import NothingMatched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from markbook.checks.base import Check
    from markbook.checks.findings import Finding, Severity
    from markbook.course import Course

__all__ = ["Examination", "Report", "assignments_of", "examinations", "run_checks"]


@dataclass(frozen=True, slots=True)
class Examination:
    """One check on one target: what pytest calls an item."""

    check: Check
    target: Target

    def run(self) -> tuple[Finding, ...]:
        return tuple(self.check.examine(self.target))


@dataclass(frozen=True, slots=True)
class Report:
    """What the checks found, by file and place. ``examined`` counts checks on targets."""

    findings: tuple[Finding, ...]
    examined: int
    seconds: float
    assignments: tuple[str, ...] = field(default=())

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        return tuple(found for found in self.findings if found.severity is severity)


def examinations(view: AssignmentView, checks: Sequence[Check]) -> Iterator[Examination]:
    """Yield every examination of an assignment, in the order of ``checks``."""
    for check in checks:
        for target in _targets(view, check):
            yield Examination(check, target)


def run_checks(
    course: Course,
    checks: Sequence[Check],
    paths: Sequence[Path] = (),
    *,
    on_event: Callable[[Examination], None] = lambda examination: None,
) -> Report:
    """Run ``checks`` on the assignments that ``paths`` lie in; without paths on all.

    A path is a file or folder below ``source/``, ``release/`` or ``graders/``; what is found in
    other files of its assignment is left out. Raises ``NothingMatched`` when nothing is there,
    but finds nothing wrong with a course in which nothing was authored yet.
    """
    chosen = {} if not paths and _is_new(course) else assignments_of(course, paths)
    started = time.monotonic()
    views = [AssignmentView(course, name) for name in chosen]
    for check in checks:
        check.prepare(views)
    findings: list[Finding] = []
    examined = 0
    for some in _by_patience(checks):
        for view, wanted in zip(views, chosen.values(), strict=True):
            for examination in examinations(view, some):
                if _needless(examination, wanted):
                    continue
                on_event(examination)
                examined += 1
                findings += [f for f in examination.run() if _inside(f.path, wanted)]
    return Report(
        tuple(sorted(set(findings), key=_place)),
        examined,
        time.monotonic() - started,
        tuple(chosen),
    )


def assignments_of(course: Course, paths: Sequence[Path]) -> dict[str, list[Path]]:
    """Return the assignments that ``paths`` lie in, each with the paths that were named in it.

    Raises ``NothingMatched`` when there is none.
    """
    chosen = _choose(course, [path.resolve() for path in paths])
    if not chosen:
        names = ", ".join(map(str, paths)) or course.relative(course.root / "source")
        raise NothingMatched(
            f"There is no assignment to check in {names}.",
            hint="Name an assignment's folder or file, or none for all of the course.",
        )
    return chosen


def _is_new(course: Course) -> bool:
    """Tell whether the course has no assignment yet, and no trace of one that went missing."""
    homes = (course.release("*"), course.rubrics("*"))
    patterns = [(home / "*").relative_to(course.root).as_posix() for home in homes]
    return not course.assignments() and not any(any(course.root.glob(p)) for p in patterns)


def _by_patience(checks: Sequence[Check]) -> tuple[list[Check], ...]:
    """Part the checks into quick, patient and slow ones, each in the order given."""
    quick = [check for check in checks if not check.slow and not check.patient]
    patient = [check for check in checks if not check.slow and check.patient]
    return quick, patient, [check for check in checks if check.slow]


def _targets(view: AssignmentView, check: Check) -> Iterator[Target]:
    if check.scope is Scope.ASSIGNMENT:
        yield Target(view)
    elif check.scope is Scope.RUBRIC:
        for rubric in view.rubrics.values():
            if check.broken_too or rubric.problem is None:
                yield Target(view, rubric=rubric)
    else:
        for notebook in view.notebooks:
            if not check.broken_too and notebook.problem is not None:
                continue
            if check.scope is Scope.NOTEBOOK:
                yield Target(view, notebook)
            else:
                yield from (Target(view, notebook, question=cell) for cell in notebook.graded)


def _choose(course: Course, paths: Sequence[Path]) -> dict[str, list[Path]]:
    """Return the assignments to check, each with the paths that were named in it."""
    if not paths:
        return {name: [] for name in course.assignments()}
    chosen: dict[str, list[Path]] = {}
    for path in paths:
        for name in course.assignments():
            homes = (course.source(name), course.release(name), course.rubrics(name))
            if any(path.is_relative_to(home) for home in homes):
                chosen.setdefault(name, []).append(path)
            elif any(home.is_relative_to(path) for home in homes):
                chosen.setdefault(name, []).extend(h for h in homes if h.is_relative_to(path))
    return chosen


def _inside(path: Path, wanted: Sequence[Path]) -> bool:
    return not wanted or any(path.is_relative_to(home) for home in wanted)


def _needless(examination: Examination, wanted: Sequence[Path]) -> bool:
    """Tell whether a slow examination of a rubric could only find what nobody asked for."""
    target = examination.target
    if not examination.check.slow or target.rubric is None:
        return False
    view = target.assignment
    grader = view.course.grader(view.name, target.rubric.question)
    return not any(_inside(path, wanted) for path in (target.rubric.path, grader))


def _place(found: Finding) -> tuple[str, int, int, str, str]:
    return (str(found.path), found.cell or 0, found.line or 0, found.code, found.message)
