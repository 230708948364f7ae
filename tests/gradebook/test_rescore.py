"""An edited rubric and the marks that move with it are stored together, on every database."""

from __future__ import annotations

import dataclasses
import threading

import pytest
from sqlalchemy import text

from markbook.errors import InternalError, StaleMark
from markbook.gradebook import Gradebook
from markbook.gradebook.database import writing
from markbook.gradebook.rescore import RubricEdit, carry
from markbook.model import Criterion, Grade, score


@pytest.fixture
def gb(course):
    with Gradebook.open(course) as opened:
        yield opened


def store(tiny, gb, *args, **fields):
    mark = tiny.mark(gb, *args, **fields)
    (saved,) = gb.save_marks([mark], who=mark.marker, what="mark")
    return saved


def repointed(tiny, points=1.0, question="keys", **how):
    old = tiny.rubric(question, extra_credit=2.0 if question == "story" else 0.0)
    criteria = (Criterion("right", points, "It is right."), *old.criteria[1:])
    new = dataclasses.replace(old, criteria=criteria, version=f"v2-{question}")
    return RubricEdit(id="e1", base=old.version, rubric=new, **how)


def grade_of(gb, student, question="keys"):
    return next(g for g in gb.grades("hw") if (g.student, g.question) == (student, question))


def test_mark_event_and_grade_change_together(tiny, gb) -> None:
    before = store(tiny, gb, "ada", earned=("right", "example"), comment="Well said.")
    (carried,) = gb.rescore_marks("hw", repointed(tiny), who="grace")
    (mark,) = gb.marks("hw", "keys")
    assert carried.before == before
    assert carried.after == mark
    assert (mark.score, mark.rubric_version, mark.marker) == (2.0, "v2-keys", "tutor")
    assert (mark.comment, mark.marked_at) == ("Well said.", before.marked_at)
    grade = grade_of(gb, "ada")
    assert (grade.manual_score, grade.needs_marking) == (2.0, False)
    assert [e.what for e in gb.events("hw")] == ["mark", "rubric edited", "rescored"]


def test_a_bonus_stays_extra_credit(tiny, gb) -> None:
    store(tiny, gb, "cleo", "story", earned=("right",))
    gb.rescore_marks("hw", repointed(tiny, question="story"), who="grace")
    grade = grade_of(gb, "cleo", "story")
    assert (grade.manual_score, grade.extra_credit) == (0.0, 1.0)


def test_the_row_version_grows_so_that_an_open_mark_is_stale(tiny, gb) -> None:
    before = store(tiny, gb, "ada")
    gb.rescore_marks("hw", repointed(tiny), who="grace")
    assert gb.marks("hw", "keys")[0].row_version > before.row_version
    with pytest.raises(StaleMark):
        gb.save_marks([dataclasses.replace(before, comment="late")], who="tutor", what="mark")


def test_what_changes_nothing_has_no_line(tiny, gb) -> None:
    store(tiny, gb, "ada")
    gb.rescore_marks("hw", repointed(tiny), who="grace")
    (again,) = gb.rescore_marks("hw", repointed(tiny), who="grace")
    assert not again.moved
    assert [e.what for e in gb.events("hw")].count("rescored") == 1


def test_a_mark_that_does_not_count_is_left_as_it_was(tiny, gb) -> None:
    store(tiny, gb, "ada", marker="first")
    row = gb.marks("hw", "keys")[0].row_version
    store(tiny, gb, "ada", earned=("example",), marker="second", row_version=row)
    gb.rescore_marks("hw", repointed(tiny), who="grace")
    found = {m.marker: (m.score, m.rubric_version) for m in gb.all_marks("hw", "keys")}
    assert found == {"first": (2.0, "v1-keys"), "second": (1.0, "v2-keys")}


def test_a_submission_that_nbgrader_made_anew_gets_its_score_and_comment_back(tiny, gb) -> None:
    store(tiny, gb, "ada", comment="Well said.")
    with writing(gb._engine) as connection:
        connection.execute(text("UPDATE grade SET manual_score = NULL, needs_manual_grade = true"))
        connection.execute(text("UPDATE comment SET manual_comment = NULL"))
    gb.rescore_marks("hw", repointed(tiny), who="grace")
    grade = grade_of(gb, "ada")
    assert (grade.manual_score, grade.needs_marking) == (1.0, False)
    with writing(gb._engine) as connection:
        found = connection.scalars(text("SELECT manual_comment FROM comment")).all()
    assert "Well said." in found


def test_two_rubrics_of_one_version_store_nothing(tiny, gb) -> None:
    store(tiny, gb, "ada")
    gb.rescore_marks("hw", repointed(tiny), who="grace")
    before = (gb.marks("hw"), gb.grades("hw"), list(gb.events("hw")))
    with pytest.raises(InternalError):
        gb.rescore_marks("hw", repointed(tiny, points=1.5), who="grace")
    assert (gb.marks("hw"), gb.grades("hw"), list(gb.events("hw"))) == before


def test_marking_and_rescoring_at_once_lose_neither(tiny, course, gb) -> None:
    """Of a marker and an edit at the same moment one goes first, and the other knows of it."""
    for student in ("ada", "ben", "cleo"):
        store(tiny, gb, student)
    start, refused = threading.Barrier(2), []

    def mark():
        with Gradebook.open(course) as mine:
            marks = [dataclasses.replace(m, comment="mine") for m in mine.marks("hw", "keys")]
            start.wait()
            for one in marks:
                try:
                    mine.save_marks([one], who="tutor", what="mark")
                except StaleMark:
                    refused.append(one.student)

    thread = threading.Thread(target=mark)
    thread.start()
    start.wait()
    gb.rescore_marks("hw", repointed(tiny), who="grace")
    thread.join()
    for found in gb.marks("hw", "keys"):
        assert (found.comment == "mine") == (found.student not in refused)
        rubric = gb.rubric(found.rubric_version)
        assert found.score == score(rubric, found.earned, points=3.0)
        assert grade_of(gb, found.student).score == found.score
    versions = {m.student: m.rubric_version for m in gb.marks("hw", "keys")}
    assert set(versions.values()) == {"v2-keys"}


def test_a_mark_whose_new_score_would_be_a_guess_is_left(tiny, gb) -> None:
    mark = store(tiny, gb, "ada", earned=("right", "muddle"))
    grade = grade_of(gb, "ada")
    assert carry(mark, grade, repointed(tiny)).after is not None
    changed = dataclasses.replace(grade, manual_score=0.25)
    gone = repointed(tiny)
    criteria = gone.rubric.criteria[:2]
    gone = dataclasses.replace(gone, rubric=dataclasses.replace(gone.rubric, criteria=criteria))
    for given, edit, why in (
        (None, repointed(tiny), "no grade"),
        (changed, repointed(tiny), "formgrader"),
        (grade, gone, "'muddle'"),
        (grade, repointed(tiny, added=frozenset(["right"])), "'right'"),
    ):
        left = carry(mark, given, edit)
        assert left.after is None
        assert why in left.why
    assert isinstance(grade, Grade)
