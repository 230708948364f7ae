"""After nbgrader autogrades again, its rows say what the marks say."""

from __future__ import annotations

import dataclasses

import pytest

from markbook.gradebook import Gradebook
from markbook.model import AnswerStatus


@pytest.fixture
def gb(course):
    with Gradebook.open(course) as opened:
        yield opened


def flip(course, **grade_fields):
    """Do to every grade what autograding again does to hand-marked ones."""
    from nbgrader.api import Gradebook as Theirs

    with Theirs(course.db_url, "tiny") as theirs:
        for submission in theirs.assignment_submissions("hw"):
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    grade.needs_manual_grade = (
                        grade.manual_score is not None or grade.auto_score is None
                    )
                    for name, value in grade_fields.items():
                        setattr(grade, name, value)
        theirs.db.commit()


def grades(gb):
    return {(g.student, g.question): g for g in gb.grades("hw")}


def change_answer(gb, student, text, status=AnswerStatus.ANSWERED):
    mine = [a for a in gb.answers("hw") if a.student == student]
    mine = [
        dataclasses.replace(a, text=text, status=status) if a.question == "keys" else a
        for a in mine
    ]
    gb.save_submission(gb.record("hw", student), mine)


def test_marks_that_hold_need_no_person_again(tiny, course, gb):
    gb.save_marks([tiny.mark(gb, "ada"), tiny.mark(gb, "cleo", "story")], who="t", what="mark")
    before = grades(gb)
    flip(course)
    assert grades(gb)["ada", "keys"].needs_marking
    assert gb.resync("hw") == 2
    assert grades(gb) == before
    assert gb.resync("hw") == 0


def test_a_class_is_resynced_a_few_students_at_a_time(tiny, course, gb, monkeypatch):
    from markbook.gradebook import nbgrader_tables, resync

    gb.save_marks([tiny.mark(gb, "ada"), tiny.mark(gb, "cleo", "story")], who="t", what="mark")
    before = grades(gb)
    flip(course)
    together = []
    find = nbgrader_tables.find_rows

    def find_rows(*args, students=None, **names):
        together.append(students and len(students))
        return find(*args, students=students, **names)

    monkeypatch.setattr(resync, "_STUDENTS", 2)
    monkeypatch.setattr(nbgrader_tables, "find_rows", find_rows)
    assert gb.resync("hw") == 2
    assert together == [2, 1]
    assert grades(gb) == before


def test_a_mark_on_a_changed_answer_waits_and_keeps_its_old_score(tiny, gb):
    (stored,) = gb.save_marks([tiny.mark(gb, "ada")], who="t", what="mark")
    change_answer(gb, "ada", "Something else entirely.")
    assert gb.resync("hw") == 1
    found = grades(gb)["ada", "keys"]
    assert (found.score, found.needs_marking) == (2.0, True)
    assert gb.marks("hw") == (stored,)
    (again,) = gb.save_marks([tiny.mark(gb, "ada", earned=(), row_version=1)], who="t", what="mark")
    assert again.row_version == 2
    assert gb.resync("hw") == 0
    assert not grades(gb)["ada", "keys"].needs_marking


def test_an_answer_that_is_changed_back_has_its_mark_again(tiny, gb):
    (answer,) = [a for a in gb.answers("hw", "keys") if a.student == "ada"]
    gb.save_marks([tiny.mark(gb, "ada")], who="t", what="mark")
    change_answer(gb, "ada", "Something else entirely.")
    gb.resync("hw")
    change_answer(gb, "ada", answer.text)
    assert gb.resync("hw") == 1
    assert not grades(gb)["ada", "keys"].needs_marking


def test_a_score_that_a_person_changed_in_formgrader_stays_theirs(tiny, course, gb):
    from nbgrader.api import Gradebook as Theirs

    gb.save_marks([tiny.mark(gb, "ada")], who="t", what="mark")
    with Theirs(course.db_url, "tiny") as theirs:
        theirs.find_grade("keys", "part", "hw", "ada").manual_score = 0.5
        theirs.db.commit()
    flip(course)
    gb.resync("hw")
    found = grades(gb)["ada", "keys"]
    assert (found.score, found.needs_marking) == (0.5, True)


def test_marks_return_when_nbgrader_made_the_submission_anew(tiny, course, gb):
    gb.save_marks([tiny.mark(gb, "ada", comment="Yes.")], who="t", what="mark")
    before = tiny.dump(course)["comment"]
    flip(course, manual_score=None)
    assert gb.resync("hw") == 1
    assert grades(gb)["ada", "keys"].score == 2.0
    assert tiny.dump(course)["comment"] == before


def test_a_blank_text_answer_scores_zero_and_a_blank_code_answer_what_its_tests_say(gb, course):
    flip(course, auto_score=None, needs_manual_grade=True)
    gb.resync("hw")
    found = grades(gb)
    for key in (("ben", "doors"), ("ben", "story"), ("cleo", "keys")):
        assert (found[key].auto_score, found[key].needs_marking) == (0.0, False)
    assert found["cleo", "add-hidden"].needs_marking
    assert found["ada", "keys"].needs_marking


def test_a_missing_answer_waits_for_a_person(gb):
    change_answer(gb, "ada", "", AnswerStatus.MISSING)
    gb.resync("hw")
    assert grades(gb)["ada", "keys"].needs_marking


def test_a_stale_mark_does_not_flag_what_was_marked_anew_in_formgrader(tiny, course, gb):
    from nbgrader.api import Gradebook as Theirs

    gb.save_marks([tiny.mark(gb, "ada")], who="t", what="mark")
    change_answer(gb, "ada", "Something else entirely.")
    gb.resync("hw")
    with Theirs(course.db_url, "tiny") as theirs:
        grade = theirs.find_grade("keys", "part", "hw", "ada")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        theirs.db.commit()
    assert gb.resync("hw") == 0
    assert not grades(gb)["ada", "keys"].needs_marking


def test_a_blank_answer_that_was_marked_in_formgrader_keeps_that_score_and_its_flag(course, gb):
    from nbgrader.api import Gradebook as Theirs

    with Theirs(course.db_url, "tiny") as theirs:
        grade = theirs.find_grade("keys", "part", "hw", "cleo")
        grade.manual_score, grade.auto_score, grade.needs_manual_grade = 1.0, None, True
        theirs.db.commit()
    assert gb.resync("hw") == 0
    found = grades(gb)["cleo", "keys"]
    assert (found.score, found.auto_score, found.needs_marking) == (1.0, None, True)
