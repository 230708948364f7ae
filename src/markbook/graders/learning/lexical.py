"""How much of the reference answers an answer says, by its words alone."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from rapidfuzz.distance import LCSseq
from sklearn.feature_extraction.text import TfidfVectorizer

from markbook.graders.learning.words import joins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from markbook.graders.learning.words import Cohort, Words

__all__ = ["REFERENCE_NAMES", "character_likeness", "coverage", "reference_features"]

_ALIKE = 0.45  # cosine of character n-grams from which a word may stand for another
_LCS_WORDS = 300  # of an answer are ordered against the reference
_COVERED = 0.5
_LEAD = 3  # words within which an answer says yes or no
_YES, _NO = frozenset({"yes", "true", "yeah", "correct"}), frozenset({"no", "false", "not", "nope"})

REFERENCE_NAMES = (
    "recall", "plain_recall", "hard_recall", "precision", "f1", "jaccard", "bigrams", "order",
    "clause_mean", "clause_min", "clause_share", "numbers", "missed_best", "negation",
    "side",
)  # fmt: skip


def character_likeness(one: list[str], other: list[str]) -> NDArray[np.float64]:
    """Return how alike the words of two lists are written, in [0, 1]: (len(one), len(other))."""
    if not one or not other:
        return np.zeros((len(one), len(other)))
    reader = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), use_idf=False, lowercase=False)
    rows = reader.fit_transform(one + other)
    return np.asarray((rows[: len(one)] @ rows[len(one) :].T).todense())


def coverage(cohort: Cohort, wanted: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return how well each answer says each wanted stem (columns), in [0, 1]: (n, len(wanted)).

    A stem counts fully, a word written much like it counts by its likeness: typing errors, and
    compounds such as "workload" for "load".
    """
    names = list(cohort.vocabulary)
    alike = character_likeness([names[w] for w in wanted], names)
    alike[alike < _ALIKE] = 0
    digits = np.array([any(c.isdigit() for c in n) for n in names], dtype=bool)
    alike[:, digits] = 0
    alike[digits[wanted], :] = 0
    alike[np.arange(len(wanted)), wanted] = 1
    found = np.zeros((len(cohort.answers), len(wanted)))
    said = (cohort.counts > 0).astype(float).tocsc()
    for column in range(len(wanted)):
        for word in np.flatnonzero(alike[column]):
            rows = said.indices[said.indptr[word] : said.indptr[word + 1]]
            found[rows, column] = np.maximum(found[rows, column], alike[column, word])
    return found


def reference_features(cohort: Cohort) -> NDArray[np.float64]:
    """Return what each answer says of each reference: (m, n, len(REFERENCE_NAMES))."""
    out = np.zeros((len(cohort.models), len(cohort.answers), len(REFERENCE_NAMES)))
    for place, model in enumerate(cohort.models):
        if model.stems and len(cohort.answers):
            out[place] = _against(cohort, model, place)
    return out


def _against(cohort: Cohort, model: Words, place: int) -> NDArray[np.float64]:
    row = cohort.references[[place]]
    wanted = np.unique(row.indices)
    weights = cohort.weights[wanted] + 1e-9
    plain = np.where(weights > 0.05, 1.0, 0.05)
    found = coverage(cohort, wanted)
    exact = found >= 1
    recall = found @ weights / weights.sum()
    plain_recall = found @ plain / plain.sum()
    hard = exact @ weights / weights.sum()
    said = (cohort.counts > 0).astype(float)
    mass = np.asarray(said @ cohort.weights) + 1e-9
    shared = np.asarray(said[:, wanted] @ cohort.weights[wanted])
    precision = shared / mass
    f1 = 2 * recall * precision / (recall + precision + 1e-9)
    jaccard = shared / (mass + weights.sum() - shared)
    clauses = _clauses(cohort, model, wanted, found)
    best = np.sort(weights)[::-1][: max(1, len(weights) // 4)].min()
    top = weights >= best
    missed = (1 - found[:, top]).mean(axis=1)
    return np.column_stack(
        [
            recall, plain_recall, hard, precision, f1, jaccard,
            _bigrams(cohort, model), _order(cohort, model), *clauses,
            _numbers(cohort, model), missed, _negation(cohort, model), _side(cohort, model),
        ]
    )  # fmt: skip


def _clauses(
    cohort: Cohort, model: Words, wanted: NDArray[np.intp], found: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """Return mean, least and share of the reference's clauses that are covered."""
    columns = {int(w): c for c, w in enumerate(wanted)}
    parts = []
    for start, end in model.clauses:
        ids = [columns[cohort.vocabulary[s]] for s in dict.fromkeys(model.stems[start:end])]
        weights = cohort.weights[wanted[ids]] + 1e-9
        parts.append(found[:, ids] @ weights / weights.sum())
    table = np.column_stack(parts)
    return table.mean(axis=1), table.min(axis=1), (table >= _COVERED).mean(axis=1)


def _pairs(words: Words) -> set[tuple[str, str]]:
    content = words.content
    return set(itertools.pairwise(content))


def _bigrams(cohort: Cohort, model: Words) -> NDArray[np.float64]:
    wanted = _pairs(model)
    return np.array([len(_pairs(a) & wanted) / max(1, len(wanted)) for a in cohort.answers])


def _order(cohort: Cohort, model: Words) -> NDArray[np.float64]:
    """Return the longest common subsequence of content words, as a share of the shorter text."""
    target = list(model.content[:_LCS_WORDS])
    shared = []
    for answer in cohort.answers:
        given = list(answer.content[:_LCS_WORDS])
        least = min(len(target), len(given))
        shared.append(LCSseq.similarity(target, given) / least if least else 0.0)
    return np.array(shared)


def _numbers(cohort: Cohort, model: Words) -> NDArray[np.float64]:
    """Return which share of the reference's numbers an answer has; one half where it has none."""
    if not model.numbers:
        return np.full(len(cohort.answers), 0.5)
    return np.array([len(a.numbers & model.numbers) / len(model.numbers) for a in cohort.answers])


def _negation(cohort: Cohort, model: Words) -> NDArray[np.float64]:
    """Return by how much an answer denies more or less often than the reference, per clause."""
    rate = model.negators / max(1, len(model.clauses))
    return np.array([abs(a.negators / max(1, len(a.clauses)) - rate) for a in cohort.answers])


def _side(cohort: Cohort, model: Words) -> NDArray[np.float64]:
    """Return 1 for an answer on the reference's side, -1 on the other one, 0 where none is taken.

    Sides are yes and no, or what the question offers ("is A or B better?"): overlap in words is
    blind to them, since the question names both.
    """
    found = np.zeros(len(cohort.answers))
    right = _yes_or_no(model)
    if right:
        found = np.array([right * _yes_or_no(a) for a in cohort.answers], dtype=float)
    for one, other in _offers(cohort.asked):
        right = _leaning(model, one, other)
        if right:
            taken = np.array([right * _leaning(a, one, other) for a in cohort.answers])
            found = np.where(taken != 0, taken, found)
    return found


def _yes_or_no(words: Words) -> int:
    for stemmed in words.stems[:_LEAD]:
        if stemmed in _YES:
            return 1
        if stemmed in _NO:
            return -1
    return 0


def _offers(asked: Words) -> list[tuple[str, str]]:
    """Return the pairs of content words that the question joins with "or"."""
    found = []
    for place, stemmed in enumerate(asked.stems):
        if stemmed == "or":
            before = [s for s in asked.stems[max(0, place - 3) : place] if not joins(s)]
            after = [s for s in asked.stems[place + 1 : place + 4] if not joins(s)]
            if before and after and before[-1] != after[0]:
                found.append((before[-1], after[0]))
    return found


def _leaning(words: Words, one: str, other: str) -> int:
    """Return 1 or -1 for the word of two that stands first, 0 without either."""
    for stemmed in words.stems:
        if stemmed == one:
            return 1
        if stemmed == other:
            return -1
    return 0
