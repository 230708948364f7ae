"""Marks of other questions move what is expected before any mark, and how sure anything is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.errors import InputError
from markbook.graders.learning.taught import Kept, Taught, teach

if TYPE_CHECKING:
    from pathlib import Path

    from markbook.graders.learning.prior import Marked, Prior


def kept(question: Marked) -> Kept:
    found = question.read.features
    keys = np.array([f"key{place}" for place in range(len(found.values))])
    return Kept(np.array(found.names), keys, found.values.astype(np.float32))


def taught(questions: list[Marked], count: int, times: float = 1.0) -> Taught:
    """Return the first answers of each question with their scores, all lowered alike."""
    pairs = [
        (kept(q), {f"key{place}": float(q.scores[place]) * times for place in range(count)})
        for q in questions
    ]
    found = Taught.of(pairs)
    assert found is not None
    return found


def mean(prior: Prior, question: Marked) -> float:
    return float(prior.predict(question.read.features)[0].mean())


def test_a_course_that_marks_harder_lowers_what_is_expected(
    fitted: Prior, marked_questions: list[Marked]
) -> None:
    first, others = marked_questions[0], marked_questions[1:]
    usual = mean(fitted, first)
    few = mean(teach(fitted, taught(others[:2], 8, 0.4)), first)
    many = mean(teach(fitted, taught(others, 20, 0.4)), first)
    assert many < few < usual


def test_the_process_and_its_distances_stay_those_of_the_prior_before(
    fitted: Prior, marked_questions: list[Marked]
) -> None:
    moved = teach(fitted, taught(marked_questions[1:], 10))
    features = marked_questions[0].read.features
    assert moved.kernel is fitted.kernel
    assert moved.borrowed
    assert np.array_equal(moved.standard(features), fitted.standard(features))


def sure(prior: Prior, question: Marked) -> float:
    """Return how sure the suggested scores are before any mark, by the trust of ``prior``."""
    mean, sd = fixed(question)
    return float(prior.trust.suggest(mean, sd)[1].mean())


def fixed(question: Marked) -> tuple[np.ndarray, np.ndarray]:
    n = len(question.scores)
    return np.linspace(0.3, 0.9, n), np.full(n, 0.15)


def noisy(questions: list[Marked], count: int) -> Taught:
    """Return marks that no feature tells, of the same questions."""
    found = taught(questions, count)
    drawn = np.random.default_rng(0).choice([0.0, 0.35, 0.7, 1.0], len(found.scores))
    return Taught(found.names, found.values, drawn, found.groups)


def test_where_a_course_marks_as_nobody_can_foresee_less_is_sure_in_its_next_question(
    fitted: Prior, marked_questions: list[Marked]
) -> None:
    first, others = marked_questions[0], marked_questions[1:]
    usual = sure(fitted, first)
    unforeseen = sure(teach(fitted, noisy(others, 20)), first)
    foreseen = sure(teach(fitted, taught(others, 20)), first)
    assert unforeseen < usual - 0.1
    assert unforeseen < foreseen - 0.1


def test_a_course_changes_how_sure_a_suggestion_is_not_which_score_is_suggested(
    fitted: Prior, marked_questions: list[Marked]
) -> None:
    moved = teach(fitted, noisy(marked_questions[1:], 20))
    mean, sd = fixed(marked_questions[0])
    assert moved.trust.rise.tolist() != fitted.trust.rise.tolist()
    assert np.array_equal(moved.trust.suggest(mean, sd)[0], fitted.trust.suggest(mean, sd)[0])


def test_one_question_alone_tries_nothing_and_leaves_confidence_as_it_was(
    fitted: Prior, marked_questions: list[Marked]
) -> None:
    moved = teach(fitted, taught(marked_questions[1:2], 20))
    assert moved.trust is fitted.trust
    assert mean(moved, marked_questions[0]) != mean(fitted, marked_questions[0])


def test_features_by_other_names_teach_nothing(
    fitted: Prior, marked_questions: list[Marked]
) -> None:
    found = taught(marked_questions[1:], 10)
    other = Taught(found.names[:-1], found.values[:, :-1], found.scores, found.groups)
    assert teach(fitted, other) is fitted


def test_only_marked_answers_are_joined_and_a_big_class_does_not_drown_the_others(
    marked_questions: list[Marked],
) -> None:
    one = kept(marked_questions[0])
    big = Kept(
        one.names, np.array([f"k{n}" for n in range(400)]), np.repeat(one.values, 20, 0)[:400]
    )
    found = Taught.of(
        [(one, {"key3": 0.5, "gone": 1.0}), (big, {f"k{n}": 1.0 for n in range(400)})]
    )
    assert found is not None
    assert np.unique(found.groups, return_counts=True)[1].tolist() == [1, 150]
    assert np.array_equal(found.values[0], one.values[3])
    assert found.scores[0] == 0.5
    assert found.questions == 2
    assert Taught.of([(one, {})]) is None


@given(st.integers(0, 5), st.integers(1, 4), st.integers(0, 9))
def test_what_is_kept_is_read_back_as_it_was(rows: int, columns: int, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    names = np.array([f"f{n}" for n in range(columns)])
    values = drawn.normal(size=(rows, columns)).astype(np.float32)
    one = Kept(names, np.array([str(n) for n in range(rows)], dtype=np.str_), values)
    again = Kept.from_bytes(one.to_bytes())
    assert np.array_equal(again.values, values)
    assert again.keys.tolist() == one.keys.tolist()
    marks = Taught(names, values, drawn.random(rows), np.zeros(rows, dtype=np.intp))
    assert np.array_equal(Taught.from_bytes(marks.to_bytes()).scores, marks.scores)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04 nonsense"])
def test_a_file_that_is_no_features_is_named_as_such(content: bytes) -> None:
    with pytest.raises(InputError, match="no features that this version"):
        Kept.from_bytes(content)


def test_a_file_that_cannot_be_read_is_told_by_its_path_and_one_that_is_not_there_is_none(
    tmp_path: Path,
) -> None:
    (tmp_path / "two.taught.npz").write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"two\.taught\.npz: These are .* suggest --force"):
        Taught.read(tmp_path / "two.taught.npz")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        Taught.read(tmp_path)
    assert Taught.read(tmp_path / "gone.npz") is None


def test_features_that_do_not_fit_together_or_are_no_numbers_are_refused() -> None:
    names, keys = np.array(["a", "b"]), np.array(["k"])
    for values in (np.zeros((2, 2), np.float32), np.array([[np.nan, 1.0]], np.float32)):
        with pytest.raises(InputError):
            Kept.from_bytes(Kept(names, keys, values).to_bytes())
    score = Taught(names, np.zeros((1, 2), np.float32), np.array([1.5]), np.zeros(1, np.intp))
    with pytest.raises(InputError):
        Taught.from_bytes(score.to_bytes())
