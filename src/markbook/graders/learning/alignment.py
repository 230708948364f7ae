"""Soft alignment: how well each word piece of a reference is said somewhere in an answer.

Every piece of the reference looks for the most similar piece of the answer (cosine of their
vectors in context); the mean of these, weighted by how much a piece tells, is the similarity of
the answer (Zhang et al. 2020, BERTScore; Sultan et al. 2016 demote the words of the question).
All answers of a question are aligned at once, by one matrix product for each reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import maximum_filter1d

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
_AT_ONCE = 40_000  # pieces of answers in one product: 60 MB
_ROWS = 1024  # stretches that are summed at a time: their sums are 1.6 MB
_LENGTHS = (1, 2, 4, 8, 12, 18, 27, 40, 60)  # pieces of the stretches that are compared
_STOPS = frozenset(".!?;")  # end a sentence before white space
_BREVITY = 0.01  # for each doubling: of two stretches that say as much the shorter is quoted
_SAID = 0.4  # cosine from which a piece counts as found when a span is narrowed


@dataclass(frozen=True)
class Spans:
    """For each answer the stretch that says a phrase best: similarity and places (n,).

    ``start`` and ``end`` are offsets of characters; an answer without a word has 0, 0 and -1.0.
    """

    similarity: Floats
    start: NDArray[np.int64]
    end: NDArray[np.int64]


@dataclass(frozen=True)
class _Chunk:
    """Some answers in a row: first and last number, their pieces stacked, where each begins.

    ``until`` (t,) is where the sentence of a piece ends.
    """

    first: int
    last: int
    vectors: NDArray[np.float32]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    until: NDArray[np.int64]


class Alignment:
    """The answers to one question (n), ready to be compared with references and phrases.

    ``question`` is the text that asks; its pieces weigh less. Nothing is copied but one stack of
    40,000 pieces at a time.
    """

    def __init__(
        self, answers: Sequence[TokenVectors], question: TokenVectors | None = None
    ) -> None:
        self.answers = answers
        self._asked = frozenset(question.tokens) if question else frozenset()
        self._norms: dict[tuple[int, int], NDArray[np.float32]] = {}

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
        """Return the stretch of each answer that says a phrase best.

        Stretches of half the phrase's length to three times it are compared, all answers at once,
        by soft alignment and by the cosine of stretch and phrase as wholes, half and half;
        the best is narrowed to the pieces that the phrase's own were found in, and whole words.
        """
        n = len(self.answers)
        spans = Spans(np.full(n, -1.0), np.zeros(n, np.int64), np.zeros(n, np.int64))
        weights = self.weights(phrase.tokens)
        if not weights.any():
            weights = np.ones(len(phrase.tokens))
        if len(weights):
            for chunk in self._chunks():
                self._span_chunk(chunk, phrase, weights, spans)
        return spans

    def _span_chunk(
        self, chunk: _Chunk, phrase: TokenVectors, weights: Floats, spans: Spans
    ) -> None:
        m = len(weights)
        lengths = [length for length in _LENGTHS if m / 2 <= length <= 3 * m] or [_LENGTHS[-1]]
        table, rows = _padded(chunk, chunk.vectors @ phrase.vectors.T, lengths[-1])
        whole = phrase.vectors.sum(axis=0)
        whole /= max(float(np.linalg.norm(whole)), 1e-9)
        summed = np.concatenate([[0.0], np.cumsum(chunk.vectors @ whole, dtype=np.float64)])
        filled = np.flatnonzero(chunk.counts)
        similarity = np.full(len(filled), -np.inf)
        begin, size = np.zeros_like(filled), np.ones_like(filled)
        for length in lengths:
            # Window [i, i + length) in place i: the filter is centred, the origin moves it.
            window = maximum_filter1d(table, length, axis=0, origin=-(length // 2), mode="nearest")
            said = (window @ (weights / weights.sum()))[rows]
            begins, ends, norm = self._stretches(chunk, length)
            gist = (summed[ends] - summed[begins]) / norm  # the model too takes a text as its mean
            score = (said + gist) / 2 - _BREVITY * np.log2(length)
            place, best = _first_best(score, chunk, filled)
            better = best > similarity
            similarity[better], begin[better], size[better] = best[better], place[better], length
        spans.similarity[chunk.first + filled] = similarity + _BREVITY * np.log2(size)
        inside = np.arange(lengths[-1])
        found = table[rows[begin][:, None] + inside]
        found[inside >= size[:, None]] = -2
        self._narrow(chunk, filled, begin, found, weights, spans)

    def _stretches(
        self, chunk: _Chunk, length: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """Return begin, end and length as a vector's of the stretch from each piece on (t,).

        Stretches are cut at the end of the sentence. The lengths are kept for other phrases.
        """
        begins = np.arange(len(chunk.vectors))
        ends = np.minimum(begins + length, chunk.until)
        norm = self._norms.get((chunk.first, length))
        if norm is None:
            norm = np.empty(len(begins), np.float32)
            for start in range(0, len(begins), _ROWS):
                block = chunk.vectors[start : start + _ROWS + length]
                sums = np.zeros((len(block) + 1, block.shape[1]), np.float32)
                np.cumsum(block, axis=0, out=sums[1:])
                part = slice(start, min(start + _ROWS, len(begins)))
                wide = sums[ends[part] - start] - sums[begins[part] - start]
                norm[part] = np.maximum(np.linalg.norm(wide, axis=1), 1e-9)
            self._norms[chunk.first, length] = norm
        return begins, ends, norm

    def _narrow(
        self,
        chunk: _Chunk,
        filled: NDArray[np.int64],
        begin: NDArray[np.int64],
        found: NDArray[np.float32],
        weights: Floats,
        spans: Spans,
    ) -> None:
        """Cut stretches (a, l) that begin at ``begin`` down to where the phrase's pieces are."""
        where, cosine = found.argmax(axis=1), found.max(axis=1)
        counted = (cosine >= _SAID) & (weights > 0)
        counted |= ~counted.any(axis=1)[:, None] & (cosine == cosine.max(axis=1, keepdims=True))
        offset = begin - chunk.starts[filled]
        first = np.where(counted, where, found.shape[1]).min(axis=1) + offset
        last = np.where(counted, where, -1).max(axis=1) + offset
        for row, low, high in zip(filled.tolist(), first.tolist(), last.tolist(), strict=True):
            number = chunk.first + row
            spans.start[number], spans.end[number] = _whole_words(self.answers[number], low, high)

    def _chunks(self) -> Iterator[_Chunk]:
        first, size = 0, 0
        for number, answer in enumerate(self.answers):
            if size and size + len(answer.tokens) > _AT_ONCE:
                yield self._chunk(first, number)
                first, size = number, 0
            size += len(answer.tokens)
        if size:
            yield self._chunk(first, len(self.answers))

    def _chunk(self, first: int, last: int) -> _Chunk:
        group = self.answers[first:last]
        counts = np.array([len(answer.tokens) for answer in group], np.int64)
        return _Chunk(
            first,
            last,
            np.concatenate([answer.vectors for answer in group]),
            np.cumsum(counts) - counts,
            counts,
            np.array(_sentence_ends(group), np.int64),
        )


def _sentence_ends(group: Sequence[TokenVectors]) -> list[int]:
    """Return for each piece of some answers in a row where its sentence ends."""
    ends: list[int] = []
    for answer in group:
        begin, base = 0, len(ends)
        last = len(answer.tokens) - 1
        for place, token in enumerate(answer.tokens):
            stop = (
                token in _STOPS and answer.spans[min(place + 1, last), 0] > answer.spans[place, 1]
            )
            if stop or place == last:
                ends += [base + place + 1] * (place + 1 - begin)
                begin = place + 1
    return ends


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


def _padded(
    chunk: _Chunk, table: NDArray[np.float32], pad: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Put ``pad`` rows of -1 behind each sentence, so that no stretch runs into the next.

    Returns the longer table and the row in it of each piece (t,).
    """
    place = np.arange(len(table))
    sentence = np.cumsum(np.isin(place, chunk.until))  # a piece at an end begins the next one
    wide = np.full((len(table) + pad * (int(sentence[-1]) + 1), table.shape[1]), -1, np.float32)
    rows = place + pad * sentence
    wide[rows] = table
    return wide, rows


def _first_best(
    score: Floats, chunk: _Chunk, filled: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Floats]:
    """Return the piece at which each answer's best score is first, and that score."""
    place = np.zeros_like(filled)
    best = np.zeros(len(filled))
    for number, row in enumerate(filled.tolist()):
        start = int(chunk.starts[row])
        own = score[start : start + int(chunk.counts[row])]
        place[number] = start + int(own.argmax())
        best[number] = own.max()
    return place, best


def _whole_words(answer: TokenVectors, first: int, last: int) -> tuple[int, int]:
    while first > 0 and answer.tokens[first].startswith("##"):
        first -= 1
    while last + 1 < len(answer.tokens) and answer.tokens[last + 1].startswith("##"):
        last += 1
    return int(answer.spans[first, 0]), int(answer.spans[last, 1])
