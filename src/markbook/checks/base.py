"""What a check is: a class with a stable code that looks at one kind of thing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from markbook.checks.findings import Finding, Fix, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from markbook.checks.views import AssignmentView, CellView, NotebookView, RubricView

__all__ = ["Check", "Scope", "Target"]


class Scope(StrEnum):
    """What one examination of a check looks at."""

    ASSIGNMENT = "assignment"
    NOTEBOOK = "notebook"  # each authored notebook that can be read
    QUESTION = "question"  # each graded cell of those
    RUBRIC = "rubric"  # each rubric file that can be read


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to look at; what the scope does not name is None."""

    assignment: AssignmentView
    notebook: NotebookView | None = None
    question: CellView | None = None
    rubric: RubricView | None = None

    @property
    def path(self) -> Path:
        """The file that a finding is about unless it says otherwise."""
        if self.rubric is not None:
            return self.rubric.path
        return self.notebook.path if self.notebook is not None else self.assignment.source

    @property
    def cells(self) -> tuple[CellView, ...]:
        """The cells of the target's notebook, none where it is about something else."""
        return self.notebook.cells if self.notebook is not None else ()

    @property
    def name(self) -> str:
        """The name of this target among those of its file: the question's id, or nothing."""
        if self.question is not None:
            return self.question.id
        return self.rubric.question if self.rubric is not None else ""


class Check(ABC):
    """Base of all checks; a subclass is registered under the entry point ``markbook.checks``.

    ``code`` is stable for ever (``MB101``), ``name`` is its words (``unreadable-notebook``).
    A ``slow`` check runs code; the quick ones come first. ``broken_too`` looks at files that
    cannot be read as well. An ``optional`` one runs only when asked for. A ``patient`` one waits
    for what it let another process do in ``prepare``, so it comes behind the other quick ones. The
    class's docstring is its page.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity] = Severity.ERROR
    scope: ClassVar[Scope]
    slow: ClassVar[bool] = False
    fixable: ClassVar[bool] = False
    broken_too: ClassVar[bool] = False
    optional: ClassVar[bool] = False
    patient: ClassVar[bool] = False

    def prepare(self, views: Sequence[AssignmentView]) -> None:  # noqa: B027  (most need nothing)
        """Start what the examinations of these assignments will ask for; none may rely on it."""

    @abstractmethod
    def examine(self, target: Target) -> Iterable[Finding]:
        """Yield what is wrong with the target. Raises nothing for anything a person wrote."""

    @property
    def page(self) -> str:
        """Where the check is explained, relative to the documentation."""
        return f"reference/checks.md#{self.code.lower()}-{self.name}"

    def finding(  # noqa: PLR0913  (a finding has this many parts)
        self,
        target: Target,
        message: str,
        *,
        hint: str = "",
        cell: CellView | None = None,
        path: Path | None = None,
        line: int | None = None,
        excerpt: str = "",
        fix: Fix | None = None,
    ) -> Finding:
        """Return a finding of this check at the target, or at ``cell`` of its notebook."""
        cell = cell or target.question
        text = excerpt
        if cell is not None and line is not None and not text:
            lines = cell.source.splitlines()
            text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
        return Finding(
            code=self.code,
            check=self.name,
            severity=self.severity,
            message=message,
            path=path or target.path,
            hint=hint,
            cell=cell.number if cell is not None else None,
            line=line,
            excerpt=text,
            question=cell.id if cell is not None else target.name,
            fix=fix,
        )
