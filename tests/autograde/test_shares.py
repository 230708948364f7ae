"""How many submissions share a task."""

from __future__ import annotations

from markbook.autograde.shares import Shares


def after(*seconds: float) -> Shares:
    shares = Shares()
    for took in seconds:
        shares.learn(took)
    return shares


def test_nothing_is_shared_before_anything_was_seen():
    assert Shares().next(10_000, 2) == 1


def test_the_first_quick_ones_are_not_trusted_with_a_whole_class():
    assert after(0.001).next(10_000, 2) == 4
    assert after(*[0.001] * 6).next(10_000, 2) == 24


def test_a_task_is_a_fifth_of_a_second_of_work_and_never_more_than_sixty_four():
    assert after(*[0.0098] * 100).next(10_000, 2) == 20
    assert after(*[0.001] * 100).next(10_000, 2) == 64
    assert after(*[0.0] * 100).next(10_000, 2) == 64


def test_submissions_that_take_long_go_alone():
    assert after(*[1.5] * 100).next(10_000, 2) == 1


def test_towards_the_end_tasks_become_smaller_for_all_workers_to_share_what_is_left():
    quick = after(*[0.0019] * 100)
    assert [quick.next(left, 2) for left in (600, 200, 120, 80)] == [64, 50, 30, 20]


def test_no_task_becomes_so_small_that_handing_it_over_is_most_of_its_work():
    quick = after(*[0.0019] * 100)
    assert [quick.next(left, 2) for left in (30, 6, 0)] == [15, 15, 15]
    slow = after(*[0.05] * 100)
    assert [slow.next(left, 2) for left in (16, 6, 0)] == [4, 1, 1]


def test_what_was_taken_lately_counts():
    assert after(*[0.001] * 50, *[0.2] * 30).next(10_000, 2) == 1
