"""A Gaussian process on (mark - prior) inside one question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_factor, cho_solve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from markbook.graders.learning.features import Read

__all__ = ["PARTS", "Kernel", "Process"]

PARTS = ("level", "slope", "words", "letters", "topics", "features")


@dataclass(frozen=True)
class Kernel:
    """Variances of the parts of what a question adds to the prior, and of the noise of a mark.

    In units of the prior's own spread at an answer, so they are without a unit.
    """

    level: float = 0.20
    slope: float = 0.10
    words: float = 0.25
    letters: float = 0.20
    topics: float = 0.10
    features: float = 0.20
    noise: float = 0.25
    reach: float = 6.0  # distance between standardised features at which likeness has faded

    def between(
        self, parts: Mapping[str, NDArray[np.float64]], scale: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the covariance (n, n) of what is to be learned about each pair of answers."""
        total = sum(getattr(self, name) * table for name, table in parts.items())
        return np.asarray(total) * np.outer(scale, scale)


def parts(
    read: Read, standard: NDArray[np.float64], mean: NDArray[np.float64], reach: float
) -> dict[str, NDArray[np.float64]]:
    """Return how alike each pair of answers is, part by part: name to (n, n)."""
    n = len(mean)
    places = read.places
    slope = mean - mean.mean() if n else mean
    slope = slope / (slope.std() + 0.05)
    squares = (standard**2).sum(axis=1)
    apart = np.clip(squares[:, None] + squares[None] - 2 * standard @ standard.T, 0, None)
    return {
        "level": np.ones((n, n)),
        "slope": np.outer(slope, slope),
        "words": np.asarray((places.words @ places.words.T).todense()),
        "letters": np.asarray((places.letters @ places.letters.T).todense(), dtype=float),
        "topics": places.topics @ places.topics.T,
        "features": np.exp(-apart / (2 * reach**2)),
    }


class Process:
    """What the marks given so far tell about every answer of a question."""

    def __init__(
        self, covariance: NDArray[np.float64], noise: NDArray[np.float64], mean: NDArray[np.float64]
    ) -> None:
        self._covariance = covariance
        self._noise = noise
        self._mean = mean

    def given(self, marks: Mapping[int, float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean (n,) and variance (n,) of each answer's true score, given some marks."""
        variance = np.diag(self._covariance).copy()
        if not marks:
            return self._mean.copy(), variance
        seen = np.fromiter(marks, dtype=int)
        values = np.fromiter(marks.values(), dtype=float)
        across = self._covariance[:, seen]
        factor = cho_factor(across[seen] + np.diag(self._noise[seen]) + 1e-9 * np.eye(len(seen)))
        mean = self._mean + across @ cho_solve(factor, values - self._mean[seen])
        variance -= np.einsum("ij,ji->i", across, cho_solve(factor, across.T))
        return mean, np.clip(variance, 1e-9, None)

    def posterior(self, seen: tuple[int, ...]) -> NDArray[np.float64]:
        """Return the covariance (n, n) that is left once these answers have marks."""
        if not seen:
            return self._covariance.copy()
        index = np.array(seen)
        across = self._covariance[:, index]
        factor = cho_factor(across[index] + np.diag(self._noise[index]))
        return np.asarray(self._covariance - across @ cho_solve(factor, across.T))

    @property
    def noise(self) -> NDArray[np.float64]:
        """The variance of a mark around the true score (n,)."""
        return self._noise
