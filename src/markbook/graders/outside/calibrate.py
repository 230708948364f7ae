"""How far to trust an outside model: not far, until marks by people say how often it is right."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CAP", "FEWEST", "Calibration"]

CAP = 0.6  # without marks: below every threshold that rules for accepting are documented with
FEWEST = 50  # marked verdicts from which counts are believed: a share of .9 is then known to +-.08
_MOST = 0.95  # what a rule of a grader notebook has; nothing from outside is surer


@dataclass(frozen=True, slots=True)
class Calibration:
    """The chance that a verdict is right, by the confidence that came with it.

    ``marked`` counts the verdicts that people's marks decided. ``from_`` are confidences, rising,
    from each of which the chance in ``chance`` holds; both are empty while there are too few.
    """

    marked: int = 0
    from_: tuple[float, ...] = ()
    chance: tuple[float, ...] = ()

    @classmethod
    def fit(cls, pairs: Iterable[tuple[float, bool]]) -> Calibration:
        """Count how often verdicts of each confidence were right; ``pairs`` are of both.

        Neighbouring confidences are pooled until the share that is right rises with them, and
        each pool starts from one right and one wrong verdict that nobody gave (Laplace).
        """
        found = sorted(pairs)
        if len(found) < FEWEST:
            return cls(len(found))
        pools: list[tuple[float, int, int]] = []  # lowest confidence, right, all
        for confidence, right in found:
            pools.append((confidence, int(right), 1))
            while len(pools) > 1 and _joined(pools[-2], pools[-1]):
                low, hits, count = pools[-2]
                pools[-2:] = [(low, hits + pools[-1][1], count + pools[-1][2])]
        chance: list[float] = []
        for _, hits, count in pools:
            share = min((hits + 1) / (count + 2), _MOST)
            chance.append(max(share, chance[-1]) if chance else share)
        return cls(len(found), tuple(low for low, _, _ in pools), tuple(chance))

    def confidence(self, said: float) -> float:
        """Return the confidence to store for a verdict that came with the confidence ``said``."""
        if not self.from_:
            return round(min(said, CAP), 4)
        return round(self.chance[max(bisect_right(self.from_, said) - 1, 0)], 4)

    @property
    def says(self) -> str:
        """How the confidence came about, for people."""
        if not self.from_:
            return f"not calibrated, {CAP} at most"
        return f"calibrated by {self.marked} marked verdicts"


def _joined(below: tuple[float, int, int], above: tuple[float, int, int]) -> bool:
    """Tell whether two pools are one: of the same confidence, or the upper one no more right."""
    return below[0] == above[0] or below[1] * above[2] >= above[1] * below[2]
