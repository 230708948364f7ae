"""Features are numbers from texts alone, the same each time, whatever the texts hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from markbook.graders.learning.features import features, read
from markbook.graders.learning.texts import QuestionTexts

if TYPE_CHECKING:
    from markbook.graders.learning.semantic import SentenceModel

ODD = (
    "", " ", "\x00", "🎉🎉🎉", "これは答えです。", "ответ", "def f(x):\n    return x + 1", "NaN",
    "\ud800", "\u0430" * 5_000, "1 2 3 4 5", "no", "the the the", "ﬁne", "\u200b", "a" * 100_000,
)  # fmt: skip


def question(*answers: str, references: tuple[str, ...] = ("A cache keeps copies.",)) -> Any:
    return QuestionTexts("q", "What does a cache do?", references, answers)


def test_an_answer_that_says_the_reference_has_full_recall_and_an_unrelated_one_none() -> None:
    found = features(question("a cache keeps copies", "bananas are yellow", "copies"))
    recall = found.column("recall")
    assert recall[0] == pytest.approx(1.0, abs=1e-6)
    assert recall[1] < 0.2
    assert recall[1] < recall[2] < recall[0]


def test_a_word_with_a_typing_error_counts_almost_fully() -> None:
    found = features(question("it keeps copeis", "it keeps bananas")).column("recall")
    assert found[0] > found[1] + 0.1


def test_copying_the_question_is_worth_little() -> None:
    found = features(question("What does a cache do?", "keeps copies")).column("recall")
    assert found[0] < 0.3 < found[1]


def test_the_closest_of_several_references_counts() -> None:
    found = features(question("saves time", references=("keeps copies", "saves time")))
    assert found.column("recall")[0] == pytest.approx(1.0, abs=1e-6)


def test_numbers_are_never_taken_for_one_another_however_alike_they_are_written() -> None:
    found = features(question("1023", "1024", references=("1024",))).column("hard_recall")
    assert found[0] == 0
    assert found[1] == pytest.approx(1, abs=1e-6)


def test_the_side_that_an_answer_takes_is_seen_although_the_question_names_both() -> None:
    texts = QuestionTexts(
        "q",
        "Is a connection-oriented or a connectionless service better?",
        ("Connectionless, there is less overhead.",),
        ("connectionless is better", "connection-oriented, of course", "it depends on the case"),
    )
    assert features(texts).column("side").tolist() == [1, -1, 0]
    yes = question("No, it does not.", "Yes!", "It does.", references=("No, never.",))
    assert features(yes).column("side").tolist() == [1, -1, 0]


def test_the_order_of_the_answers_moves_their_rows_and_nothing_else(write_question: Any) -> None:
    texts, _ = write_question("cache")
    turned = replace(texts, answers=texts.answers[::-1])
    one, other = features(texts).values, features(turned).values[::-1]
    assert np.allclose(one, other, atol=2e-2)


def test_the_same_texts_give_the_same_numbers(write_question: Any) -> None:
    texts, _ = write_question("index")
    assert np.array_equal(features(texts).values, features(texts).values)


@pytest.mark.parametrize("references", [(), ("",), ("?!",), ("🎉",), ODD])
def test_odd_texts_have_finite_features(references: tuple[str, ...]) -> None:
    found = features(question(*ODD, references=references))
    assert found.values.shape == (len(ODD), len(found.names))
    assert np.isfinite(found.values).all()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_question_may_have_hardly_any_answer(count: int) -> None:
    found = read(question(*["keeps copies"] * count))
    assert found.features.values.shape[0] == count
    assert np.isfinite(found.features.values).all()


@settings(max_examples=25, deadline=None)
@example([], ["0", "0", "0"])
@given(st.lists(st.text(max_size=60), max_size=6), st.lists(st.text(max_size=40), max_size=3))
def test_any_text_can_be_read(answers: list[str], references: list[str]) -> None:
    found = features(question(*answers, references=tuple(references)))
    assert np.isfinite(found.values).all()


def test_of_thirty_megabytes_only_the_beginning_is_read() -> None:
    long = "keeps copies " * 2_400_000
    found, other = (features(question(text, "keeps copies")) for text in (long, long + "bananas"))
    assert np.array_equal(found.values, other.values)
    assert found.column("recall")[0] == pytest.approx(found.column("recall")[1])


def test_a_sentence_model_adds_columns_and_changes_no_other(
    token_model: SentenceModel,
) -> None:
    texts = question("it stores duplicates", "bananas are yellow", "", "keeps copies")
    without, with_model = features(texts), features(texts, token_model)
    assert set(without.names) < set(with_model.names)
    assert np.allclose(without.column("recall"), with_model.column("recall"))
    aligned = with_model.column("align")
    assert aligned[3] > aligned[0] > aligned[1]
    assert np.isfinite(with_model.values).all()
