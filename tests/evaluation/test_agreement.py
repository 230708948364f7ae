"""Agreement is what the libraries say it is, in the sample and in every draw of questions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from markbook.evaluation.agreement import MEASURES, Pairs, agreement, measures, near, resampled


def test_measures_are_on_a_scale_of_5():
    truth, guess = np.array([0.0, 0.2, 0.6, 1.0]), np.array([0.1, 0.2, 0.8, 0.9])
    found = measures(truth, guess, np.zeros(4, dtype=int))
    assert found["rmse"] == pytest.approx(math.sqrt((0.25 + 0 + 1 + 0.25) / 4))
    assert found["within_half"] == 0.75
    assert found["pearson"] == pytest.approx(stats.pearsonr(truth, guess).statistic)


def test_half_a_point_is_within_half_a_point_whatever_the_rounding():
    assert near(np.array([0.7, 0.3]), np.array([0.8, 0.2])).all()
    assert not near(np.array([0.7]), np.array([0.801])).any()


def test_kappa_of_one_class_has_no_number_and_of_two_different_ones_is_0():
    name, low, high = "quadratic_weighted_kappa", np.zeros(4), np.ones(4)
    assert math.isnan(measures(low, low, np.zeros(4, dtype=int))[name])
    assert measures(low, high, np.zeros(4, dtype=int))[name] == 0.0


def test_within_half_and_kappa_are_of_the_scores_shown_and_the_others_of_those_expected():
    truth, mean = np.array([0.0, 0.5, 1.0, 1.0]), np.array([0.3, 0.5, 0.7, 0.7])
    found = measures(truth, mean, np.zeros(4, dtype=int), shown=truth)
    assert found["within_half"] == found["quadratic_weighted_kappa"] == 1.0
    assert found["suggested_rmse"] == 0.0
    assert found["rmse"] == pytest.approx(1.5 * math.sqrt(3) / 2)


def test_r_within_questions_does_not_see_that_some_questions_are_easy():
    questions = np.repeat([0, 1], 4)
    truth = np.array([0.1, 0.2, 0.1, 0.2, 0.8, 0.9, 0.8, 0.9])
    guess = np.array([0.1, 0.1, 0.2, 0.2, 0.8, 0.8, 0.9, 0.9])
    found = measures(truth, guess, questions)
    assert found["pearson"] > 0.95
    assert found["within_question_r"] == pytest.approx(0, abs=1e-9)


def test_perfect_scores_have_perfect_figures_and_intervals():
    truth = np.tile([0.0, 0.4, 1.0], 4)
    found = agreement(truth, truth, np.repeat(np.arange(4), 3), seed=1)
    for name, figure in found.items():
        best = 0.0 if name.endswith("rmse") else 1.0
        assert (figure.value, figure.low, figure.high) == (best, best, best)


def test_what_is_not_defined_has_no_number():
    same = np.full(6, 0.5)
    found = agreement(same, np.linspace(0, 1, 6), np.repeat([0, 1], 3), seed=1)
    assert found["pearson"].value is None
    assert found["pearson"].low is None
    assert found["rmse"].value is not None
    none = agreement(same[:0], same[:0], np.zeros(0, dtype=int), seed=1)
    assert all(figure.value is None for figure in none.values())


def test_one_question_gives_no_interval():
    truth = np.linspace(0, 1, 5)
    figure = agreement(truth, truth, np.zeros(5, dtype=int), seed=1)["rmse"]
    assert (figure.value, figure.low, figure.high) == (0.0, None, None)


def test_the_interval_is_wider_when_answers_of_a_question_err_alike():
    rng = np.random.default_rng(3)
    truth = rng.random(400)
    own, shared = rng.normal(0, 0.1, 400), np.repeat(rng.normal(0, 0.1, 20), 20)
    questions = np.repeat(np.arange(20), 20)

    def width(error):
        figure = agreement(truth, truth + error, questions, seed=1)["rmse"]
        return figure.high - figure.low

    assert width(shared) > 2 * width(own)


SHARES = st.integers(0, 20).map(lambda n: n / 20)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(SHARES, SHARES, SHARES, st.integers(0, 3)), min_size=4, max_size=25),
    st.lists(st.integers(0, 3), min_size=1, max_size=5),
)
def test_weighted_sums_give_what_the_libraries_give_for_the_rows_drawn(rows, draw):
    truth, guess, shown = (np.array([row[side] for row in rows]) for side in range(3))
    _, places = np.unique([row[3] for row in rows], return_inverse=True)
    chosen = np.array([each % (places.max() + 1) for each in draw])
    index = np.concatenate([np.flatnonzero(places == each) for each in chosen])
    # a question drawn twice is still centred by its own mean, as in the whole sample
    expected = measures(truth[index], guess[index], places[index], shown[index])
    (found,) = resampled(Pairs(truth, guess, shown, places), chosen[None])
    assert found == pytest.approx(list(expected.values()), abs=1e-7, nan_ok=True)
    assert list(expected) == list(MEASURES)
