"""What the report reads of the gradebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markbook.model import Answer, Event, Grade, Mark, Rubric, SubmissionRecord, Suggestion

__all__ = ["StatsSource"]


class StatsSource(Protocol):
    """The part of ``Gradebook`` that the report needs."""

    def records(self, assignment: str) -> tuple[SubmissionRecord, ...]: ...

    def answers(self, assignment: str, question: str | None = None) -> tuple[Answer, ...]: ...

    def suggestions(
        self, assignment: str, question: str | None = None
    ) -> tuple[Suggestion, ...]: ...

    def marks(self, assignment: str, question: str | None = None) -> tuple[Mark, ...]: ...

    def rubric(self, version: str) -> Rubric | None: ...

    def events(self, assignment: str | None = None) -> Iterator[Event]: ...

    def grades(self, assignment: str) -> tuple[Grade, ...]: ...
