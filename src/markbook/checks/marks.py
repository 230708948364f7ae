"""MB22x: the marks between which stands what students must not see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markbook.checks.base import Check, Scope, Target
from markbook.checks.findings import Finding, Severity
from markbook.notebooks import REGIONS, Delimiters, odd_mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markbook.checks.views import CellView

__all__ = ["CHECKS"]

_NEAR = ("SOLUTIONS", "SOLUTON", "SOULTION", "HIDDEN TEST", "HIDDENTESTS", "MARKSCHEME")


def _delimiters(target: Target) -> Delimiters:
    return Delimiters.of(target.assignment.course.setting)


def _shown(delimiter: str) -> str:
    """Return a mark as people write it: as a comment, where it is not one by itself."""
    return f"### {delimiter}" if delimiter[:1].isalnum() else delimiter


class UnbalancedMarks(Check):
    """A BEGIN mark without its END, or the other way round: nbgrader stops, or shows a secret."""

    code = "MB221"
    name = "unbalanced-marks"
    scope = Scope.NOTEBOOK

    def examine(self, target: Target) -> Iterator[Finding]:
        delimiters = _delimiters(target)
        for cell in target.cells:
            odd = odd_mark(delimiters.marks(cell.source))
            if odd is not None:
                yield self.finding(
                    target,
                    f"'{_shown(odd.delimiter)}' has no partner.",
                    hint="Each BEGIN needs its END in the same cell; regions must not overlap.",
                    cell=cell,
                    line=odd.line,
                )


class MisspeltMark(Check):
    """A line that looks like a mark and is none: what stands below it would be released."""

    code = "MB222"
    name = "misspelt-mark"
    scope = Scope.NOTEBOOK

    def examine(self, target: Target) -> Iterator[Finding]:
        delimiters = _delimiters(target)
        marks = " or ".join(_shown(delimiters.pairs[kind][0]) for kind in REGIONS)
        for cell in target.cells:
            for number, line in enumerate(cell.source.splitlines(), start=1):
                if _misspelt(line) and delimiters.mark(line) is None:
                    yield self.finding(
                        target,
                        "The line looks like a mark and is none.",
                        hint=f"Write exactly {marks}, and its end below.",
                        cell=cell,
                        line=number,
                    )
                    break  # said once: its partner is wrong in the same way


def _misspelt(line: str) -> bool:
    bare = line.strip()
    side, _, rest = " ".join(bare.lstrip("#").upper().split()).partition(" ")
    return bare.startswith("#") and side in ("BEGIN", "END") and rest in (*REGIONS, *_NEAR)


class MarksInWrongCell(Check):
    """Marks in a cell of another kind: nbgrader leaves their region as it is, for all to see."""

    code = "MB223"
    name = "marks-in-wrong-cell"
    scope = Scope.NOTEBOOK

    def examine(self, target: Target) -> Iterator[Finding]:
        delimiters = _delimiters(target)
        for cell in target.cells:
            for mark in delimiters.marks(cell.source):
                message = _out_of_place(cell, mark.kind) if mark.begins else ""
                if message:
                    hint = "Move the region, or change the cell's kind in Create Assignment."
                    yield self.finding(target, message, hint=hint, cell=cell, line=mark.line)


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
        delimiters = _delimiters(target)
        begin, end = map(_shown, delimiters.pairs["SOLUTION"])
        for cell in target.cells:
            balanced = odd_mark(delimiters.marks(cell.source)) is None
            if not cell.solution or cell.task or not balanced:
                continue
            rubric = target.assignment.rubrics.get(cell.id)
            known = rubric is not None and rubric.problem is None and rubric.rubric.model_answer
            if not delimiters.solution_text(cell.source).strip() and not known:
                yield self.finding(
                    target,
                    "The answer cell holds no solution.",
                    hint=f"Write it between {begin} and {end}, or for a text as model_answer in its"
                    " rubric.",
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
        marks = [m for m in _delimiters(target).marks(cell.source) if m.kind == "HIDDEN TESTS"]
        for begin, end in zip(marks[::2], marks[1::2], strict=False):
            inside = lines[begin.line : end.line - 1]
            if begin.begins and not end.begins and not any(map(_code, inside)):
                yield self.finding(
                    target,
                    "There is no code between the marks of the hidden tests.",
                    hint="Move the tests between the marks, or remove the marks.",
                    line=begin.line,
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
