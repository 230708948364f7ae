"""Numbers that tell how good an answer may be, from texts alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg

from markbook.graders.learning.cohort import COHORT_NAMES, Likeness, cohort_features, likeness
from markbook.graders.learning.lexical import REFERENCE_NAMES, reference_features
from markbook.graders.learning.limits import of_texts
from markbook.graders.learning.meaning import MEANING_NAMES, meaning_features
from markbook.graders.learning.words import Cohort, read_cohort

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from markbook.graders.learning.texts import QuestionTexts
    from markbook.graders.learning.vectors import TokenModel

__all__ = ["Features", "Read", "features", "read"]

_RANKED: tuple[str, ...] = (
    "recall", "precision", "f1", "words_cos", "letters_cos", "topics_cos", "centre_words",
    "clause_mean", "length", "consensus",
)  # fmt: skip
_MEANT = ("align", "align_said", "align_precision", "align_f1", "sense_cos", "sense_centre")
_SMOOTHED: tuple[str, ...] = ("recall", "clause_mean", "letters_cos")


@dataclass(frozen=True)
class Features:
    """``values`` (n, d): one row for each answer, one column for each name; all finite."""

    names: tuple[str, ...]
    values: NDArray[np.float64]

    def column(self, name: str) -> NDArray[np.float64]:
        """Return one column (n,)."""
        found: NDArray[np.float64] = self.values[:, self.names.index(name)]
        return found


@dataclass(frozen=True)
class Read:
    """A question, read once: its features, and where its answers lie.

    ``known`` holds its limit where that was sought before.
    """

    texts: QuestionTexts
    features: Features
    places: Likeness
    known: tuple[str | None] | None = None

    @property
    def limit(self) -> str | None:
        """Why nothing should be suggested for these texts, whatever their marks; or None."""
        return of_texts(self.texts) if self.known is None else self.known[0]

    def part(self, rows: NDArray[np.intp]) -> Read:
        """Return the same question with some of its answers; their features stay as they are."""
        answers = tuple(self.texts.answers[row] for row in rows)
        values = Features(self.features.names, self.features.values[rows])
        return Read(replace(self.texts, answers=answers), values, self.places.part(rows))


def features(texts: QuestionTexts, model: TokenModel | None = None) -> Features:
    """Return the features of each answer; the same texts give the same numbers, no mark needed."""
    return read(texts, model).features


def read(texts: QuestionTexts, model: TokenModel | None = None) -> Read:
    """Read a question: features and likeness."""
    cohort = read_cohort(texts)
    places = likeness(cohort, texts)
    table = reference_features(cohort)
    columns: dict[str, NDArray[np.float64]] = {}
    n = len(cohort.answers)
    best = _closest(table)
    for place, name in enumerate(REFERENCE_NAMES):
        columns[name] = best[:, place]
    if len(cohort.models):
        columns["recall_mean"] = table[:, :, 0].mean(axis=0)
    else:
        columns["recall_mean"] = np.zeros(n)
    for name, column in zip(COHORT_NAMES, cohort_features(cohort, places).T, strict=True):
        columns[name] = column
    ranked, smoothed = _RANKED, _SMOOTHED
    if model is not None:
        table, vectors = meaning_features(texts, model)
        columns |= dict(zip(MEANING_NAMES, table.T, strict=True))
        places = replace(places, meaning=vectors)
        ranked, smoothed = (*ranked, *_MEANT), (*smoothed, "align", "align_said")
    columns |= {f"{name}_z": _standard(columns[name]) for name in ranked}
    columns |= _smoothed(columns, smoothed, places)
    columns |= _of_question(columns, cohort)
    values = np.nan_to_num(np.column_stack(list(columns.values())), posinf=0, neginf=0)
    found = Features(tuple(columns), values.reshape(n, len(columns)))
    return Read(texts, found, places, (of_texts(texts),))


def _closest(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each answer the row of the reference that it says most of: (n, f)."""
    if table.shape[0] == 0:
        return np.zeros(table.shape[1:])
    best = np.argmax(table[:, :, 0] + table[:, :, 4], axis=0)
    found: NDArray[np.float64] = table[best, np.arange(table.shape[1])]
    return found


def _standard(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a column as deviations from its mean in the question, in standard deviations."""
    if len(column) < 3:
        return np.zeros(len(column))
    return np.asarray((column - column.mean()) / (column.std() + 0.02))


def _smoothed(
    columns: dict[str, NDArray[np.float64]], names: tuple[str, ...], places: Likeness
) -> dict[str, NDArray[np.float64]]:
    """Return what answers that are alike have on average: a word's company is known that way."""
    base = np.column_stack([_standard(columns[name]) for name in names])
    n = len(base)
    if n == 0:
        return {f"{name}_smooth": base[:, k] for k, name in enumerate(names)}
    near = places.topics if places.meaning is None else places.meaning

    def apply(column: NDArray[np.float64]) -> NDArray[np.float64]:
        alike = places.words @ (places.words.T @ column) + near @ (near.T @ column)
        return np.asarray(column + 0.5 * alike)

    # K (K + 1)^-1 b = b - (K + 1)^-1 b; solved step by step, so no table of n x n is needed.
    solver = LinearOperator((n, n), matvec=apply, dtype=float)
    rest = [cg(solver, column, rtol=1e-4, maxiter=100)[0] for column in base.T]
    return {f"{name}_smooth": base[:, k] - rest[k] for k, name in enumerate(names)}


def _of_question(
    columns: dict[str, NDArray[np.float64]], cohort: Cohort
) -> dict[str, NDArray[np.float64]]:
    """Return what is the same for all answers of a question."""
    n = len(cohort.answers)
    wanted = np.mean([len(m.stems) for m in cohort.models]) if cohort.models else 0.0
    facts = {
        "q_recall": columns["recall"].mean() if n else 0.0,
        "q_recall_spread": columns["recall"].std() if n else 0.0,
        "q_near": columns["near_mean"].mean() if n else 0.0,
        "q_length": columns["length"].mean() if n else 0.0,
        "q_reference": np.log1p(wanted),
        "q_references": np.log1p(len(cohort.models)),
        "q_asked": np.log1p(len(cohort.asked.stems)),
    }
    if "align" in columns:
        facts["q_align"] = columns["align"].mean() if n else 0.0
    return {name: np.full(n, float(value)) for name, value in facts.items()}
