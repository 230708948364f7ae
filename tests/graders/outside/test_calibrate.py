"""Confidence from outside: capped till marks speak, then what marks say, and never falling."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from markbook.graders.outside import CAP, FEWEST, Calibration

PAIRS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=200)


def test_without_marks_nothing_is_surer_than_the_cap() -> None:
    none = Calibration.fit([])

    assert none.confidence(1.0) == CAP
    assert none.confidence(0.55) == 0.55
    assert "not calibrated" in none.says


def test_too_few_marks_are_not_believed() -> None:
    assert Calibration.fit([(0.9, True)] * (FEWEST - 1)).confidence(0.99) == CAP


def test_a_boastful_model_is_brought_down_to_how_often_it_is_right() -> None:
    pairs = [(0.99, n % 2 == 0) for n in range(100)]

    assert 0.45 < Calibration.fit(pairs).confidence(0.99) < 0.55


def test_a_model_that_is_right_may_be_surer_than_the_cap_but_not_certain() -> None:
    assert CAP < Calibration.fit([(0.9, True)] * 100).confidence(0.9) <= 0.95


@given(PAIRS, st.floats(0, 1), st.floats(0, 1))
def test_more_said_is_never_less_trusted(
    pairs: list[tuple[float, bool]], one: float, other: float
) -> None:
    found = Calibration.fit(pairs)
    low, high = sorted((one, other))

    assert 0 <= found.confidence(low) <= found.confidence(high) <= 0.95


def test_what_is_trusted_at_a_level_is_right_as_often_on_marks_not_seen() -> None:
    lots = random.Random(6)
    drawn = [(c, lots.random() < 0.4 + 0.5 * c) for c in (lots.random() for _ in range(4_000))]
    found = Calibration.fit(drawn[:2_000])
    gaps = [found.confidence(said) - right for said, right in drawn[2_000:]]

    assert abs(sum(gaps) / len(gaps)) < 0.03
