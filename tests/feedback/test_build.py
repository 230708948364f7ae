"""What a page says of a rubric, without a gradebook."""

from __future__ import annotations

from markbook.feedback.build import Class, build_page
from markbook.feedback.plan import Item, Notebook
from markbook.model import (
    Answer,
    AnswerStatus,
    Criterion,
    Mark,
    Question,
    QuestionKind,
    Rubric,
    score,
)

QUESTION = Question("hw", "part", "q", QuestionKind.TEXT, 3.0, "## Why?\n\nSay why.", 1)
NOTEBOOK = Notebook("part", "Homework", (Item(1, "q", "Why?", "Say why.", (QUESTION,)),))


def lines(rubric, earned, **fields):
    answer = Answer("hw", "part", "q", "ada", "because", AnswerStatus.ANSWERED)
    points = score(rubric, earned, points=3.0)
    mark = Mark("hw", "part", "q", "ada", answer.hash, earned, "tutor", "v", points, **fields)
    room = Class(
        course="",
        assignment="hw",
        answers={("ada", "q"): answer},
        marks={("ada", "q"): mark},
        grades={},
        suggestions={},
        rubrics={"v": rubric},
        current={"q": rubric},
    )
    (item,) = build_page(room, NOTEBOOK, "ada", None).items
    return item, [(line.status, line.says) for line in item.criteria]


PICK = Rubric(
    "q",
    (
        Criterion("full", 2, "All of it.", feedback="Tell all."),
        Criterion("part", 1, "Part of it."),
        Criterion("also", 1, "This too."),
    ),
    version="v",
    pick_one=(("full", "part"),),
)


def test_an_alternative_is_not_missed_when_the_other_was_earned():
    assert lines(PICK, ("part",))[1] == [("earned", "Part of it."), ("missed", "This too.")]
    assert lines(PICK, ("full",))[1] == [("earned", "All of it."), ("missed", "This too.")]


def test_of_alternatives_only_the_best_is_missed_when_none_was_earned():
    assert lines(PICK, ())[1] == [("missed", "All of it."), ("missed", "This too.")]


def test_of_two_earned_alternatives_only_the_counting_one_shows():
    assert lines(PICK, ("full", "part"))[1][0] == ("earned", "All of it.")
    assert ("earned", "Part of it.") not in lines(PICK, ("full", "part"))[1]


def test_a_rubric_that_takes_away_starts_with_full_points_and_adds_up():
    rubric = Rubric("q", (Criterion("slip", -1, "A slip."),), version="v", start="full")
    item, shown = lines(rubric, ("slip",))
    assert item.starts_full
    assert shown == [("lost", "A slip.")]
    assert item.score == 2.0
    assert not item.held


def test_advice_is_given_for_what_was_missed_and_not_for_what_was_earned():
    item, _ = lines(PICK, ())
    assert "Tell all." in item.criteria[0].advice
    item, _ = lines(PICK, ("full",))
    assert item.criteria[0].advice == ""
