"""Soft alignment against the same thing in loops, and spans that quote the right words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from markbook.graders.learning.alignment import Alignment, general_rarity
from markbook.graders.learning.vectors import TokenVectors
from markbook.graders.learning.wordpiece import cut, vocabulary

if TYPE_CHECKING:
    from markbook.graders.learning.semantic import SentenceModel


def plain(text: str) -> TokenVectors:
    """A text whose vectors know a piece only by itself: equal pieces have cosine 1."""
    pieces = cut(text, 999)
    names = tuple(vocabulary()[number] for number in pieces.ids)
    rows = [np.random.default_rng(int(number)).standard_normal(64) for number in pieces.ids]
    vectors = np.array(rows, np.float32).reshape(-1, 64)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return TokenVectors(names, pieces.spans, vectors, vectors.sum(axis=0))


ANSWERS = (
    "The signature proves that nobody changed the token.",
    "",
    "It hides the payload, so the token is encrypted.",
    "Yes!",
    "the the the",
    "No idea. I think that it is long. However, nobody changed the token. So it is fine.",
)
PHRASE = "nobody changed the token"


@pytest.fixture(params=[40_000, 12], ids=["one chunk", "many chunks"])
def aligned(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Alignment:
    monkeypatch.setattr("markbook.graders.learning.alignment._AT_ONCE", request.param)
    return Alignment([plain(text) for text in ANSWERS], plain("What does the signature prove?"))


def test_each_answer_is_compared_as_if_alone(aligned: Alignment) -> None:
    reference = plain("A changed token is noticed.")
    weights = aligned.weights(reference.tokens)
    for row, text in enumerate(ANSWERS):
        answer = plain(text)
        best = [
            max((float(a @ r) for a in answer.vectors), default=-1.0) for r in reference.vectors
        ]
        expected = float(np.average(best, weights=weights))
        assert aligned.similarities(reference)[row] == pytest.approx(expected, abs=1e-5)
        own = aligned.weights(answer.tokens)
        back = [max(float(a @ r) for r in reference.vectors) for a in answer.vectors]
        precise = float(np.average(back, weights=own)) if own.sum() else -1.0
        assert aligned.precisions([reference])[row] == pytest.approx(precise, abs=1e-5)


def test_the_span_quotes_the_phrase_where_it_stands(aligned: Alignment) -> None:
    spans = aligned.best_spans(plain(PHRASE))
    for row in (0, 5):
        assert ANSWERS[row][spans.start[row] : spans.end[row]] == PHRASE
        assert spans.similarity[row] == pytest.approx(1, abs=1e-5)
    assert spans.similarity[2] < 0.6
    assert (spans.similarity[1], spans.start[1], spans.end[1]) == (-1, 0, 0)
    assert all(0 <= spans.start[row] < spans.end[row] for row in (0, 2, 3, 4, 5))


def test_a_phrase_longer_than_any_stretch_is_looked_for_all_the_same(aligned: Alignment) -> None:
    spans = aligned.best_spans(plain("nobody changed the token " * 40))
    assert ANSWERS[0][spans.start[0] : spans.end[0]] == PHRASE


def test_a_span_is_of_whole_words() -> None:
    answer = "It was tampered, clearly."
    spans = Alignment([plain(answer)]).best_spans(plain("tamper"))
    assert answer[spans.start[0] : spans.end[0]] == "tampered"


def test_words_of_the_question_and_function_words_weigh_less_and_signs_nothing(
    aligned: Alignment,
) -> None:
    rare, asked, joining, sign = aligned.weights(["encrypted", "signature", "of", "."])
    assert rare > 1.5 * asked > 0
    assert rare > 3 * joining > 0
    assert sign == 0


def test_a_span_does_not_run_across_the_end_of_a_sentence() -> None:
    answer = "They changed. The token version 1.5 was read; nobody was there."
    spans = Alignment([plain(answer)]).best_spans(plain("nobody changed the token version 1.5"))
    assert answer[spans.start[0] : spans.end[0]] == "The token version 1.5"


def test_rarity_follows_the_vocabulary() -> None:
    assert 0 < general_rarity("the") < general_rarity("water") < general_rarity("photosynthesis")
    assert general_rarity("photosynthesis") <= general_rarity("[never seen]") == 1


def test_no_answers_and_empty_references_say_nothing() -> None:
    assert Alignment([]).similarities(plain("word")).shape == (0,)
    one = Alignment([plain("word"), plain("")])
    for reference in (plain(""), plain("?!")):
        assert one.similarities(reference).tolist() == [-1, -1]
    assert one.precisions([plain("")]).tolist() == [-1, -1]
    assert one.best_spans(plain("")).similarity.tolist() == [-1, -1]
    assert Alignment([]).best_spans(plain("word")).start.shape == (0,)


def test_a_phrase_of_signs_only_is_looked_for_all_the_same() -> None:
    spans = Alignment([plain("a != b")]).best_spans(plain("!="))
    assert (spans.start[0], spans.end[0]) == (2, 4)


def test_with_the_model_the_span_is_found_by_its_meaning(token_model: SentenceModel) -> None:
    text = "Tokens are long strings. A receiver can see whether someone modified it. They expire."
    answers = token_model.encode([text, "It is a kind of cookie that makes pages load faster."])
    (phrase,) = token_model.encode(["proves nobody tampered with the token"])
    spans = Alignment(answers).best_spans(phrase)
    assert "modified" in text[spans.start[0] : spans.end[0]]
    assert spans.similarity[0] > spans.similarity[1]
