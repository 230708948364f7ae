"""Whom to mark first."""

from __future__ import annotations

import itertools

import numpy as np

from markbook.graders.learning.design import first


def covariance(*groups: int) -> np.ndarray:
    """Return answers in groups: alike inside a group, strangers otherwise."""
    labels = np.repeat(np.arange(len(groups)), groups)
    return 0.9 * (labels[:, None] == labels[None]) + 0.1 * np.eye(len(labels))


def test_the_biggest_group_is_marked_first_and_no_group_twice_before_all_were() -> None:
    chosen = first(covariance(5, 3, 2), np.full(10, 0.1), 3)
    groups = [0 if c < 5 else 1 if c < 8 else 2 for c in chosen]
    assert groups == [0, 1, 2]


def test_the_first_choice_lowers_the_total_variance_as_much_as_any_could() -> None:
    drawn = np.random.default_rng(0)
    root = drawn.normal(size=(12, 4))
    table, noise = root @ root.T + 0.1 * np.eye(12), drawn.uniform(0.1, 1, 12)
    left = [
        np.trace(table - np.outer(table[:, j], table[:, j]) / (table[j, j] + noise[j]))
        for j in range(12)
    ]
    assert first(table, noise, 1) == (int(np.argmin(left)),)


def test_a_batch_is_the_same_as_one_after_another() -> None:
    table, noise = covariance(4, 4, 2), np.full(10, 0.3)
    whole = first(table, noise, 4)
    for count in range(1, 4):
        assert first(table, noise, count) == whole[:count]


def test_answers_to_skip_are_not_chosen_and_no_more_than_there_are() -> None:
    chosen = first(covariance(2, 2), np.full(4, 0.1), 10, skip=[0])
    assert sorted(chosen) == [1, 2, 3]


def test_no_answers_no_choice() -> None:
    assert first(np.zeros((0, 0)), np.zeros(0), 3) == ()
    assert all(a != b for a, b in itertools.pairwise(first(covariance(3), np.full(3, 1.0), 3)))
