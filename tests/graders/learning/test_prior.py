"""What is expected before any mark."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from markbook.errors import InputError, UsageError
from markbook.graders.learning.features import read
from markbook.graders.learning.prior import Marked, Prior, _number
from markbook.graders.learning.store import from_bytes, shipped, to_bytes
from markbook.graders.learning.texts import LabelledQuestion, QuestionTexts

if TYPE_CHECKING:
    from pathlib import Path


def test_a_question_never_seen_is_ordered_by_what_others_taught(
    fitted: Prior, marked_questions: list[Marked]
) -> None:
    unseen = marked_questions[0]
    mean, sd = fitted.predict(unseen.read.features)
    assert np.corrcoef(mean, unseen.scores)[0, 1] > 0.7
    assert ((mean >= 0) & (mean <= 1) & (sd > 0)).all()


def test_the_shipped_prior_orders_answers_of_a_new_course(marked_questions: list[Marked]) -> None:
    unseen = marked_questions[0]
    mean, _ = Prior.default().predict(unseen.read.features)
    assert np.corrcoef(mean, unseen.scores)[0, 1] > 0.6


def test_labels_that_are_missing_teach_nothing(marked_questions: list[Marked]) -> None:
    some = marked_questions[1:4]
    blank = Marked(marked_questions[0].read, np.full(24, np.nan))
    one, other = Prior.fit(some), Prior.fit([*some, blank])
    features = blank.read.features
    assert np.array_equal(one.predict(features)[0], other.predict(features)[0])


def test_few_questions_move_an_earlier_prior_a_little(
    fitted: Prior, marked_questions: list[Marked]
) -> None:
    question = marked_questions[0]
    strict = Marked(question.read, question.scores * 0.2)
    before, _ = fitted.predict(question.read.features)
    after, _ = Prior.fit([strict], fitted).predict(question.read.features)
    assert 0 < (before - after).mean() < (before - strict.scores).mean()


def test_a_prior_without_marks_or_with_other_features_says_what_to_do(
    fitted: Prior, marked_questions: list[Marked]
) -> None:
    with pytest.raises(UsageError, match="No question has a mark"):
        Prior.fit([])
    features = marked_questions[0].read.features
    other = replace(features, names=features.names[1:], values=features.values[:, 1:])
    with pytest.raises(UsageError, match="other features"):
        fitted.predict(other)
    stale = replace(fitted, names=fitted.names[1:])
    with pytest.raises(UsageError, match="other features"):
        Prior.fit(marked_questions, stale)


def test_a_prior_knows_the_questions_that_it_was_fitted_on(
    fitted: Prior, marked_questions: list[Marked]
) -> None:
    assert fitted.knows(marked_questions[1].read.texts)
    assert not fitted.knows(marked_questions[0].read.texts)
    later = Prior.fit(marked_questions[:1], fitted)
    assert all(later.knows(question.read.texts) for question in marked_questions)


def test_a_prior_that_ships_is_given_for_evaluating_only_if_it_knows_no_question(
    marked_questions: list[Marked], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [question.read.texts for question in marked_questions]
    assert Prior.unknown_to(texts, semantic=False) is Prior.default()
    usual = Prior.default()
    knowing = {_number(texts[0])}
    monkeypatch.setitem(usual.__dict__, "seen", frozenset(knowing))
    other = Prior.unknown_to(texts, semantic=False)
    assert other is not None
    assert other is not usual
    monkeypatch.setitem(other.__dict__, "seen", frozenset(knowing))
    assert Prior.unknown_to(texts, semantic=False) is None


@pytest.mark.parametrize("semantic", [False, True])
def test_the_prior_without_saf_knows_fewer_questions(semantic: bool) -> None:
    every = Prior.default(semantic=semantic)
    kind = "semantic" if semantic else "words"
    less = shipped(f"prior-{kind}-without-saf")
    assert less.seen < every.seen
    assert less.names == every.names


def test_a_stored_prior_predicts_the_same_to_three_digits(
    fitted: Prior, marked_questions: list[Marked]
) -> None:
    again = from_bytes(to_bytes(fitted))
    features = marked_questions[0].read.features
    assert np.allclose(again.predict(features)[0], fitted.predict(features)[0], atol=2e-3)
    assert again.kernel == fitted.kernel
    assert again.knows(marked_questions[1].read.texts)


@pytest.mark.parametrize("content", [b"", b"no prior", b"PK\x03\x04" + b"\0" * 40])
def test_a_file_that_is_no_prior_is_named_as_that(content: bytes) -> None:
    with pytest.raises(InputError, match="no prior"):
        from_bytes(content)


def test_a_prior_that_would_need_pickle_is_refused(fitted: Prior, tmp_path: Path) -> None:
    path = tmp_path / "prior.npz"
    np.savez(path, format=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match="no prior"):
        from_bytes(path.read_bytes())


def test_what_ships_is_small() -> None:
    from importlib import resources

    folder = resources.files("markbook.graders.learning") / "data"
    sizes = [len(f.read_bytes()) for f in folder.iterdir() if f.name.startswith("prior-")]
    assert sizes
    assert sum(sizes) < 300_000


@pytest.mark.parametrize("score", [1.01, -0.1, float("nan"), float("inf")])
def test_a_score_that_is_no_share_is_refused_with_its_place(score: float) -> None:
    texts = QuestionTexts("q7", "", (), ("a", "b"))
    with pytest.raises(UsageError, match="'q7', answer 2"):
        LabelledQuestion(texts, (0.5, score))
    with pytest.raises(UsageError, match="2 answers and 1 scores"):
        LabelledQuestion(texts, (0.5,))


def test_one_answer_can_be_fitted_on(write_question: Any) -> None:
    texts, _ = write_question("cache", 1)
    prior = Prior.fit([Marked(read(texts), np.array([0.5]))])
    mean, sd = prior.predict(read(texts).features)
    assert np.isfinite(mean).all()
    assert np.isfinite(sd).all()
