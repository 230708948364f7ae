"""Whether confidence means what it says: what is suggested at 0.9 is right nine times in ten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SURE", "Bin", "Reliability", "reliability"]

_BINS = 10
SURE = 0.9


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers with a confidence from ``low`` up to ``high``: how sure, and how often right."""

    low: float
    high: float
    answers: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """The expected calibration error and the reliability table behind it.

    ``sure`` of the answers have a confidence of 0.9 or more, ``sure_right`` of those are right.
    """

    answers: int
    ece: float | None
    sure: int
    sure_right: float | None
    bins: tuple[Bin, ...]


def reliability(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> Reliability:
    """Compare confidences (n,) in [0, 1] with what was right (n,), in ten bins of equal width.

    The expected calibration error is the mean over bins of |confidence - share right|, weighted
    by the answers in them (Naeini, Cooper and Hauskrecht 2015).
    """
    total = len(confidence)
    if not total:
        return Reliability(0, None, 0, None, ())
    places = np.minimum((confidence * _BINS + 1e-9).astype(int), _BINS - 1)
    bins = []
    ece = 0.0
    for place in range(_BINS):
        mine = places == place
        if mine.any():
            sure, share = float(confidence[mine].mean()), float(right[mine].mean())
            edges = place / _BINS, (place + 1) / _BINS
            ece += float(mine.mean()) * abs(sure - share)
            bins.append(Bin(*edges, int(mine.sum()), round(sure, 4), round(share, 4)))
    sure_ones = confidence >= SURE
    sure_right = round(float(right[sure_ones].mean()), 4) if sure_ones.any() else None
    return Reliability(total, round(ece, 4), int(sure_ones.sum()), sure_right, tuple(bins))
