"""What the marks given so far tell about a criterion in the other answers.

A Gaussian process on top of each criterion's log-odds: answers that are alike move together, and
a part moves all of them (Rasmussen and Williams 2006, section 3.4: Laplace's approximation).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from markbook.graders.guards import READ_LIMIT
from markbook.graders.tokens import clauses

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from markbook.graders.learning.cohort import Likeness

__all__ = ["Telling", "kernel", "learn"]

_LEVEL = 0.5  # variance, in log-odds squared, of what moves all answers of a question
_ALIKE = 2.5  # and of what answers that are alike share
_STEPS = 30  # of Newton's method; it takes five to ten
_MOST = 400  # marks that are learned from: the cost is cubic


def kernel(places: Likeness, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the covariance in log-odds of all answers with those in ``rows``: (n, len(rows))."""
    parts = [places.words @ places.words[rows].T, places.letters @ places.letters[rows].T]
    tables = [np.asarray(part.todense(), dtype=float) for part in parts]
    deep = places.topics if places.meaning is None else places.meaning
    tables.append(deep @ deep[rows].T)
    return np.asarray(_LEVEL + _ALIKE * sum(tables) / len(tables))


def learn(
    odds: NDArray[np.float64], places: Likeness, marks: Mapping[int, bool]
) -> NDArray[np.float64]:
    """Return probabilities (n,) from log-odds (n,) and the marks of some answers.

    A marked answer gets what the others say of it, without its own mark: what a person decided
    needs no suggestion, and how good suggestions are can be counted.
    """
    seen = np.array(sorted(marks), dtype=np.intp)[:_MOST]
    across = kernel(places, seen)
    own = _LEVEL + _ALIKE * _lengths(places)
    # The log-odds hold on average over what is not known, so their middle lies farther out.
    centre = odds * np.sqrt(1 + math.pi * own / 8)
    given = np.array([marks[place] for place in seen.tolist()], dtype=float)
    inside = across[seen]
    latent = _mode(centre[seen], inside, given)
    chance = _sigmoid(latent)
    weight = np.maximum(chance * (1 - chance), 1e-6)
    root = np.sqrt(weight)
    factor = cho_factor(np.eye(len(seen)) + root[:, None] * inside * root[None])
    mean = centre + across @ (given - chance)
    half = cho_solve(factor, (across * root).T)
    variance = np.maximum(own - np.einsum("ij,ji->i", across * root, half), 1e-6)
    precision = root[:, None] * cho_solve(factor, np.diag(root))
    spread = np.maximum(np.diag(precision), 1e-9)
    target = latent + (given - chance) / weight
    mean[seen] = target - (precision @ (target - centre[seen])) / spread
    variance[seen] = np.maximum(1 / spread - 1 / weight, 1e-6)
    return _sigmoid(mean / np.sqrt(1 + math.pi * variance / 8))


def _lengths(places: Likeness) -> NDArray[np.float64]:
    """Return how alike each answer is to itself (n,): 1, and less where a text has no words."""
    words = np.asarray(places.words.multiply(places.words).sum(axis=1)).ravel()
    letters = np.asarray(places.letters.multiply(places.letters).sum(axis=1)).ravel()
    deep = places.topics if places.meaning is None else places.meaning
    return np.asarray((words + letters + (deep**2).sum(axis=1)) / 3)


def _mode(
    centre: NDArray[np.float64], inside: NDArray[np.float64], given: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the most likely log-odds (m,) of marked answers by Newton's method."""
    latent = centre.copy()
    for _ in range(_STEPS):
        chance = _sigmoid(latent)
        root = np.sqrt(np.maximum(chance * (1 - chance), 1e-6))
        pull = root**2 * (latent - centre) + (given - chance)
        factor = cho_factor(np.eye(len(given)) + root[:, None] * inside * root[None])
        step = centre + inside @ (pull - root * cho_solve(factor, root * (inside @ pull)))
        done = float(np.abs(step - latent).max(initial=0)) < 1e-6
        latent = step
        if done:
            break
    return latent


def _sigmoid(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))))


@dataclass(frozen=True)
class Telling:
    """Which words tell the answers that earned a criterion from those that did not."""

    words: Mapping[str, float]

    @classmethod
    def of(cls, earned: Sequence[str], others: Sequence[str]) -> Telling:
        """Count on the texts that earned it, and on those that did not."""
        yes, no = _in_how_many(earned), _in_how_many(others)
        return cls(
            {
                word: math.log((count + 0.5) / (len(earned) + 1))
                - math.log((no[word] + 0.5) / (len(others) + 1))
                for word, count in yes.items()
            }
        )

    def clause(self, text: str) -> tuple[int, int] | None:
        """Return the clause that is nearest to what earned it (its characters), None for none."""
        best, found = 0.0, None
        for clause in clauses(text[:READ_LIMIT]):
            stems = {token.stem for token in clause.tokens if token.content}
            worth = sum(max(self.words.get(stem, 0.0), 0.0) for stem in stems)
            worth /= math.sqrt(len(stems) + 1)
            if worth > best:
                best, found = worth, (clause.start, clause.end)
        return found


def _in_how_many(texts: Sequence[str]) -> Counter[str]:
    count: Counter[str] = Counter()
    for text in texts:
        parts = clauses(text[:READ_LIMIT])
        count.update({token.stem for part in parts for token in part.tokens if token.content})
    return count
