"""The stretch of each answer that says a phrase best, for all answers and phrases at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from markbook.graders.learning.vectors import TokenVectors

    Floats = NDArray[np.float64]

__all__ = ["Chunk", "Phrase", "Spans", "find_spans", "stack"]

_ROWS = 1024  # stretches that are summed at a time: their sums are 1.6 MB
_LENGTHS = (1, 2, 4, 8, 12, 18, 27, 40, 60)  # pieces of stretches; each at most twice the last
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

    @classmethod
    def none(cls, n: int) -> Spans:
        """Return the spans of n answers before any is looked at."""
        return cls(np.full(n, -1.0), np.zeros(n, np.int64), np.zeros(n, np.int64))


@dataclass(frozen=True)
class Phrase:
    """A phrase: the vectors of its pieces (m, d), and how much they tell (m,), some of it."""

    vectors: NDArray[np.float32]
    weights: Floats

    @property
    def lengths(self) -> tuple[int, ...]:
        """How long the stretches are that may say it: half its length to three times it."""
        m = len(self.weights)
        return tuple(n for n in _LENGTHS if m / 2 <= n <= 3 * m) or _LENGTHS[-1:]

    @property
    def whole(self) -> NDArray[np.float32]:
        """The phrase as one vector (d,) of length 1."""
        whole = self.vectors.sum(axis=0)
        found: NDArray[np.float32] = whole / max(float(np.linalg.norm(whole)), 1e-9)
        return found


@dataclass(frozen=True)
class Chunk:
    """Some answers in a row: first and last number, their pieces stacked, where each begins.

    ``until`` (t,) is where the sentence of a piece ends.
    """

    first: int
    last: int
    vectors: NDArray[np.float32]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    until: NDArray[np.int64]

    @property
    def filled(self) -> NDArray[np.intp]:
        """The answers that have a piece, counted from the first."""
        return np.flatnonzero(self.counts)


def stack(answers: Sequence[TokenVectors], first: int, last: int) -> Chunk:
    """Stack the pieces of some of the answers."""
    group = answers[first:last]
    counts = np.array([len(answer.tokens) for answer in group], np.int64)
    return Chunk(
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


def find_spans(
    chunk: Chunk, answers: Sequence[TokenVectors], phrases: Sequence[Phrase], into: Sequence[Spans]
) -> None:
    """Find each phrase in a chunk's answers, and put what is found ``into`` its spans."""
    norms = _norms(chunk, sorted({n for phrase in phrases for n in phrase.lengths}))
    wholes = chunk.vectors @ np.array([phrase.whole for phrase in phrases]).T
    # The longer a stack of columns, the quicker a product: that of all phrases at once.
    tables = chunk.vectors @ np.concatenate([phrase.vectors for phrase in phrases]).T
    begin = 0
    for number, phrase in enumerate(phrases):
        end = begin + len(phrase.weights)
        table = np.ascontiguousarray(tables[:, begin:end])
        _find(chunk, answers, phrase, table, wholes[:, number], norms, into[number])
        begin = end


def _find(  # noqa: PLR0913  (one phrase in one chunk)
    chunk: Chunk,
    answers: Sequence[TokenVectors],
    phrase: Phrase,
    table: NDArray[np.float32],
    gists: NDArray[np.float32],
    norms: dict[int, NDArray[np.float32]],
    spans: Spans,
) -> None:
    filled = chunk.filled
    begins = np.arange(len(table))
    summed = np.concatenate([[0.0], np.cumsum(gists, dtype=np.float64)])
    share = phrase.weights / phrase.weights.sum()
    similarity = np.full(len(filled), -np.inf)
    begin, size = np.zeros_like(filled), np.ones_like(filled)
    window, reach = table, 1
    for length in _LENGTHS:
        if length > reach:
            # The best of a longer stretch is the best of two shorter ones that overlap.
            window = np.maximum(
                window, window[np.minimum(begins + length - reach, chunk.until - 1)]
            )
            reach = length
        if length not in phrase.lengths:
            continue
        ends = np.minimum(begins + length, chunk.until)
        gist = (summed[ends] - summed[begins]) / norms[length]  # a model takes a text as its mean
        score = (window @ share + gist) / 2 - _BREVITY * np.log2(length)
        place, best = _first_best(score, chunk, filled)
        better = best > similarity
        similarity[better], begin[better], size[better] = best[better], place[better], length
        if length == phrase.lengths[-1]:
            break
    spans.similarity[chunk.first + filled] = similarity + _BREVITY * np.log2(size)
    inside = np.arange(reach)
    stop = np.minimum(begin + size, chunk.until[begin])
    places = begin[:, None] + inside
    found = table[np.minimum(places, len(table) - 1)]
    found[places >= stop[:, None]] = -2
    _narrow(chunk, answers, begin, found, phrase.weights, spans)


def _norms(chunk: Chunk, lengths: Sequence[int]) -> dict[int, NDArray[np.float32]]:
    """Return the length as a vector's of the stretch from each piece on (t,), for each length.

    Stretches are cut at the end of the sentence.
    """
    count = len(chunk.vectors)
    found = {length: np.empty(count, np.float32) for length in lengths}
    for start in range(0, count, _ROWS):
        begins = np.arange(start, min(start + _ROWS, count))
        block = chunk.vectors[start : start + _ROWS + max(lengths, default=0)]
        sums = np.zeros((len(block) + 1, block.shape[1]), np.float32)
        np.cumsum(block, axis=0, out=sums[1:])
        for length, norm in found.items():
            ends = np.minimum(begins + length, chunk.until[begins])
            wide = sums[ends - start] - sums[begins - start]
            norm[begins] = np.maximum(np.sqrt(np.einsum("ij,ij->i", wide, wide)), 1e-9)
    return found


def _first_best(
    score: Floats, chunk: Chunk, filled: NDArray[np.intp]
) -> tuple[NDArray[np.int64], Floats]:
    """Return the piece at which each answer's best score is first, and that score."""
    starts = chunk.starts[filled]
    best = np.maximum.reduceat(score, starts)
    hits = np.flatnonzero(score == np.repeat(best, chunk.counts[filled]))
    return hits[np.searchsorted(hits, starts)], best


def _narrow(
    chunk: Chunk,
    answers: Sequence[TokenVectors],
    begin: NDArray[np.int64],
    found: NDArray[np.float32],
    weights: Floats,
    spans: Spans,
) -> None:
    """Cut stretches (a, l) that begin at ``begin`` down to where the phrase's pieces are."""
    where, cosine = found.argmax(axis=1), found.max(axis=1)
    counted = (cosine >= _SAID) & (weights > 0)
    counted |= ~counted.any(axis=1)[:, None] & (cosine == cosine.max(axis=1, keepdims=True))
    offset = begin - chunk.starts[chunk.filled]
    first = np.where(counted, where, found.shape[1]).min(axis=1) + offset
    last = np.where(counted, where, -1).max(axis=1) + offset
    for row, low, high in zip(chunk.filled.tolist(), first.tolist(), last.tolist(), strict=True):
        number = chunk.first + row
        spans.start[number], spans.end[number] = _whole_words(answers[number], low, high)


def _whole_words(answer: TokenVectors, first: int, last: int) -> tuple[int, int]:
    while first > 0 and answer.tokens[first].startswith("##"):
        first -= 1
    while last + 1 < len(answer.tokens) and answer.tokens[last + 1].startswith("##"):
        last += 1
    return int(answer.spans[first, 0]), int(answer.spans[last, 1])
