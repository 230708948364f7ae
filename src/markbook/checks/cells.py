"""MB2xx: nbgrader's cells. Ids, kinds and points, by which answers and marks are found again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from markbook.checks.base import Check, Scope, Target
from markbook.checks.findings import Finding, Fix, Severity
from markbook.notebooks import prompt_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from markbook.checks.views import CellView

__all__ = ["CHECKS", "forgetting"]

_SCHEMA = 3  # the version of nbgrader's cell metadata that nbgrader 0.6 to 0.9 read and write
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")  # a file name, a YAML key and an HTML id as well
_LONGEST = 128  # characters, nbgrader's column
_KEYS = frozenset(
    {"schema_version", "grade", "solution", "locked", "points", "grade_id", "checksum",
     "cell_type", "task"}
)  # fmt: skip


class DuplicateQuestionId(Check):
    """Two nbgrader cells of an assignment have the same id: answers and marks would mix.

    nbgrader stops at two in one notebook; across notebooks it says nothing.
    """

    code = "MB201"
    name = "duplicate-question-id"
    scope = Scope.ASSIGNMENT

    def examine(self, target: Target) -> Iterator[Finding]:
        seen: dict[str, tuple[str, int, bool]] = {}
        for notebook in target.assignment.notebooks:
            for cell in notebook.cells:
                if not cell.id:
                    continue
                first = seen.setdefault(cell.id, (notebook.name, cell.number, cell.grade))
                if first[:2] == (notebook.name, cell.number):
                    continue
                if first[0] != notebook.name and not (cell.grade and first[2]):
                    continue  # locked texts of two notebooks may share an id: nothing hangs on it
                yield self.finding(
                    Target(target.assignment, notebook),
                    f"The id {cell.id!r} is that of cell {first[1]} of {first[0]}.ipynb, too.",
                    hint="Give this cell an id of its own in the Create Assignment bar.",
                    cell=cell,
                )


class MalformedId(Check):
    """An nbgrader id that is no plain name: files, links and databases trip over it."""

    code = "MB202"
    name = "malformed-id"
    scope = Scope.NOTEBOOK

    def examine(self, target: Target) -> Iterator[Finding]:
        for cell in target.cells:
            if not (cell.grade or cell.solution or cell.locked or cell.task):
                continue
            wanted = cell.metadata.get("grade_id")
            if wanted is None or wanted == "":
                message = "The cell has no nbgrader id."
            elif not isinstance(wanted, str):
                message = f"The cell's nbgrader id is {wanted!r}, not a text."
            elif not _ID.fullmatch(wanted):
                message = f"The id {wanted!r} has characters that an id must not have."
            elif len(wanted) > _LONGEST:
                message = f"The id {wanted[:40]!r}... is longer than {_LONGEST} characters."
            else:
                continue
            hint = "Use letters, digits, - and _, and begin with a letter or digit."
            yield self.finding(target, message, hint=hint, cell=cell)


class Points(Check):
    """A graded cell whose points are missing, negative, or no number."""

    code = "MB204"
    name = "points"
    scope = Scope.NOTEBOOK

    def examine(self, target: Target) -> Iterator[Finding]:
        for cell in target.cells:
            if not (cell.grade or cell.task):
                continue
            points = cell.metadata.get("points")
            number = isinstance(points, int | float) and not isinstance(points, bool)
            if points is None:
                message = "The graded cell has no points."
            elif not number or not 0 <= points < float("inf"):
                message = f"The graded cell has {points!r} points."
            else:
                continue
            hint = "Set a number from 0 up in the Create Assignment bar."
            yield self.finding(target, message, hint=hint, cell=cell)


class WorthlessTest(Check):
    """A test cell worth 0 points: it runs for every student and changes no score."""

    code = "MB205"
    name = "worthless-test"
    severity = Severity.WARNING
    scope = Scope.QUESTION

    def examine(self, target: Target) -> Iterator[Finding]:
        assert target.question is not None
        if target.question.is_test and target.question.metadata.get("points") == 0:
            yield self.finding(
                target,
                "The test is worth 0 points.",
                hint="Give it points, or make it a read-only cell.",
            )


class CellKind(Check):
    """A cell of a kind that nbgrader refuses: Markdown must be graded and answered in one cell."""

    code = "MB206"
    name = "cell-kind"
    scope = Scope.NOTEBOOK

    def examine(self, target: Target) -> Iterator[Finding]:
        for cell in target.cells:
            message = _odd_kind(cell)
            if message:
                hint = "Choose its kind again in the Create Assignment bar."
                yield self.finding(target, message, hint=hint, cell=cell)


def _odd_kind(cell: CellView) -> str:
    kind = str(cell.node.cell_type)
    said = cell.metadata.get("cell_type")
    if cell.task:
        return "" if cell.is_markdown else "A task has to be a Markdown cell."
    if kind not in ("code", "markdown") and (cell.grade or cell.solution or cell.locked):
        return f"A {kind} cell cannot be graded, answered or locked."
    if said is not None and said != kind and cell.id:
        return f"The cell was made as {said} and is {kind} now."
    if not cell.is_markdown or cell.grade == cell.solution:
        return ""
    if cell.grade:
        return "A Markdown cell is graded, but students do not answer there."
    return "Students answer in this Markdown cell, but it is not graded."


class UnlockedTest(Check):
    """A test cell that is not locked: nbgrader restores it all the same, students may edit it."""

    code = "MB207"
    name = "unlocked-test"
    severity = Severity.WARNING
    scope = Scope.QUESTION
    fixable = True

    def examine(self, target: Target) -> Iterator[Finding]:
        cell = target.question
        assert cell is not None
        if cell.is_test and not cell.locked:
            yield self.finding(
                target,
                "The test is not locked.",
                hint="Make it an 'Autograder tests' cell again.",
                fix=Fix.of_cell("locks it", target.path, cell.number, _lock),
            )


class SchemaVersion(Check):
    """A cell whose nbgrader metadata are of another version than nbgrader reads."""

    code = "MB208"
    name = "metadata-version"
    scope = Scope.NOTEBOOK

    def examine(self, target: Target) -> Iterator[Finding]:
        for cell in target.cells:
            version = cell.metadata.get("schema_version", 0)
            if cell.metadata and version != _SCHEMA:
                yield self.finding(
                    target,
                    f"The cell's nbgrader metadata are of version {version!r}, not {_SCHEMA}.",
                    hint="Run 'nbgrader update' on the notebook, or update nbgrader.",
                    cell=cell,
                )


class UnknownMetadata(Check):
    """A cell with keys in its nbgrader metadata that nbgrader does not know and refuses."""

    code = "MB209"
    name = "unknown-metadata"
    scope = Scope.NOTEBOOK
    fixable = True

    def examine(self, target: Target) -> Iterator[Finding]:
        for cell in target.cells:
            extra = sorted(cell.metadata.keys() - _KEYS)
            if extra:
                yield self.finding(
                    target,
                    f"nbgrader knows no {', '.join(map(repr, extra))} in a cell's metadata.",
                    hint="Remove it in the cell's metadata, or use --fix.",
                    cell=cell,
                    fix=Fix.of_cell("removes it", target.path, cell.number, forgetting(*extra)),
                )


class NoPrompt(Check):
    """A text question with no read-only text above it that would ask it."""

    code = "MB210"
    name = "no-prompt"
    scope = Scope.QUESTION

    def examine(self, target: Target) -> Iterator[Finding]:
        cell = target.question
        assert cell is not None
        prompt = _prompt_of(target) if cell.is_text_question else cell
        if prompt is None or not prompt.source.strip():
            yield self.finding(
                target,
                "Nothing above the question asks it.",
                hint=f"Add a read-only Markdown cell above, best with the id '{cell.id}-prompt'.",
            )


def _prompt_of(target: Target) -> CellView | None:
    """Return the cell that asks the target's question, as everything else takes it."""
    assert target.question is not None
    cells = [cell.node for cell in target.cells]
    found = prompt_cell(cells, target.question.number - 1)
    return None if found is None else target.cells[found]


class AnswerlessTest(Check):
    """A test cell with no answer cell above it: there is nothing that it could test."""

    code = "MB211"
    name = "test-without-answer"
    scope = Scope.QUESTION

    def examine(self, target: Target) -> Iterator[Finding]:
        cell = target.question
        assert cell is not None
        assert target.notebook is not None
        above = target.notebook.cells[: cell.number - 1]
        if cell.is_test and not any(c.is_code and c.solution for c in above):
            yield self.finding(
                target,
                "No answer cell stands above the test.",
                hint="Move the test below the cell in which students write their code.",
            )


class UnlockedPrompt(Check):
    """The text that asks a question is not locked, so that students may change what was asked."""

    code = "MB212"
    name = "unlocked-prompt"
    severity = Severity.WARNING
    scope = Scope.QUESTION

    def examine(self, target: Target) -> Iterator[Finding]:
        cell = target.question
        assert cell is not None
        prompt = _prompt_of(target) if cell.is_text_question else None
        if prompt is not None and not prompt.locked and prompt.source.strip():
            yield self.finding(
                target,
                f"The text that asks {cell.id!r} is not locked.",
                hint="Make it a 'Read-only' cell in the Create Assignment bar.",
                cell=prompt,
            )


class UnlockedTask(Check):
    """A task cell that is not locked: nbgrader's autograder fails on every submission."""

    code = "MB213"
    name = "unlocked-task"
    scope = Scope.NOTEBOOK
    fixable = True

    def examine(self, target: Target) -> Iterator[Finding]:
        for cell in target.cells:
            if cell.task and cell.is_markdown and not cell.locked:
                yield self.finding(
                    target,
                    "The task is not locked, and nbgrader fails on every submission then.",
                    hint="Make it a 'Manually graded task' again in the Create Assignment bar.",
                    cell=cell,
                    fix=Fix.of_cell("locks it", target.path, cell.number, _lock),
                )


def _lock(cell: dict[str, Any]) -> None:
    cell["metadata"]["nbgrader"]["locked"] = True


def forgetting(*keys: str) -> Callable[[dict[str, Any]], None]:
    """Return the change that takes ``keys`` out of a cell's nbgrader metadata."""

    def change(cell: dict[str, Any]) -> None:
        for key in keys:
            cell["metadata"]["nbgrader"].pop(key, None)

    return change


CHECKS: tuple[type[Check], ...] = (
    DuplicateQuestionId,
    MalformedId,
    Points,
    WorthlessTest,
    CellKind,
    UnlockedTest,
    SchemaVersion,
    UnknownMetadata,
    NoPrompt,
    AnswerlessTest,
    UnlockedPrompt,
    UnlockedTask,
)
