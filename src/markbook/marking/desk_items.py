"""What the desk hands out: one answer as a marker sees it, and counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markbook.marking.cases import Situation, WaitingReason
    from markbook.model import AnswerStatus, Mark, Suggestion

__all__ = ["DeskItem", "DeskProgress", "ExpectedScore"]


@dataclass(frozen=True, slots=True)
class ExpectedScore:
    """The score that is expected of an answer, in points; never a mark.

    ``sd`` is the spread of ``mean``, ``confidence`` the chance that a person's mark is within a
    tenth of the maximum of ``likely``, which near a ceiling is not the mean. ``why`` says what it
    rests on, ``refused`` why it should not be relied on (or is empty), ``flags`` name what is odd
    about the text.
    """

    mean: float
    sd: float
    likely: float
    confidence: float
    why: str
    refused: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeskItem:
    """One answer of a desk. Blind: nothing in it names the student, the mark's ``student`` is "".

    ``row_version`` grows with every mark and every new text of the answer, and is what ``save``
    wants back. ``leased_to`` is another marker who has the answer open. ``position`` counts from
    1 in the marker's order of ``total`` answers; 0 for one that is not in it (blank, not asked).
    ``similar`` are ids of other answers with their likeness from 0 to 1, the most alike first.
    ``expected`` is None where nothing is expected, and where a mark of this text counts.
    """

    id: str
    text: str
    status: AnswerStatus
    row_version: int
    mark: Mark | None
    stale: bool
    suggestions: tuple[Suggestion, ...]
    why: WaitingReason | None
    situation: Situation
    leased_to: str | None = None
    flagged: bool = False
    flag_note: str = ""
    group: str | None = None
    similar: tuple[tuple[str, float], ...] = ()
    position: int = 0
    total: int = 0
    expected: ExpectedScore | None = None


@dataclass(frozen=True, slots=True)
class DeskProgress:
    """Counts of the question's answers; each is in exactly one of the first seven.

    ``flagged`` counts flags on any of them; ``by_marker`` the marks that count, by marker.
    """

    marked: int
    stale: int
    suggested: int
    waiting: int
    blank: int
    not_asked: int
    missing: int
    flagged: int = 0
    by_marker: Mapping[str, int] = field(default_factory=dict)

    @property
    def open(self) -> int:
        """How many answers wait for a person."""
        return self.stale + self.suggested + self.waiting

    @property
    def total(self) -> int:
        return self.marked + self.open + self.blank + self.not_asked + self.missing
