"""How far the marking of an assignment is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markbook.marking.cases import Situation, read_cases, select_questions, text_questions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.marking.cases import Case, WaitingReason

__all__ = ["QuestionProgress", "count", "progress"]


@dataclass(frozen=True, slots=True)
class QuestionProgress:
    """Counts of one question's answers; each answer is in exactly one of the seven.

    ``suggested`` and ``waiting`` have no mark yet, with and without a full set of suggestions;
    ``stale`` was marked before the answer changed. ``reasons`` says why the open ones wait.
    ``old_rubric`` of the marked ones were marked under an earlier version of the rubric.
    """

    question: str
    marked: int = 0
    stale: int = 0
    suggested: int = 0
    waiting: int = 0
    blank: int = 0
    not_asked: int = 0
    missing: int = 0
    old_rubric: int = 0
    reasons: Mapping[WaitingReason, int] = field(default_factory=dict)

    @property
    def open(self) -> int:
        """How many answers wait for a person."""
        return self.stale + self.suggested + self.waiting

    @property
    def total(self) -> int:
        return self.marked + self.open + self.blank + self.not_asked + self.missing


def progress(
    course: Course, gb: Gradebook, assignment: str, questions: Iterable[str] | None = None
) -> tuple[QuestionProgress, ...]:
    """Return the counts of every text question, in notebook order, also of those without answers.

    Raises as ``read_cases`` does.
    """
    wanted = None if questions is None else tuple(questions)
    chosen = select_questions(text_questions(course, assignment), wanted, assignment)
    cases = read_cases(course, gb, assignment, wanted)
    return count([question.id for question in chosen], cases)


def count(questions: Iterable[str], cases: Iterable[Case]) -> tuple[QuestionProgress, ...]:
    """Count cases that were read already, by question."""
    by_question: dict[str, list[Case]] = {name: [] for name in questions}
    for case in cases:
        by_question[case.question.id].append(case)
    return tuple(_count(name, found) for name, found in by_question.items())


def _count(question: str, cases: list[Case]) -> QuestionProgress:
    situations = Counter(case.situation for case in cases)
    reasons = Counter(reason for case in cases if (reason := case.waits) is not None)
    return QuestionProgress(
        question=question,
        marked=situations[Situation.MARKED],
        stale=situations[Situation.STALE],
        suggested=situations[Situation.SUGGESTED],
        waiting=situations[Situation.WAITING],
        blank=situations[Situation.BLANK],
        not_asked=situations[Situation.NOT_ASKED],
        missing=situations[Situation.MISSING],
        old_rubric=sum(_under_old_rubric(case) for case in cases),
        reasons=dict(reasons),
    )


def _under_old_rubric(case: Case) -> bool:
    if case.situation is not Situation.MARKED or case.mark is None or case.rubric is None:
        return False
    return case.mark.rubric_version != case.rubric.version
