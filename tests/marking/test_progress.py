"""Every answer is counted once, at its place."""

from __future__ import annotations

import dataclasses

import pytest

from markbook.errors import UnknownName
from markbook.marking import MarkingQueue, WaitingReason, progress
from markbook.rubrics import load_rubric, save_rubric


def row(course, gb, question):
    (found,) = progress(course, gb, "hw", [question])
    return found


def test_every_text_question_is_there_in_notebook_order_and_sums_up(course, gb) -> None:
    rows = progress(course, gb, "hw")
    assert [r.question for r in rows] == ["keys", "doors", "story"]
    assert [r.total for r in rows] == [3, 3, 3]
    for r in rows:
        assert sum(r.reasons.values()) == r.open


def test_blank_and_not_asked_are_not_the_same_and_wait_for_nobody(course, gb) -> None:
    story = row(course, gb, "story")
    assert (story.waiting, story.blank, story.not_asked, story.open) == (1, 1, 1, 1)


def test_an_answer_goes_from_waiting_over_suggested_to_marked_and_stale(
    course, gb, suggest, rewrite
) -> None:
    assert row(course, gb, "story").reasons == {WaitingReason.NO_SUGGESTION: 1}
    suggest("story", {"cleo": {"right"}})
    story = row(course, gb, "story")
    assert (story.suggested, story.waiting, story.marked) == (1, 0, 0)
    queue = MarkingQueue(course, gb, "hw", marker="grace", questions=["story"])
    queue.decide(queue.items[0].id, earned=[])
    story = row(course, gb, "story")
    assert (story.suggested, story.marked, story.open) == (0, 1, 0)
    rewrite("cleo", "story", "Another text.")
    story = row(course, gb, "story")
    assert (story.marked, story.stale, story.reasons) == (0, 1, {WaitingReason.STALE: 1})


def test_marks_under_an_earlier_rubric_still_count_and_are_told(course, gb) -> None:
    queue = MarkingQueue(course, gb, "hw", marker="grace", questions=["keys"])
    queue.decide(queue.items[0].id, earned=[])
    path = course.rubric("hw", "keys")
    save_rubric(path, dataclasses.replace(load_rubric(path), floor=-1.0))
    keys = row(course, gb, "keys")
    assert (keys.marked, keys.old_rubric) == (1, 1)


def test_an_unknown_question_is_refused(course, gb) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'doors'"):
        progress(course, gb, "hw", ["dors"])
