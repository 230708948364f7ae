"""Three ways to learn a score from features; each is plain numbers once it is fitted."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.svm import SVR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Forest", "Linear", "Member", "Support"]

# Chosen on held-out questions of four public sets; all are flat near these (decision 0021).
_RIDGE = 200.0
_WITHIN = 0.6  # how much of a question's own level is taken out before slopes are fitted
_MARGIN = 0.1
_ROWS = 3_000  # of the marked answers a support vector machine is fitted on: its cost is quadratic


@dataclass(frozen=True)
class Member:
    """What all share: fields are arrays, so a member is stored and read back as they are."""

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        return cls(**{field.name: arrays[field.name] for field in fields(cls)})


@dataclass(frozen=True)
class Linear(Member):
    """Ridge regression with a level for each question: ``slopes`` (d,), ``level`` ()."""

    slopes: NDArray[np.float64]
    level: NDArray[np.float64]

    @classmethod
    def fit(
        cls,
        values: NDArray[np.float64],
        scores: NDArray[np.float64],
        groups: NDArray[np.intp],
        ridge: float = _RIDGE,
    ) -> Linear:
        """Fit on standardised values (n, d); rows of one question have one group number.

        Questions differ in difficulty for reasons that no feature shows: most of each question's
        mean is taken out on both sides, and each question counts the same.
        """
        level = scores.mean()
        rows, wanted = values.copy(), scores - level
        weight = np.ones(len(scores))
        for group in np.unique(groups):
            inside = groups == group
            rows[inside] -= _WITHIN * rows[inside].mean(axis=0)
            wanted[inside] -= _WITHIN * wanted[inside].mean()
            weight[inside] = 1 / np.sqrt(inside.sum())
        weight *= np.sqrt(len(weight) / (weight**2).sum())
        rows *= weight[:, None]
        square = rows.T @ rows + ridge * np.eye(rows.shape[1])
        return cls(np.linalg.solve(square, rows.T @ (wanted * weight)), np.array(level))

    def predict(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(values @ self.slopes + self.level)


@dataclass(frozen=True)
class Support(Member):
    """A support vector machine with a Gaussian kernel: ``vectors`` (s, d), ``weights`` (s,)."""

    vectors: NDArray[np.float32]
    weights: NDArray[np.float32]
    level: NDArray[np.float64]
    gamma: NDArray[np.float64]

    @classmethod
    def fit(
        cls, values: NDArray[np.float64], scores: NDArray[np.float64], rows: int = _ROWS
    ) -> Support:
        """Fit on standardised values (n, d), at most ``rows`` of them drawn by a fixed seed."""
        if len(scores) > rows:
            drawn = np.sort(np.random.default_rng(0).permutation(len(scores))[:rows])
            values, scores = values[drawn], scores[drawn]
        gamma = 0.22 / values.shape[1]
        reader = SVR(C=0.3, gamma=gamma, epsilon=_MARGIN).fit(values, scores)
        return cls(
            reader.support_vectors_.astype(np.float32),
            reader.dual_coef_[0].astype(np.float32),
            np.array(reader.intercept_[0]),
            np.array(gamma),
        )

    def predict(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        vectors = self.vectors.astype(float)
        apart = (values**2).sum(axis=1)[:, None] + (vectors**2).sum(axis=1)[None]
        apart -= 2 * values @ vectors.T
        return np.asarray(np.exp(-self.gamma * np.clip(apart, 0, None)) @ self.weights + self.level)


@dataclass(frozen=True)
class Forest(Member):
    """Extremely random trees, all nodes in one row: a leaf's ``low`` is -1.

    ``roots`` (t,), and for each node the ``feature`` asked, the ``limit``, the next node where the
    value is at most (``low``) or above (``high``) the limit, and the ``value`` of a leaf.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int16]
    limit: NDArray[np.float32]
    low: NDArray[np.int32]
    high: NDArray[np.int32]
    value: NDArray[np.float32]

    @classmethod
    def fit(
        cls,
        values: NDArray[np.float64],
        scores: NDArray[np.float64],
        trees: int = 120,
        leaf: int = 5,
    ) -> Forest:
        """Fit on values (n, d); ``leaf``: the fewest rows of a leaf."""
        reader = ExtraTreesRegressor(
            trees, min_samples_leaf=leaf, max_features=0.4, random_state=0, n_jobs=1
        ).fit(values, scores)
        trees_ = [one.tree_ for one in reader.estimators_]
        starts = np.cumsum([0, *(t.node_count for t in trees_)])

        def joined(name: str) -> NDArray[np.int32]:
            tables = []
            for tree, start in zip(trees_, starts[:-1], strict=True):
                nodes = getattr(tree, name)
                tables.append(np.where(nodes < 0, -1, nodes + start))
            return np.concatenate(tables).astype(np.int32)

        low = joined("children_left")
        value = np.concatenate([t.value[:, 0, 0] for t in trees_])
        return cls(
            starts[:-1].astype(np.int32),
            np.concatenate([t.feature for t in trees_]).astype(np.int16),
            np.concatenate([t.threshold for t in trees_]).astype(np.float32),
            low,
            joined("children_right"),
            np.where(low < 0, value, 0).astype(np.float32),
        )

    def predict(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = values.astype(np.float32)
        place = np.broadcast_to(self.roots.astype(np.intp), (len(rows), len(self.roots))).copy()
        every = np.arange(len(rows))[:, None]
        while True:
            inner = self.low[place] >= 0
            if not inner.any():
                return np.asarray(self.value[place].mean(axis=1), dtype=float)
            below = rows[every, np.maximum(self.feature[place], 0)] <= self.limit[place]
            following = np.where(below, self.low[place], self.high[place])
            place = np.where(inner, following, place)
