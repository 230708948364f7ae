"""A class read in pieces is the class read whole, whatever the size of the pieces."""

from __future__ import annotations

import dataclasses

import pytest

from markbook.feedback import papers as module
from markbook.feedback import write_feedback
from markbook.feedback.papers import read_papers
from markbook.feedback.plan import read_plan
from markbook.gradebook import Gradebook
from markbook.model import Suggestion

HW = "hw"


@pytest.fixture
def gb(course, tiny):
    """Marks, suggestions for a text that two students share, and a lone surrogate."""
    with Gradebook.open(course) as opened:
        for student in ("ada", "ben"):
            rows = [
                dataclasses.replace(a, text="A key is \ud800 secret") if a.question == "keys" else a
                for a in opened.answers(HW)
                if a.student == student
            ]
            opened.save_submission(opened.record(HW, student), rows)
        (answer, *_) = opened.answers(HW, "keys")
        found = Suggestion(
            "keys", answer.hash, "right", True, 0.9, "default", "v1", "A key", 0, 5, "why"
        )
        opened.replace_suggestions(HW, "keys", [found])
        marks = [tiny.mark(opened, student, comment="**Good**") for student in ("ada", "ben")]
        opened.save_marks(marks, who="tutor", what="mark")
        yield opened


@pytest.mark.parametrize("at_once", [1, 2])
def test_pieces_hold_what_the_whole_holds_of_their_students(course, gb, tiny, at_once):
    plan = read_plan(course.source(HW), HW)
    (whole,) = read_papers(gb, HW, plan, tiny.STUDENTS)
    pieces = list(read_papers(gb, HW, plan, tiny.STUDENTS, at_once=at_once))
    assert [s for piece in pieces for s in piece.students] == list(tiny.STUDENTS)
    for piece in pieces:
        for student in piece.students:
            for question in ("keys", "doors", "story"):
                key = (student, question)
                assert piece.answers[key] == whole.answers[key]
                assert piece.marks.get(key) == whole.marks.get(key)
                hashed = (question, whole.answers[key].hash)
                assert piece.suggestions.get(hashed) == whole.suggestions.get(hashed)
            for question in ("add-visible", "add-hidden"):
                assert piece.grades[student, question] == whole.grades[student, question]
        assert {student for student, _ in piece.answers} <= set(piece.students)


def test_the_pages_of_a_class_read_in_pieces_are_the_same(course, gb, monkeypatch):
    assert len(write_feedback(course, gb, HW).changed) == 9
    monkeypatch.setattr(module.read_papers, "__kwdefaults__", {"at_once": 1})
    assert write_feedback(course, gb, HW).changed == ()
