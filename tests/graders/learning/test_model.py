"""A question at work: marks in, scores out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from markbook.errors import UsageError
from markbook.graders.learning.model import ScoreModel
from markbook.graders.learning.prior import Prior
from markbook.graders.learning.texts import QuestionTexts

if TYPE_CHECKING:
    from markbook.graders.learning.prior import Marked


def test_marks_lower_the_error_on_answers_that_have_none(
    fitted: Prior, write_question: Any
) -> None:
    texts, scores = write_question("cache", 60)
    harsh = np.where(["stale" in answer for answer in texts.answers], scores, 0.3 * scores)
    question = ScoreModel(fitted).open(texts)
    before = question.predict()
    chosen = question.first(10)
    question.observe({place: float(harsh[place]) for place in chosen})
    after = question.predict()
    rest = np.setdiff1d(np.arange(60), chosen)
    errors = [np.sqrt(((p.mean - harsh)[rest] ** 2).mean()) for p in (before, after)]
    assert errors[1] < 0.75 * errors[0]
    assert (after.sd[rest] <= before.sd[rest] + 1e-9).all()


def test_a_mark_by_a_person_stands_and_the_same_text_follows_it(fitted: Prior) -> None:
    answers = ("A cache keeps copies.", "It is stale.", "bananas", "memory", "Keeps copies, fast.",
               "A cache keeps copies.")  # fmt: skip
    texts = QuestionTexts("q", "What is a cache?", ("It keeps copies.",), answers)
    question = ScoreModel(fitted).open(texts)
    before = question.predict().mean[5]
    question.observe({0: 0.0})
    found = question.predict()
    assert (found.mean[0], found.sd[0], found.confidence[0]) == (0.0, 0.0, 1.0)
    assert found.mean[5] < before - 0.1


def test_the_question_pasted_as_an_answer_is_expected_to_earn_nothing_until_it_is_marked(
    write_question: Any,
) -> None:
    texts, _ = write_question("cache")
    asked = "Why does a web server keep a cache of pages, and when does its content become stale?"
    twice = f"{asked} {asked.upper()}"
    pasted = QuestionTexts("q", asked, texts.references, (*texts.answers, asked, twice))
    question = ScoreModel(Prior.default()).open(pasted)
    found = question.predict()
    assert (found.mean[-2:] <= 0.1).all()
    assert (found.suggested[-2:] <= 0.1).all()
    assert (found.confidence[-2:] <= 0.3).all()
    question.observe({len(pasted.answers) - 1: 0.8})
    assert question.predict().mean[-1] == 0.8


def test_an_answer_in_another_language_has_no_score_to_be_sure_of_until_it_is_marked(
    write_question: Any,
) -> None:
    texts, _ = write_question("cache")
    others = ("Er speichert eine Kopie der Seite.", "缓存保存网页的副本")
    there = QuestionTexts("q", texts.question, texts.references, (*texts.answers, *others))
    question = ScoreModel(Prior.default()).open(there)
    found = question.predict()
    assert found.refused is None
    assert (found.confidence[-2:] <= 0.3).all()
    question.observe({len(there.answers) - 1: 0.8})
    assert question.predict().confidence[-1] == 1.0


def test_the_order_in_which_marks_came_does_not_matter(fitted: Prior, write_question: Any) -> None:
    texts, scores = write_question("cache")
    one, other = ScoreModel(fitted).open(texts), ScoreModel(fitted).open(texts)
    one.observe({3: float(scores[3]), 7: float(scores[7])})
    other.observe({7: 0.0})
    other.observe({7: float(scores[7])})
    other.observe({3: float(scores[3])})
    assert np.allclose(one.predict().mean, other.predict().mean)


def test_first_never_names_an_answer_that_has_a_mark(fitted: Prior, write_question: Any) -> None:
    texts, _ = write_question("cache")
    question = ScoreModel(fitted).open(texts)
    chosen = question.first(5)
    assert len(set(chosen)) == 5
    question.observe(dict.fromkeys(chosen, 0.5))
    assert set(question.first(50)) == set(range(24)) - set(chosen)
    assert question.first(0) == ()


def test_a_fresh_question_is_opened_without_any_mark_of_its_own(
    fitted: Prior, write_question: Any
) -> None:
    texts, scores = write_question("cache")
    model = ScoreModel(fitted)
    untouched = model.open(texts).predict().mean
    marked = model.open(texts)
    marked.observe({0: float(scores[0])})
    marked.predict()
    assert np.array_equal(model.open(texts).predict().mean, untouched)


@pytest.mark.parametrize(
    ("marks", "what"),
    [({99: 0.5}, "no answer 99"), ({-1: 0.5}, "no answer -1"), ({0: 5.0}, "5.0 of answer 0"),
     ({0: float("nan")}, "nan of answer 0")],
)  # fmt: skip
def test_a_mark_that_cannot_be_is_refused_and_changes_nothing(
    fitted: Prior, write_question: Any, marks: dict[int, float], what: str
) -> None:
    question = ScoreModel(fitted).open(write_question("cache")[0])
    before = question.predict().mean
    with pytest.raises(UsageError, match=what):
        question.observe({1: 0.0, **marks})
    assert np.array_equal(question.predict().mean, before)


def test_a_refused_question_has_a_reason_and_no_confident_suggestion(fitted: Prior) -> None:
    texts = QuestionTexts("q", "Sum?", ("55",), tuple(str(n) for n in range(40)))
    question = ScoreModel(fitted).open(texts)
    found = question.predict()
    assert "numbers" in (found.refused or "")
    assert found.confidence.max() <= 0.5


def test_contradictory_marks_refuse_the_question(fitted: Prior, write_question: Any) -> None:
    texts, _ = write_question("cache", 20)
    same = QuestionTexts("q", texts.question, texts.references, ("It keeps copies.",) * 12)
    question = ScoreModel(fitted).open(same)
    question.observe({place: float(place % 2) for place in range(6)})
    found = question.predict()
    assert "same words have different marks" in (found.refused or "")
    assert found.confidence[6:].max() <= 0.5


def test_equal_marks_refuse_a_question_and_its_answers_need_not_all_be_read_first(
    fitted: Prior, write_question: Any
) -> None:
    question = ScoreModel(fitted).open(write_question("cache", 40)[0])
    question.observe(dict.fromkeys(range(12), 1.0))
    found = question.predict()
    assert "marks are the same" in (found.refused or "")
    assert found.confidence[12:].max() <= 0.85, "none is confident"
    assert found.confidence[12:].max() > 0.5, "an easy question is no doubtful one"


@pytest.mark.parametrize("answers", [(), ("",), ("", ""), ("🎉", "да", "x" * 100_000, "42")])
def test_odd_questions_open_and_are_refused(fitted: Prior, answers: tuple[str, ...]) -> None:
    question = ScoreModel(fitted).open(QuestionTexts("q", "", (), answers))
    if answers:
        question.observe({0: 1.0})
    found = question.predict()
    assert found.refused is not None
    assert len(found.mean) == len(answers)
    assert np.isfinite(found.mean).all()
    assert np.isfinite(found.confidence).all()


def test_predictions_are_shares_and_chances(fitted: Prior, marked_questions: list[Marked]) -> None:
    question = ScoreModel(fitted).open_read(marked_questions[0].read)
    question.observe({0: 1.0, 1: 0.0})
    found = question.predict()
    for values in (found.mean, found.suggested, found.confidence):
        assert ((values >= 0) & (values <= 1)).all()
