"""The counts and histograms of the pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.server.overview import histogram, sum_rows

SCORES = st.lists(st.floats(-5, 20, allow_nan=False).map(lambda x: round(x, 6)), max_size=40)


@given(SCORES, st.floats(0, 20).map(lambda x: round(x, 6)))
def test_every_mark_is_in_one_bin_that_holds_its_score(scores, cap):
    drawn = histogram(scores, cap)
    bins = drawn["bins"]
    assert sum(b["marks"] for b in bins) == len(scores)
    assert drawn["most"] == max(b["marks"] for b in bins)
    assert 1 <= len(bins) <= 11
    for b in bins:
        assert b["from"] <= b["to"] + 1e-6
    for one in scores:
        (found,) = [b for b in histogram([one], cap)["bins"] if b["marks"]]
        assert found["from"] - 1e-6 <= one <= found["to"] + 1e-6


def test_whole_points_have_a_bin_each():
    bins = histogram([0, 1, 1, 3], 3)["bins"]
    assert [(b["from"], b["marks"]) for b in bins] == [(0, 1), (1, 2), (2, 0), (3, 1)]


def test_without_marks_there_is_no_mean():
    assert histogram([], 3)["mean"] is None
    assert histogram([1, 2], 3)["mean"] == pytest.approx(1.5)


def test_progress_adds_up():
    row = dict.fromkeys(
        ("marked", "suggested", "waiting", "stale", "blank", "not_asked", "missing"), 1
    ) | {"open": 3, "total": 7}
    assert sum_rows([row, row])["total"] == 14
    assert sum_rows([])["open"] == 0
