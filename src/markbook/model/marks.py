"""What machines suggest, what people decide, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "Event",
    "Expectation",
    "Grade",
    "Mark",
    "Outcome",
    "SubmissionRecord",
    "Suggestion",
    "decided_by_rule",
]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A grader's view of one criterion for one answer text.

    ``awarded`` is None where the grader abstained. ``confidence`` in [0, 1] is the chance that
    ``awarded`` is right. ``start`` and ``end`` are character offsets of the evidence in the
    answer's text, so that ``text[start:end] == span``; all three are None without evidence.
    """

    question: str
    answer_hash: str
    criterion: str
    awarded: bool | None
    confidence: float
    grader: str
    rubric_version: str
    span: str | None = None
    start: int | None = None
    end: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Expectation:
    """The score that a grader expects of one answer text, in shares of the maximum, 0 to 1.

    ``sd`` is the spread of ``mean``; ``confidence`` the chance that a person's mark is within a
    tenth of ``likely``. ``rank`` 1 is the text of the question to mark first. ``flags`` name what
    is odd about the text. ``refused`` says why the question's scores should not be relied on.
    ``suggested`` is None where a grader names no score but the mean.
    """

    question: str
    answer_hash: str
    mean: float
    sd: float
    confidence: float
    rank: int
    flags: tuple[str, ...] = ()
    refused: str | None = None
    suggested: float | None = None

    @property
    def likely(self) -> float:
        """The score that is the most likely; near a ceiling it is not the mean."""
        return self.mean if self.suggested is None else self.suggested


@dataclass(frozen=True, slots=True)
class Mark:
    """A marker's decision on one student's answer.

    ``score`` was computed from the rubric version named here. ``row_version`` grows with every
    save; 0 is a mark that was never stored. ``marked_at`` is ISO 8601 in UTC. ``answer_hash`` is
    the text that was marked: if the answer changes later, the mark is stale, not gone.
    """

    assignment: str
    notebook: str
    question: str
    student: str
    answer_hash: str
    earned: tuple[str, ...]
    marker: str
    rubric_version: str
    score: float
    adjustment: float = 0.0
    reason: str = ""
    comment: str = ""
    marked_at: str = ""
    row_version: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the append-only audit."""

    at: str
    who: str
    what: str
    subject: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Grade:
    """nbgrader's own record of one question of one student: the record that exports read."""

    question: str
    student: str
    notebook: str
    score: float
    max_score: float
    auto_score: float | None
    manual_score: float | None
    extra_credit: float | None
    needs_marking: bool


class Outcome(StrEnum):
    """How autograding one submission ended."""

    GRADED = "graded"
    NEEDS_ATTENTION = "needs-attention"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SubmissionRecord:
    """What is known of one autograded submission.

    ``content_hash`` covers the submitted files, ``master_hash`` the authored notebooks: a
    submission with both unchanged is not run again. ``findings`` are sentences.
    """

    assignment: str
    student: str
    content_hash: str
    master_hash: str
    outcome: Outcome
    findings: tuple[str, ...] = ()


def decided_by_rule(events: Iterable[Event]) -> frozenset[tuple[str, str]]:
    """Return the answers (student, question) whose latest decision was made by a rule.

    ``events`` are an assignment's, oldest first.
    """
    latest: dict[tuple[str, str], bool] = {}
    for event in events:
        if event.after is None:
            continue  # a flag or a revealed name decides nothing
        key = (str(event.subject.get("student")), str(event.subject.get("question")))
        latest[key] = bool(event.subject.get("rule"))
    return frozenset(key for key, rule in latest.items() if rule)
