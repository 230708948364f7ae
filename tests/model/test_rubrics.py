"""The arithmetic from criteria to a score."""

from __future__ import annotations

import dataclasses
import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.model import Criterion, Rubric, counted, score

POINTS = st.integers(-800, 800).map(lambda eighths: eighths / 8)
STARTS = st.sampled_from(["zero", "full"])
CAPS = st.one_of(st.integers(0, 400).map(lambda n: n / 8), st.floats(0, 50))


@st.composite
def rubrics(draw, *, start=STARTS, groups=True, points=POINTS):
    criteria = tuple(
        Criterion(id=f"c{n}", points=value, says="It says so.")
        for n, value in enumerate(draw(st.lists(points, min_size=1, max_size=7)))
    )
    ids = [criterion.id for criterion in criteria]
    pick_one = ()
    if groups and len(ids) > 1 and draw(st.booleans()):
        size = draw(st.integers(2, len(ids)))
        pick_one = (tuple(draw(st.permutations(ids))[:size]),)
    extra = draw(st.one_of(st.just(0.0), st.floats(0.5, 5)))
    return Rubric(
        question="q",
        criteria=criteria,
        version="",
        start=draw(start),
        pick_one=pick_one,
        floor=draw(st.integers(-16, 0)) / 8,
        extra_credit=extra,
    )


@st.composite
def marked(draw, **how):
    rubric = draw(rubrics(**how))
    ids = [criterion.id for criterion in rubric.criteria]
    return rubric, draw(st.lists(st.sampled_from(ids), unique=True))


def rubric(*points: float, **fields) -> Rubric:
    criteria = tuple(
        Criterion(id=name, points=value, says=name)
        for name, value in zip("abcdefgh", points, strict=False)
    )
    return Rubric(question="q", criteria=criteria, version="", **fields)


@given(marked(), CAPS, st.floats(-100, 100))
def test_a_score_never_leaves_the_room_between_floor_and_cap(case, points, adjustment) -> None:
    rubric, earned = case
    value = score(rubric, earned, points=points, adjustment=adjustment)
    assert rubric.floor <= value <= rubric.cap(points)


@given(marked(), CAPS, st.randoms())
def test_the_order_in_which_criteria_were_ticked_does_not_matter(case, points, random) -> None:
    rubric, earned = case
    other = list(earned)
    random.shuffle(other)
    assert score(rubric, other, points=points) == score(rubric, earned, points=points)


@given(marked(), CAPS)
def test_ticking_a_criterion_twice_counts_it_once(case, points) -> None:
    rubric, earned = case
    assert score(rubric, earned * 2, points=points) == score(rubric, earned, points=points)


@given(marked(), CAPS, st.randoms())
def test_the_order_of_the_rubric_s_criteria_does_not_matter_to_the_score(
    case, points, random
) -> None:
    rubric, earned = case
    criteria = list(rubric.criteria)
    random.shuffle(criteria)
    other = dataclasses.replace(rubric, criteria=tuple(criteria))
    distinct = {abs(c.points) for g in rubric.pick_one for c in map(rubric.criterion, g)}
    # Of criteria as far from zero as each other the first counts, so there the order does matter.
    if len(distinct) == sum(map(len, rubric.pick_one)):
        assert score(other, earned, points=points) == score(rubric, earned, points=points)


@given(marked(groups=False), CAPS)
def test_one_more_positive_criterion_never_lowers_a_score(case, points) -> None:
    rubric, earned = case
    before = score(rubric, earned, points=points)
    for criterion in rubric.criteria:
        if criterion.points > 0 and criterion.id not in earned:
            assert score(rubric, [*earned, criterion.id], points=points) >= before


@given(marked(groups=False), CAPS)
def test_one_more_misconception_never_raises_a_score(case, points) -> None:
    rubric, earned = case
    before = score(rubric, earned, points=points)
    for criterion in rubric.criteria:
        if criterion.points < 0 and criterion.id not in earned:
            assert score(rubric, [*earned, criterion.id], points=points) <= before


@given(marked())
def test_of_a_pick_one_list_at_most_one_counts_and_it_is_the_furthest_from_zero(case) -> None:
    rubric, earned = case
    ids = {criterion.id for criterion in counted(rubric, earned)}
    assert ids <= set(earned)
    for group in rubric.pick_one:
        ticked = set(group) & set(earned)
        assert len(ids & set(group)) == min(1, len(ticked))
        for name in ids & set(group):
            most = max(abs(rubric.criterion(other).points) for other in ticked)
            assert abs(rubric.criterion(name).points) == most


@given(rubrics(start=st.just("full")), CAPS)
def test_a_rubric_that_starts_full_gives_everything_when_nothing_is_ticked(rubric, points) -> None:
    assert score(rubric, [], points=points) == pytest.approx(rubric.cap(points), abs=1e-6)


@given(rubrics(start=st.just("zero")), CAPS)
def test_no_criteria_earned_is_a_score_of_zero(rubric, points) -> None:
    assert score(rubric, [], points=points) == 0


@given(marked(), CAPS, st.floats(-50, 50), st.floats(0, 50))
def test_a_higher_adjustment_never_gives_less(case, points, adjustment, more) -> None:
    rubric, earned = case
    low = score(rubric, earned, points=points, adjustment=adjustment)
    assert score(rubric, earned, points=points, adjustment=adjustment + more) >= low


def test_an_adjustment_is_added_before_the_limits_hold() -> None:
    assert score(rubric(1, 1), ["a"], points=2, adjustment=0.5) == 1.5
    assert score(rubric(1, 1), ["a", "b"], points=2, adjustment=5) == 2
    assert score(rubric(1, 1, floor=0.5), ["a"], points=2, adjustment=-5) == 0.5


def test_a_bonus_question_is_capped_by_its_extra_credit_and_not_by_its_cell() -> None:
    assert score(rubric(3, 2, extra_credit=4.0), ["a", "b"], points=0) == 4
    assert score(rubric(3, 2, extra_credit=4.0), ["a"], points=0) == 3


def test_three_tenths_are_three_tenths() -> None:
    assert score(rubric(0.1, 0.2), ["a", "b"], points=1) == 0.3


def test_a_cap_that_has_no_short_decimal_is_not_passed_by_rounding() -> None:
    assert score(rubric(5), ["a"], points=2 / 3) == 2 / 3


def test_nothing_is_written_as_plus_zero() -> None:
    assert math.copysign(1, score(rubric(-1), ["a"], points=1)) == 1
    assert math.copysign(1, score(rubric(1), [], points=1, adjustment=-0.0)) == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_gives_no_score(bad) -> None:
    with pytest.raises(ValueError, match="finite"):
        score(rubric(1), ["a"], points=1, adjustment=bad)
    with pytest.raises(ValueError, match="finite"):
        score(rubric(1), ["a"], points=bad)


def test_a_criterion_that_the_rubric_lacks_is_named() -> None:
    with pytest.raises(KeyError, match="zz"):
        score(rubric(1), ["a", "zz"], points=1)
    with pytest.raises(KeyError, match="zz"):
        rubric(1).criterion("zz")


@pytest.mark.parametrize("earned", list(itertools.permutations(["a", "b", "c"])))
def test_a_partial_and_a_full_criterion_of_one_list_do_not_add_up(earned) -> None:
    one = rubric(2, 1, 0.5, pick_one=(("a", "b"),))
    assert score(one, earned, points=4) == 2.5
