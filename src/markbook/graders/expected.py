"""The score expected of an answer, from its criteria and from the learned score together."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit

from markbook.graders.learning.heard import NEAR
from markbook.model import counted, score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from markbook.model import Rubric

__all__ = ["Expected", "Outcomes", "expect", "maximum", "together"]

_TABLE = 10  # criteria of which every combination is counted: 1,024
_DRAWS = 256  # of more of them so many are drawn
_GRID = 0.05  # scores nearer than half of it are one
_SPREAD = 0.08  # of the maximum: what a person's adjustment adds to a sum of criteria
# Exponent of the learned score, and what each mark adds: it reads the same words as the criteria,
# and learns faster than they do (sample class, marks by design, RMSE of 0 to 1: with none .262,
# three .215, five .177; by the learned score alone .304, .237, .185). Beyond 1.5 its own spread is
# believed too much: with ten marks and 3.0, of 58 scores that were sure 72 % were right (0026).
_LEARNED, _EACH_MARK, _MOST_LEARNED = 0.6, 0.2, 1.5
# In log-odds, what the chance of being near the mark becomes: the joint weights are too shallow,
# for criteria and learned score read the same words (sample class, each question by the others).
_START, _SLOPE = -0.3, 1.6
_LEAST, _MOST = 0.02, 0.98
_UNTRIED, _TRIED = 0.85, 5  # the most before any mark; from so many marks on it may be all


def maximum(rubric: Rubric) -> float:
    """Return the most that a rubric gives, in points.

    A grader is not told the cell's points. Where criteria add up, it is what all good ones give;
    where they take away, what all of them can take away.
    """
    if rubric.bonus:
        return rubric.extra_credit
    good = [c.id for c in rubric.criteria if c.points > 0]
    most = sum(c.points for c in counted(rubric, good))
    if rubric.start == "full":
        bad = [c.id for c in rubric.criteria if c.points < 0]
        most = max(most, -sum(c.points for c in counted(rubric, bad)))
    return float(most) or 1.0


@dataclass(frozen=True)
class Outcomes:
    """What each answer may be given: ``scores`` (s,) shares of the maximum, ``chance`` (n, s)."""

    scores: NDArray[np.float64]
    chance: NDArray[np.float64]

    @classmethod
    def of(cls, rubric: Rubric, probabilities: NDArray[np.float64]) -> Outcomes:
        """Return the outcomes of criteria earned with ``probabilities`` (n, k), each for itself."""
        most = maximum(rubric)
        names = [c.id for c in rubric.criteria]

        @cache
        def share(earned: tuple[bool, ...]) -> float:
            chosen = itertools.compress(names, earned)
            return min(max(score(rubric, chosen, points=most) / most, 0.0), 1.0)

        grid = np.round(np.arange(0, 1 + _GRID / 2, _GRID), 6)
        chance = np.zeros((len(probabilities), len(grid)))
        if len(names) <= _TABLE:
            for earned in itertools.product((False, True), repeat=len(names)):
                each = np.where(earned, probabilities, 1 - probabilities).prod(axis=1)
                chance[:, _place(share(earned))] += each
            return cls(grid, chance)
        drawn = np.random.default_rng(0).random((_DRAWS, len(names)))
        for row, own in zip(chance, probabilities, strict=True):
            for earned in map(tuple, (drawn < own).tolist()):
                row[_place(share(earned))] += 1 / _DRAWS
        return cls(grid, chance)


def _place(share: float) -> int:
    return round(share / _GRID)


@dataclass(frozen=True)
class Expected:
    """Arrays (n,): mean and spread, the score most likely within a tenth, and how likely it is."""

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    suggested: NDArray[np.float64]
    confidence: NDArray[np.float64]


def together(
    outcomes: Outcomes, mean: NDArray[np.float64], sd: NDArray[np.float64], marks: int = 0
) -> Expected:
    """Weigh what criteria allow by the learned score's bell curve, by its precision.

    ``mean`` and ``sd`` (n,) are the learned score's; a row without outcomes (their chances sum to
    0) has the learned score alone. The smaller its spread and the more ``marks`` it learned from,
    the more it decides.
    """
    power = min(_LEARNED + _EACH_MARK * marks, _MOST_LEARNED)
    grid = outcomes.scores
    smooth = np.exp(-0.5 * ((grid[:, None] - grid[None]) / _SPREAD) ** 2)
    smooth = 0.85 * np.eye(len(grid)) + 0.15 * smooth / smooth.sum(axis=1, keepdims=True)
    chance = outcomes.chance @ smooth
    chance = np.where(chance.sum(axis=1, keepdims=True) > 0, chance, 1.0 / len(grid))
    wide = np.maximum(sd, 0.03)[:, None]
    bell = np.exp(-0.5 * power * ((grid[None] - mean[:, None]) / wide) ** 2)
    weights = chance * np.maximum(bell, 1e-12)
    weights /= weights.sum(axis=1, keepdims=True)
    middle = weights @ grid
    spread = np.sqrt(np.maximum(weights @ grid**2 - middle**2, 0) + 0.02**2)
    near = (np.abs(grid[:, None] - grid[None]) <= NEAR).astype(float)
    inside = weights @ near
    # Among scores about as likely to be near the mark, the one that is likely itself.
    best = np.argmax(inside + 0.1 * weights, axis=1)
    rows = np.arange(len(best))
    odds = logit(np.clip(inside[rows, best], _LEAST, _MOST))
    most = _UNTRIED + (_MOST - _UNTRIED) * min(marks, _TRIED) / _TRIED
    sure = np.clip(expit(_START + _SLOPE * odds), _LEAST, most)
    return Expected(middle, spread, grid[best], sure)


def expect(
    rubric: Rubric,
    lines: Mapping[str, Mapping[str, float]],
    keys: Sequence[str],
    mean: NDArray[np.float64],
    sd: NDArray[np.float64],
    marks: int,
) -> Expected:
    """Return what texts are expected to have, by the probabilities of their criteria.

    ``lines`` are those by key of the text, then by criterion; one that is missing counts as a
    half. ``mean`` and ``sd`` (len(keys),) are the learned score's.
    """
    names = [criterion.id for criterion in rubric.criteria]
    table = [[lines.get(key, {}).get(name, 0.5) for name in names] for key in keys]
    chances = np.array(table).reshape(len(keys), len(names))
    return together(Outcomes.of(rubric, chances), mean, sd, marks)
