"""What is suggested at nine in ten is right nine times in ten."""

from __future__ import annotations

import numpy as np

from markbook.graders.learning.calibration import TOLERANCE, Trial, Trust
from markbook.graders.learning.heard import SCORES, Heard, lies_near


def silent(marks: np.ndarray) -> Heard:
    """Return what is heard where marks are known that tell nothing of a score."""
    own = np.outer(marks, lies_near(np.linspace(0, 1, 101)).mean(axis=0))
    nothing = Heard.nothing(len(marks))
    return Heard(marks, own, nothing.like, nothing.hits)


def trial(seed: int, optimism: float = 1.0, count: int = 3_000) -> Trial:
    """Return answers whose spread is given too small by a factor."""
    drawn = np.random.default_rng(seed)
    mean, sd = drawn.uniform(0.2, 0.9, count), drawn.uniform(0.03, 0.3, count)
    score = np.clip(np.round((mean + sd * drawn.normal(size=count)) * 10) / 10, 0, 1)
    marks = np.arange(count) // 30 % 3 * 5
    return Trial(mean, sd / optimism, score, np.arange(count) // 30, silent(marks))


def error(trust: Trust, of: Trial) -> float:
    """Return the expected calibration error in ten bins."""
    score, sure = trust.suggest(of.mean, of.sd)
    right = np.abs(score - of.score) <= TOLERANCE + 1e-6
    bins = np.minimum((sure * 10).astype(int), 9)
    return sum(
        abs(sure[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    )


def test_trust_is_calibrated_on_other_answers_even_where_spreads_are_too_small() -> None:
    trust = Trust.fit(trial(0, optimism=3))
    assert error(trust, trial(1, optimism=3)) < 0.04
    assert error(Trust.untried(), trial(1, optimism=3)) > 0.15


def test_of_scores_near_the_ceiling_the_likeliest_is_suggested_not_the_mean() -> None:
    drawn = np.random.default_rng(0)
    score = np.where(drawn.random(2_000) < 0.7, 1.0, 0.4)
    mean, sd, none = np.full(2_000, 0.82), np.full(2_000, 0.27), np.zeros(2_000, dtype=int)
    high = Trial(mean, sd, score, np.arange(2_000) // 20, silent(none))
    suggested, sure = Trust.fit(high).suggest(np.array([0.82]), np.array([0.27]))
    assert suggested[0] >= 0.9
    assert 0.6 < sure[0] < 0.8


def test_chances_are_chances_and_rise_with_what_was_counted() -> None:
    trust = Trust.fit(trial(2))
    assert ((trust.chance >= 0) & (trust.chance <= 1)).all()
    assert trust.rise[1] > 0, "what was counted as likelier is likelier"
    mean, sd = np.meshgrid(np.linspace(0, 1, 40), np.geomspace(1e-4, 2, 20))
    score, sure = trust.suggest(mean.ravel(), sd.ravel())
    assert ((score >= 0) & (score <= 1) & (sure >= 0) & (sure <= 1)).all()


def test_nothing_counted_is_a_bell_curve() -> None:
    none = np.zeros(0, dtype=int)
    nothing = Trial(np.zeros(0), np.zeros(0), np.zeros(0), none, silent(none))
    _, sure = Trust.fit(nothing).suggest(np.array([0.5, 0.5]), np.array([0.03, 0.4]))
    assert sure[0] > 0.9 > 0.3 > sure[1]


def test_without_a_mark_of_a_question_less_is_sure_where_less_was_right() -> None:
    """The same means and spreads, and marks that are twice as far away before any was known."""
    drawn = np.random.default_rng(5)
    mean, sd = drawn.uniform(0.3, 0.7, 6_000), drawn.uniform(0.05, 0.2, 6_000)
    marks = np.arange(6_000) // 30 % 2 * 10
    score = np.clip(mean + sd * np.where(marks == 0, 2.0, 1.0) * drawn.normal(size=6_000), 0, 1)
    trust = Trust.fit(Trial(mean, sd, score, np.arange(6_000) // 30, silent(marks)))
    before, after = (trust.suggest(mean[:30], sd[:30], silent(np.full(30, n)))[1] for n in (0, 10))
    assert (before < after - 0.1).all()


def of_like_answers(seed: int, count: int = 2_400) -> tuple[Trial, np.ndarray]:
    """Return answers whose mark is that of the answers like them, three times in four.

    Mean and spread tell nothing. The second value says which mark was heard.
    """
    drawn = np.random.default_rng(seed)
    heard_mark = drawn.choice([0.0, 0.5, 1.0], count)
    score = np.where(drawn.random(count) < 0.75, heard_mark, drawn.choice([0.0, 0.5, 1.0], count))
    marks = np.full(count, 6)
    own = silent(marks).own
    like = np.full((1, count), 2.0)
    heard = Heard(marks, own, like, like[:, :, None] * lies_near(heard_mark)[None])
    mean, sd = np.full(count, 0.5), np.full(count, 0.4)
    return Trial(mean, sd, score, np.arange(count) // 30, heard), heard_mark


def test_the_marks_of_like_answers_are_believed_where_they_were_right() -> None:
    trust = Trust.fit(of_like_answers(0)[0])
    new, heard_mark = of_like_answers(1)
    suggested, sure = trust.suggest(new.mean, new.sd, new.heard)
    assert (np.abs(suggested - heard_mark) <= TOLERANCE + 1e-6).mean() > 0.99
    right = np.abs(suggested - new.score) <= TOLERANCE + 1e-6
    assert abs(sure.mean() - right.mean()) < 0.05


def test_marks_that_said_nothing_of_like_answers_are_not_believed() -> None:
    drawn = np.random.default_rng(3)
    lied = of_like_answers(2)[0]
    score = drawn.choice([0.0, 1.0], len(lied.score), p=[0.15, 0.85])
    trust = Trust.fit(Trial(lied.mean, lied.sd, score, lied.question, lied.heard))
    suggested, _ = trust.suggest(lied.mean, lied.sd, lied.heard)
    assert (suggested >= 0.9).all()


def test_a_question_marked_in_whole_steps_is_suggested_whole_steps() -> None:
    """Mean and spread alone lie between two steps; the question's own marks say which."""
    plain = Trust.untried()
    trust = Trust(plain.chance, plain.usual, np.array([0.0, 1.0, 1.0]), plain.rise)
    marks = np.full(1, 12)
    own = 12.0 * lies_near(np.array([1.0]))
    nothing = Heard.nothing(1)
    mean, sd = np.array([0.75]), np.array([0.15])
    without, _ = trust.suggest(mean, sd)
    with_marks, _ = trust.suggest(mean, sd, Heard(marks, own, nothing.like, nothing.hits))
    assert without[0] < 0.85
    assert with_marks[0] >= 0.9
    assert set(np.round(SCORES * 20)) == set(range(21))


def test_trials_of_a_course_move_confidence_more_the_more_questions_there_are() -> None:
    """Everything is expected as it was counted, and marks lie three times as far away."""
    trust, elsewhere = Trust.fit(trial(0)), trial(1, optimism=3)
    few = trust.moved(elsewhere.part(elsewhere.question < 3))
    many = trust.moved(elsewhere.part(elsewhere.question < 60))
    new = trial(2, optimism=3)
    assert error(many, new) < error(few, new) < error(trust, new)
    assert error(many, new) < 0.5 * error(trust, new)


def test_a_question_tried_a_hundred_times_counts_as_one_question() -> None:
    trust, elsewhere = Trust.fit(trial(0)), trial(1, optimism=3)
    one = elsewhere.part(elsewhere.question == 0)
    again = one.part(np.tile(np.arange(len(one.mean)), 100))
    assert np.allclose(trust.moved(one).rise, trust.moved(again).rise, atol=1e-3)
