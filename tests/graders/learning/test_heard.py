"""Marks speak for the answers that are like theirs, and never for their own."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from markbook.graders.learning.features import read
from markbook.graders.learning.heard import SCORES, Heard, lies_near
from markbook.graders.learning.prior import Prior
from markbook.graders.learning.process import Question
from markbook.graders.learning.texts import QuestionTexts

ANSWERS = (
    "A token is signed so that a change to it is noticed.",
    "A token is signed so that any change to it is noticed.",
    "It hides the password from everybody who listens.",
    "It hides the password from all who listen.",
    "No idea.",
    "Cookies are sent with each request.",
)


def question() -> Question:
    texts = QuestionTexts("jwt", "What does the signature do?", ("It shows changes.",), ANSWERS)
    prior, seen = Prior.default(), read(texts)
    mean, spread = prior.predict(seen.features)
    return Question(seen, prior.standard(seen.features), mean, spread)


def test_half_a_point_of_five_is_near_and_a_hair_more_is_not() -> None:
    near = lies_near(np.array([0.6, 1.0]))
    assert near[0, [10, 12, 14]].tolist() == [1.0, 1.0, 1.0]
    assert near[0, [9, 15]].tolist() == [0.0, 0.0]
    assert near[1, 18:].tolist() == [1.0, 1.0, 1.0]


def test_an_answer_hears_the_mark_of_its_twin_more_than_that_of_a_stranger() -> None:
    heard = Heard.of(question(), {0: 1.0, 2: 0.0})
    top, bottom = len(SCORES) - 1, 0
    texts = heard.hits[0]
    assert texts[1, top] > 5 * texts[1, bottom]
    assert texts[3, bottom] > 5 * texts[3, top]
    assert heard.marks.tolist() == [2] * 6
    assert heard.own[:, [bottom, top]].tolist() == [[1.0, 1.0]] * 6


@given(st.dictionaries(st.integers(0, 5), st.floats(0, 1), max_size=6))
def test_a_marked_answer_does_not_hear_its_own_mark(marks: dict[int, float]) -> None:
    asked = question()
    every = Heard.of(asked, marks)
    assert (every.hits <= every.like[:, :, None] + 1e-9).all()
    for place in marks:
        others = {k: m for k, m in marks.items() if k != place}
        alone = Heard.of(asked, others, np.array([place]))
        assert np.allclose(every.like[:, [place]], alone.like)
        assert np.allclose(every.hits[:, [place]], alone.hits)


def test_where_no_mark_is_known_nothing_is_heard() -> None:
    heard = Heard.of(question(), {})
    assert not heard.marks.any()
    assert not heard.hits.any()
    assert heard.like.shape == (2, 6)
