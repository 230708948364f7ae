"""Marks, their audit and nbgrader's grades: together or not at all."""

from __future__ import annotations

import dataclasses
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from markbook.errors import MarkbookError, StaleMark, UnknownName
from markbook.gradebook import Gradebook, marks, nbgrader_tables
from markbook.model import score


@pytest.fixture
def gb(course):
    with Gradebook.open(course) as opened:
        yield opened


def save(gb, *given_marks, **fields):
    return gb.save_marks(given_marks, **({"who": "tutor", "what": "mark"} | fields))


def grade(gb, student, question):
    (found,) = [g for g in gb.grades("hw") if (g.student, g.question) == (student, question)]
    return found


def nbgrader_scores(course):
    from nbgrader.api import Gradebook as Theirs

    with Theirs(course.db_url, "tiny") as theirs:
        return {
            (g.student.id, g.name): (
                g.score,
                g.max_score,
                g.auto_score,
                g.manual_score,
                g.extra_credit,
                g.needs_manual_grade,
            )
            for submission in theirs.assignment_submissions("hw")
            for notebook in submission.notebooks
            for g in notebook.grades
        }


def test_a_mark_its_event_and_nbgraders_grade_are_stored(tiny, gb):
    wanted = tiny.mark(gb, "ada", earned=("example", "right"), comment="Well said.")
    (stored,) = save(gb, wanted, what="accept", rule="confidence >= 0.9")
    assert stored.row_version == 1
    assert stored.earned == ("right", "example")
    assert stored.marked_at.endswith("+00:00")
    assert gb.marks("hw") == (stored,)
    assert gb.marks("hw", "doors") == ()
    found = grade(gb, "ada", "keys")
    assert (found.manual_score, found.score, found.needs_marking) == (3.0, 3.0, False)
    (event,) = gb.events("hw")
    assert (event.who, event.what, event.subject["rule"]) == (
        "tutor",
        "accept",
        "confidence >= 0.9",
    )
    assert event.before is None
    assert event.after["score"] == 3.0
    assert list(gb.events("other")) == []


def test_what_we_read_and_what_nbgrader_reads_is_the_same(tiny, course, gb):
    save(
        gb,
        tiny.mark(gb, "ada", comment="Yes."),
        tiny.mark(gb, "ben", earned=("muddle",)),
        tiny.mark(gb, "cleo", "story", earned=("right",)),
        tiny.mark(gb, "cleo", "doors", earned=("example",), adjustment=0.5),
    )
    ours = {
        (g.student, g.question): (
            g.score,
            g.max_score,
            g.auto_score,
            g.manual_score,
            g.extra_credit,
            g.needs_marking,
        )
        for g in gb.grades("hw")
    }
    assert ours == nbgrader_scores(course)
    assert ours["cleo", "doors"][0] == 1.5
    assert ours["cleo", "story"] == (2.0, 0.0, None, 0.0, 2.0, False)


def test_a_mark_leaves_what_formgrader_would_leave(tiny, course, gb):
    """Formgrader's own handler code, applied to a twin course, ends in the same rows."""
    from nbgrader.api import Gradebook as Theirs

    twin = tiny.twin_of(course, course.root.parent / "twin")
    save(gb, tiny.mark(gb, "ada", comment="Good."), tiny.mark(gb, "cleo", "story", ("right",)))
    with Theirs(twin.db_url, "tiny") as theirs:
        for student, question, data in (
            ("ada", "keys", {"manual_score": 2.0}),
            ("cleo", "story", {"manual_score": 0.0, "extra_credit": 2.0}),
        ):
            found = theirs.find_grade(question, "part", "hw", student)
            found.manual_score = data.get("manual_score", None)
            found.extra_credit = data.get("extra_credit", None)
            if found.manual_score is None and found.auto_score is None:
                found.needs_manual_grade = True
            else:
                found.needs_manual_grade = False
        theirs.find_comment("keys", "part", "hw", "ada").manual_comment = "Good."
        theirs.db.commit()
    for table in ("grade", "comment", "submitted_notebook", "submitted_assignment"):
        assert tiny.dump(course)[table] == tiny.dump(twin)[table]


def test_nbgrader_sees_when_everything_of_a_submission_is_marked(tiny, course, gb):
    from nbgrader.api import Gradebook as Theirs

    def waiting():
        with Theirs(course.db_url, "tiny") as theirs:
            return {d["student"]: d["needs_manual_grade"] for d in theirs.submission_dicts("hw")}

    assert waiting() == {"ada": True, "ben": True, "cleo": True}
    save(gb, tiny.mark(gb, "ada"), tiny.mark(gb, "ada", "doors"))
    assert waiting() == {"ada": False, "ben": True, "cleo": True}


def test_saving_an_identical_mark_again_changes_nothing(tiny, course, gb):
    wanted = tiny.mark(gb, "ada", comment="Yes.")
    first = save(gb, wanted)
    before = tiny.dump(course)
    assert save(gb, wanted) == first
    assert save(gb, *first) == first
    assert tiny.dump(course) == before


def test_a_mark_that_was_read_before_another_was_saved_is_stale(tiny, course, gb):
    mine = tiny.mark(gb, "ada")
    fine = tiny.mark(gb, "cleo", "doors")
    save(gb, tiny.mark(gb, "ada", earned=(), marker="other"))
    before = tiny.dump(course)
    with pytest.raises(StaleMark, match="'other'"):
        save(gb, fine, mine)
    assert tiny.dump(course) == before, "a batch with one stale mark was half stored"


def test_a_second_markers_mark_counts_and_the_firsts_is_kept(tiny, gb):
    (first,) = save(gb, tiny.mark(gb, "ada"))
    second = dataclasses.replace(first, marker="other", earned=(), score=0.0)
    (stored,) = save(gb, second, who="other")
    assert gb.marks("hw") == (stored,)
    assert stored.row_version == 2
    assert {m.marker: m.score for m in gb.all_marks("hw")} == {"tutor": 2.0, "other": 0.0}
    assert grade(gb, "ada", "keys").score == 0.0
    assert [e.before and e.before["marker"] for e in gb.events()] == [None, "tutor"]


def test_a_mark_for_an_answer_that_changed_meanwhile_is_stale(tiny, gb):
    wrong = dataclasses.replace(tiny.mark(gb, "ada"), answer_hash="0" * 64)
    with pytest.raises(StaleMark, match="answer"):
        save(gb, wrong)
    assert gb.marks("hw") == ()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"score": 3.0}, "earn 2 "),
        ({"score": float("nan")}, "not a number"),
        ({"adjustment": float("inf")}, "not a number"),
        ({"earned": ("nonsense",)}, "right, example, muddle"),
        ({"rubric_version": "other"}, "rubric version 'other'"),
        ({"rubric_version": "v1-doors"}, "does not have for 'keys'"),
        ({"marker": ""}, "no marker"),
    ],
)
def test_a_mark_that_its_rubric_does_not_bear_out_is_refused(tiny, course, gb, fields, message):
    gb.save_rubric("hw", tiny.rubric("doors"))
    wanted = dataclasses.replace(tiny.mark(gb, "ada"), **fields)
    before = tiny.dump(course)
    with pytest.raises(MarkbookError, match=message):
        save(gb, wanted)
    assert tiny.dump(course) == before


@pytest.mark.parametrize("fields", [{"student": "nobody"}, {"notebook": "other"}])
def test_a_mark_for_an_answer_that_is_not_there_is_refused(tiny, gb, fields):
    with pytest.raises(UnknownName, match="no answer"):
        save(gb, dataclasses.replace(tiny.mark(gb, "ada"), **fields))


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    earned=st.sets(st.sampled_from(["right", "example", "muddle"])),
    adjustment=st.floats(-5, 5).map(lambda x: round(x, 2)),
    off=st.sampled_from([0.0, 0.0, 0.5, -1.0, 100.0]),
)
def test_only_the_score_that_the_criteria_earn_is_ever_stored(tiny, gb, earned, adjustment, off):
    version = max((m.row_version for m in gb.marks("hw", "keys")), default=0)
    right = score(tiny.rubric(), earned, points=3.0, adjustment=adjustment)
    wanted = tiny.mark(
        gb,
        "ada",
        earned=tuple(earned),
        adjustment=adjustment,
        score=right + off,
        row_version=version,
    )
    if off:
        with pytest.raises(MarkbookError):
            save(gb, wanted)
    else:
        save(gb, wanted)
        assert grade(gb, "ada", "keys").score == right
        assert 0.0 <= right <= 3.0


def test_a_removed_mark_leaves_its_event_and_a_grade_that_waits(tiny, course, gb):
    untouched = tiny.dump(course)
    (stored,) = save(gb, tiny.mark(gb, "ada", comment="Yes."))
    gb.remove_mark(stored, who="head")
    assert gb.marks("hw") == ()
    for table in ("grade", "comment"):
        assert tiny.dump(course)[table] == untouched[table]
    assert [e.what for e in gb.events("hw")] == ["mark", "remove"]
    *_, last = gb.events("hw")
    assert last.before["score"] == 2.0
    assert last.before["nbgrader"]["manual_comment"] == "Yes."


def test_a_removed_mark_does_not_give_its_version_to_the_next(tiny, gb):
    (stored,) = save(gb, tiny.mark(gb, "ada"))
    gb.remove_mark(stored, who="tutor")
    (again,) = save(gb, tiny.mark(gb, "ada", earned=()))
    assert again.row_version == 2
    with pytest.raises(StaleMark):
        gb.remove_mark(stored, who="tutor")
    assert gb.marks("hw") == (again,)


def test_removing_the_mark_of_a_blank_answer_needs_no_person_again(tiny, gb):
    (stored,) = save(gb, tiny.mark(gb, "cleo", "keys", earned=("right",)))
    gb.remove_mark(stored, who="tutor")
    found = grade(gb, "cleo", "keys")
    assert (found.score, found.needs_marking) == (0.0, False)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (marks, "append_event"),
        (marks, "_write_mark"),
        (nbgrader_tables, "write_grade"),
        (nbgrader_tables, "write_comment"),
    ],
)
def test_a_fault_anywhere_in_saving_stores_nothing(tiny, course, gb, monkeypatch, module, name):
    first = tiny.mark(gb, "ada", comment="Yes.")
    second = tiny.mark(gb, "cleo", "doors", comment="No.")
    before = tiny.dump(course)
    real = getattr(module, name)
    calls = []

    def fail_at_the_second(*args, **kwargs):
        calls.append(args)
        real(*args, **kwargs)
        if len(calls) == 2:
            raise OSError("the disk is full")

    monkeypatch.setattr(module, name, fail_at_the_second)
    with pytest.raises(OSError, match="disk is full"):
        save(gb, first, second)
    assert len(calls) == 2
    assert tiny.dump(course) == before


def test_of_many_markers_at_once_one_wins_and_the_others_are_told(tiny, course, gb):
    wanted = [
        tiny.mark(gb, "ada", earned=("right",), marker=f"m{n}", comment=f"m{n}") for n in range(8)
    ]
    won, lost = [], []

    def click(mark):
        with Gradebook.open(course) as mine:
            try:
                won.extend(save(mine, mark, who=mark.marker))
            except StaleMark:
                lost.append(mark.marker)

    threads = [threading.Thread(target=click, args=(mark,)) for mark in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 7)
    assert gb.marks("hw") == tuple(won)
    assert [e.who for e in gb.events()] == [won[0].marker]


def test_a_mark_is_written_anew_if_formgrader_changed_the_score_in_between(tiny, course, gb):
    from nbgrader.api import Gradebook as Theirs

    (stored,) = save(gb, tiny.mark(gb, "ada"))
    with Theirs(course.db_url, "tiny") as theirs:
        theirs.find_grade("keys", "part", "hw", "ada").manual_score = 1.0
        theirs.db.commit()
    save(gb, stored)
    assert grade(gb, "ada", "keys").score == 2.0
    *_, last = gb.events("hw")
    assert last.before["nbgrader"]["manual_score"] == 1.0


def test_a_comment_that_no_database_can_hold_is_kept_by_us_and_plain_for_nbgrader(tiny, course, gb):
    wanted = tiny.mark(gb, "ada", comment="a\0b\ud800c", reason="\0")
    stored = save(gb, wanted)
    assert save(gb, *stored) == gb.marks("hw") == stored
    assert (stored[0].comment, stored[0].reason) == (wanted.comment, wanted.reason)
    assert "a\ufffdb\ufffdc" in [row["manual_comment"] for row in tiny.dump(course)["comment"]]
    (event,) = gb.events()
    assert event.after["comment"] == wanted.comment
