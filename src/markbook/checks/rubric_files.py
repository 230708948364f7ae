"""MB50x: rubric files, and whether each belongs to a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markbook.checks.base import Check, Scope, Target
from markbook.checks.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markbook.checks.views import AssignmentView, CellView, NotebookView

__all__ = ["CHECKS", "line_of", "text_questions"]

_LEAST = 3  # shorter pieces of text are found anywhere


def text_questions(view: AssignmentView) -> dict[str, tuple[NotebookView, CellView]]:
    """Return the questions that people mark, by id, each with its notebook and cell."""
    return {
        cell.id: (notebook, cell)
        for notebook in view.notebooks
        for cell in notebook.graded
        if cell.is_text_question
    }


def line_of(target: Target, text: str) -> int | None:
    """Return the first line (from 1) of the rubric file that holds ``text``, if one does."""
    assert target.rubric is not None
    piece = text.strip().splitlines()[0][:40] if text.strip() else ""
    if len(piece) < _LEAST:
        return None
    for number, line in enumerate(target.rubric.lines, start=1):
        if piece in line:
            return number
    return None


class InvalidRubricFile(Check):
    """A rubric file that the schema refuses: every problem in it, with its line."""

    code = "MB501"
    name = "invalid-rubric"
    scope = Scope.RUBRIC
    broken_too = True

    def examine(self, target: Target) -> Iterator[Finding]:
        assert target.rubric is not None
        if target.rubric.problem is None:
            return
        lines = target.rubric.lines
        for problem in target.rubric.problem.problems:
            known = problem.line is not None and 0 < problem.line <= len(lines)
            yield self.finding(
                target,
                problem.what[:1].upper() + problem.what[1:],
                hint=problem.hint,
                line=problem.line,
                excerpt=lines[problem.line - 1].strip() if known and problem.line else "",
            )


class NoRubric(Check):
    """A text question without a rubric: nobody could mark it alike."""

    code = "MB502"
    name = "no-rubric"
    scope = Scope.QUESTION

    def examine(self, target: Target) -> Iterator[Finding]:
        cell = target.question
        assert cell is not None
        if cell.is_text_question and cell.id not in target.assignment.rubrics:
            path = target.assignment.course.rubric(target.assignment.name, cell.id)
            yield self.finding(
                target,
                f"The question {cell.id!r} has no rubric.",
                hint=f"Add {target.assignment.course.relative(path)}.",
            )


class RubricWithoutQuestion(Check):
    """A rubric whose question is in no notebook: renamed, or a slip of the pen."""

    code = "MB503"
    name = "rubric-without-question"
    scope = Scope.RUBRIC

    def examine(self, target: Target) -> Iterator[Finding]:
        assert target.rubric is not None
        view = target.assignment
        known = text_questions(view)
        if target.rubric.question in known or any(n.problem for n in view.notebooks):
            return
        from markbook.rubrics.problems import did_you_mean

        yield self.finding(
            target,
            f"No text question of {view.name!r} is called {target.rubric.question!r}.",
            hint=did_you_mean(target.rubric.question, known),
        )


class BonusMismatch(Check):
    """A question's points and its rubric disagree on whether it is a bonus question."""

    code = "MB504"
    name = "bonus-mismatch"
    scope = Scope.RUBRIC

    def examine(self, target: Target) -> Iterator[Finding]:
        points = _points(target)
        assert target.rubric is not None
        rubric = target.rubric.rubric
        if points is None or rubric.bonus != (points > 0):
            return
        if rubric.bonus:
            message = f"The rubric has extra_credit, and the cell has {points:g} points."
        else:
            message = "The cell has 0 points, and the rubric no extra_credit: nothing to earn."
        yield self.finding(
            target,
            message,
            hint="A bonus question has 0 points in its cell and extra_credit in its rubric.",
            line=line_of(target, "extra_credit:"),
        )


class PointsDoNotAddUp(Check):
    """The criteria cannot earn the cell's points, or can earn more than they are worth.

    What a full answer earns is the sum of the positive criteria, of each pick_one list the best.
    A rubric that starts full takes away, and needs no positive criteria.
    """

    code = "MB505"
    name = "points-do-not-add-up"
    scope = Scope.RUBRIC

    def examine(self, target: Target) -> Iterator[Finding]:
        points = _points(target)
        assert target.rubric is not None
        rubric = target.rubric.rubric
        if points is None or rubric.start == "full" or rubric.bonus == (points > 0):
            return
        cap = rubric.cap(points)
        best = _best(target)
        if abs(best - cap) > 1e-9:
            hint = "Change a criterion's points, or the cell's."
            message = f"The criteria add up to {best:g}, and the question is worth {cap:g}."
            yield self.finding(target, message, hint=hint, line=line_of(target, "criteria:"))


class FloorTooHigh(Check):
    """A floor above 0: an empty answer would be given points."""

    code = "MB506"
    name = "floor-above-zero"
    severity = Severity.WARNING
    scope = Scope.RUBRIC

    def examine(self, target: Target) -> Iterator[Finding]:
        assert target.rubric is not None
        floor = target.rubric.rubric.floor
        if floor > 0:
            yield self.finding(
                target,
                f"Whoever writes anything gets {floor:g} points.",
                hint="Set floor: 0, unless you mean it.",
                line=line_of(target, "floor:"),
            )


def _points(target: Target) -> float | None:
    assert target.rubric is not None
    found = text_questions(target.assignment).get(target.rubric.question)
    return found[1].points if found else None


def _best(target: Target) -> float:
    assert target.rubric is not None
    rubric = target.rubric.rubric
    points = {criterion.id: criterion.points for criterion in rubric.criteria}
    grouped = {name for group in rubric.pick_one for name in group}
    alone = sum(value for name, value in points.items() if name not in grouped and value > 0)
    return alone + sum(
        max(0.0, *(points[name] for name in group)) for group in rubric.pick_one if group
    )


CHECKS: tuple[type[Check], ...] = (
    InvalidRubricFile,
    NoRubric,
    RubricWithoutQuestion,
    BonusMismatch,
    PointsDoNotAddUp,
    FloorTooHigh,
)
