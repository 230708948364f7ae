"""What to suggest and how far to trust it, counted on questions that were held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import norm

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TOLERANCE", "Trial", "Trust"]

TOLERANCE = 0.1  # of the maximum: half a point of five
_EDGE = 1e-6  # an error of exactly half a point is within half a point
_MEANS = np.linspace(0, 1, 21)
_SPREADS = np.log(np.array([0.02, 0.04, 0.07, 0.11, 0.16, 0.22, 0.30, 0.42]))
_SCORES = np.linspace(0, 1, 51)
_NEAR_MEAN, _NEAR_SPREAD = 0.05, 0.35  # how far a trial speaks for its neighbours
_DOUBT = 12.0  # trials that the bell curve counts for, where there are few others
_LEAST, _MOST = 0.02, 0.98  # no held-out count bears out more
_MANY = 8  # marks from which a question's own level is known about as well as it will be
_PLAIN = (0.0, 1.0, 0.0, 0.0)
# What holds the four numbers back, in trials' log likelihood: a step between few and many marks,
# counted on some thirty questions, is mostly those questions' own.
_PULL = np.array([5.0, 20.0, 60.0, 60.0])


@dataclass(frozen=True)
class Trial:
    """Held-out answers: predicted mean and spread (n,), the mark (n,), the question (n,).

    ``marks`` (n,) is how many of the question's marks were known by then.
    """

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    score: NDArray[np.float64]
    question: NDArray[np.intp]
    marks: NDArray[np.intp]


@dataclass(frozen=True)
class Trust:
    """``chance`` (means, spreads, scores): that a mark is within 0.1 of a suggested score.

    ``rise`` (4,) turns that chance into the share that was right on questions left out: start and
    slope in log-odds, and what is added without any mark and with eight or more (Platt 1999).
    """

    chance: NDArray[np.float64]
    rise: NDArray[np.float64]

    @classmethod
    def untried(cls) -> Trust:
        """Return what a bell curve says, where nothing could be counted."""
        return cls(_bell(), np.array(_PLAIN))

    @classmethod
    def fit(cls, trial: Trial) -> Trust:
        """Count on held-out answers; each quarter of the questions checks what the others say."""
        if len(trial.mean) == 0:
            return cls.untried()
        numbers = np.unique(trial.question, return_inverse=True)[1]
        rows, hits = [], []
        for fold in range(4):
            there = numbers % 4 == fold
            if not there.any() or there.all():
                continue
            table = _count(trial, ~there)
            best, chance = _choose(table, trial.mean[there], trial.sd[there])
            rows.append(_clues(chance, trial.marks[there]))
            hits.append(np.abs(best - trial.score[there]) <= TOLERANCE + _EDGE)
        rise = np.array(_PLAIN)
        if len(rows) > 1:
            rise = _weigh(np.vstack(rows), np.concatenate(hits).astype(float))
        return cls(_count(trial, np.ones(len(trial.mean), dtype=bool)), rise)

    def suggest(
        self, mean: NDArray[np.float64], sd: NDArray[np.float64], marks: int = 0
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the score most likely within 0.1 of the mark, and how likely: (n,), (n,).

        ``marks`` is how many marks of the question are known.
        """
        best, chance = _choose(self.chance, mean, sd)
        sure = expit(_clues(chance, np.full(len(best), marks)) @ self.rise)
        return best, np.clip(sure, _LEAST, _MOST)


def _clues(chance: NDArray[np.float64], marks: NDArray[np.intp]) -> NDArray[np.float64]:
    held = np.clip(chance, _LEAST, _MOST)
    return np.column_stack([np.ones(len(held)), logit(held), marks == 0, marks >= _MANY])


def _weigh(rows: NDArray[np.float64], hits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the likeliest four numbers; the chance rises with what was counted."""

    def surprise(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = rows @ weights
        off = weights - _PLAIN
        lost = float((np.logaddexp(0, odds) - hits * odds).sum() + (_PULL * off**2).sum())
        return lost, rows.T @ (expit(odds) - hits) + 2 * _PULL * off

    bounds = [(None, None), (0.05, None), (None, None), (None, None)]
    found = minimize(surprise, np.array(_PLAIN), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x)


def _bell() -> NDArray[np.float64]:
    """Return the chances under a bell curve that is cut off at 0 and 1."""
    sd = np.exp(_SPREADS)[None, :, None]
    mean = _MEANS[:, None, None]
    high, low = _SCORES + TOLERANCE + _EDGE, _SCORES - TOLERANCE - _EDGE
    upper = np.where(high >= 1, 1.0, norm.cdf((high - mean) / sd))
    lower = np.where(low <= 0, 0.0, norm.cdf((low - mean) / sd))
    return np.asarray(upper - lower)


def _count(trial: Trial, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the share of neighbouring trials that were within 0.1 of each score."""
    mean, score = trial.mean[rows], trial.score[rows]
    spread = np.clip(np.log(trial.sd[rows] + 1e-6), _SPREADS[0], _SPREADS[-1])
    inside = np.abs(score[:, None] - _SCORES[None]) <= TOLERANCE + _EDGE
    found = _bell()
    for place, at in enumerate(_SPREADS):
        near = np.exp(
            -0.5 * ((np.clip(spread, _SPREADS[0], _SPREADS[-1]) - at) / _NEAR_SPREAD) ** 2
        )
        weights = np.exp(-0.5 * ((mean[None] - _MEANS[:, None]) / _NEAR_MEAN) ** 2) * near
        total = weights.sum(axis=1, keepdims=True)
        found[:, place] = (weights @ inside + _DOUBT * found[:, place]) / (total + _DOUBT)
    return found


def _choose(
    table: NDArray[np.float64], mean: NDArray[np.float64], sd: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the best score for each answer and its chance, between the points of the table."""
    at = np.clip(mean, 0, 1) * (len(_MEANS) - 1)
    along = np.interp(np.log(sd + 1e-6), _SPREADS, np.arange(len(_SPREADS)))
    i = np.minimum(at.astype(int), len(_MEANS) - 2)
    j = np.minimum(along.astype(int), len(_SPREADS) - 2)
    u, v = (at - i)[:, None], (along - j)[:, None]
    rows = (1 - u) * ((1 - v) * table[i, j] + v * table[i, j + 1])
    rows += u * ((1 - v) * table[i + 1, j] + v * table[i + 1, j + 1])
    # Among scores that are as likely, the one next to the mean.
    close = 1e-3 * np.abs(_SCORES[None] - mean[:, None])
    best = np.argmax(rows - close, axis=1)
    return _SCORES[best], rows[np.arange(len(rows)), best]
