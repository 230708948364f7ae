"""The process inside a question, and the variances it is fitted with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel

from markbook.graders.learning.likelihood import fit_kernel, fit_spread, spread
from markbook.graders.learning.process import PARTS, Kernel, Process, Question

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from markbook.graders.learning.prior import Marked


def question(marked: Marked, mean: float = 0.5, sd: float = 0.2) -> Question:
    n = len(marked.scores)
    standard = np.random.default_rng(0).normal(size=(n, 4))
    return Question(marked.read, standard, np.full(n, mean), np.full(n, sd))


def test_with_one_part_the_process_is_scikit_learns(marked_questions: list[Marked]) -> None:
    seen = question(marked_questions[0], mean=0.0, sd=1.0)
    marks = {0: 0.3, 5: 0.9, 11: 0.1}
    mean, variance = Process(seen, Kernel({"near": 1.0}, 0.1)).given(marks)
    # exp(-d^2 / (4 * 0.5)) for four features: a length of 1.
    oracle = GaussianProcessRegressor(RBF(1.0) + WhiteKernel(0.1), optimizer=None)
    oracle.fit(seen.standard[list(marks)], list(marks.values()))
    expected, sd = oracle.predict(seen.standard, return_std=True)
    unmarked = np.setdiff1d(np.arange(len(mean)), list(marks))
    assert np.allclose(mean, expected, atol=1e-6)
    # Shah, Wilson and Ghahramani 2014: the scale by how surprising the marks are, 8 + 2 freedoms.
    surprise = float(np.array(list(marks.values())) @ oracle.alpha_)
    scale = (8 + surprise) / (8 + len(marks))
    assert np.allclose(variance[unmarked], scale * sd[unmarked] ** 2, atol=1e-6)


def test_marks_far_from_the_prior_widen_every_spread_and_near_ones_narrow_them(
    marked_questions: list[Marked],
) -> None:
    process = Process(question(marked_questions[0]), Kernel({"letters": 0.5, "level": 0.2}, 0.3))
    spread_of = {
        far: process.given(dict(enumerate([0.5 + far, 0.5 - far] * 5)))[1] for far in (0, 0.2, 0.5)
    }
    assert (spread_of[0] < spread_of[0.2]).all()
    assert (spread_of[0.2] < spread_of[0.5]).all()


def test_what_a_mark_would_have_been_is_told_without_that_mark(
    marked_questions: list[Marked],
) -> None:
    process = Process(question(marked_questions[0]), Kernel({"letters": 0.5, "level": 0.2}, 0.3))
    marks = {2: 0.4, 3: 1.0, 8: 0.0, 9: 0.7}
    alone = [process.given({p: s for p, s in marks.items() if p != place}) for place in marks]
    means = [mean[place] for (mean, _), place in zip(alone, marks, strict=True)]
    spreads = [variance[place] for (_, variance), place in zip(alone, marks, strict=True)]
    assert np.allclose(process.unseen(marks), means, atol=1e-6)
    assert np.allclose(process.left_out(marks)[1], spreads, atol=1e-6)


def test_what_is_left_after_marks_is_what_given_says(marked_questions: list[Marked]) -> None:
    process = Process(question(marked_questions[0]), Kernel({"words": 0.5, "near": 0.4}, 0.3))
    every, seen = np.arange(24), np.array([1, 4, 6])
    left = np.diag(process.left(every, seen))
    _, variance = process.given(dict.fromkeys(seen.tolist(), 0.5))
    rest = np.setdiff1d(every, seen)
    scale = 8 / (8 + len(seen))  # marks just as expected
    assert np.allclose(scale * (left + process.noise)[rest], variance[rest], atol=1e-8)


@pytest.mark.parametrize("part", ["near", "level"])
def test_the_part_that_made_the_marks_is_found(marked_questions: list[Marked], part: str) -> None:
    drawn = np.random.default_rng(1)
    data = []
    for marked in marked_questions * 3:
        seen = question(marked, sd=0.3)
        every = np.arange(24)
        table = dict(seen.tables(every, every))[part] * 0.3**2
        truth = drawn.multivariate_normal(np.zeros(24), table + 1e-9 * np.eye(24))
        data.append((seen, seen.mean + truth + 0.05 * drawn.normal(size=24)))
    kernel = fit_kernel(data)
    assert max(kernel.parts, key=lambda name: kernel.parts[name]) == part
    assert 0.3 < kernel.parts[part] < 3
    assert kernel.noise < 0.2


@pytest.mark.parametrize("part", PARTS)
def test_an_answer_is_as_like_itself_as_the_table_of_all_answers_says(
    marked_questions: list[Marked], part: str
) -> None:
    asked = question(marked_questions[1])
    kernel = Kernel({part: 0.7, "level": 0.1}, 0.2)
    every = np.arange(len(asked.mean))
    table = kernel.between(asked, every, every)
    assert np.allclose(kernel.own(asked), np.diag(table), atol=1e-7)


def test_only_parts_that_are_asked_for_are_fitted(marked_questions: list[Marked]) -> None:
    data = [(question(m), m.scores) for m in marked_questions]
    assert set(fit_kernel(data, ("level", "letters")).parts) == {"level", "letters"}
    # Without a model there is no meaning; a slope does more harm than good.
    assert set(fit_kernel(data).parts) == set(PARTS) - {"meaning", "slope"}


def test_the_spread_is_wide_where_errors_were() -> None:
    drawn = np.random.default_rng(0)
    mean = drawn.uniform(0, 1, 2_000)
    scores = mean + np.where(mean > 0.7, 0.05, 0.25) * drawn.normal(size=2_000)
    weights = fit_spread(mean, np.zeros(2_000), scores)
    low, high = spread(weights, np.array([0.3, 0.9]), np.zeros(2))
    assert high < 0.6 * low


@pytest.mark.parametrize("places", [[4], [7, 1, 9, 3]])
def test_a_class_too_large_to_keep_its_tables_hears_the_same(
    marked_questions: list[Marked], monkeypatch: pytest.MonkeyPatch, places: list[int]
) -> None:
    kernel = Kernel(dict.fromkeys((p for p in PARTS if p != "meaning"), 0.2), 0.3)
    marks = dict.fromkeys(places, 0.9)
    among, seen = np.array([0, 2, 5]), np.array(places)

    def heard() -> list[NDArray[np.float64]]:
        process = Process(question(marked_questions[0]), kernel)
        found = [*process.given(marks), *process.left_out(marks), process.left(among, seen)]
        return found + [table for _, table in process.question.tables(among, seen)]

    kept = heard()
    monkeypatch.setattr("markbook.graders.learning.process._KEPT", 0)
    for with_them, without in zip(kept, heard(), strict=True):
        assert np.allclose(with_them, without, atol=1e-12)


def test_a_table_that_was_changed_is_whole_when_it_is_asked_for_again(
    marked_questions: list[Marked],
) -> None:
    asked = question(marked_questions[0])
    every = np.arange(3)
    for _, table in asked.tables(slice(None), every):
        table *= 0
    assert all(table.any() for name, table in asked.tables(every, every) if name == "level")
