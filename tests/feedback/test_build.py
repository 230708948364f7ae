"""What a page says of a rubric, without a gradebook."""

from __future__ import annotations

from markbook.feedback.build import Class, build_page
from markbook.feedback.executed import Cell, Executed
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


CODED = Notebook("part", "Homework", (Item(1, "q", "Why?", "", (QUESTION,), in_code=True),))


def stream(text):
    return {"output_type": "stream", "name": "stdout", "text": text}


def coded(text, run):
    """The item of a question that people mark, answered in a code cell."""
    answer = Answer("hw", "part", "q", "ada", text, AnswerStatus.ANSWERED)
    room = Class("", "hw", {("ada", "q"): answer}, {}, {}, {}, {}, {})
    (item,) = build_page(room, CODED, "ada", run).items
    return item


def test_code_that_people_mark_is_shown_as_typed_with_what_it_wrote():
    run = Executed(answers={"q": Cell("", [stream("42")])})
    item = coded("# not a heading\nprint(42)", run)
    assert item.typed
    assert "# not a heading\nprint(42)" in item.answer
    assert "42</pre>" in item.output


def test_only_some_of_very_many_cells_beside_an_answer_are_shown():
    own = [Cell(str(number), [stream("x")]) for number in range(30)] + [Cell("silent")]
    item = coded("1", Executed(answers={"q": Cell("1")}, further={"q": own}))
    assert [cell.code for cell in item.further] == [str(number) for number in range(10)]
    assert item.further_left_out == 20


def test_hidden_characters_in_code_are_made_visible():
    run = Executed(answers={"q": Cell("")}, further={"q": [Cell("a\u202eb", [stream("x")])]})
    assert "U+202E" in coded("1", run).further[0].code
