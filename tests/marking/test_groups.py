"""Answers that say the same are marked as one, and those like it are shown beside it."""

from __future__ import annotations

import pytest

from markbook.errors import UnknownName, UsageError
from markbook.gradebook import Gradebook
from markbook.marking import Desk, accept
from markbook.marking.groups_similar import Neighbours


def test_similar_answers_are_the_most_alike_first_and_never_the_same_wording():
    texts = {
        "a": "A JWT proves who signed in.",
        "same": "a jwt proves who signed in",
        "near": "A JWT proves who logged in and signed it",
        "far": "The JWT is long",
        "other": "Flask is a framework",
    }
    found = Neighbours(texts).like("a")
    assert next(name for name, _ in found) == "near"
    assert "same" not in dict(found)
    assert "other" not in dict(found)
    assert all(0 < likeness < 1 for _, likeness in found)
    assert Neighbours({"a": "..."}).like("a") == ()


# On the desk


@pytest.fixture
def desk(course, gb, rewrite):
    """Ada and ben have answered alike."""
    rewrite("ada", "keys", "A key is secret.")
    rewrite("ben", "keys", "a key is SECRET")
    return Desk(course, gb, "hw", "keys")


def whose(desk, student):
    return desk.item(desk._table.ids[student], marker="grace")


def test_one_decision_marks_the_whole_group_and_one_undo_takes_it_back(gb, desk):
    (group,) = desk.groups()
    assert (group.size, group.outliers, len(group.open)) == (2, (), 2)
    assert {whose(desk, name).group for name in ("ada", "ben")} == {group.id}
    assert [desk.text(name) for name in group.members].count(group.text) == 1
    result = desk.save_group(group.id, marker="grace", earned=["right"], comment="Yes.")
    assert set(result.saved) == set(group.members)
    assert [(m.student, m.score, m.comment) for m in gb.marks("hw")] == [
        ("ada", 2.0, "Yes."),
        ("ben", 2.0, "Yes."),
    ]
    assert {e.subject["batch"] for e in gb.events("hw")} == {result.batch}
    assert desk.groups()[0].open == ()
    assert desk.undo_group(result.batch, marker="ken") == 2
    assert gb.marks("hw") == ()
    assert desk.undo_group(result.batch, marker="ken") == 0
    assert desk.progress().open == 2


def test_what_a_person_decided_otherwise_stays_and_is_listed(gb, desk):
    ben = whose(desk, "ben")
    desk.save(ben.id, marker="ken", earned=["example"], row_version=ben.row_version)
    (group,) = desk.groups()
    result = desk.save_group(group.id, marker="grace", earned=["right"])
    assert (result.left, result.saved) == ((ben.id,), (whose(desk, "ada").id,))
    assert {m.student: m.marker for m in gb.marks("hw")} == {"ada": "grace", "ben": "ken"}
    again = desk.save_group(group.id, marker="ida", earned=["right"])
    assert (again.batch, again.unchanged, again.left) == ("", result.saved, (ben.id,))


def test_undoing_a_group_leaves_what_was_decided_since_and_restores_what_was_before(
    course, gb, desk, suggest
):
    suggest("keys", {"ada": {"example"}})
    accept(course, gb, "hw", "confidence >= 0.9", marker="grace")
    (group,) = desk.groups()
    result = desk.save_group(group.id, marker="grace", earned=["right"])
    assert len(result.saved) == 2, "what a rule accepted gives way to a person's decision"
    ben = whose(desk, "ben")
    desk.save(ben.id, marker="ken", earned=[], row_version=ben.row_version)
    assert desk.undo_group(result.batch, marker="grace") == 1
    assert {m.student: m.earned for m in gb.marks("hw")} == {"ada": ("example",), "ben": ()}


def test_outliers_can_be_left_out_and_open_ones_of_another_marker_are(gb, desk):
    (group,) = desk.groups()
    ada, ben = whose(desk, "ada").id, whose(desk, "ben").id
    assert desk.save_group(group.id, marker="g", earned=["right"], skip=[ada]).skipped == (ada,)
    desk.open(ada, marker="ken")
    assert desk.save_group(group.id, marker="g", earned=["right"]).left == (ada,)
    assert [m.student for m in gb.marks("hw")] == ["ben"]
    assert desk.save_group(group.id, marker="ken", earned=["right"]).unchanged == (ben,)


def test_a_group_is_marked_wholly_or_not_at_all(gb, desk):
    (group,) = desk.groups()
    for bad in ({"earned": ["rigth"]}, {"earned": [], "adjustment": 2.0}):
        with pytest.raises(UsageError):
            desk.save_group(group.id, marker="grace", **bad)
    with pytest.raises(UnknownName, match="no group"):
        desk.save_group("g0", marker="grace", earned=[])
    with pytest.raises(UnknownName):
        desk.undo_group("nothing", marker="grace")
    assert gb.marks("hw") == ()


def test_somebody_marking_a_member_at_the_same_moment_keeps_that_mark(
    course, gb, desk, monkeypatch
):
    (group,) = desk.groups()
    ben = whose(desk, "ben")
    plan = Desk._plan

    def slow(self, *args):
        found = plan(self, *args)
        monkeypatch.setattr(Desk, "_plan", plan)
        with Gradebook.open(course) as elsewhere:
            other = Desk(course, elsewhere, "hw", "keys")
            other.save(ben.id, marker="ken", earned=[], row_version=ben.row_version)
        return found

    monkeypatch.setattr(Desk, "_plan", slow)
    result = desk.save_group(group.id, marker="grace", earned=["right"])
    assert result.left == (ben.id,)
    assert {m.student: m.marker for m in gb.marks("hw")} == {"ada": "grace", "ben": "ken"}


def test_a_group_breaks_up_when_a_text_changes(desk, rewrite):
    assert len(desk.groups()) == 1
    rewrite("ben", "keys", "a key is not SECRET")
    assert desk.groups() == ()
    assert whose(desk, "ada").group is None
