"""A rubric is edited in the middle of marking: what changes is shown first, then done, whole."""

from __future__ import annotations

import dataclasses
import math
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from markbook.errors import (
    MarkbookError,
    RubricError,
    StaleMark,
    StaleRubric,
    UnknownName,
    UsageError,
)
from markbook.gradebook import Gradebook
from markbook.gradebook.rescore import EDITED
from markbook.marking import accept, edit_files, make_mark, read_cases
from markbook.marking.items import item_id
from markbook.marking.rubric_edits import Edit, apply, finish_edits, preview
from markbook.model import AnswerStatus, score
from markbook.rubrics import dump_rubric, load_rubric, save_rubric

POINTS = {"keys": 3.0, "doors": 2.0, "story": 0.0}
REPOINT = Edit("repoint", "right", points=1)


def rubric_of(course, question="keys"):
    return load_rubric(course.rubric("hw", question))


def decide(course, gb, student, earned, question="keys", **how):
    (case,) = [c for c in read_cases(course, gb, "hw", [question]) if c.answer.student == student]
    gb.save_rubric("hw", case.rubric)
    mark = make_mark(case, marker=how.pop("marker", "tutor"), earned=earned, **how)
    (saved,) = gb.save_marks([mark], who=mark.marker, what="mark")
    return saved


def mark_of(gb, student, question="keys"):
    return next(m for m in gb.marks("hw", question) if m.student == student)


def grade_of(gb, student, question="keys"):
    return next(g for g in gb.grades("hw") if (g.student, g.question) == (student, question))


def look(course, gb, *edits, question="keys", base=None):
    version = base or rubric_of(course, question).version
    return preview(course, gb, "hw", question, edits, base_version=version)


def make(course, gb, *edits, question="keys", base=None, marker="grace"):
    version = base or rubric_of(course, question).version
    return apply(course, gb, "hw", question, edits, base_version=version, marker=marker)


def state(course, tiny):
    files = {p: p.read_bytes() for p in course.rubrics("hw").rglob("*") if p.is_file()}
    return tiny.dump(course), files


def agrees(course, gb, question="keys"):
    """Hold every mark against the rubric's arithmetic, and nbgrader's grade against the mark."""
    for mark in gb.marks("hw", question):
        rubric = gb.rubric(mark.rubric_version)
        right = score(rubric, mark.earned, points=POINTS[question], adjustment=mark.adjustment)
        assert mark.score == right
        assert rubric.floor <= mark.score <= rubric.cap(POINTS[question])
        assert grade_of(gb, mark.student, question).score == mark.score


# -- what an edit does to marks ----------------------------------------------------------------


def test_a_reword_keeps_what_was_earned_and_moves_the_mark_on(course, gb) -> None:
    before = decide(course, gb, "ada", ["right", "example"])
    impact = make(course, gb, Edit("reword", "right", says="Quite another sentence.")).impact
    after = mark_of(gb, "ada")
    assert (after.earned, after.score) == (before.earned, before.score)
    assert after.rubric_version == rubric_of(course).version != before.rubric_version
    assert (impact.changes, impact.moved, impact.students) == ((), 1, 0)


def test_repointing_computes_the_scores_anew_in_nbgrader_too(course, gb) -> None:
    decide(course, gb, "ada", ["right", "example"])
    decide(course, gb, "ben", ["muddle"])
    applied = make(course, gb, REPOINT)
    (change,) = applied.impact.changes
    assert (change.item, change.before, change.after) == (item_id("hw", "keys", "ada"), 3.0, 2.0)
    assert (applied.impact.moved, applied.impact.students, applied.impact.total) == (2, 1, -1.0)
    assert grade_of(gb, "ada").manual_score == 2.0
    assert {m.student: m.score for m in applied.marks} == {"ada": 2.0, "ben": 0.0}
    agrees(course, gb)


def test_a_removed_criterion_is_dropped_from_what_was_earned(course, gb) -> None:
    decide(course, gb, "ada", ["right", "example"])
    applied = make(course, gb, Edit("remove", "right"))
    assert mark_of(gb, "ada").earned == ("example",)
    assert applied.impact.changes[0].earned_after == ("example",)
    agrees(course, gb)


def test_an_added_criterion_is_earned_by_nobody_yet(course, gb) -> None:
    decide(course, gb, "ada", ["right"])
    make(course, gb, Edit("add", "door", says="It names a door.", points=1))
    assert (mark_of(gb, "ada").earned, mark_of(gb, "ada").score) == (("right",), 2.0)


def test_a_criterion_removed_and_added_anew_is_another_one(course, gb) -> None:
    decide(course, gb, "ada", ["right"])
    anew = Edit("add", "right", says="Something else is right.", points=2)
    make(course, gb, Edit("remove", "right"), anew)
    assert mark_of(gb, "ada").earned == ()


def test_an_adjustment_is_kept_and_the_score_stays_within_the_cap(course, gb) -> None:
    decide(course, gb, "ada", ["right"], adjustment=0.5, reason="a fine picture", comment="Nice.")
    make(course, gb, Edit("repoint", "right", points=50))
    mark = mark_of(gb, "ada")
    assert (mark.score, mark.adjustment, mark.reason) == (3.0, 0.5, "a fine picture")
    assert (mark.comment, mark.marker) == ("Nice.", "tutor")
    make(course, gb, Edit("repoint", "right", points=-50))
    assert mark_of(gb, "ada").score == 0.0
    agrees(course, gb)


def test_a_bonus_is_rescored_as_extra_credit(course, gb) -> None:
    decide(course, gb, "cleo", ["right"], question="story")
    make(course, gb, REPOINT, question="story")
    assert grade_of(gb, "cleo", "story").extra_credit == 1.0
    agrees(course, gb, "story")


def test_other_questions_are_not_touched(course, gb) -> None:
    other = decide(course, gb, "ada", ["right"], question="doors")
    decide(course, gb, "ada", ["right"])
    make(course, gb, REPOINT)
    assert mark_of(gb, "ada", "doors") == other


def test_a_stale_mark_stays_stale_and_is_rescored(course, gb, rewrite) -> None:
    decide(course, gb, "ada", ["right"])
    rewrite("ada", "keys", "Another text.")
    gb.resync("hw")
    assert grade_of(gb, "ada").needs_marking
    make(course, gb, REPOINT)
    (case,) = [c for c in read_cases(course, gb, "hw", ["keys"]) if c.mark is not None]
    assert case.situation == "stale"
    assert grade_of(gb, "ada").needs_marking
    agrees(course, gb)


def test_whoever_has_the_mark_open_sees_the_edit_before_saving(course, gb) -> None:
    mark = decide(course, gb, "ada", ["right"])
    make(course, gb, REPOINT)
    with pytest.raises(StaleMark):
        gb.save_marks([dataclasses.replace(mark, comment="late")], who="tutor", what="mark")
    fresh = mark_of(gb, "ada")
    gb.save_marks([dataclasses.replace(fresh, comment="late")], who="tutor", what="mark")
    assert mark_of(gb, "ada").comment == "late"


# -- what an edit leaves alone -----------------------------------------------------------------


def test_a_score_changed_in_formgrader_stays_that_persons(course, gb) -> None:
    decide(course, gb, "ada", ["right"])
    with sqlite3.connect(course.root / "gradebook.db") as connection:
        connection.execute("UPDATE grade SET manual_score = 0.25 WHERE manual_score = 2")
    connection.close()
    shown = look(course, gb, REPOINT)
    done = make(course, gb, REPOINT)
    assert shown == done.impact
    assert [left.why for left in shown.left] == ["its score was changed in formgrader"]
    assert grade_of(gb, "ada").manual_score == 0.25
    assert mark_of(gb, "ada").score == 2.0


def test_a_mark_under_an_older_rubric_comes_along_if_it_can(course, gb) -> None:
    decide(course, gb, "ada", ["right"])
    decide(course, gb, "ben", ["muddle"])
    path = course.rubric("hw", "keys")
    path.write_text(path.read_text().replace("muddle", "mixes-up"))
    shown = look(course, gb, REPOINT)
    assert shown == make(course, gb, REPOINT).impact
    assert mark_of(gb, "ada").rubric_version == rubric_of(course).version
    assert "Marks under an earlier version of the rubric come along: 1." in shown.notes
    (left,) = shown.left
    assert left.item == item_id("hw", "keys", "ben")
    assert "'muddle'" in left.why
    agrees(course, gb)


def test_a_new_criterion_is_not_earned_by_an_old_one_of_its_name(course, gb) -> None:
    decide(course, gb, "ada", ["muddle"])
    path = course.rubric("hw", "keys")
    path.write_text(path.read_text().replace("muddle", "mixes-up"))
    done = make(course, gb, Edit("add", "muddle", says="It is about mud.", points=1))
    assert len(done.impact.left) == 1
    assert mark_of(gb, "ada").score == 0.0


# -- the audit ---------------------------------------------------------------------------------


def test_each_rescoring_has_its_line_and_the_edit_one_of_its_own(course, gb) -> None:
    before = decide(course, gb, "ada", ["right"])
    make(course, gb, REPOINT)
    edited, rescored = list(gb.events("hw"))[-2:]
    assert (edited.what, edited.who) == ("rubric edited", "grace")
    assert edited.subject["steps"] == [{"kind": "repoint", "criterion": "right", "points": 1}]
    assert edited.before == {"rubric_version": before.rubric_version}
    assert edited.after == {"rubric_version": rubric_of(course).version}
    assert (rescored.what, rescored.who, rescored.subject["student"]) == (
        "rescored",
        "grace",
        "ada",
    )
    assert (rescored.before["score"], rescored.after["score"]) == (2.0, 1.0)
    assert rescored.before["nbgrader"]["manual_score"] == 2.0
    assert rescored.after["marker"] == "tutor"


def test_a_mark_made_by_a_rule_is_no_more_a_persons_own_after_an_edit(course, gb, suggest) -> None:
    suggest("keys", {"ada": {"right"}})
    accept(course, gb, "hw", "confidence >= 0.9", marker="tutor")
    make(course, gb, REPOINT)
    make(course, gb, Edit("reword", "right", says="In other words."))
    assert [e.subject.get("rule") for e in gb.events("hw") if e.what == "rescored"] == [
        "confidence >= 0.9",
        "confidence >= 0.9",
    ]


# -- the file ----------------------------------------------------------------------------------


def test_the_file_keeps_its_comments_and_its_mode(course, gb) -> None:
    path = course.rubric("hw", "keys")
    path.write_text("# ours\n" + path.read_text().replace("points: 2", "points: 2  # agreed"))
    path.chmod(0o664)
    make(course, gb, REPOINT, Edit("add", "door", says="It names a door.", points=0.5))
    text = path.read_text()
    assert text.startswith("# ours\n")
    assert "points: 1  # agreed" in text
    assert path.stat().st_mode & 0o777 == 0o664
    assert [p.name for p in path.parent.iterdir() if p.name.startswith(".")] == []


def test_the_versions_of_file_gradebook_and_answer_are_one(course, gb) -> None:
    decide(course, gb, "ada", ["right"])
    applied = make(course, gb, REPOINT)
    assert rubric_of(course) == applied.rubric == gb.rubric(applied.rubric.version)


def test_an_edit_that_changes_nothing_says_so_and_stores_nothing(course, gb, tiny) -> None:
    before = state(course, tiny)
    edit = Edit("repoint", "right", points=2)
    assert any(note.startswith("Nothing changes") for note in look(course, gb, edit).notes)
    assert make(course, gb, edit).impact == look(course, gb, edit)
    assert state(course, tiny) == before


# -- references --------------------------------------------------------------------------------


def test_references_to_a_removed_criterion_go_with_it_and_are_told(course, gb) -> None:
    path = course.rubric("hw", "keys")
    path.write_text(path.read_text() + "pick_one: [[right, example]]\n")
    impact = look(course, gb, Edit("remove", "right"))
    assert impact.rubric.pick_one == ()
    assert [e.earns for e in impact.rubric.exemplars] == [(), ("example",), ("muddle",)]
    assert impact.notes == (
        "The pick_one list [right, example] is gone: example was left alone.",
        "1 exemplar no longer earns 'right'.",
    )
    make(course, gb, Edit("remove", "right"))
    assert rubric_of(course) == impact.rubric


def test_a_longer_pick_one_list_lives_on(course, gb) -> None:
    path = course.rubric("hw", "keys")
    path.write_text(path.read_text() + "pick_one: [[right, example, muddle]]\n")
    impact = look(course, gb, Edit("remove", "right"))
    assert impact.rubric.pick_one == (("example", "muddle"),)
    assert "'right' left the pick_one list" in impact.notes[0]


def test_a_grader_that_still_names_a_removed_criterion_is_told(course, gb) -> None:
    own = course.rubrics("hw") / "keys.ipynb"
    own.write_text('{"source": ["@grader.criterion(\\"right\\")"]}')
    assert any("keys.ipynb" in note for note in look(course, gb, Edit("remove", "right")).notes)
    assert not look(course, gb, Edit("remove", "example")).notes[1:]


def test_suggestions_go_along_where_the_criterion_asks_the_same(course, gb, suggest) -> None:
    suggest("keys", {"ada": {"right"}})
    edits = [
        REPOINT,
        Edit("reword", "example", says="It has a good example."),
        Edit("repoint", "muddle", points=1),
        Edit("add", "door", says="It names a door.", points=1),
    ]
    shown = look(course, gb, *edits)
    (note,) = shown.notes
    assert note.startswith("There are no suggestions yet for example, muddle, door. Run 'markbook")
    assert make(course, gb, *edits).impact == shown
    (case,) = [c for c in read_cases(course, gb, "hw", ["keys"]) if c.answer.student == "ada"]
    assert [s.criterion for s in case.suggestions] == ["right"]
    assert case.waits == "no-suggestion"


def test_after_a_repoint_every_suggestion_still_counts(course, gb, suggest) -> None:
    suggest("keys", {"ada": {"right", "example"}})
    make(course, gb, REPOINT)
    (mark,) = accept(course, gb, "hw", "confidence >= 0.9", marker="tutor").accepted
    assert (mark.score, mark.rubric_version) == (2.0, rubric_of(course).version)


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (Edit("add", "right", says="Again.", points=1), "already has a criterion"),
        (Edit("add", "no blanks", says="It.", points=1), "not a legal id"),
        (Edit("add", "../up", says="It.", points=1), "not a legal id"),
        (Edit("add", "new", points=1), "needs a sentence"),
        (Edit("add", "new", says="It."), "needs a sentence"),
        (Edit("add", "new", says="It.", points=1, evidence=(" ",)), "is empty"),
        (Edit("add", "new", says="It.", points=1, evidence="a text"), "list of texts"),
        (Edit("reword", "wrong", says="It."), "Did you mean|has no criterion"),
        (Edit("reword", "right"), "needs new words"),
        (Edit("reword", "right", says="It.", points=7), "does not change its points"),
        (Edit("reword", "right", says=5), "must be text"),
        (Edit("repoint", "right"), "needs points"),
        (Edit("repoint", "right", says="It.", points=1), "does not change its words"),
        (Edit("repoint", "right", points="2"), "must be a number"),
        (Edit("repoint", "right", points=True), "must be a number"),
        (Edit("repoint", "right", points=math.nan), "must be a number"),
        (Edit("repoint", "right", points=-math.inf), "must be a number"),
        (Edit("repoint", "right", points=1e9), "at most"),
        (Edit("remove", "wrong"), "has no criterion"),
        (Edit("rename", "right"), "no edit"),
    ],
)
def test_an_edit_that_breaks_the_rubric_is_refused_before_anything_is_written(
    course, gb, tiny, edit, what
) -> None:
    decide(course, gb, "ada", ["right"])
    before = state(course, tiny)
    for act in (look, make):
        with pytest.raises(UsageError, match=what):
            act(course, gb, Edit("repoint", "example", points=0.5), edit)
    assert state(course, tiny) == before


def test_a_rubric_keeps_one_criterion(course, gb) -> None:
    everything = [Edit("remove", name) for name in ("right", "example", "muddle")]
    with pytest.raises(UsageError, match="at least one criterion"):
        look(course, gb, *everything)
    with pytest.raises(UsageError, match="no edit to make"):
        look(course, gb)


def test_names_that_are_not_there_are_refused(course, gb) -> None:
    with pytest.raises(UnknownName):
        preview(course, gb, "hw9", "keys", [REPOINT], base_version="x")
    with pytest.raises(UnknownName, match="keys"):
        apply(course, gb, "hw", "../keys", [REPOINT], base_version="x", marker="grace")
    with pytest.raises(UsageError, match="cannot be a marker"):
        make(course, gb, REPOINT, marker="markbook")


def test_a_broken_rubric_file_is_reported_and_left(course, gb, tiny) -> None:
    version = rubric_of(course).version
    course.rubric("hw", "keys").write_text("question: keys\n")
    before = state(course, tiny)
    for act in (look, make):
        with pytest.raises(RubricError):
            act(course, gb, REPOINT, base=version)
    assert state(course, tiny) == before


def test_a_folder_that_may_not_be_written_stops_the_edit_before_the_gradebook(
    course, gb, tiny, monkeypatch
) -> None:
    def full(*_args, **_how):
        raise OSError(28, "No space left on device")

    before = state(course, tiny)
    monkeypatch.setattr(edit_files.shutil, "copyfile", full)
    with pytest.raises(MarkbookError, match="No space left"):
        make(course, gb, REPOINT)
    assert state(course, tiny) == before


# -- two people --------------------------------------------------------------------------------


def test_the_second_editor_is_shown_the_rubric_of_the_first(course, gb, tiny) -> None:
    version = rubric_of(course).version
    make(course, gb, REPOINT)
    before = state(course, tiny)
    for act in (look, make):
        with pytest.raises(StaleRubric) as caught:
            act(course, gb, Edit("remove", "right"), base=version)
        assert caught.value.theirs == rubric_of(course)
    assert state(course, tiny) == before


def test_of_two_edits_at_the_same_moment_one_is_made_and_one_refused(course, gb) -> None:
    decide(course, gb, "ada", ["right", "example"])
    version = rubric_of(course).version
    start, ends = threading.Barrier(2), []

    def edit(criterion):
        with Gradebook.open(course) as mine:
            start.wait()
            try:
                ends.append(make(course, mine, Edit("remove", criterion), base=version).rubric)
            except StaleRubric as error:
                ends.append(error)

    threads = [threading.Thread(target=edit, args=[c]) for c in ("right", "example")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (made,) = [end for end in ends if not isinstance(end, StaleRubric)]
    (refused,) = [end for end in ends if isinstance(end, StaleRubric)]
    assert refused.theirs == made == rubric_of(course)
    assert len([e for e in gb.events("hw") if e.what == EDITED]) == 1
    agrees(course, gb)


# -- killed ------------------------------------------------------------------------------------


@pytest.fixture
def killed_between(course, gb, monkeypatch):
    """Make an edit and die after the gradebook's transaction, before the file is replaced."""

    def die(_staged):
        raise KeyboardInterrupt

    decide(course, gb, "ada", ["right"])
    old = rubric_of(course)
    with monkeypatch.context() as patch:
        patch.setattr(edit_files.Staged, "publish", die)
        with pytest.raises(KeyboardInterrupt):
            make(course, gb, REPOINT)
    assert rubric_of(course) == old
    assert mark_of(gb, "ada").rubric_version != old.version
    return old


def test_an_edit_killed_before_its_file_was_replaced_is_finished_by_the_next(
    course, gb, killed_between
) -> None:
    with pytest.raises(StaleRubric) as caught:
        make(course, gb, Edit("remove", "example"), base=killed_between.version)
    assert rubric_of(course) == caught.value.theirs
    assert mark_of(gb, "ada").rubric_version == rubric_of(course).version
    make(course, gb, Edit("remove", "example"))
    assert [c.id for c in rubric_of(course).criteria] == ["right", "muddle"]
    agrees(course, gb)
    assert list(course.rubrics("hw").glob(".*")) == []


def test_a_preview_sees_the_killed_edit_and_still_writes_nothing(
    course, gb, killed_between, tiny
) -> None:
    before = state(course, tiny)
    with pytest.raises(StaleRubric) as caught:
        look(course, gb, Edit("remove", "example"), base=killed_between.version)
    theirs = caught.value.theirs
    assert theirs.criterion("right").points == 1
    shown = look(course, gb, Edit("remove", "example"), base=theirs.version)
    assert state(course, tiny) == before
    assert make(course, gb, Edit("remove", "example"), base=theirs.version).impact == shown


@pytest.mark.usefixtures("killed_between")
def test_opening_the_marking_finishes_a_killed_edit_once(course, gb) -> None:
    path = course.rubric("hw", "keys")
    path.write_text("# written in between\n" + path.read_text())
    assert finish_edits(course, gb, "hw") == ("keys",)
    assert finish_edits(course, gb, "hw") == ()
    assert path.read_text().startswith("# written in between\n")
    assert mark_of(gb, "ada").rubric_version == rubric_of(course).version
    assert len([e for e in gb.events("hw") if e.what == EDITED]) == 1


@pytest.mark.usefixtures("killed_between")
def test_a_file_changed_by_hand_after_the_kill_wins_and_that_is_told(course, gb) -> None:
    path = course.rubric("hw", "keys")
    path.write_text(path.read_text().replace("points: 2", "points: 2.5"))
    shown = look(course, gb, Edit("remove", "example"))
    assert "broken off" in shown.notes[0]
    assert "'grace'" in shown.notes[0]
    assert make(course, gb, Edit("remove", "example")).impact == shown
    assert rubric_of(course).criterion("right").points == 2.5
    assert mark_of(gb, "ada").score == 2.5
    agrees(course, gb)


def test_an_edit_killed_before_the_gradebook_stored_it_never_was(
    course, gb, tiny, monkeypatch
) -> None:
    def die(*_args, **_how):
        raise KeyboardInterrupt

    decide(course, gb, "ada", ["right"])
    before = state(course, tiny)
    with monkeypatch.context() as patch:
        patch.setattr(Gradebook, "rescore_marks", die)
        with pytest.raises(KeyboardInterrupt):
            make(course, gb, REPOINT)
    assert len(list(course.rubrics("hw").glob(".edit-*"))) == 1
    assert look(course, gb, REPOINT).students == 1
    assert finish_edits(course, gb, "hw") == ()
    assert state(course, tiny) == before


EDIT_AND_DIE = """
import os, sys
from pathlib import Path
from markbook.course import Course
from markbook.gradebook import Gradebook
from markbook.marking import edit_files
from markbook.marking.rubric_edits import Edit, apply

edit_files.Staged.publish = lambda _staged: os._exit(9)
root, version = sys.argv[1:]
course = Course.open(Path(root))
with Gradebook.open(course) as gb:
    edit = Edit("repoint", "right", points=1)
    apply(course, gb, "hw", "keys", [edit], base_version=version, marker="grace")
"""


def test_a_real_kill_at_the_seam_leaves_nothing_half_done(course, gb) -> None:
    decide(course, gb, "ada", ["right"])
    version = rubric_of(course).version
    command = [sys.executable, "-c", EDIT_AND_DIE, str(course.root), version]
    process = subprocess.run(command, check=False, timeout=60)
    assert process.returncode == 9
    assert rubric_of(course).version == version
    assert finish_edits(course, gb, "hw") == ("keys",)
    assert mark_of(gb, "ada").rubric_version == rubric_of(course).version != version
    agrees(course, gb)


def test_half_of_the_gradebooks_part_is_never_stored(course, gb, tiny, monkeypatch) -> None:
    decide(course, gb, "ada", ["right"])
    decide(course, gb, "ben", ["right"])
    before = state(course, tiny)
    from markbook.gradebook import rescore

    real, calls = rescore._regrade, []

    def breaks(*args):
        calls.append(args)
        if len(calls) == 2:
            raise MarkbookError("the second mark cannot be stored.")
        return real(*args)

    monkeypatch.setattr(rescore, "_regrade", breaks)
    with pytest.raises(MarkbookError, match="second mark"):
        make(course, gb, REPOINT)
    assert state(course, tiny) == before


# -- back-fill ---------------------------------------------------------------------------------


KEYS = {
    "ada": "You lock the front door with a metal key, and that is all.",
    "ben": "Rain falls mainly in spring.",
    "cleo": "One can lock a door with it.",
}


def reword_all(gb, texts):
    """Let every student have answered the question "keys" with these texts."""
    for student, text in texts.items():
        answers = [a for a in gb.answers("hw") if a.student == student]
        said = [
            dataclasses.replace(a, text=text, status=AnswerStatus.ANSWERED)
            if a.question == "keys"
            else a
            for a in answers
        ]
        gb.save_submission(gb.record("hw", student), said)


def test_marked_answers_that_fit_a_new_criterion_come_best_first(course, gb) -> None:
    reword_all(gb, KEYS)
    for student in ("ada", "ben"):
        decide(course, gb, student, [])
    new = Edit(
        "add",
        "locks-a-door",
        says="A key locks a door.",
        points=1,
        evidence=("lock the front door with a metal key", "close the door with a key"),
    )
    found = make(course, gb, new).back_fill
    assert [entry.item for entry in found] == [item_id("hw", "keys", "ada")]
    assert found[0].criterion == "locks-a-door"
    assert "lock the front door" in found[0].span
    assert 0.5 <= found[0].probability <= 1
    decide(course, gb, "cleo", [])
    again = Edit("add", "locks", says=new.says, points=1, evidence=new.evidence)
    make(course, gb, Edit("remove", "locks-a-door"))
    ranked = make(course, gb, again).back_fill
    assert [entry.item for entry in ranked][:1] == [item_id("hw", "keys", "ada")]
    assert [e.probability for e in ranked] == sorted((e.probability for e in ranked), reverse=True)
    assert item_id("hw", "keys", "ben") not in {entry.item for entry in ranked}


def test_an_opinion_is_not_back_filled_by_a_machine(course, gb) -> None:
    path = course.rubric("hw", "keys")
    save_rubric(path, dataclasses.replace(load_rubric(path), policy="manual"))
    decide(course, gb, "ada", [])
    new = Edit("add", "secret", says="A key is secret.", points=1, evidence=("a key is secret",))
    assert make(course, gb, new).back_fill == ()


# -- anything at all ---------------------------------------------------------------------------

NAMES = st.sampled_from(["right", "example", "muddle", "new", "newer", "no blank", ""])
TEXTS = st.one_of(
    st.sampled_from(["", " ", "Plain.", "with: colon", "# no comment", "- dash", "two\nlines\n"]),
    st.text(max_size=12),
)
NUMBERS = st.one_of(
    st.none(),
    st.integers(-4, 4),
    st.floats(-4, 4, width=32),
    st.sampled_from([0.1, 0.2, math.nan, math.inf, 1e12]),
)
EDITS = st.lists(
    st.builds(
        Edit,
        kind=st.sampled_from(["add", "reword", "repoint", "remove"]),
        criterion=NAMES,
        says=TEXTS,
        points=NUMBERS,
        evidence=st.lists(TEXTS, max_size=2).map(tuple),
        feedback=TEXTS,
    ),
    min_size=1,
    max_size=3,
)
# Most random edits are refused; these are the ones that a person would make.
THERE = st.sampled_from(["right", "example", "muddle"])
WORDS = TEXTS.filter(str.strip)
SENSIBLE = st.lists(
    st.one_of(
        st.builds(Edit, st.just("repoint"), THERE, points=st.sampled_from([-3, 0, 0.1, 1, 2.5])),
        st.builds(Edit, st.just("remove"), THERE),
        st.builds(Edit, st.just("reword"), THERE, says=WORDS, feedback=TEXTS),
        st.builds(
            Edit,
            st.just("add"),
            st.sampled_from(["new", "newer"]),
            says=WORDS,
            points=st.sampled_from([-1, 0.2, 1, 4]),
        ),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda edit: edit.criterion,
)
EARNED = st.sets(st.sampled_from(["right", "example", "muddle"]))
MARKS = st.dictionaries(
    st.sampled_from(["ada", "ben", "cleo"]),
    st.tuples(EARNED, st.sampled_from([0.0, 0.5, -0.1, 9.0])),
    min_size=1,
)
HEAD = st.sampled_from(["", "start: full\n", "floor: -2\n", "pick_one: [[right, example]]\n"])


def outcome(act, *args):
    """Return what came of it: a result, or the words in which it was refused."""
    try:
        return act(*args)
    except UsageError as error:
        return str(error)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(edits=st.one_of(SENSIBLE, SENSIBLE, SENSIBLE, EDITS), marks=MARKS, head=HEAD)
def test_what_is_shown_is_what_is_done(tiny, edits, marks, head) -> None:
    folder = Path(tempfile.mkdtemp(prefix="markbook-edits-"))
    try:
        course = tiny.copy_of("autograded", folder / "course")
        path = course.rubric("hw", "keys")
        path.write_text(f"# a comment\n{head}{path.read_text()}")
        with Gradebook.open(course) as gb:
            for student, (earned, adjustment) in marks.items():
                decide(course, gb, student, earned, adjustment=adjustment, reason="so")
            before = {m.student: m for m in gb.marks("hw", "keys")}
            stored = state(course, tiny)
            shown = outcome(look, course, gb, *edits)
            if isinstance(shown, str):
                assert outcome(make, course, gb, *edits) == shown
                assert state(course, tiny) == stored
                return
            assert state(course, tiny) == stored
            assert make(course, gb, *edits).impact == shown
            agrees(course, gb)
            after = {m.student: m for m in gb.marks("hw", "keys")}
            assert after.keys() == before.keys()
            changed = {s: (before[s].score, after[s].score) for s in after}
            assert {(c.before, c.after, c.item) for c in shown.changes} == {
                (old, new, item_id("hw", "keys", s))
                for s, (old, new) in changed.items()
                if old != new
            }
            assert all(m.rubric_version == shown.rubric.version for m in after.values())
            assert rubric_of(course) == shown.rubric
            assert path.read_text().startswith("# a comment\n")
            assert load_rubric(path).version == shown.rubric.version
            assert dump_rubric(shown.rubric) == dump_rubric(load_rubric(path))
    finally:
        shutil.rmtree(folder)
