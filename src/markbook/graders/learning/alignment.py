"""Soft alignment: how well each word piece of a reference is said somewhere in an answer.

Every piece of the reference looks for the most similar piece of the answer (cosine of their
vectors in context); the mean of these, weighted by how much a piece tells, is the similarity of
the answer (Zhang et al. 2020, BERTScore; Sultan et al. 2016 demote the words of the question).
All answers of a question are aligned at once, by one matrix product for each reference.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from markbook.graders.learning.spans import Chunk, Phrase, Spans, find_spans, stack
from markbook.graders.learning.wordpiece import vocabulary
from markbook.graders.vocabulary import FUNCTION_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from markbook.graders.learning.vectors import TokenVectors

    Floats = NDArray[np.float64]

__all__ = ["Alignment", "Spans"]

_ASKED = 0.2  # what a piece weighs that stands in the question too
_JOINING = 0.3  # and one of a function word
_AT_ONCE = 10_000  # pieces of answers in one product: 15 MB


class Alignment:
    """The answers to one question (n), ready to be compared with references and phrases.

    ``question`` is the text that asks; its pieces weigh less. Nothing is copied but one stack of
    10,000 pieces at a time.
    """

    def __init__(
        self, answers: Sequence[TokenVectors], question: TokenVectors | None = None
    ) -> None:
        self.answers = answers
        self._asked = frozenset(question.tokens) if question else frozenset()

    def weights(self, tokens: Sequence[str]) -> Floats:
        """Return how much pieces tell (t,): rare words more, those of the question less.

        Rarity is that in English, not that among the answers: measured, the cohort adds nothing
        (docs/decisions/0022). Signs weigh nothing.
        """
        return np.array([self._weight(token) for token in tokens], np.float64)

    def _weight(self, token: str) -> float:
        if not any(character.isalnum() for character in token):
            return 0.0
        weight = general_rarity(token)
        if token in FUNCTION_WORDS:
            weight *= _JOINING
        if token in self._asked:
            weight *= _ASKED
        return weight

    def best(self, reference: TokenVectors) -> NDArray[np.float32]:
        """Return each piece's best cosine in each answer (n, t); -1 for answers without a word."""
        found = np.full((len(self.answers), len(reference.tokens)), -1, np.float32)
        if not reference.tokens:
            return found
        for chunk in self._chunks():
            table = chunk.vectors @ reference.vectors.T
            filled = np.flatnonzero(chunk.counts)
            found[chunk.first + filled] = np.maximum.reduceat(table, chunk.starts[filled], axis=0)
        return found

    def similarities(self, reference: TokenVectors) -> Floats:
        """Return how much of a reference each answer says (n,), in [-1, 1]; -1 for empty ones.

        A reference in which no piece weighs anything (no word in it) says nothing: -1 for all.
        """
        return _mean(self.best(reference), self.weights(reference.tokens))

    def precisions(self, references: Sequence[TokenVectors]) -> Floats:
        """Return how much of each answer stands in the references (n,), in [-1, 1]."""
        found = np.full(len(self.answers), -1.0)
        rows = [reference.vectors for reference in references if len(reference.tokens)]
        if not rows:
            return found
        stacked = np.concatenate(rows)
        for chunk in self._chunks():
            best = (chunk.vectors @ stacked.T).max(axis=1).astype(np.float64)
            group = self.answers[chunk.first : chunk.last]
            weights = np.concatenate([self.weights(answer.tokens) for answer in group])
            filled = np.flatnonzero(chunk.counts)
            starts = chunk.starts[filled]
            total = np.add.reduceat(weights, starts)
            sums = np.add.reduceat(best * weights, starts)
            found[chunk.first + filled] = np.where(
                total > 0, sums / np.where(total > 0, total, 1), -1
            )
        return found

    def best_spans(self, phrase: TokenVectors) -> Spans:
        """Return the stretch of each answer that says a phrase best."""
        return self.all_spans([phrase])[0]

    def all_spans(self, phrases: Sequence[TokenVectors]) -> list[Spans]:
        """Return for each phrase the stretch of each answer that says it best.

        Stretches of half the phrase's length to three times it are compared, all answers at once,
        by soft alignment and by the cosine of stretch and phrase as wholes, half and half;
        the best is narrowed to the pieces that the phrase's own were found in, and whole words.
        """
        found = [Spans.none(len(self.answers)) for _ in phrases]
        said = [(place, phrase) for place, phrase in enumerate(phrases) if len(phrase.tokens)]
        if not said:
            return found
        sought = []
        for _, phrase in said:
            weights = self.weights(phrase.tokens)
            sought.append(Phrase(phrase.vectors, weights if weights.any() else weights + 1.0))
        for chunk in self._chunks():
            find_spans(chunk, self.answers, sought, [found[place] for place, _ in said])
        return found

    def _chunks(self) -> Iterator[Chunk]:
        first, size = 0, 0
        for number, answer in enumerate(self.answers):
            if size and size + len(answer.tokens) > _AT_ONCE:
                yield stack(self.answers, first, number)
                first, size = number, 0
            size += len(answer.tokens)
        if size:
            yield stack(self.answers, first, len(self.answers))


@cache
def _ranks() -> dict[str, int]:
    return {piece: place for place, piece in enumerate(vocabulary())}


def general_rarity(token: str) -> float:
    """Return a piece's rarity in English from 0 to 1, by its place in the vocabulary.

    The vocabulary is sorted by frequency after its first 1,996 lines (unused ones and single
    characters), so that by Zipf's law the logarithm of the place is the information.
    """
    rank = max(1, _ranks().get(token, 30_521) - 1_995)
    return float(np.log1p(rank) / np.log1p(30_521 - 1_995))


def _mean(best: NDArray[np.float32], weights: Floats) -> Floats:
    total = float(weights.sum())
    if total <= 0:
        return np.full(len(best), -1.0)
    found: Floats = best.astype(np.float64) @ (weights / total)
    return found
