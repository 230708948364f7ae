"""What to suggest and how far to trust it, counted on questions that were held out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import norm

from markbook.graders.learning.heard import NEAR, SCORES, TOLERANCE, Heard, lies_near

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TOLERANCE", "Trial", "Trust"]

_MEANS = np.linspace(0, 1, 21)
_SPREADS = np.log(np.array([0.02, 0.04, 0.07, 0.11, 0.16, 0.22, 0.30, 0.42]))
_NEAR_MEAN, _NEAR_SPREAD = 0.05, 0.35  # how far a trial speaks for its neighbours
_DOUBT = 12.0  # trials that the bell curve counts for, where there are few others
_LEAST, _MOST = 0.02, 0.98  # no held-out count bears out more
_MANY = 8  # marks from which a question's own level is known about as well as it will be
_PLAIN = (0.0, 1.0, 0.0, 0.0)
# What holds the four numbers back, in trials' log likelihood: a step between few and many marks,
# counted on some thirty questions, is mostly those questions' own.
_PULL = np.array([5.0, 20.0, 60.0, 60.0])
_LEAST_RISE = np.array([-np.inf, 0.05, -np.inf, -np.inf])
# Answers of one question are right or wrong together, and each is tried at several stops: of a
# course's questions each counts for as many trials at most (decision 0021).
_ALIKE = 7.0
_USUAL_MARKS = 4.0  # marks that the usual share near a score counts for, beside a question's own
_USUAL_LIKE = 0.5  # and what is expected by mean and spread, beside the marks of like answers
_VOICE, _HOLD = 0.2, 20.0  # what a voice weighs before anything was counted, and its pull


@dataclass(frozen=True)
class Trial:
    """Held-out answers: predicted mean and spread (n,), the mark (n,), the question (n,).

    ``heard`` is what the question's marks said by then.
    """

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    score: NDArray[np.float64]
    question: NDArray[np.intp]
    heard: Heard

    def part(self, rows: NDArray[np.bool_]) -> Trial:
        """Return some of the answers."""
        of = (self.mean[rows], self.sd[rows], self.score[rows], self.question[rows])
        return Trial(*of, self.heard.part(rows))


@dataclass(frozen=True)
class Trust:
    """``chance`` (means, spreads, scores): that a mark is within 0.1 of a suggested score.

    What the question's own marks say joins in log-odds, by ``voices`` (3 + v,): start, the chance
    from the table, all marks beside the ``usual`` (scores,) share near a score, and the marks of
    like answers for each kind of likeness. ``rise`` (4,) turns the best score's chance into the
    share that was right on questions left out: start and slope in log-odds, and what is added
    without any mark and with eight or more (Platt 1999).
    """

    chance: NDArray[np.float64]
    usual: NDArray[np.float64]
    voices: NDArray[np.float64]
    rise: NDArray[np.float64]

    @classmethod
    def untried(cls, voices: int = 0) -> Trust:
        """Return what a bell curve says, where nothing could be counted."""
        usual = lies_near(np.linspace(0, 1, 101)).mean(axis=0)
        return cls(_bell(), usual, _plain_voices(voices), np.array(_PLAIN))

    @classmethod
    def fit(cls, trial: Trial) -> Trust:
        """Count on held-out answers; each quarter of the questions checks what the others say."""
        if len(trial.mean) == 0:
            return cls.untried(len(trial.heard.like))
        numbers = np.unique(trial.question, return_inverse=True)[1]
        rows, hits = [], []
        for fold in range(4):
            there = numbers % 4 == fold
            if not there.any() or there.all():
                continue
            others, these = cls._counted(trial.part(~there)), trial.part(there)
            best, chance = others._choose(these.mean, these.sd, these.heard)
            rows.append(_clues(chance, these.heard.marks))
            hits.append(np.abs(best - these.score) <= NEAR)
        counted = cls._counted(trial)
        if len(rows) < 2:
            return counted
        said = np.concatenate(hits).astype(float)
        rise = _weigh(np.vstack(rows), said, np.ones(1), np.array(_PLAIN), _PULL, _LEAST_RISE)
        return cls(counted.chance, counted.usual, counted.voices, rise)

    def moved(self, trial: Trial) -> Trust:
        """Return this trust with its line moved by trials on questions that it was not counted on.

        ``rise`` is held back to what it was, so that a few questions move it little. Scores are
        suggested as before: only how sure they are changes.
        """
        best, chance = self._choose(trial.mean, trial.sd, trial.heard)
        hits = (np.abs(best - trial.score) <= NEAR).astype(float)
        _, of, sizes = np.unique(trial.question, return_inverse=True, return_counts=True)
        counts = np.minimum(1, _ALIKE / sizes)[of]
        rows = _clues(chance, trial.heard.marks)
        return replace(self, rise=_weigh(rows, hits, counts, self.rise, _PULL, _LEAST_RISE))

    @classmethod
    def _counted(cls, trial: Trial) -> Trust:
        """Return what is fitted on all answers of a trial, not yet checked on others."""
        near = lies_near(trial.score)
        plain = _plain_voices(len(trial.heard.like))
        trust = cls(_count(trial, near), near.mean(axis=0), plain, np.array(_PLAIN))
        spoken = trust._spoken(trial.mean, trial.sd, trial.heard)
        # Each answer counts once; scores that nobody would suggest hardly count.
        counts = np.clip(expit(spoken[..., 1]), _LEAST, 1)
        counts /= counts.sum(axis=1, keepdims=True)
        pull, least = np.full(len(plain), _HOLD), np.array([-np.inf, 0.05, *[0.0] * len(plain[2:])])
        rows = spoken.reshape(-1, len(plain))
        voices = _weigh(rows, near.ravel(), counts.ravel(), plain, pull, least)
        return cls(trust.chance, trust.usual, voices, trust.rise)

    def suggest(
        self, mean: NDArray[np.float64], sd: NDArray[np.float64], heard: Heard | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the score most likely within 0.1 of the mark, and how likely: (n,), (n,).

        ``heard`` is what the question's marks say at these answers; without it, no mark is known.
        """
        heard = heard or Heard.nothing(len(mean), voices=len(self.voices) - 3)
        best, chance = self._choose(mean, sd, heard)
        sure = expit(_clues(chance, heard.marks) @ self.rise)
        return best, np.clip(sure, _LEAST, _MOST)

    def _choose(
        self, mean: NDArray[np.float64], sd: NDArray[np.float64], heard: Heard
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the best score for each answer and its chance."""
        chance = expit(self._spoken(mean, sd, heard) @ self.voices)
        # Among scores that are as likely, the one next to the mean.
        close = 1e-3 * np.abs(SCORES[None] - mean[:, None])
        best = np.argmax(chance - close, axis=1)
        return SCORES[best], chance[np.arange(len(best)), best]

    def _spoken(
        self, mean: NDArray[np.float64], sd: NDArray[np.float64], heard: Heard
    ) -> NDArray[np.float64]:
        """Return what is weighed for each score at each answer: (n, s, 3 + v)."""
        chance = _between(self.chance, mean, sd)
        table = _odds(chance)
        share = (heard.own + _USUAL_MARKS * self.usual) / (heard.marks + _USUAL_MARKS)[:, None]
        columns = [np.ones_like(table), table, _odds(share) - _odds(self.usual)]
        for like, hits in zip(heard.like, heard.hits, strict=True):
            said = (hits + _USUAL_LIKE * chance) / (like + _USUAL_LIKE)[:, None]
            columns.append(_odds(said) - table)
        return np.stack(columns, axis=-1)


def _plain_voices(voices: int) -> NDArray[np.float64]:
    return np.array([0.0, 1.0, *[_VOICE] * (1 + voices)])


def _odds(chance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(logit(np.clip(chance, 0.01, 0.99)))


def _clues(chance: NDArray[np.float64], marks: NDArray[np.intp]) -> NDArray[np.float64]:
    held = np.clip(chance, _LEAST, _MOST)
    return np.column_stack([np.ones(len(held)), logit(held), marks == 0, marks >= _MANY])


def _weigh(
    rows: NDArray[np.float64],
    hits: NDArray[np.float64],
    counts: NDArray[np.float64],
    usual: NDArray[np.float64],
    pull: NDArray[np.float64],
    least: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the likeliest weights (w,) of rows (n, w) that hit or not, each counting ``counts``.

    They are held back to the ``usual`` ones by ``pull``, and are at least ``least``.
    """

    def surprise(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = rows @ weights
        off = weights - usual
        lost = float((counts * (np.logaddexp(0, odds) - hits * odds)).sum())
        held = float((pull * off**2).sum())
        return lost + held, rows.T @ (counts * (expit(odds) - hits)) + 2 * pull * off

    bounds = [(low, None) for low in least]
    found = minimize(surprise, usual, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x)


def _bell() -> NDArray[np.float64]:
    """Return the chances under a bell curve that is cut off at 0 and 1."""
    sd = np.exp(_SPREADS)[None, :, None]
    mean = _MEANS[:, None, None]
    high, low = SCORES + NEAR, SCORES - NEAR
    upper = np.where(high >= 1, 1.0, norm.cdf((high - mean) / sd))
    lower = np.where(low <= 0, 0.0, norm.cdf((low - mean) / sd))
    return np.asarray(upper - lower)


def _count(trial: Trial, near: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of neighbouring trials that were within 0.1 of each score."""
    spread = np.clip(np.log(trial.sd + 1e-6), _SPREADS[0], _SPREADS[-1])
    found = _bell()
    for place, at in enumerate(_SPREADS):
        close = np.exp(-0.5 * ((spread - at) / _NEAR_SPREAD) ** 2)
        weights = np.exp(-0.5 * ((trial.mean[None] - _MEANS[:, None]) / _NEAR_MEAN) ** 2) * close
        total = weights.sum(axis=1, keepdims=True)
        found[:, place] = (weights @ near + _DOUBT * found[:, place]) / (total + _DOUBT)
    return found


def _between(
    table: NDArray[np.float64], mean: NDArray[np.float64], sd: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the chances of each score (n, s), between the points of the table."""
    at = np.clip(mean, 0, 1) * (len(_MEANS) - 1)
    along = np.interp(np.log(sd + 1e-6), _SPREADS, np.arange(len(_SPREADS)))
    i = np.minimum(at.astype(int), len(_MEANS) - 2)
    j = np.minimum(along.astype(int), len(_SPREADS) - 2)
    u, v = (at - i)[:, None], (along - j)[:, None]
    rows = (1 - u) * ((1 - v) * table[i, j] + v * table[i, j + 1])
    return np.asarray(rows + u * ((1 - v) * table[i + 1, j] + v * table[i + 1, j + 1]))
