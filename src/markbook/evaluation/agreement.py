"""How well two lists of scores agree, with intervals that know that answers come in questions."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats
from sklearn.metrics import cohen_kappa_score, root_mean_squared_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MEASURES", "SCALE", "Figure", "agreement", "measures", "near"]

SCALE = 5.0  # all figures are in points of this maximum
HALF = 0.5  # of a point on that scale
_STEPS = np.arange(int(SCALE / HALF) + 1)  # classes of the weighted kappa: every half point
_FEWEST = 3  # answers: with two, every correlation is 1 or -1
_DRAWS = 1000
_FLAT = 1e-9  # a spread that is rounding, not difference

MEASURES = {
    "pearson": "Pearson r",
    "spearman": "Spearman",
    "rmse": "RMSE",
    "suggested_rmse": "RMSE, suggested",
    "within_half": "within ½",
    "quadratic_weighted_kappa": "weighted kappa",
    "within_question_r": "r within questions",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval; None where it is not defined, or one question is all."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def as_dict(self) -> dict[str, float | None]:
        """Return it for JSON."""
        return {"value": self.value, "low": self.low, "high": self.high}


def agreement(
    truth: NDArray[np.float64],
    guess: NDArray[np.float64],
    questions: NDArray[np.int64],
    *,
    shown: NDArray[np.float64] | None = None,
    seed: int,
) -> dict[str, Figure]:
    """Return every measure of shares of the maximum ``truth`` and ``guess`` (n,), on 0 to 5.

    ``shown`` (n,) are the scores suggested, where they are others than the expected ones: a score
    that is likely near the mark. Within ½, kappa and the suggested RMSE are theirs.

    The intervals are percentiles of a cluster bootstrap: whole questions are drawn with
    replacement (``questions`` (n,) says whose each answer is), 1,000 times.
    """
    shown = guess if shown is None else shown
    values = measures(truth, guess, questions, shown)
    names, places = np.unique(questions, return_inverse=True)
    if len(names) < 2:
        return {name: Figure(_number(value)) for name, value in values.items()}
    chosen = np.random.default_rng(seed).integers(0, len(names), (_DRAWS, len(names)))
    drawn = resampled(Pairs(truth, guess, shown, places), chosen)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column without any number
        low, high = np.nanpercentile(drawn, [2.5, 97.5], axis=0)
    return {
        name: Figure(_number(values[name]), _number(low[place]), _number(high[place]))
        for place, name in enumerate(MEASURES)
    }


def measures(
    truth: NDArray[np.float64],
    guess: NDArray[np.float64],
    questions: NDArray[np.int64],
    shown: NDArray[np.float64] | None = None,
) -> dict[str, float]:
    """Return every measure of shares of the maximum, on 0 to 5; NaN where one is not defined.

    The weighted kappa is quadratic, of scores rounded to half points. The r within questions is
    Pearson's after each question's mean is taken from its answers' scores, on both sides.
    """
    if not len(truth):
        return dict.fromkeys(MEASURES, math.nan)
    shown = guess if shown is None else shown
    a, b, c = truth * SCALE, guess * SCALE, shown * SCALE
    _, places = np.unique(questions, return_inverse=True)
    inner = _centred(a, places), _centred(b, places)
    one, other = _steps(a), _steps(c)
    alone = np.ptp(np.concatenate([one, other])) == 0  # one class: kappa is 0 / 0
    found = {
        "pearson": stats.pearsonr(a, b).statistic if _varies(a, b) else math.nan,
        "spearman": stats.spearmanr(a, b).statistic if _varies(a, b) else math.nan,
        "rmse": root_mean_squared_error(a, b),
        "suggested_rmse": root_mean_squared_error(a, c),
        "within_half": near(truth, shown).mean(),
        "quadratic_weighted_kappa": (
            math.nan if alone else cohen_kappa_score(one, other, weights="quadratic", labels=_STEPS)
        ),
        "within_question_r": stats.pearsonr(*inner).statistic if _varies(*inner) else math.nan,
    }
    return {name: float(value) for name, value in found.items()}


@dataclass(frozen=True)
class Pairs:
    """Scores beside marks (n,), as shares of the maximum; ``places`` are questions from 0."""

    truth: NDArray[np.float64]
    guess: NDArray[np.float64]
    shown: NDArray[np.float64]
    places: NDArray[np.int64]


def resampled(pairs: Pairs, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return every measure for each draw of questions: (draws, measures), NaN where undefined.

    ``chosen`` (draws, m) are the questions drawn, by their places. All is computed from weighted
    sums: the libraries would take a minute for what takes a second.
    """
    places = pairs.places
    a, b, c = (side * SCALE for side in (pairs.truth, pairs.guess, pairs.shown))
    inner = _centred(a, places), _centred(b, places)
    one, other = _steps(a).astype(float), _steps(c).astype(float)
    apart = np.column_stack([(a - b) ** 2, (a - c) ** 2, near(pairs.truth, pairs.shown)])
    rank_a, rank_b = _Ranks(a), _Ranks(b)
    found = []
    for draw in chosen:
        weight = np.bincount(draw, minlength=int(places.max()) + 1)[places].astype(float)
        total = weight.sum()
        if not total:
            found.append([math.nan] * len(MEASURES))
            continue
        square, shown_square, close = weight @ apart / total
        found.append(
            [
                _correlation(a, b, weight),
                _correlation(rank_a.of(weight), rank_b.of(weight), weight),
                math.sqrt(square),
                math.sqrt(shown_square),
                close,
                _kappa(one, other, weight),
                _correlation(*inner, weight),
            ]
        )
    return np.array(found).reshape(len(chosen), len(MEASURES))


def near(truth: NDArray[np.float64], guess: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which shares lie within half a point of five of each other (n,)."""
    return np.asarray(np.abs(truth - guess) * SCALE <= HALF + 1e-9)


class _Ranks:
    """Ranks of values when each counts as often as its weight says; equal ones share theirs."""

    def __init__(self, values: NDArray[np.float64]) -> None:
        distinct, self._place = np.unique(values, return_inverse=True)
        self._count = len(distinct)

    def of(self, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.bincount(self._place, weight, minlength=self._count)
        return np.asarray((np.cumsum(sums) - sums / 2)[self._place])


def _varies(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    return len(a) >= _FEWEST and bool(np.ptp(a) > _FLAT and np.ptp(b) > _FLAT)


def _correlation(
    a: NDArray[np.float64], b: NDArray[np.float64], weight: NDArray[np.float64]
) -> float:
    total = weight.sum()
    x, y = a - weight @ a / total, b - weight @ b / total
    spread = (weight @ (x * x)) * (weight @ (y * y))
    if total < _FEWEST or spread <= (_FLAT * total) ** 2:
        return math.nan
    return float(weight @ (x * y) / math.sqrt(spread))


def _kappa(
    one: NDArray[np.float64], other: NDArray[np.float64], weight: NDArray[np.float64]
) -> float:
    """Return the quadratic weighted kappa: squared distance seen, and by chance (Cohen 1968)."""
    total = weight.sum()
    chance = (weight @ (one**2 + other**2)) / total - 2 * (weight @ one) * (
        weight @ other
    ) / total**2
    if chance <= _FLAT:
        return math.nan
    return float(1 - (weight @ (one - other) ** 2) / total / chance)


def _steps(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.asarray(np.floor(values / HALF + 0.5).astype(int))


def _centred(values: NDArray[np.float64], places: NDArray[np.int64]) -> NDArray[np.float64]:
    means = np.bincount(places, values) / np.maximum(np.bincount(places), 1)
    return np.asarray(values - means[places])


def _number(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
