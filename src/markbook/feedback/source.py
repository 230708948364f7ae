"""What feedback reads of the gradebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from markbook.model import Answer, Grade, Mark, Rubric, Suggestion

__all__ = ["FeedbackSource"]


class FeedbackSource(Protocol):
    """The part of ``Gradebook`` that feedback needs."""

    def students(self, assignment: str) -> tuple[str, ...]: ...

    def answers(self, assignment: str, question: str | None = None) -> tuple[Answer, ...]: ...

    def suggestions(
        self, assignment: str, question: str | None = None, *, awarded: bool = False
    ) -> tuple[Suggestion, ...]: ...

    def marks(self, assignment: str, question: str | None = None) -> tuple[Mark, ...]: ...

    def rubric(self, version: str) -> Rubric | None: ...

    def grades(self, assignment: str, question: str | None = None) -> tuple[Grade, ...]: ...
