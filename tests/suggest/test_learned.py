"""What marks teach a run, and what is said of the scores expected before them."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from markbook.gradebook import Gradebook
from markbook.graders import MarkLine, ScoreLine, Scores
from markbook.marking import Desk, accept
from markbook.model import Answer, AnswerStatus, Expectation, Mark, Suggestion
from markbook.rubrics import load_rubric
from markbook.suggest.learned import Tally, expectations, mark_lines, marks_of_people, short_keys

CRITERIA = ("right", "example")


def answer(student, text):
    return Answer("hw", "part", "keys", student, text, AnswerStatus.ANSWERED)


def mark(of, score, *earned):
    return Mark("hw", "part", "keys", of.student, of.hash, earned, "grace", "v", score)


ADA, BEN, CID = answer("ada", "one"), answer("ben", "one"), answer("cid", "one")


def test_contradictory_marks_of_one_text_count_by_their_mean_and_the_majority():
    marks = [mark(ADA, 2, "right"), mark(BEN, 1, "right", "example"), mark(CID, 0)]
    (line,) = mark_lines(marks, [ADA, BEN, CID], CRITERIA, 2.0)
    assert line == MarkLine(ADA.hash, ("right",), 0.5, least=0.0, most=1.0)
    (line,) = mark_lines(marks[:2], [ADA, BEN], CRITERIA, 2.0)
    assert line.earned == ("right",), "half of the marks are no majority"


def test_a_mark_of_an_earlier_text_teaches_nothing():
    later = dataclasses.replace(BEN, text="two")
    lines = mark_lines([mark(ADA, 1, "right"), mark(BEN, 2)], [ADA, later], CRITERIA, 2.0)
    assert lines == (MarkLine(ADA.hash, ("right",), 0.5),)


def test_a_criterion_that_the_rubric_no_longer_has_is_not_passed_on():
    assert mark_lines([mark(ADA, 1, "gone")], [ADA], CRITERIA, 2.0)[0].earned == ()


@given(st.floats(-50, 50), st.floats(-5, 50))
def test_a_taught_score_is_always_a_share_of_the_maximum(points, cap):
    lines = mark_lines([mark(ADA, points)], [ADA], CRITERIA, cap)
    assert all(0 <= line.score <= 1 for line in lines)
    assert bool(lines) == (cap > 0)


def test_marks_that_a_rule_made_teach_nothing_until_a_person_decides(tiny, tmp_path):
    course = tiny.copy_of("autograded", tmp_path / "course")
    rubric = load_rubric(course.rubric("hw", "keys"))
    with Gradebook.open(course) as gb:
        text = next(a for a in gb.answers("hw", "keys") if a.student == "ada")
        gb.save_rubric("hw", rubric)
        sure = [
            Suggestion("keys", text.hash, c.id, True, 0.95, "g", rubric.version)
            for c in rubric.criteria
        ]
        gb.replace_suggestions("hw", "keys", sure)
        assert accept(course, gb, "hw", "confidence >= 0.9", marker="grace").accepted
        assert len(gb.marks("hw", "keys")) == 1
        assert marks_of_people(gb, "hw", "keys") == []
        desk = Desk(course, gb, "hw", "keys")
        for name in desk.order("grace"):
            item = desk.item(name, marker="grace")
            desk.save(name, marker="grace", earned=(), comment="x", row_version=item.row_version)
        assert len(marks_of_people(gb, "hw", "keys")) == 2


def test_expectations_say_with_every_text_that_the_question_is_refused():
    scores = Scores("too few", (ScoreLine("k", 0.5, 0.2, 0.4, 1, ("hidden-text",), 0.6),))
    assert expectations("keys", scores) == (
        Expectation("keys", "k", 0.5, 0.2, 0.4, 1, ("hidden-text",), "too few", 0.6),
    )
    assert expectations("keys", None) == ()
    alone = expectations("keys", Scores("too few", scores.lines), ["k", "m"])
    assert [(e.answer_hash, e.refused, e.confidence, e.rank) for e in alone] == [
        ("k", "too few", 0.4, 1),
        ("m", "too few", 0.0, 2),
    ]
    assert expectations("keys", Scores(None, scores.lines), ["k", "m"])[1:] == ()


def expected(key, mean, confidence, refused=None):
    return Expectation("keys", key, mean, 0.1, confidence, 1, (), refused)


def test_only_marks_given_after_a_score_was_expected_are_counted_against_it():
    likely = dataclasses.replace(expected("a" * 64, 0.9, 0.95), suggested=0.5)
    before = [likely, expected("b" * 64, 0.5, 0.5), expected("c", 1, 1)]
    marks = [MarkLine("a" * 64, (), 0.6), MarkLine("b" * 64, (), 0.7), MarkLine("c", (), 1.0)]
    tally = Tally.of(before, marks, short_keys(["c"]))
    assert tally == Tally(marks=2, right=1, hoped=1.45, sure=1, sure_right=1)
    assert Tally.of([expected("c", 1, 1, "refused")], marks, ()) == Tally()
    assert "of 2 marked after their score was expected, 1 are" in tally.as_text()
    assert "of 1 at 0.9 or more, 1." in tally.as_text()


def test_a_tally_adds_up_over_runs_and_comes_back_from_a_kept_notebook():
    one = Tally(2, 1, 1.45, 1, 1)
    assert Tally.read({"tried": dataclasses.asdict(one + one)}) == Tally(4, 2, 2.9, 2, 2)
    for damaged in ({}, {"tried": 3}, {"tried": {"marks": 1}}, {"tried": {"marks": "x"}}):
        assert Tally.read(damaged) == Tally()
    assert "nothing to say" in Tally().as_text()
