"""MB40x: the notebooks, run. The solution has to earn everything, and the stub nothing."""

from __future__ import annotations

import copy
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markbook.checks.base import Check, Scope, Target
from markbook.checks.cells import CHECKS as CELL_CHECKS
from markbook.checks.cells import forgetting
from markbook.checks.findings import Finding, Fix, Severity
from markbook.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nbformat import NotebookNode

    from markbook.autograde.values import Settings
    from markbook.checks.views import AssignmentView, CellView, NotebookView
    from markbook.gradebook.nbgrader import Objection

__all__ = ["CHECKS"]

_TIMEOUT = "CellTimeoutError"
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_MUCH = 0.5  # of the time limit: students' machines and solutions are slower than the author's


@dataclass(frozen=True, slots=True)
class _Test:
    """How a graded cell ended: its ``score`` (None: a person decides), and its first error."""

    score: float | None
    error: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class _Run:
    """A ``notebook`` as run: its tests by id, and what went wrong with the run as a whole.

    ``slow`` are the cells (by number) that ran into the time limit.
    """

    notebook: NotebookNode
    tests: Mapping[str, _Test]
    seconds: float = 0.0
    stopped: str = ""
    cell: int | None = None
    slow: tuple[int, ...] = field(default=())


class SolutionFails(Check):
    """The author's own solution does not earn all points of a test.

    The source notebook is run as it stands, model answers and hidden tests in it, and scored as
    a submission is: an error or a line on stderr is 0 points.
    """

    code = "MB401"
    name = "solution-fails"
    scope = Scope.QUESTION
    slow = True

    def examine(self, target: Target) -> Iterator[Finding]:
        cell, run = _test_of(target, solution=True)
        if cell is None or run is None or run.stopped:
            return
        test, points = run.tests[cell.id], cell.points or 0.0
        if test.score is None or test.score >= points or cell.number in run.slow:
            return
        why = f": {test.error}" if test.error else ""
        yield self.finding(
            target,
            f"The solution earns {test.score:g} of {points:g} points here{why}.",
            hint="Mend the solution or the test.",
            line=test.line,
        )


class StubPasses(Check):
    """A test earns points on the notebook as released: it tests nothing that students do.

    Only points that the test gives for nothing are meant: the released notebook is run with the
    tests of the source, hidden ones as well, and each has to earn less than its maximum.
    """

    code = "MB402"
    name = "stub-passes"
    scope = Scope.QUESTION
    slow = True

    def examine(self, target: Target) -> Iterator[Finding]:
        cell, run = _test_of(target, solution=False)
        if cell is None or run is None or run.stopped:
            return
        score, points = run.tests[cell.id].score, cell.points
        if score is not None and points and score >= points:
            yield self.finding(
                target,
                f"An unsolved notebook earns {score:g} of {points:g} points here.",
                hint="Test something that only a solution does.",
            )


class SolutionTooSlow(Check):
    """A cell of the solution runs into the time limit, or the run needs most of it."""

    code = "MB403"
    name = "solution-too-slow"
    scope = Scope.NOTEBOOK
    slow = True

    def examine(self, target: Target) -> Iterator[Finding]:
        assert target.notebook is not None
        run = _solution_run(target.assignment, target.notebook)
        if run is None:
            return
        limit = _settings(target.assignment).cell_seconds
        hint = "Make it quicker, or raise ExecutePreprocessor.timeout in nbgrader_config.py."
        for number in run.slow:
            cell = target.notebook.cells[number - 1]
            message = f"The cell takes longer than the limit of {limit:g} s."
            yield self.finding(target, message, hint=hint, cell=cell)
        if limit is not None and not run.slow and run.seconds > _MUCH * limit:
            message = f"The solution takes {run.seconds:.1f} s; one cell may take {limit:g} s."
            yield self.finding(target, message, hint=hint)


class SolutionStops(Check):
    """The solution cannot be run to its end: its code ends the kernel, or writes without end."""

    code = "MB404"
    name = "solution-stops"
    scope = Scope.NOTEBOOK
    slow = True

    def examine(self, target: Target) -> Iterator[Finding]:
        assert target.notebook is not None
        run = _solution_run(target.assignment, target.notebook)
        if run is None or not run.stopped:
            return
        cell = target.notebook.cells[run.cell] if run.cell is not None else None
        yield self.finding(
            target,
            f"The solution could not be run to its end: {run.stopped}.",
            hint="Run all cells in JupyterLab to see it.",
            cell=cell,
        )


class SolutionErrors(Check):
    """A cell of the solution raises an error, though no test says so."""

    code = "MB405"
    name = "solution-errors"
    severity = Severity.WARNING
    scope = Scope.NOTEBOOK
    slow = True

    def examine(self, target: Target) -> Iterator[Finding]:
        assert target.notebook is not None
        run = _solution_run(target.assignment, target.notebook)
        if run is None or run.stopped:
            return
        for cell in target.notebook.cells:
            test = run.tests.get(cell.id)
            if test is None or cell.grade or not test.error or cell.number in run.slow:
                continue
            yield self.finding(
                target,
                f"The cell ends with {test.error}.",
                hint="Mend it; a cell that is to fail has the tag raises-exception.",
                cell=cell,
                line=test.line,
            )


class NbgraderObjects(Check):
    """nbgrader's own validator has something against the solution that no other check says.

    It is asked about the notebook as run for the checks of the solution, so nothing is run twice.
    A locked cell whose checksum is that of another text is said to have changed; a text question
    with the checksum of its own text, to be unanswered.
    """

    code = "MB406"
    name = "nbgrader-objects"
    scope = Scope.NOTEBOOK
    slow = True
    fixable = True

    def examine(self, target: Target) -> Iterator[Finding]:
        notebook = target.notebook
        assert notebook is not None
        run = _solution_run(target.assignment, notebook)
        if run is not None and run.stopped:
            return
        said = _said_of_cells(target)
        for each in _objections(target.assignment, run.notebook if run else notebook.notebook):
            cell = next((c for c in target.cells if c.source.strip() == each.source), None)
            if each.kind == "refused":
                known = bool(said)
            else:
                known = cell is not None and (cell.number in said or _too_low(cell, run))
            if known:
                continue
            stale = cell is not None and "checksum" in cell.metadata
            yield self.finding(
                target,
                f"nbgrader's validator says: {each.says}",
                hint="It goes by a checksum in the cell's metadata, left by an older release:"
                " remove it."
                if stale
                else "Run 'nbgrader validate' on the notebook to see more.",
                cell=cell,
                fix=Fix.of_cell(
                    "removes the checksum", target.path, cell.number, forgetting("checksum")
                )
                if cell is not None and stale
                else None,
            )


def _said_of_cells(target: Target) -> set[int | None]:
    """Return the cells of the target's notebook that checks of metadata find an error in."""
    return {
        found.cell
        for check in CELL_CHECKS
        if check.severity is Severity.ERROR and check.scope is not Scope.QUESTION
        for found in check().examine(target)
        if found.path == target.path
    }


def _too_low(cell: CellView, run: _Run | None) -> bool:
    """Tell whether the solution earns too little in a test, which has a check of its own."""
    test = run.tests.get(cell.id) if run is not None else None
    return test is not None and test.score is not None and test.score < (cell.points or 0.0)


def _objections(view: AssignmentView, node: NotebookNode) -> tuple[Objection, ...]:
    from markbook.gradebook.nbgrader import validate
    from markbook.notebooks import write_notebook

    with tempfile.TemporaryDirectory(prefix="markbook-check-") as temporary:
        path = Path(temporary) / "solution.ipynb"
        write_notebook(node, path)
        return validate(view.course, path)


def _test_of(target: Target, *, solution: bool) -> tuple[CellView | None, _Run | None]:
    """Return the test cell that the target is, and the run of its notebook; None for others."""
    cell, notebook = target.question, target.notebook
    assert cell is not None
    assert notebook is not None
    if not cell.is_test or not cell.points:
        return None, None
    make = _solution_run if solution else _stub_run
    return cell, make(target.assignment, notebook)


@cache
def _solution_run(view: AssignmentView, notebook: NotebookView) -> _Run | None:
    """Run the source notebook as it stands; None where nothing in it is run for points."""
    if not any(cell.is_test for cell in notebook.cells):
        return None
    return _run(view, copy.deepcopy(notebook.notebook))


@cache
def _stub_run(view: AssignmentView, notebook: NotebookView) -> _Run | None:
    """Run the source's tests on the release's answer cells; None without a usable release."""
    released = view.released.get(notebook.name)
    if released is None or released.problem is not None:
        return None
    if not any(cell.is_test for cell in notebook.cells):
        return None
    stubs = {cell.id: cell.source for cell in released.cells if cell.id and cell.solution}
    node = copy.deepcopy(notebook.notebook)
    for cell, mine in zip(node.cells, notebook.cells, strict=True):
        if mine.solution:
            if mine.id not in stubs:
                return None  # said by the check of ids that are gone, or by the stale release
            cell.source = stubs[mine.id]
    return _run(view, node)


@cache
def _settings(view: AssignmentView) -> Settings:
    from markbook.autograde.settings import read_settings

    return read_settings(view.course)


def _run(view: AssignmentView, node: NotebookNode) -> _Run:
    from markbook.kernels.execute import execute
    from markbook.kernels.limits import Limits, Stopped

    settings = _settings(view)
    limits = Limits(
        cell_seconds=settings.cell_seconds,
        total_seconds=settings.total_seconds,
        memory=settings.memory,
        output=settings.output,
    )
    with tempfile.TemporaryDirectory(prefix="markbook-check-") as temporary:
        folder = Path(temporary) / "work"
        shutil.copytree(
            view.source,
            folder,
            ignore=shutil.ignore_patterns("*.ipynb", ".ipynb_checkpoints"),
            symlinks=True,
        )
        execution = execute(node, limits=limits, cwd=folder, preload=settings.preload)
    if execution.stopped is Stopped.NEVER_STARTED:
        said = execution.log.strip().splitlines()[-1:] or [""]
        raise InternalError(
            f"No kernel could be started to run {view.name!r}. {said[0]}".strip(),
            hint="That is this machine's fault, not the assignment's: try again.",
        )
    code = [(n, cell) for n, cell in enumerate(node.cells, start=1) if cell.cell_type == "code"]
    return _Run(
        notebook=node,
        tests={_id(cell): _read(cell) for _, cell in code if _id(cell)},
        seconds=execution.seconds,
        stopped=str(execution.stopped) if execution.stopped else "",
        cell=execution.cell,
        slow=tuple(n for n, cell in code if any(o.get("ename") == _TIMEOUT for o in cell.outputs)),
    )


def _id(cell: NotebookNode) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def _read(cell: NotebookNode) -> _Test:
    """Score a cell that was run, as nbgrader would."""
    from markbook.autograde.scoring import score
    from markbook.model import MasterCell

    metadata = cell.metadata.nbgrader
    error = next((o for o in cell.outputs if o.output_type == "error"), None)
    noise = next((o for o in cell.outputs if o.get("name") == "stderr"), None)
    said, line = "", None
    if error is not None and "raises-exception" not in cell.metadata.get("tags", ()):
        said = f"{error.ename}: {error.evalue}".strip().splitlines()[0][:200].rstrip(": .")
        line = _line(error)
    elif noise is not None:
        said = f"it writes to stderr: {noise.text.strip().splitlines()[-1][:120]}".rstrip(".")
    if not metadata.get("grade"):
        return _Test(None, said, line)
    master = MasterCell(
        id=_id(cell),
        cell_type="code",
        source=cell.source,
        checksum="",
        locked=True,
        grade=True,
        solution=bool(metadata.get("solution")),
        task=False,
        points=float(metadata.get("points") or 0),
    )
    return _Test(score(master, cell).value, said, line)


def _line(error: NotebookNode) -> int | None:
    """Return the line of the cell at which the error left it: its own frame is the outermost."""
    for row in error.get("traceback", ()):
        found = re.search(r"(?:Cell In|Input In) ?\[\d+\], line (\d+)", _ANSI.sub("", row))
        if found:
            return int(found.group(1))
    return None


CHECKS: tuple[type[Check], ...] = (
    SolutionFails,
    StubPasses,
    SolutionTooSlow,
    SolutionStops,
    SolutionErrors,
    NbgraderObjects,
)
