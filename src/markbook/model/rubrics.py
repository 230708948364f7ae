"""A rubric, and the arithmetic from criteria to a score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Criterion", "Exemplar", "Rubric", "counted", "score"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of a rubric. ``points`` may be negative (a misconception)."""

    id: str
    points: float
    says: str
    evidence: tuple[str, ...] = ()
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """An example answer with the ids of the criteria it earns."""

    text: str
    earns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rubric:
    """How one question is marked. ``version`` is the hash of its meaning (12 hex digits).

    ``extra_credit`` is the cap of a bonus question, whose cell is worth 0 points; it is 0 for
    every other question, whose cap is the cell's points.
    """

    question: str
    criteria: tuple[Criterion, ...]
    version: str
    start: Literal["zero", "full"] = "zero"
    model_answer: str = ""
    pick_one: tuple[tuple[str, ...], ...] = ()
    floor: float = 0.0
    public: bool = False
    policy: Literal["assist", "manual"] = "assist"
    extra_credit: float = 0.0
    asked_as: tuple[str, ...] = ()
    exemplars: tuple[Exemplar, ...] = ()

    @property
    def bonus(self) -> bool:
        return self.extra_credit > 0

    def cap(self, points: float) -> float:
        """Return the most this question can earn, given its cell's ``points``."""
        return self.extra_credit if self.bonus else points

    def criterion(self, criterion_id: str) -> Criterion:
        """Return the criterion of that id; ``KeyError`` when there is none."""
        for criterion in self.criteria:
            if criterion.id == criterion_id:
                return criterion
        raise KeyError(criterion_id)


def counted(rubric: Rubric, earned: Iterable[str]) -> tuple[Criterion, ...]:
    """Return the earned criteria that count, in rubric order.

    Of each ``pick_one`` list only the one furthest from zero counts; the first of equals.
    Raises ``KeyError`` for an id that the rubric lacks.
    """
    ids = set(earned)
    unknown = ids - {criterion.id for criterion in rubric.criteria}
    if unknown:
        raise KeyError(sorted(unknown)[0])
    dropped: set[str] = set()
    for group in rubric.pick_one:
        present = [c for c in rubric.criteria if c.id in ids and c.id in group]
        if len(present) > 1:
            best = max(present, key=lambda c: abs(c.points))
            dropped.update(c.id for c in present if c is not best)
    return tuple(c for c in rubric.criteria if c.id in ids and c.id not in dropped)


def score(
    rubric: Rubric, earned: Iterable[str], *, points: float, adjustment: float = 0.0
) -> float:
    """Return the score of an answer that earned the criteria ``earned``.

    ``points`` is the cell's maximum, ``adjustment`` is added before the result is held between
    the rubric's floor and cap. Rounded to a millionth, so that sums like 0.1 + 0.2 stay clean.
    Raises ``ValueError`` for points or an adjustment that are not finite numbers.
    """
    if not (math.isfinite(points) and math.isfinite(adjustment)):
        raise ValueError("points and adjustment must be finite")
    cap = rubric.cap(points)
    start = cap if rubric.start == "full" else 0.0
    total = math.fsum([start, adjustment, *(c.points for c in counted(rubric, earned))])
    # Rounded before the limits are applied: a cap of 2/3 must not be rounded up past itself.
    return min(max(round(total, 6), rubric.floor), cap) + 0.0
