"""What fitting begins with, and that the learned score is fitted on nothing but what it is told."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from markbook.errors import UsageError
from markbook.evaluation.engine import LearnedScores
from markbook.graders.learning.prior import Prior
from markbook.graders.learning.texts import QuestionTexts


@pytest.fixture
def questions():
    return [
        QuestionTexts(f"q{q}", f"What is {word}?", (f"It is a {word}.",), tuple(answers))
        for q, (word, answers) in enumerate(
            {
                "token": ["A token is a word.", "It is a token", "No idea", "I do not know"],
                "server": ["It serves a page.", "A server is a server", "Nothing", "A machine"],
            }.items()
        )
    ]


def ships(monkeypatch, *known, other=None):
    """Ship a prior that was fitted on these questions, and perhaps another one that was not."""
    prior = SimpleNamespace(knows=lambda texts: texts.id in known, names=())
    monkeypatch.setattr(Prior, "unknown_to", lambda questions, *, semantic: other)
    monkeypatch.setattr(Prior, "default", lambda *, semantic: prior)
    return prior


def test_a_shipped_prior_that_knows_a_question_is_left_out_with_a_note(questions, monkeypatch):
    ships(monkeypatch, "q1")
    engine = LearnedScores()
    assert "fitted on questions of these: 1" in engine.prepare(questions)[0]
    assert engine.name == "words only, no prior"
    with pytest.raises(UsageError, match="no other question"):
        engine.fit([])


def test_another_prior_that_ships_takes_the_place_of_one_that_knows_a_question(
    questions, monkeypatch
):
    other = SimpleNamespace(names=())
    ships(monkeypatch, "q0", other=other)
    engine = LearnedScores()
    assert "fitted on none of them" in engine.prepare(questions)[0]
    assert engine.fit([]).prior is other


def test_a_shipped_prior_that_knows_none_is_what_fitting_begins_with(questions, monkeypatch):
    prior = ships(monkeypatch)
    engine = LearnedScores()
    assert engine.prepare(questions) == ()
    assert engine.name == "words only, shipped prior"
    assert engine.fit([]).prior is prior


def test_the_shipped_prior_is_not_even_asked_for_where_it_shall_not_be_used(questions, monkeypatch):
    monkeypatch.delattr(Prior, "default")
    engine = LearnedScores(shipped=False)
    assert engine.prepare(questions) == ()


def test_a_prior_that_is_given_takes_the_shipped_ones_place_unless_it_knows_a_question(
    questions, monkeypatch
):
    monkeypatch.delattr(Prior, "default")
    given = SimpleNamespace(knows=lambda texts: texts.id == "q1", names=())
    engine = LearnedScores(start=given)
    assert engine.prepare(questions[:1]) == ()
    assert engine.name == "words only, given prior"
    assert engine.fit([]).prior is given
    with pytest.raises(UsageError, match="was fitted on questions of this evaluation"):
        engine.prepare(questions)


def test_the_learned_score_is_fitted_on_some_questions_and_opens_another(questions):
    engine = LearnedScores(shipped=False)
    reads = [engine.read(texts) for texts in questions]
    opened = engine.fit([(reads[0], np.array([0.5, 1.0, 0.0, np.nan]))]).open_read(reads[1])
    opened.observe({0: 1.0})
    found = opened.predict()
    for column in (found.mean, found.suggested, found.confidence, found.sd):
        assert column.shape == (4,)
        assert np.isfinite(column).all()
    assert found.mean[0] == 1.0
    assert sorted(opened.first(3)) == [1, 2, 3]
