"""A Gaussian process on (mark - prior) inside one question."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from numpy.typing import NDArray

    from markbook.graders.learning.features import Read

    Rows = NDArray[np.intp] | slice

__all__ = ["PARTS", "Kernel", "Process", "Question"]

PARTS = ("level", "slope", "words", "letters", "topics", "near", "far", "linear", "meaning")
_NEAR, _FAR = 0.5, 2.0  # squared distance, per feature, at which likeness has faded
_SLOPE = 0.15  # of the maximum: the unit in which the prior's own order counts
# Marks that the usual spread counts for, beside a question's own. Likeliest were 4 (SAF), 8
# (DigiKlausur, SciEntsBank) and 16 (Beetle).
_USUAL_SPREAD = 8.0
# Answers of a question up to which all tables are kept: 0.5 MB each, eight of them. Evaluating asks
# for the same ones again after each of dozens of marks, and has all questions open at once.
_KEPT = 256


@dataclass(frozen=True)
class Question:
    """What the process needs of n answers.

    ``mean`` and ``spread`` (n,) of the prior, ``standard`` (n, d) features in standard deviations.
    """

    read: Read
    standard: NDArray[np.float64]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]

    def tables(
        self, rows: Rows, columns: Rows, wanted: Collection[str] = PARTS
    ) -> Iterator[tuple[str, NDArray[np.float64]]]:
        """Yield how alike answers are, for each part ``wanted``, without the prior's spread.

        The tables are the caller's own, to be changed at will.
        """
        if len(self.mean) > _KEPT:
            yield from self._tables(rows, columns, wanted)
            return
        for name, table in self._whole.items():
            if name in wanted:
                yield name, np.array(table[rows][:, columns])

    @cached_property
    def _whole(self) -> dict[str, NDArray[np.float64]]:
        return dict(self._tables(slice(None), slice(None), PARTS))

    def _tables(
        self, rows: Rows, columns: Rows, wanted: Collection[str]
    ) -> Iterator[tuple[str, NDArray[np.float64]]]:
        centre = self.mean.mean() if len(self.mean) else 0.0
        slope = (self.mean - centre) / _SLOPE
        one, other = self.standard[rows], self.standard[columns]
        size = max(1, one.shape[1])
        product = one @ other.T
        apart = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None] - 2 * product
        apart = np.clip(apart, 0, None) / size
        made: dict[str, Callable[[], NDArray[np.float64]]] = {
            "level": lambda: np.ones_like(product),
            "slope": lambda: np.outer(slope[rows], slope[columns]),
            "near": lambda: np.exp(-apart / _NEAR),
            "far": lambda: np.exp(-apart / _FAR),
            "linear": lambda: product / size,
        }
        for name in PARTS:
            if name in wanted and name in made:
                yield name, made[name]()
            elif name in wanted and (table := getattr(self.read.places, name)) is not None:
                yield name, _product(table, rows, columns)

    def itself(self) -> Iterator[tuple[str, NDArray[np.float64]]]:
        """Yield how alike each answer is to itself (n,), part by part."""
        ones = np.ones(len(self.mean))
        yield from ((name, ones) for name in ("level", "near", "far"))
        yield "slope", ((self.mean - self.mean.mean()) / _SLOPE) ** 2 if len(ones) else ones
        yield "linear", (self.standard**2).sum(axis=1) / max(1, self.standard.shape[1])
        for name in ("words", "letters", "topics", "meaning"):
            table = getattr(self.read.places, name)
            if sparse.issparse(table):
                yield name, np.asarray(table.multiply(table).sum(axis=1), dtype=float).ravel()
            elif table is not None:
                yield name, np.asarray((table**2).sum(axis=1), dtype=float)


def _product(table: object, rows: Rows, columns: Rows) -> NDArray[np.float64]:
    product = table[rows] @ table[columns].T  # type: ignore[index]
    return np.asarray(product.todense() if sparse.issparse(product) else product, dtype=float)


@dataclass(frozen=True)
class Kernel:
    """Variances of the parts of what a question adds to the prior, and of the noise of a mark.

    In units of the prior's own variance at an answer.
    """

    parts: Mapping[str, float]
    noise: float

    def between(self, question: Question, rows: Rows, columns: Rows) -> NDArray[np.float64]:
        """Return the covariance (rows, columns) of what is to be learned about the answers."""
        total = np.zeros((len(question.spread[rows]), len(question.spread[columns])))
        for name, table in question.tables(rows, columns, self.parts):
            table *= self.parts[name]
            total += table
        total *= np.outer(question.spread[rows], question.spread[columns])
        return total

    def own(self, question: Question) -> NDArray[np.float64]:
        """Return the variance (n,) of what is to be learned about each answer."""
        total = np.zeros(len(question.mean))
        for name, likeness in question.itself():
            total += self.parts.get(name, 0.0) * likeness
        return total * question.spread**2


class Process:
    """What marks tell about every answer of a question."""

    def __init__(self, question: Question, kernel: Kernel) -> None:
        self.question = question
        self.kernel = kernel
        self.noise = kernel.noise * question.spread**2
        self._own = kernel.own(question)

    @cached_property
    def _whole(self) -> NDArray[np.float64]:
        return self.kernel.between(self.question, slice(None), slice(None))

    def _between(self, rows: Rows, columns: Rows) -> NDArray[np.float64]:
        if len(self.question.mean) > _KEPT:
            return self.kernel.between(self.question, rows, columns)
        return self._whole[rows][:, columns]

    def given(self, marks: Mapping[int, float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean (n,) and variance (n,) of each answer's next mark, given some marks.

        A question whose marks lie farther from the prior than others' has wider spreads: the
        variances have a scale of their own in each question (Shah, Wilson and Ghahramani 2014).
        """
        mean, variance = self.question.mean.copy(), self._own + self.noise
        if not marks:
            return mean, variance
        seen = np.fromiter(marks, dtype=np.intp)
        values = np.fromiter(marks.values(), dtype=float)
        across = self._between(slice(None), seen)
        factor = cho_factor(across[seen] + np.diag(self.noise[seen] + 1e-9))
        surprise = values - mean[seen]
        weights = cho_solve(factor, surprise)
        mean += across @ weights
        variance = variance - np.einsum("ij,ji->i", across, cho_solve(factor, across.T))
        scale = (_USUAL_SPREAD + surprise @ weights) / (_USUAL_SPREAD + len(seen))
        return mean, scale * np.maximum(variance, 0.2 * self.noise + 1e-9)

    def unseen(self, marks: Mapping[int, float]) -> NDArray[np.float64]:
        """Return what each marked answer is expected to have, without its own mark (k,)."""
        return self.left_out(marks)[0]

    def left_out(
        self, marks: Mapping[int, float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and variance of each marked answer's mark, without that mark: (k,), (k,)."""
        seen = np.fromiter(marks, dtype=np.intp)
        values = np.fromiter(marks.values(), dtype=float)
        inside = self._between(seen, seen)
        inverse = np.linalg.inv(inside + np.diag(self.noise[seen] + 1e-9))
        surprise = values - self.question.mean[seen]
        weights = inverse @ surprise
        own = np.diag(inverse)
        others = surprise @ weights - weights**2 / own  # what the other marks' surprise amounts to
        scale = (_USUAL_SPREAD + others) / (_USUAL_SPREAD + len(seen) - 1)
        return np.asarray(values - weights / own), np.asarray(scale / own)

    def left(self, among: NDArray[np.intp], seen: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the covariance of some answers once others have marks: (among, among)."""
        here = self._between(among, among)
        if not len(seen):
            return here
        across = self._between(among, seen)
        inside = self._between(seen, seen)
        factor = cho_factor(inside + np.diag(self.noise[seen] + 1e-9))
        return np.asarray(here - across @ cho_solve(factor, across.T))
