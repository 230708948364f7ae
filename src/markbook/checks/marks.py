"""MB22x: the marks between which stands what students must not see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markbook.checks.base import Check, Scope, Target
from markbook.checks.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markbook.checks.views import CellView

__all__ = ["CHECKS"]

_KINDS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")
_NEAR = ("SOLUTIONS", "SOLUTON", "SOULTION", "HIDDEN TEST", "HIDDENTESTS", "MARKSCHEME")


def _marks(cell: CellView) -> list[tuple[int, str, bool]]:
    """Return the marks of a cell: the line from 1, the kind, and whether it begins a region."""
    found = []
    for number, line in enumerate(cell.source.splitlines(), start=1):
        for kind in _KINDS:
            if f"### BEGIN {kind}" in line:
                found.append((number, kind, True))
            elif f"### END {kind}" in line:
                found.append((number, kind, False))
    return found


class UnbalancedMarks(Check):
    """A BEGIN mark without its END, or the other way round: nbgrader stops, or shows a secret."""

    code = "MB221"
    name = "unbalanced-marks"
    scope = Scope.NOTEBOOK

    def examine(self, target: Target) -> Iterator[Finding]:
        for cell in target.cells:
            odd = _odd_one(_marks(cell))
            if odd is not None:
                line, kind, begins = odd
                mark = f"### {'BEGIN' if begins else 'END'} {kind}"
                yield self.finding(
                    target,
                    f"'{mark}' has no partner.",
                    hint="Each BEGIN needs its END in the same cell; regions must not overlap.",
                    cell=cell,
                    line=line,
                )


def _odd_one(marks: list[tuple[int, str, bool]]) -> tuple[int, str, bool] | None:
    opened: tuple[int, str, bool] | None = None
    for mark in marks:
        if mark[2]:
            if opened is not None:
                return opened
            opened = mark
        elif opened is None or opened[1] != mark[1]:
            return mark
        else:
            opened = None
    return opened


class MisspeltMark(Check):
    """A line that looks like a mark and is none: what stands below it would be released."""

    code = "MB222"
    name = "misspelt-mark"
    scope = Scope.NOTEBOOK

    def examine(self, target: Target) -> Iterator[Finding]:
        for cell in target.cells:
            for number, line in enumerate(cell.source.splitlines(), start=1):
                if _misspelt(line):  # said once: its partner is wrong in the same way
                    yield self.finding(
                        target,
                        "The line looks like a mark and is none.",
                        hint=f"Write exactly {' or '.join(f'### BEGIN {k}' for k in _KINDS)}"
                        " (### END ... below).",
                        cell=cell,
                        line=number,
                    )
                    break


def _misspelt(line: str) -> bool:
    bare = line.strip()
    words = bare.lstrip("#").strip()
    if not bare.startswith("#") or not words.upper().startswith(("BEGIN", "END")):
        return False
    rest = " ".join(words.upper().split()[1:])
    if rest not in _KINDS and rest not in _NEAR:
        return False
    side = "BEGIN" if words.upper().startswith("BEGIN") else "END"
    return rest in _NEAR or f"### {side} {rest}" not in line


class MarksInWrongCell(Check):
    """Marks in a cell of another kind: nbgrader leaves their region as it is, for all to see."""

    code = "MB223"
    name = "marks-in-wrong-cell"
    scope = Scope.NOTEBOOK

    def examine(self, target: Target) -> Iterator[Finding]:
        for cell in target.cells:
            for line, kind, begins in _marks(cell):
                message = _out_of_place(cell, kind) if begins else ""
                if message:
                    hint = "Move the region, or change the cell's kind in Create Assignment."
                    yield self.finding(target, message, hint=hint, cell=cell, line=line)


def _out_of_place(cell: CellView, kind: str) -> str:
    if kind == "SOLUTION" and not (cell.solution or cell.task):
        return "A solution stands in a cell that students do not answer."
    if kind == "HIDDEN TESTS" and not cell.is_test:
        return "Hidden tests stand in a cell that is no test."
    if kind == "MARK SCHEME" and not cell.task:
        return "A mark scheme stands in a cell that is no task."
    return ""


class NoModelAnswer(Check):
    """An answer cell without a solution: there is nothing to run the tests on, or to mark by."""

    code = "MB224"
    name = "no-model-answer"
    severity = Severity.WARNING
    scope = Scope.NOTEBOOK

    def examine(self, target: Target) -> Iterator[Finding]:
        from markbook.notebooks import solution_text

        for cell in target.cells:
            if not cell.solution or cell.task or _odd_one(_marks(cell)) is not None:
                continue
            rubric = target.assignment.rubrics.get(cell.id)
            known = rubric is not None and rubric.problem is None and rubric.rubric.model_answer
            if not solution_text(cell.source).strip() and not known:
                yield self.finding(
                    target,
                    "The answer cell holds no solution.",
                    hint="Write it between ### BEGIN SOLUTION and ### END SOLUTION, or for a text"
                    " as model_answer in its rubric.",
                    cell=cell,
                )


class NothingHidden(Check):
    """A test with nothing in its hidden region: students see all there is, or nothing tests."""

    code = "MB225"
    name = "nothing-hidden"
    severity = Severity.WARNING
    scope = Scope.QUESTION

    def examine(self, target: Target) -> Iterator[Finding]:
        cell = target.question
        assert cell is not None
        lines = cell.source.splitlines()
        marks = [mark for mark in _marks(cell) if mark[1] == "HIDDEN TESTS"]
        for begin, end in zip(marks[::2], marks[1::2], strict=False):
            inside = lines[begin[0] : end[0] - 1]
            if begin[2] and not end[2] and not any(map(_code, inside)):
                yield self.finding(
                    target,
                    "There is no code between the marks of the hidden tests.",
                    hint="Move the tests between the marks, or remove the marks.",
                    line=begin[0],
                )


def _code(line: str) -> bool:
    return bool(line.strip()) and not line.strip().startswith("#")


CHECKS: tuple[type[Check], ...] = (
    UnbalancedMarks,
    MisspeltMark,
    MarksInWrongCell,
    NoModelAnswer,
    NothingHidden,
)
