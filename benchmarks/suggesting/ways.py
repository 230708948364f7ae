"""Ways to learn a score, one beside the other, on questions held out.

    .venv/bin/python -m suggesting.ways ../shared/asag [set ...]      (from benchmarks/)

First what is expected before any mark (five folds over questions), then what parts of the process
add after five and ten marks by design. Decision 0021 has the figures.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import pearsonr
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, DotProduct, WhiteKernel
from sklearn.linear_model import LogisticRegression

from markbook.graders.learning.design import first
from markbook.graders.learning.features import read
from markbook.graders.learning.likelihood import fit_kernel, fit_spread, spread
from markbook.graders.learning.members import Forest, Linear, Support
from markbook.graders.learning.process import Kernel, Process, Question
from suggesting.sets import SETS, draw_set

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from markbook.graders.learning.features import Read

    Floats = NDArray[np.float64]
    Way = Callable[[Floats, Floats, NDArray[np.intp]], Callable[[Floats], Floats]]

FOLDS = 5
MEANS = {
    "mean of the three": ("ridge", "support vectors", "trees"),
    "and ordinal": ("ridge", "support vectors", "trees", "ordinal"),
    "ordinal for ridge": ("ordinal", "support vectors", "trees"),
    "trees and ordinal": ("ordinal", "trees"),
}


@dataclass(frozen=True)
class Rows:
    """All answers of a set: features, scores, number of the question, fold; the questions read."""

    values: Floats
    scores: Floats
    groups: NDArray[np.intp]
    folds: NDArray[np.intp]
    reads: tuple[Read, ...]

    @classmethod
    def of(cls, folder: Path, name: str) -> Rows:
        drawn = [q for q in draw_set(folder, name) if len(q.scores) >= 20]
        reads = tuple(read(q.texts) for q in drawn)
        groups = np.repeat(np.arange(len(drawn)), [len(q.scores) for q in drawn])
        folds = np.random.default_rng(0).permutation(len(drawn))[groups] % FOLDS
        scores = np.concatenate([np.array(q.scores, dtype=float) for q in drawn])
        return cls(np.vstack([r.features.values for r in reads]), scores, groups, folds, reads)


def pairwise(values: Floats, scores: Floats, groups: NDArray[np.intp]) -> Callable[..., Floats]:
    """Rank answers of a question by differences, then put the ranks on the scale of marks."""
    drawn = np.random.default_rng(0)
    ups, downs = [], []
    for group in np.unique(groups):
        inside = np.flatnonzero(groups == group)
        one, other = drawn.choice(inside, (2, 150))
        apart = scores[one] != scores[other]
        higher = scores[one] > scores[other]
        ups.append(np.where(higher, one, other)[apart])
        downs.append(np.where(higher, other, one)[apart])
    table = values[np.concatenate(ups)] - values[np.concatenate(downs)]
    signs = np.where(np.arange(len(table)) % 2, 1, -1)
    ranker = LogisticRegression(C=0.003, fit_intercept=False).fit(table * signs[:, None], signs)
    slope, level = np.polyfit(values @ ranker.coef_[0], scores, 1)
    return lambda rows: slope * (rows @ ranker.coef_[0]) + level


def ordinal(values: Floats, scores: Floats, _: NDArray[np.intp]) -> Callable[..., Floats]:
    """Add up the chances that a mark reaches each third of the scale."""
    steps = [0.25, 0.5, 0.75, 0.999]
    fitted = [LogisticRegression(C=0.01).fit(values, scores >= s) for s in steps]
    return lambda rows: np.mean([f.predict_proba(rows)[:, 1] for f in fitted], axis=0)


def boosting(values: Floats, scores: Floats, _: NDArray[np.intp]) -> Callable[..., Floats]:
    return (
        HistGradientBoostingRegressor(
            max_iter=150, learning_rate=0.05, max_leaf_nodes=10, l2_regularization=5, random_state=0
        )
        .fit(values, scores)
        .predict
    )


def processes(values: Floats, scores: Floats, _: NDArray[np.intp]) -> Callable[..., Floats]:
    """A Gaussian process over the answers of all questions, linear and curved."""
    size = values.shape[1] ** 0.5
    shape = (
        0.05 * DotProduct(0, "fixed") * (1 / size**2) + 0.05 * RBF(0.7 * size) + WhiteKernel(0.1)
    )
    model = GaussianProcessRegressor(shape, optimizer=None)
    centre = scores.mean()
    model.fit(values, scores - centre)
    return lambda rows: model.predict(rows) + centre


WAYS: dict[str, Way] = {
    "ridge": lambda v, s, g: Linear.fit(v, s, g).predict,
    "support vectors": lambda v, s, _: Support.fit(v, s).predict,
    "trees": lambda v, s, _: Forest.fit(v, s).predict,
    "boosting": boosting,
    "one process over all": processes,
    "pairwise ranking": pairwise,
    "ordinal": ordinal,
}
PARTS = {
    "level": ("level",),
    "level, slope": ("level", "slope"),
    "likeness of texts": ("level", "slope", "words", "letters", "topics"),
    "likeness of features": ("level", "slope", "near", "far", "linear"),
    "all but slope": ("level", "words", "letters", "topics", "near", "far", "linear"),
    "letters, near, level": ("level", "letters", "near"),
    "all": ("level", "slope", "words", "letters", "topics", "near", "far", "linear"),
}


def held_out(rows: Rows, way: Way) -> Floats:
    """Return what a way expects of each answer, fitted without its question."""
    found = np.zeros(len(rows.scores))
    for fold in range(FOLDS):
        there = rows.folds == fold
        centre, size = rows.values[~there].mean(axis=0), rows.values[~there].std(axis=0) + 1e-6
        standard = np.clip((rows.values - centre) / size, -4, 4)
        predict = way(standard[~there], rows.scores[~there], rows.groups[~there])
        found[there] = np.clip(predict(standard[there]), 0, 1)
    return found


def line(name: str, expected: Floats, scores: Floats, groups: NDArray[np.intp]) -> str:
    within = [
        pearsonr(expected[groups == g], scores[groups == g])[0]
        for g in np.unique(groups)
        if np.ptp(scores[groups == g]) > 0 and np.ptp(expected[groups == g]) > 1e-6
    ]
    error = 5 * float(np.sqrt(((expected - scores) ** 2).mean()))
    overall = pearsonr(expected, scores)[0]
    return (
        f"  {name:24s} r {overall:.3f}  RMSE {error:.3f}  r within questions {np.mean(within):.3f}"
    )


def process_errors(rows: Rows, mean: Floats, parts: tuple[str, ...]) -> list[float]:
    """Return RMSE on 0-5 of the answers without a mark after 5 and 10 marks by design."""
    apart = np.zeros(len(mean))
    scale = spread(fit_spread(mean, apart, rows.scores), mean, apart)
    centre, size = rows.values.mean(axis=0), rows.values.std(axis=0) + 1e-6
    questions = []
    for number, seen in enumerate(rows.reads):
        inside = rows.groups == number
        standard = np.clip((seen.features.values - centre) / size, -4, 4)
        question = Question(seen, standard, mean[inside], scale[inside])
        questions.append((question, rows.scores[inside], rows.folds[inside][0]))
    errors: dict[int, list[Floats]] = {5: [], 10: []}
    for fold in range(FOLDS):
        kernel = fit_kernel([(q, s) for q, s, f in questions if f != fold], parts)
        for question, scores, there in questions:
            if there == fold:
                for count, found in errors.items():
                    found.append(_after(question, scores, kernel, count))
    return [5 * float(np.sqrt((np.concatenate(e) ** 2).mean())) for e in errors.values()]


def _after(question: Question, scores: Floats, kernel: Kernel, count: int) -> Floats:
    process = Process(question, kernel)
    every = np.arange(len(scores))
    chosen = first(process.left(every, every[:0]), process.noise, count)
    mean, _ = process.given({place: float(scores[place]) for place in chosen})
    rest = np.setdiff1d(every, chosen)
    return np.asarray(np.clip(mean[rest], 0, 1) - scores[rest])


def main() -> None:
    folder = Path(sys.argv[1])
    for name in sys.argv[2:] or SETS:
        rows = Rows.of(folder, name)
        print(f"{name}: {len(rows.reads)} questions, {len(rows.scores)} answers", flush=True)
        found = {way: held_out(rows, fit) for way, fit in WAYS.items()}
        for title, several in MEANS.items():
            found[title] = np.mean([found[way] for way in several], axis=0)
        for way, expected in found.items():
            print(line(way, expected, rows.scores, rows.groups), flush=True)
        for title, parts in PARTS.items():
            five, ten = process_errors(rows, found["mean of the three"], parts)
            print(f"  {title:24s} after 5: {five:.3f}  after 10: {ten:.3f}", flush=True)


if __name__ == "__main__":
    main()
