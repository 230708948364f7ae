"""How autograding an assignment ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markbook.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AutogradeReport", "SubmissionReport"]


@dataclass(frozen=True, slots=True)
class SubmissionReport:
    """How one submission ended; ``seconds`` by phase, ``repairs`` are a part of ``findings``.

    ``unverified`` are tests, as notebook:cell, whose scores only the student's kernel bears out.
    """

    student: str
    outcome: Outcome
    findings: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AutogradeReport:
    """How the submissions of an assignment ended: the ``records`` of those run, by student.

    ``unchanged`` are the students whose submission was as at the last run; ``resynced`` counts
    the grades of nbgrader that were put right from the marks; ``seconds`` are of the whole run.
    After a dry run ``planned`` are the students whose submission would be run.
    """

    assignment: str
    records: tuple[SubmissionReport, ...] = ()
    unchanged: tuple[str, ...] = ()
    resynced: int = 0
    planned: tuple[str, ...] = ()
    seconds: float = 0.0

    def of(self, outcome: Outcome) -> tuple[SubmissionReport, ...]:
        return tuple(record for record in self.records if record.outcome is outcome)

    @property
    def failed(self) -> tuple[SubmissionReport, ...]:
        return self.of(Outcome.FAILED)

    @property
    def totals(self) -> dict[str, int]:
        """Return how many submissions ended in which way, and how many were unchanged."""
        counts = Counter(record.outcome for record in self.records)
        return {**{str(o): counts[o] for o in Outcome}, "unchanged": len(self.unchanged)}
