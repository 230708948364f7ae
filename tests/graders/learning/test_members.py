"""Members predict as what they were fitted by, and are plain arrays."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.svm import SVR

from markbook.graders.learning.members import Forest, Linear, Support


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    drawn = np.random.default_rng(3)
    values = drawn.normal(size=(150, 6))
    scores = np.clip(0.5 + 0.2 * values[:, 0] + 0.05 * drawn.normal(size=150), 0, 1)
    return values, scores, np.repeat(np.arange(10), 15)


def test_a_forest_in_arrays_predicts_as_scikit_learns_does() -> None:
    values, scores, _ = data()
    oracle = ExtraTreesRegressor(
        20, min_samples_leaf=5, max_features=0.4, random_state=0, n_jobs=1
    ).fit(values, scores)
    ours = Forest.fit(values, scores, trees=20)
    assert np.allclose(ours.predict(values), oracle.predict(values), atol=1e-5)


def test_support_vectors_predict_as_scikit_learns_do() -> None:
    values, scores, _ = data()
    oracle = SVR(C=0.3, gamma=0.22 / 6, epsilon=0.1).fit(values, scores)
    assert np.allclose(
        Support.fit(values, scores).predict(values), oracle.predict(values), atol=1e-5
    )


def test_slopes_are_found_although_questions_differ_in_level() -> None:
    values, scores, groups = data()
    shifted = scores + np.repeat(np.linspace(-0.4, 0.4, 10), 15)
    slopes = Linear.fit(values, shifted, groups, ridge=1.0).slopes
    assert abs(slopes[0] - 0.19) < 0.03
    assert np.abs(slopes[1:]).max() < 0.05


def test_a_member_is_built_again_from_its_arrays() -> None:
    values, scores, groups = data()
    for member in (
        Linear.fit(values, scores, groups),
        Support.fit(values, scores),
        Forest.fit(values, scores, trees=5),
    ):
        again = type(member).of_arrays(member.arrays())
        assert np.array_equal(again.predict(values), member.predict(values))
