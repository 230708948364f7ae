"""The figures of a report, as plain values; ``report.json`` holds exactly these."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ClassFigures",
    "CriterionFigures",
    "Doubt",
    "QuestionFigures",
    "Same",
    "StudentFigures",
    "SuggestionFigures",
]


@dataclass(frozen=True, slots=True)
class CriterionFigures:
    """How often a criterion was earned, of the marks whose rubric has it."""

    id: str
    says: str
    points: float
    earned: int
    of: int

    @property
    def share(self) -> float:
        return self.earned / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class SuggestionFigures:
    """How far the graders got with the answers of a question, and how right they were.

    ``covered`` answers have a suggestion on every criterion, ``partly`` on some. ``agreed`` of
    ``compared`` criteria were decided by a person, answer by answer, as suggested; what was
    accepted by a rule agrees with its suggestion by nature, so it is only counted (``by_rule``).
    """

    answered: int = 0
    covered: int = 0
    partly: int = 0
    compared: int = 0
    agreed: int = 0
    by_rule: int = 0


@dataclass(frozen=True, slots=True)
class QuestionFigures:
    """One question. ``scores`` are those of the marked (or tested) answers, ascending.

    ``waiting`` counts the answers without a valid mark by reason. Unanswered questions are in
    ``blank``, ``not_asked`` and ``missing``; they score 0 and are not in ``scores``.
    """

    id: str
    title: str
    kind: str
    possible: float
    bonus: bool
    submissions: int
    marked: int
    blank: int
    not_asked: int
    missing: int
    waiting: Mapping[str, int] = field(default_factory=dict)
    scores: tuple[float, ...] = ()
    mean: float | None = None
    criteria: tuple[CriterionFigures, ...] = ()
    suggestions: SuggestionFigures = field(default_factory=SuggestionFigures)

    @property
    def waits(self) -> int:
        return sum(self.waiting.values())

    @property
    def earnable(self) -> tuple[CriterionFigures, ...]:
        return tuple(criterion for criterion in self.criteria if criterion.points > 0)

    @property
    def misconceptions(self) -> tuple[CriterionFigures, ...]:
        return tuple(criterion for criterion in self.criteria if criterion.points < 0)


@dataclass(frozen=True, slots=True)
class StudentFigures:
    """One student. ``settled`` are the points that have a score, extra credit apart."""

    student: str
    written: float
    code: float
    extra: float
    settled: float
    possible: float
    waiting: int
    outcome: str
    findings: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        return self.written + self.code

    @property
    def share(self) -> float | None:
        """The part of the settled points that was earned; None while nothing is settled."""
        return self.total / self.settled if self.settled else None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A passage of a paper that the collector left for a person to confirm.

    ``question`` is empty where the passage is near none of them, ``confidence`` then None.
    """

    student: str
    question: str = ""
    matched_as: str = ""
    confidence: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Same:
    """Answers that are the same but for capitals and spacing."""

    question: str
    title: str
    students: tuple[str, ...]
    words: int
    beginning: str


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """Everything that the report says."""

    course: str
    assignment: str
    title: str
    submissions: int
    questions: tuple[QuestionFigures, ...]
    students: tuple[StudentFigures, ...]
    doubts: tuple[Doubt, ...] = ()
    same: tuple[Same, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def waiting(self) -> int:
        return sum(question.waits for question in self.questions)

    @property
    def possible(self) -> float:
        return sum(question.possible for question in self.questions if not question.bonus)

    @property
    def shares(self) -> tuple[float, ...]:
        """Each student's part of the settled points, ascending."""
        return tuple(sorted(s.share for s in self.students if s.share is not None))

    @property
    def attention(self) -> tuple[StudentFigures, ...]:
        return tuple(s for s in self.students if s.outcome != "graded" or s.findings)
