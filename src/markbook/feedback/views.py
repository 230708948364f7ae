"""One student's page as values: what the template shows, and nothing it has to work out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from markupsafe import Markup

if TYPE_CHECKING:
    from markbook.feedback.results import TestResult

__all__ = [
    "CriterionLine",
    "FurtherCell",
    "ItemView",
    "State",
    "StudentPage",
    "Tally",
    "TestLine",
    "tally",
]


_NOTHING = Markup("")


class State(StrEnum):
    """What became of one part of the page."""

    MARKED = "marked"
    WAITING = "waiting"
    STALE = "stale"  # the answer changed after it was marked
    BLANK = "blank"
    NOT_ASKED = "not-asked"
    MISSING = "missing"
    TESTED = "tested"
    NOT_RUN = "not-run"

    @property
    def settled(self) -> bool:
        """Whether there is a score to show."""
        return self not in {State.WAITING, State.STALE, State.NOT_RUN}


@dataclass(frozen=True, slots=True)
class CriterionLine:
    """One criterion on the page. ``passage`` is the label of its highlights, or empty."""

    status: Literal["earned", "missed", "lost"]
    says: str
    points: float
    advice: Markup = _NOTHING
    passage: str = ""


@dataclass(frozen=True, slots=True)
class TestLine:
    """One test cell of an exercise."""

    __test__ = False  # not a test of ours, whatever pytest thinks of the name

    score: float
    possible: float
    result: TestResult | None


@dataclass(frozen=True, slots=True)
class FurtherCell:
    """A code cell that the student ran beside an answer, with what it wrote."""

    code: Markup
    output: Markup


@dataclass(frozen=True, slots=True)
class ItemView:
    """One question with the student's answer and what came of it."""

    number: int
    id: str
    title: str
    prompt: Markup
    state: State
    score: float
    possible: float
    bonus: bool = False
    answer: Markup = _NOTHING
    code: Markup = _NOTHING
    output: Markup = _NOTHING
    further: tuple[FurtherCell, ...] = ()
    further_left_out: int = 0
    criteria: tuple[CriterionLine, ...] = ()
    starts_full: bool = False
    tests: tuple[TestLine, ...] = ()
    adjustment: float = 0.0
    reason: str = ""
    comment: Markup = _NOTHING
    model_answer: Markup = _NOTHING
    model_code: str = ""
    is_code: bool = False
    typed: bool = False

    @property
    def settled(self) -> bool:
        return self.state.settled

    @property
    def held(self) -> bool:
        """Whether the lines of the page do not add up to the score, because of floor or cap."""
        counts = [line.points for line in self.criteria if line.status != "missed"]
        start = self.possible if self.starts_full else 0.0
        return abs(start + sum(counts) + self.adjustment - self.score) > 1e-6


@dataclass(frozen=True, slots=True)
class Tally:
    """Points of one kind: ``earned`` of the ``settled`` ones, out of ``possible``."""

    earned: float = 0.0
    settled: float = 0.0
    possible: float = 0.0
    waiting: int = 0  # parts without a score yet
    parts: int = 0


@dataclass(frozen=True, slots=True)
class StudentPage:
    """Everything on one page."""

    course: str
    assignment: str
    title: str
    student: str
    items: tuple[ItemView, ...]
    written: Tally = field(default_factory=Tally)
    code: Tally = field(default_factory=Tally)
    extra: Tally = field(default_factory=Tally)

    @property
    def total(self) -> Tally:
        """Written answers and exercises; extra credit comes on top."""
        parts = (self.written, self.code)
        return Tally(
            sum(part.earned for part in parts),
            sum(part.settled for part in parts),
            sum(part.possible for part in parts),
            sum(part.waiting for part in parts),
            sum(part.parts for part in parts),
        )

    @property
    def waiting(self) -> int:
        return self.total.waiting + self.extra.waiting


def tally(items: tuple[ItemView, ...]) -> Tally:
    """Add up the points of some items."""
    settled = [item for item in items if item.settled]
    return Tally(
        earned=round(sum(item.score for item in settled), 6),
        settled=round(sum(item.possible for item in settled), 6),
        possible=round(sum(item.possible for item in items), 6),
        waiting=len(items) - len(settled),
        parts=len(items),
    )
