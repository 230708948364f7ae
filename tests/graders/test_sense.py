"""What a sentence model finds of a criterion, by a model of our own that knows each word alone."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest

from markbook.graders import AnswerText, Grader
from markbook.graders.learning.vectors import TokenVectors
from markbook.graders.sense import sense

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markbook.model import Rubric


class WordModel:
    """Each word is a direction of its own; a text is their mean."""

    name = "words-alone"

    def encode(self, texts: Sequence[str]) -> list[TokenVectors]:
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> TokenVectors:
        found = list(re.finditer(r"\w+", text))
        words = tuple(match.group().lower() for match in found)
        vectors = np.zeros((len(words), 16), np.float32)
        for row, word in zip(vectors, words, strict=True):
            row[:] = np.random.default_rng(zlib.crc32(word.encode())).normal(size=16)
            row /= np.linalg.norm(row)
        pooled = vectors.mean(axis=0) if len(words) else np.zeros(16, np.float32)
        length = np.linalg.norm(pooled)
        spans = np.array([m.span() for m in found], np.int64).reshape(-1, 2)
        return TokenVectors(words, spans, vectors, pooled / length if length else pooled)


SAID = "Well, it hides the payload from all eyes."
DENIED = "Well, it never hides the payload from all eyes."


def test_a_phrase_is_found_with_its_place_and_a_denial_is_no_match(rubric: Rubric) -> None:
    found = sense(WordModel(), rubric, [SAID, DENIED, "", "bananas"], "")["thinks-it-encrypts"]
    assert "hides the payload" in SAID[found.start[0] : found.end[0]]
    assert found.turned.tolist()[:2] == [False, True]
    assert found.best[0] > found.best[1] + 0.2
    assert found.best[2] == 0
    assert found.best[0] > found.best[3]


def test_likeness_to_exemplars_leans_towards_what_they_earn(rubric: Rubric) -> None:
    text = "It hides what is inside from hackers, I think."
    found = sense(WordModel(), rubric, [text], "")
    assert found["thinks-it-encrypts"].lean[0] > 0 > found["detects-changes"].lean[0]


@pytest.mark.parametrize("texts", [[], [""], ["\U0001f44d" * 9], ["x" * 50_000], ["\ud800 a"]])
def test_any_answers_have_numbers_for_every_criterion(rubric: Rubric, texts: list[str]) -> None:
    found = sense(WordModel(), rubric, texts, "What is it?")
    assert set(found) == {c.id for c in rubric.criteria}
    assert all(
        np.isfinite(each.best).all() and len(each.best) == len(texts) for each in found.values()
    )


def test_a_grader_with_a_sentence_model_quotes_verbatim(rubric: Rubric) -> None:
    texts = (SAID, DENIED, "The server refuses a token that somebody has edited on the way.")
    grader = Grader([AnswerText(t, t) for t in texts], rubric, model=WordModel())
    grader.meaning()
    grader.finish()
    denied = [x for x in grader.suggestions if x.key == DENIED and x.criterion.startswith("thinks")]
    assert denied[0].awarded is not True
    assert all(x.span in x.key for x in grader.suggestions if x.span)
