"""What marks tell about a criterion in the other answers."""

from __future__ import annotations

import numpy as np
import pytest

from markbook.graders.learning.features import read
from markbook.graders.learning.texts import QuestionTexts
from markbook.graders.marked import Telling, learn

YES = [f"the cache is warmed by the nightly job {word}" for word in ("soon", "late", "once", "now")]
NO = [f"people look at the moon through glasses {word}" for word in ("soon", "late", "once", "now")]


@pytest.fixture(scope="module")
def places() -> object:
    texts = QuestionTexts("q", "What is it?", ("something else",), (*YES, *NO))
    return read(texts).places


def test_answers_like_a_marked_one_follow_it(places: object) -> None:
    found = learn(np.zeros(8), places, {0: True, 4: False})  # type: ignore[arg-type]
    assert found[1:4].min() > 0.55
    assert found[5:].max() < 0.45


def test_more_marks_say_it_more_surely(places: object) -> None:
    few = learn(np.zeros(8), places, {0: True, 4: False})  # type: ignore[arg-type]
    many = learn(np.zeros(8), places, {0: True, 1: True, 2: True, 4: False, 5: False})  # type: ignore[arg-type]
    assert many[3] > few[3]
    assert many[7] < few[7]


def test_a_marked_answer_is_judged_without_its_own_mark(places: object) -> None:
    others = {1: True, 2: True, 4: False, 5: False}
    told = learn(np.zeros(8), places, {0: False, **others})  # type: ignore[arg-type]
    untold = learn(np.zeros(8), places, others)  # type: ignore[arg-type]
    assert told[0] > 0.55
    assert told[0] == pytest.approx(untold[0], abs=0.08)


def test_marks_all_alike_move_every_answer_that_way(places: object) -> None:
    found = learn(np.zeros(8), places, {0: True, 1: True, 2: True})  # type: ignore[arg-type]
    assert (found > 0.5).all()
    assert found[3] > found[7]


def test_what_was_known_before_is_kept_where_no_mark_is_near(places: object) -> None:
    odds = np.array([0.0] * 7 + [-3.0])
    found = learn(odds, places, {0: True})  # type: ignore[arg-type]
    assert found[7] == pytest.approx(1 / (1 + np.exp(3)), abs=0.03)


def test_the_clause_nearest_to_what_earned_it_is_quoted() -> None:
    telling = Telling.of(YES, NO)
    text = "I like the moon. There is a nightly job that warms it. Good bye."
    found = telling.clause(text)
    assert found is not None
    assert text[found[0] : found[1]] == "There is a nightly job that warms it"
    assert telling.clause("nothing of the kind") is None
