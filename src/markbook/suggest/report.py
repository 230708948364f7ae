"""What a run of ``suggest`` did, question by question."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from markbook.suggest.learned import SURE, Tally

if TYPE_CHECKING:
    from markbook.suggest.outside import OutsideReport

__all__ = ["CONFIDENT", "QuestionState", "QuestionSuggestions", "SuggestReport"]

CONFIDENT = SURE  # the threshold that "mark --accept" is documented with


class QuestionState(StrEnum):
    """What became of one question."""

    SUGGESTED = "suggested"
    UNCHANGED = "unchanged"  # nothing to do: same answers, rubric, grader, seed and version
    PLANNED = "planned"  # a dry run would run its grader
    MANUAL = "left-to-people"  # the rubric says policy: manual
    NOTHING = "no-answers"
    FAILED = "failed"  # its rubric or grader; ``reason`` says why, earlier suggestions stay


@dataclass(frozen=True, slots=True)
class QuestionSuggestions:
    """One question's result.

    ``answers`` counts different texts, ``students`` those who wrote them; ``suggested``,
    ``abstained`` and ``confident`` count pairs of a text and a criterion, ``confident`` those
    suggested at 0.9 or more. ``changed`` is how many stored suggestions changed. ``notebook``
    is the kept run, relative to the course, or empty. ``marks`` is how many texts people marked,
    from which the run learned; ``refused`` says why no score should be relied on, or is empty;
    ``tried`` is how scores held that were expected before their mark.
    """

    question: str
    state: QuestionState
    answers: int = 0
    students: int = 0
    suggested: int = 0
    abstained: int = 0
    confident: int = 0
    changed: int = 0
    grader: str = ""
    notebook: str = ""
    reason: str = ""
    marks: int = 0
    refused: str = ""
    tried: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class SuggestReport:
    """All questions, in the assignment's order; ``outside`` is None where no outside model is."""

    assignment: str
    questions: tuple[QuestionSuggestions, ...]
    dry_run: bool = False
    outside: OutsideReport | None = None

    @property
    def failed(self) -> tuple[QuestionSuggestions, ...]:
        return tuple(q for q in self.questions if q.state is QuestionState.FAILED)

    @property
    def refused(self) -> tuple[QuestionSuggestions, ...]:
        return tuple(q for q in self.questions if q.refused)

    @property
    def tried(self) -> Tally:
        """How expected scores held against later marks, over all questions."""
        return sum((question.tried for question in self.questions), Tally())

    @property
    def needs_attention(self) -> bool:
        """Tell whether a person has something to mend."""
        return bool(self.failed) or bool(self.outside and self.outside.stopped)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON-able values."""
        return {
            "assignment": self.assignment,
            "dry_run": self.dry_run,
            "calibration": asdict(self.tried),
            "outside": self.outside.as_dict() if self.outside else None,
            "questions": [
                {**asdict(question), "state": question.state.value} for question in self.questions
            ],
        }

    def as_text(self) -> str:
        """Return the report as a table of plain text, failures below it."""
        width = max((len(q.question) for q in self.questions), default=8)
        head = f"{'question':{width}}  answers  suggested  confident  abstained  state"
        rows = [
            f"{q.question:{width}}  {q.answers:7}  {q.suggested:9}  {q.confident:9}"
            f"  {q.abstained:9}  {q.state.value}"
            for q in self.questions
        ]
        refused = [f"{q.question}: no score to rely on: {q.refused}" for q in self.refused]
        failures = [f"{q.question}: {q.reason}" for q in self.failed]
        outside = [self.outside.as_text()] if self.outside else []
        return "\n".join([head, *rows, *outside, *refused, *failures])
