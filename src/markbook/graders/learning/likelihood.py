"""Fitting the process's variances: the likelihood of the marks of many questions together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_solve
from scipy.optimize import minimize

from markbook.graders.learning.process import PARTS, Kernel, Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["fit_kernel", "fit_spread", "spread"]

_ANSWERS = 60  # of a question: the cost grows with their cube
_QUESTIONS = 80
# Marks by design lie at the ends of the prior's order, where one odd mark turns a slope around:
# with it errors after ten marks were larger on two of four sets (decision 0021).
_FITTED = tuple(name for name in PARTS if name != "slope")
_USUAL = -2.0  # the logarithm around which variances are expected
_PULL = 0.02
_LEAST, _MOST = -7.0, -1.5  # logarithms of a mark's variance around the prior


def fit_kernel(
    questions: Sequence[tuple[Question, NDArray[np.float64]]], parts: Sequence[str] = _FITTED
) -> Kernel:
    """Return the variances under which the marks (NaN: none) of all questions are likeliest.

    Only the named ``parts`` are used.
    """
    data = []
    order = np.random.default_rng(0).permutation(len(questions))[:_QUESTIONS]
    for question, scores in (questions[place] for place in order):
        marked = np.flatnonzero(np.isfinite(scores))
        rows = np.sort(np.random.default_rng(0).permutation(marked)[:_ANSWERS])
        if len(rows) < 3:
            continue
        tables = dict(question.tables(rows, rows))
        scale = np.outer(question.spread[rows], question.spread[rows])
        stack = np.stack([tables[n] * scale if n in tables else 0 * scale for n in parts])
        left = scores[rows] - question.mean[rows]
        data.append((stack, np.diag(scale), left))
    used = [k for k in range(len(parts)) if any(stack[k].any() for stack, _, _ in data)]
    begin = np.full(len(used) + 1, _USUAL)
    begin[-1] = -0.7
    found = minimize(
        _surprise,
        begin,
        args=([(stack[used], noise, left) for stack, noise, left in data],),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-7, 2)] * len(begin),
        options={"maxiter": 30},
    )
    sizes = np.exp(found.x)
    shares = {parts[k]: float(size) for k, size in zip(used, sizes[:-1], strict=True)}
    return Kernel(shares, float(sizes[-1]))


def _surprise(
    logarithms: NDArray[np.float64],
    data: list[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]],
) -> tuple[float, NDArray[np.float64]]:
    """Return the negative log likelihood and its gradient."""
    sizes = np.exp(logarithms)
    total = _PULL * float(((logarithms - _USUAL) ** 2).sum())
    slope = 2 * _PULL * (logarithms - _USUAL)
    for stack, noise, left in data:
        covariance = np.tensordot(sizes[:-1], stack, axes=1)
        covariance[np.diag_indices(len(left))] += sizes[-1] * noise + 1e-8
        root = np.linalg.cholesky(covariance)
        inverse = cho_solve((root, True), np.eye(len(left)))
        weights = inverse @ left
        total += float(0.5 * left @ weights + np.log(np.diag(root)).sum())
        pull = 0.5 * (inverse - np.outer(weights, weights))
        slope[:-1] += np.einsum("kij,ij->k", stack, pull) * sizes[:-1]
        slope[-1] += float((np.diag(pull) * noise).sum()) * sizes[-1]
    return total, slope


def _shape(mean: NDArray[np.float64], apart: NDArray[np.float64]) -> NDArray[np.float64]:
    at = mean - 0.6
    return np.column_stack([np.ones_like(mean), at, at**2, apart])


def fit_spread(
    mean: NDArray[np.float64], apart: NDArray[np.float64], scores: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return four numbers that give the variance of a mark around the prior.

    ``mean`` (n,) was predicted without the answer's own question; ``apart`` (n,) is how far the
    prior's members are from one another.
    """
    table = _shape(mean, apart)
    squares = (scores - mean) ** 2 + 1e-4
    pull = np.array([0.0, 1e-3, 1e-4, 1e-4])

    def surprise(weights: NDArray[np.float64]) -> float:
        levels = np.clip(table @ weights, -12, 4)
        each = 0.5 * levels + 0.5 * squares * np.exp(-levels)
        return float(each.mean() + (pull * weights**2).sum())

    begin = np.array([np.log(squares.mean()), 0.0, 0.0, 0.0])
    return np.asarray(minimize(surprise, begin, method="L-BFGS-B").x)


def spread(
    weights: NDArray[np.float64], mean: NDArray[np.float64], apart: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the standard deviation (n,) of a mark around the prior."""
    levels = np.clip(_shape(mean, apart) @ weights, _LEAST, _MOST)
    return np.asarray(np.exp(levels / 2))
