"""Confidence is compared with what was right, in ten bins."""

from __future__ import annotations

import numpy as np
import pytest

from markbook.graders.reliability import reliability


def test_confidence_that_means_what_it_says_has_no_error():
    found = reliability(np.full(10, 0.9), np.array([True] * 9 + [False]))
    assert (found.ece, found.sure, found.sure_right) == (0.0, 10, 0.9)
    assert [(each.low, each.answers) for each in found.bins] == [(0.9, 10)]


def test_the_error_is_weighted_by_answers():
    confidence = np.array([1.0] * 3 + [0.0])
    found = reliability(confidence, np.array([False] * 4))
    assert found.ece == pytest.approx(0.75)
    assert found.sure_right == 0.0


def test_each_answer_is_in_one_bin_with_edges_below():
    confidence = np.array([0.0, 0.1, 0.3, 0.7, 1.0])
    found = reliability(confidence, np.ones(5, dtype=bool))
    assert [each.low for each in found.bins] == [0.0, 0.1, 0.3, 0.7, 0.9]
    assert sum(each.answers for each in found.bins) == found.answers


def test_no_answer_has_no_error():
    found = reliability(np.zeros(0), np.zeros(0, dtype=bool))
    assert (found.answers, found.ece, found.sure_right, found.bins) == (0, None, None, ())
