"""The best stretches of many answers at once against each stretch looked at by itself."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from markbook.graders.learning import spans as spans_module
from markbook.graders.learning.spans import Chunk, Phrase, Spans, _norms, find_spans, stack
from markbook.graders.learning.vectors import TokenVectors
from markbook.graders.learning.wordpiece import cut, vocabulary

ANSWERS = (
    "The signature proves that nobody changed the token. It is not about who reads it.",
    "",
    "It hides the payload, so the token is encrypted",
    "Yes!",
    (
        "No. Nobody. It proves it. A very long sentence goes on about what a token is and what the"
        " payload is, and what a signature proves about the header and about whoever changed them."
    ),
)
PHRASES = ("nobody changed the token", "payload", "a signature proves who changed the header " * 3)


def plain(text: str) -> TokenVectors:
    """A text whose pieces have a random vector each, in their context: none equals another."""
    pieces = cut(text, 999)
    names = tuple(vocabulary()[number] for number in pieces.ids)
    rows = [np.random.default_rng(int(number)).standard_normal(32) for number in pieces.ids]
    own = np.random.default_rng(len(text)).standard_normal((len(rows), 32))
    vectors = (np.array(rows).reshape(-1, 32) + 0.3 * own).astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return TokenVectors(names, pieces.spans, vectors, vectors.sum(axis=0))


@pytest.fixture(scope="module")
def chunk() -> Chunk:
    answers = [plain(answer) for answer in ANSWERS]
    return stack(answers, 0, len(answers))


def by_hand(chunk: Chunk, phrase: Phrase, row: int) -> float:
    """Look at each stretch of one answer by itself; return the likeness of the best."""
    start = int(chunk.starts[row])
    best = (-np.inf, 0.0)
    for length in phrase.lengths:
        brevity = 0.01 * np.log2(length)
        for begin in range(start, start + int(chunk.counts[row])):
            piece = chunk.vectors[begin : min(begin + length, int(chunk.until[begin]))]
            share = phrase.weights / phrase.weights.sum()
            said = float((piece @ phrase.vectors.T).max(axis=0) @ share)
            total = piece.sum(axis=0)
            like = (said + float(total @ phrase.whole / np.linalg.norm(total))) / 2
            best = max(best, (like - brevity, like))
    return best[1]


def test_the_best_stretch_is_the_one_found_by_looking_at_each(chunk: Chunk) -> None:
    answers = [plain(answer) for answer in ANSWERS]
    phrases = [Phrase(v.vectors, np.linspace(0, 1, len(v.tokens) + 1)[1:])
               for v in map(plain, PHRASES)]  # fmt: skip
    found = [Spans.none(len(answers)) for _ in phrases]
    find_spans(chunk, answers, phrases, found)
    for phrase, spans in zip(phrases, found, strict=True):
        for row, answer in enumerate(ANSWERS):
            expected = by_hand(chunk, phrase, row) if answer else -1.0
            assert spans.similarity[row] == pytest.approx(expected, abs=1e-5)
            assert 0 <= spans.start[row] < spans.end[row] <= len(answer) or not answer


def test_each_length_is_at_most_twice_the_one_before() -> None:
    lengths = spans_module._LENGTHS
    assert lengths[0] == 1
    assert all(b <= 2 * a for a, b in itertools.pairwise(lengths))


def test_the_lengths_of_stretches_are_those_of_their_sums(
    chunk: Chunk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("markbook.graders.learning.spans._ROWS", 5)
    for length, norm in _norms(chunk, (1, 4, 18)).items():
        ends = np.minimum(np.arange(len(chunk.until)) + length, chunk.until)
        expected = [
            np.linalg.norm(chunk.vectors[begin:end].sum(axis=0)) for begin, end in enumerate(ends)
        ]
        np.testing.assert_allclose(norm, expected, rtol=1e-4)
