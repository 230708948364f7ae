"""How an answer sits among the other answers of its question; no mark is needed for that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from markbook.graders.learning.words import shorten

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from markbook.graders.learning.texts import QuestionTexts
    from markbook.graders.learning.words import Cohort

__all__ = ["COHORT_NAMES", "Likeness", "cohort_features", "likeness"]

COHORT_NAMES = (
    "words_cos", "letters_cos", "topics_cos", "centre_words", "centre_letters", "centre_topics",
    "near_mean", "consensus", "consensus_precision", "echo", "novel", "length", "length_ratio",
    "length_cohort", "sentences", "variety", "empty", "question_copied", "has_number",
)  # fmt: skip

_TOPICS = 24  # dimensions of meaning that a cohort of a few dozen answers can carry
_NEAR = 5
_AT_ONCE = 512  # answers that are compared with all others at once


@dataclass(frozen=True)
class Likeness:
    """Texts as rows of length 1 (or 0): by words (n, v), by letters (n, u), by topics (n, t).

    ``meaning`` (n, d) are the vectors of a sentence model, where there is one.
    """

    words: sparse.csr_matrix
    letters: sparse.csr_matrix
    topics: NDArray[np.float64]
    reference_words: sparse.csr_matrix
    reference_letters: sparse.csr_matrix
    reference_topics: NDArray[np.float64]
    meaning: NDArray[np.float64] | None = None

    def part(self, rows: NDArray[np.intp]) -> Likeness:
        """Return the same places for some of the answers."""
        meaning = None if self.meaning is None else self.meaning[rows]
        return replace(
            self,
            words=self.words[rows],
            letters=self.letters[rows],
            topics=self.topics[rows],
            meaning=meaning,
        )


def likeness(cohort: Cohort, texts: QuestionTexts) -> Likeness:
    """Place all texts of a question in three spaces in which near means alike."""
    both = sparse.vstack([cohort.counts, cohort.references]).tocsr()
    both.data = np.log1p(both.data)
    spread = np.asarray((both > 0).sum(axis=0)).ravel()
    rare = np.log((both.shape[0] + 1) / (spread + 1)) + 1
    words = _unit(both @ sparse.diags(rare * (cohort.weights + 0.02)))
    letters = _letters([*texts.answers, *texts.references[: len(cohort.models)]])
    topics = _topics(words)
    n = len(cohort.answers)
    return Likeness(words[:n], letters[:n], topics[:n], words[n:], letters[n:], topics[n:])


def _letters(texts: list[str]) -> sparse.csr_matrix:
    reader = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 4), sublinear_tf=True, dtype=np.float32
    )
    try:
        return reader.fit_transform([shorten(t) for t in texts])
    except ValueError:  # no text has a letter
        return sparse.csr_matrix((len(texts), 1))


def _unit(rows: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return rows of length 1; scikit-learn refuses tables without a row."""
    return normalize(rows) if rows.shape[0] and rows.shape[1] else sparse.csr_matrix(rows)


def _topics(words: sparse.csr_matrix) -> NDArray[np.float64]:
    """Return latent topics of the texts; words that keep the same company are the same topic."""
    size = min(_TOPICS, *(side - 1 for side in words.shape))
    if size < 2 or words.nnz == 0:
        return np.zeros((words.shape[0], 1))
    reader = TruncatedSVD(size, algorithm="randomized", n_iter=4, random_state=0)
    with np.errstate(invalid="ignore"):  # texts that are all the same have no variance to share
        found = reader.fit_transform(words)
    out: NDArray[np.float64] = normalize(np.nan_to_num(found))
    return out


def _best(answers: object, references: object) -> NDArray[np.float64]:
    """Return the highest cosine of each answer with any reference; zeros without one."""
    product = answers @ references.T  # type: ignore[attr-defined]
    table = np.asarray(product.todense() if sparse.issparse(product) else product)
    return table.max(axis=1) if table.shape[1] else np.zeros(table.shape[0])


def _centre(rows: object) -> NDArray[np.float64]:
    """Return the mean cosine of each answer with all others."""
    n = rows.shape[0]  # type: ignore[attr-defined]
    total = np.asarray(rows.sum(axis=0)).ravel()  # type: ignore[attr-defined]
    own = (
        np.asarray(rows.multiply(rows).sum(axis=1)).ravel()  # type: ignore[attr-defined]
        if sparse.issparse(rows)
        else (np.asarray(rows) ** 2).sum(axis=1)
    )
    return np.asarray((np.asarray(rows @ total).ravel() - own) / max(1, n - 1))


def cohort_features(cohort: Cohort, places: Likeness) -> NDArray[np.float64]:
    """Return (n, len(COHORT_NAMES)); every column is finite."""
    n = len(cohort.answers)
    said = (cohort.counts > 0).astype(float)
    spread = np.asarray(said.sum(axis=0)).ravel() / max(1, n)
    shared = np.where(cohort.counts.getnnz(axis=0) > 1, spread, 0) * cohort.weights
    mass = np.asarray(said @ cohort.weights) + 1e-9
    agreed = np.asarray(said @ shared)
    counts = np.array([len(a.stems) for a in cohort.answers], dtype=float)
    usual = float(np.median(counts)) if n else 0.0
    wanted = float(np.mean([len(m.stems) for m in cohort.models])) if cohort.models else usual
    in_question = said @ cohort.in_question.astype(float)
    kinds = np.asarray(said.sum(axis=1)).ravel()
    known = np.asarray((cohort.references > 0).sum(axis=0)).ravel() > 0
    fresh = np.asarray(said @ (cohort.weights * ~known)) / mass
    near = _near(places.words)
    return np.column_stack(
        [
            _best(places.words, places.reference_words),
            _best(places.letters, places.reference_letters),
            _best(places.topics, places.reference_topics),
            _centre(places.words), _centre(places.letters), _centre(places.topics),
            near, agreed / (np.sort(shared)[::-1][:15].sum() + 1e-9), agreed / mass,
            in_question / np.maximum(kinds, 1), fresh,
            np.log1p(counts), np.log((counts + 2) / (wanted + 2)),
            np.log((counts + 2) / (usual + 2)),
            np.log1p([len(a.clauses) for a in cohort.answers]),
            kinds / np.maximum(counts, 1), counts == 0,
            np.asarray(said @ cohort.in_question.astype(float)) / max(1, cohort.in_question.sum()),
            [bool(a.numbers) for a in cohort.answers],
        ]
    ).astype(float)  # fmt: skip


def _near(rows: sparse.csr_matrix) -> NDArray[np.float64]:
    """Return the mean cosine of each answer with the few that are most like it."""
    n = rows.shape[0]
    if n < 2:
        return np.zeros(n)
    most = min(_NEAR, n - 1)
    found = np.empty(n)
    for start in range(0, n, _AT_ONCE):
        table = np.asarray((rows[start : start + _AT_ONCE] @ rows.T).todense())
        table[np.arange(len(table)), np.arange(start, start + len(table))] = -1
        nearest = -np.partition(-table, most - 1, axis=1)[:, :most]
        found[start : start + _AT_ONCE] = nearest.mean(axis=1)
    return found
