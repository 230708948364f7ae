"""Expected scores: the rubric's arithmetic over uncertain criteria, with the learned score."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.graders.expected import Outcomes, maximum, together
from markbook.model import Criterion, Rubric, score

TWO = (Criterion("a", 2, "A."), Criterion("b", 1, "B."), Criterion("wrong", -1, "W."))
CHANCES = st.lists(st.floats(0, 1), min_size=3, max_size=3)


def rubric(*criteria: Criterion, **more: object) -> Rubric:
    return Rubric("q", criteria or TWO, "v", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "most"),
    [
        (rubric(), 3),
        (rubric(pick_one=(("a", "b"),)), 2),
        (rubric(extra_credit=1.5), 1.5),
        (rubric(Criterion("w", -2, "W."), Criterion("v", -2, "V."), start="full"), 4),
        (rubric(Criterion("w", -2, "W.")), 1),
    ],
)
def test_the_most_is_what_all_good_criteria_give(made: Rubric, most: float) -> None:
    assert maximum(made) == most


@given(chances=CHANCES)
def test_outcomes_have_the_mean_that_counting_every_case_gives(chances: list[float]) -> None:
    made = rubric()
    found = Outcomes.of(made, np.array([chances]))
    mean = 0.0
    for earned in itertools.product((False, True), repeat=3):
        pairs = zip(chances, earned, strict=True)
        likely = np.prod([p if yes else 1 - p for p, yes in pairs])
        names = itertools.compress(("a", "b", "wrong"), earned)
        mean += likely * score(made, names, points=3) / 3
    assert found.chance.sum() == pytest.approx(1)
    assert float((found.chance @ found.scores)[0]) == pytest.approx(mean, abs=0.025)


def test_of_many_criteria_cases_are_drawn_and_come_near() -> None:
    made = rubric(*(Criterion(f"c{n}", 1, "C.") for n in range(14)))
    found = Outcomes.of(made, np.full((2, 14), 0.3))
    assert (found.chance @ found.scores) == pytest.approx(0.3, abs=0.03)
    assert np.array_equal(found.chance[0], found.chance[1])


def test_certain_criteria_are_a_certain_score() -> None:
    outcomes = Outcomes.of(rubric(), np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]))
    found = together(outcomes, np.full(2, 0.5), np.full(2, 10.0), marks=5)
    assert found.suggested.tolist() == [1.0, 0.0]
    assert (found.confidence > 0.9).all()


def test_the_learned_score_gains_weight_with_marks_and_with_precision() -> None:
    outcomes = Outcomes.of(rubric(), np.array([[0.5, 0.5, 0.5]]))
    low = np.array([0.1])
    wide = together(outcomes, low, np.array([0.4])).mean[0]
    narrow = together(outcomes, low, np.array([0.1])).mean[0]
    taught = together(outcomes, low, np.array([0.1]), marks=8).mean[0]
    assert wide > narrow > taught > 0


def test_without_marks_less_is_sure() -> None:
    outcomes = Outcomes.of(rubric(), np.array([[0.97, 0.97, 0.03]]))
    untaught, taught = (
        together(outcomes, np.array([0.9]), np.array([0.2]), marks=n).confidence[0] for n in (0, 5)
    )
    assert untaught < taught


@given(chances=CHANCES, mean=st.floats(0, 1), sd=st.floats(0, 1), marks=st.integers(0, 50))
def test_whatever_is_given_what_is_expected_is_a_share(
    chances: list[float], mean: float, sd: float, marks: int
) -> None:
    outcomes = Outcomes.of(rubric(), np.array([chances]))
    found = together(outcomes, np.array([mean]), np.array([sd]), marks)
    for values in (found.mean, found.suggested, found.confidence):
        assert (values >= 0).all()
        assert (values <= 1 + 1e-9).all()
    assert np.isfinite(found.sd).all()
