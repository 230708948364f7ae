"""The desk: one question, several markers, nothing lost and nothing overwritten."""

from __future__ import annotations

import dataclasses
import threading

import pytest

from markbook.errors import CourseError, StaleMark, UnknownName, UsageError
from markbook.gradebook import Gradebook, leases
from markbook.marking import Desk, MarkingQueue, Situation, WaitingReason, accept


@pytest.fixture
def desk(course, gb):
    return Desk(course, gb, "hw", "keys")


def save(desk, item, earned=("right",), marker="grace", **more):
    fields = {"row_version": item.row_version} | more
    return desk.save(item.id, marker=marker, earned=earned, **fields)


def whose(desk, student):
    """The item of a student's answer."""
    return desk.item(desk._table.ids[student], marker="grace")


def what(gb):
    return [event.what for event in gb.events("hw")]


def test_the_next_answer_is_one_that_waits_and_the_blank_ones_never_come(desk):
    item = desk.open_next("grace")
    assert (item.situation, item.why) == (Situation.WAITING, WaitingReason.NO_SUGGESTION)
    assert (item.position, item.total, item.row_version, item.mark) == (1, 2, 0, None)
    second = desk.open_next("grace", after=item.id)
    assert second.id != item.id
    assert desk.cap == 3.0


def test_the_order_is_that_of_the_terminal(course, gb, desk):
    queue = MarkingQueue(course, gb, "hw", marker="grace", questions=["keys"])
    theirs = [queue.reveal(item.id) for item in queue.items]
    assert [desk.reveal(name, marker="grace") for name in desk.order("grace")] == theirs


def test_nothing_in_an_item_or_a_history_names_the_student(gb, desk):
    for name in desk.order("grace"):
        item = save(desk, desk.item(name, marker="grace"))
        shown = repr((dataclasses.replace(item, text=""), desk.history(name)))
        assert not any(f"'{student}'" in shown for student in ("ada", "ben", "cleo"))
        assert item.mark.student == ""


def test_a_decision_is_stored_with_the_rubrics_score_and_read_back(gb, desk):
    item = save(desk, desk.open_next("grace"), ("example", "right"), comment=" Well said. ")
    (mark,) = gb.marks("hw")
    assert (mark.score, mark.comment, mark.marker) == (3.0, "Well said.", "grace")
    assert item.mark == dataclasses.replace(mark, student="")
    assert (item.row_version, item.why, item.situation) == (1, None, Situation.MARKED)
    assert desk.progress().marked == 1


def test_no_criteria_earned_is_a_mark_and_not_the_same_as_unmarked(gb, desk):
    item = save(desk, desk.open_next("grace"), ())
    assert (item.mark.score, item.situation) == (0.0, Situation.MARKED)
    assert desk.progress().open == 1


def test_what_is_no_decision_is_refused_and_nothing_is_stored(gb, desk):
    item = desk.open_next("grace")
    for bad in ({"earned": ["rigth"]}, {"adjustment": 1.0}, {"adjustment": float("nan")}):
        with pytest.raises(UsageError):
            save(desk, item, **bad)
    with pytest.raises(UsageError):
        save(desk, item, marker="markbook")
    assert gb.marks("hw") == ()
    assert what(gb) == []


def test_ids_of_another_question_are_unknown(course, gb, desk):
    other = Desk(course, gb, "hw", "doors").open_next("grace")
    for act in (
        lambda: desk.item(other.id, marker="grace"),
        lambda: desk.open(other.id, marker="grace"),
        lambda: desk.open_next("grace", after=other.id),
        lambda: save(desk, other),
        lambda: desk.undo(other.id, marker="grace"),
        lambda: desk.history(other.id),
        lambda: desk.reveal(other.id, marker="grace"),
        lambda: desk.flag(other.id, marker="grace", flagged=True),
        lambda: desk.release(other.id, "grace"),
    ):
        with pytest.raises(UnknownName, match="no answer"):
            act()
    assert what(gb) == []


def test_a_desk_needs_a_question_of_the_assignment_with_a_rubric(course, gb):
    with pytest.raises(UnknownName, match="keys"):
        Desk(course, gb, "hw", "kezs")
    with pytest.raises(UnknownName):
        Desk(course, gb, "other", "keys")
    course.rubric("hw", "doors").unlink()
    with pytest.raises(CourseError, match=r"graders/hw/doors\.yaml"):
        Desk(course, gb, "hw", "doors")


# Two markers at once


def test_two_markers_get_different_answers_and_a_third_none(course, gb, desk):
    with Gradebook.open(course) as elsewhere:
        other = Desk(course, elsewhere, "hw", "keys")
        mine, theirs = desk.open_next("grace"), other.open_next("ken")
        assert mine.id != theirs.id
        assert desk.open_next("ida") is None
        assert desk.item(theirs.id, marker="grace").leased_to == "ken"
        assert desk.item(mine.id, marker="grace").leased_to is None


def test_one_gets_ones_own_answer_again(desk):
    mine = desk.open_next("grace")
    desk.open_next("ken")
    assert desk.open_next("grace").id == mine.id
    assert desk.open_next("grace", after=mine.id).id == mine.id, "the only one left came not back"


def test_a_lease_ends_when_given_back_moved_on_from_or_after_five_minutes(desk, monkeypatch):
    first = desk.open_next("grace")
    second = desk.open_next("grace", after=first.id)
    assert desk.item(first.id, marker="ken").leased_to is None
    assert desk.item(second.id, marker="ken").leased_to == "grace"
    desk.release(second.id, "ken")
    assert desk.item(second.id, marker="ken").leased_to == "grace", "ken ended grace's lease"
    desk.release(second.id, "grace")
    assert desk.item(second.id, marker="ken").leased_to is None
    start = leases.time.time()
    desk.open(second.id, marker="grace")
    monkeypatch.setattr(leases.time, "time", lambda: start + 299)
    assert desk.open(second.id, marker="ken").leased_to == "grace"
    desk.open(second.id, marker="grace")
    monkeypatch.setattr(leases.time, "time", lambda: start + 500)
    assert desk.item(second.id, marker="ken").leased_to == "grace", "opening did not renew it"
    monkeypatch.setattr(leases.time, "time", lambda: start + 900)
    assert desk.open(second.id, marker="ken").leased_to is None
    assert desk.item(second.id, marker="grace").leased_to == "ken"


def test_a_lease_is_a_courtesy_and_the_version_the_guard(gb, desk):
    item = desk.open_next("grace")
    save(desk, item, ("example",), marker="ken")
    with pytest.raises(StaleMark) as caught:
        save(desk, item, ("right",))
    assert (caught.value.theirs.marker, caught.value.theirs.earned) == ("ken", ("example",))
    assert caught.value.theirs.student == ""
    assert [mark.marker for mark in gb.marks("hw")] == ["ken"]
    again = desk.item(item.id, marker="grace")
    assert save(desk, again, ("right",)).mark.marker == "grace"


def test_a_stale_save_from_another_process_is_refused_with_both_marks(course, gb, desk):
    item = desk.open_next("grace")
    with Gradebook.open(course) as elsewhere:
        save(Desk(course, elsewhere, "hw", "keys"), item, ("example",), marker="ken")
    with pytest.raises(StaleMark) as caught:
        save(desk, item)
    assert caught.value.theirs.marker == "ken"
    assert desk.item(item.id, marker="grace").mark.marker == "ken"


def test_a_save_that_loses_the_race_after_looking_is_refused_too(course, gb, desk, monkeypatch):
    item = desk.open_next("grace")
    with Gradebook.open(course) as elsewhere:
        save(Desk(course, elsewhere, "hw", "keys"), item, ("example",), marker="ken")
    monkeypatch.setattr(desk, "refresh", lambda: False)
    with pytest.raises(StaleMark) as caught:
        save(desk, item)
    assert (caught.value.theirs.marker, caught.value.theirs.student) == ("ken", "")
    assert desk.progress().by_marker == {"ken": 1}


def test_sending_the_same_decision_twice_is_one_decision(gb, desk):
    item = desk.open_next("grace")
    first = save(desk, item)
    assert save(desk, item) == first
    assert save(desk, first) == first
    assert what(gb) == ["mark"]


def test_a_text_that_changed_on_the_way_is_not_marked_unseen(gb, desk, rewrite):
    item = whose(desk, "ada")
    rewrite("ada", "keys", "Quite another text.")
    with pytest.raises(StaleMark):
        save(desk, item)
    assert gb.marks("hw") == ()
    again = whose(desk, "ada")
    assert (again.text, again.row_version > item.row_version) == ("Quite another text.", True)
    assert save(desk, again).situation is Situation.MARKED


def test_many_threads_mark_everything_once(desk):
    seen, errors = [], []

    def work(marker):
        try:
            item = desk.open_next(marker)
            while item is not None:
                seen.append(item.id)
                save(desk, item, marker=marker)
                item = desk.open_next(marker, after=item.id)
        except Exception as error:  # noqa: BLE001  (a thread's own traceback is not seen)
            errors.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b", "c", "d")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert sorted(seen) == sorted(desk.order("grace"))


# Order


def test_the_least_sure_come_first_when_asked_for(desk, suggest):
    suggest("keys", {"ada": {"right"}, "ben": set()}, confidence=0.9)
    assert desk.refresh()
    both = desk.order("grace", "useful")
    suggest("keys", {"ada": {"right"}, "ben": set()}, unsure=("example",))
    assert set(desk.order("grace", "useful")) == set(both)
    suggest("keys", {"ada": {"right"}})
    (first, last) = desk.order("grace", "useful")
    assert desk.reveal(last, marker="grace") == "ada", "the one without suggestions comes first"
    assert desk.open_next("grace", by="useful").id == first


def test_all_goes_through_marked_ones_both_ways_and_ends(desk):
    first, second = desk.order("grace")
    save(desk, desk.item(first, marker="grace"))
    assert desk.open_next("grace").id == second
    assert desk.open_next("grace", only="all").id == first
    assert desk.open_next("grace", only="all", after=first).id == second
    assert desk.open_next("grace", only="all", after=second) is None
    assert desk.open_next("grace", only="all", after=second, backwards=True).id == first
    assert desk.open_next("grace", only="all", after=first, backwards=True) is None


def test_open_goes_on_with_what_was_skipped_and_ends_when_all_is_marked(desk):
    first, second = desk.order("grace")
    desk.open_next("grace", after=first)
    save(desk, desk.item(second, marker="grace"))
    assert desk.open_next("grace", after=second).id == first
    save(desk, desk.item(first, marker="grace"))
    assert desk.open_next("grace", after=first) is None


# Undo and history


def test_undo_takes_back_one_decision_after_the_other_whoever_made_it(gb, desk):
    item = save(desk, desk.open_next("grace"), ("right",), comment="First.")
    item = save(desk, item, ("example",), marker="ken")
    item = desk.undo(item.id, marker="ida")
    assert (item.mark.earned, item.mark.marker, item.mark.comment) == (
        ("right",),
        "grace",
        "First.",
    )
    item = desk.undo(item.id, marker="ida")
    assert (item.mark, item.why) == (None, WaitingReason.NO_SUGGESTION)
    with pytest.raises(UsageError, match="nobody"):
        desk.undo(item.id, marker="ida")
    assert not any(grade.manual_score for grade in gb.grades("hw"))
    assert what(gb) == ["mark", "mark", "undo", "undo"]
    assert save(desk, item, ("right",)).row_version > item.row_version


def test_undo_after_undo_and_a_new_decision_does_not_go_astray(desk):
    item = save(desk, desk.open_next("grace"), ("right",))
    item = save(desk, item, ("example",))
    item = desk.undo(item.id, marker="grace")
    item = save(desk, item, ())
    item = desk.undo(item.id, marker="grace")
    assert item.mark.earned == ("right",)
    assert desk.undo(item.id, marker="grace").mark is None


def test_undo_does_not_bring_back_a_mark_on_an_earlier_text(gb, desk, rewrite):
    save(desk, whose(desk, "ada"))
    rewrite("ada", "keys", "Another.")
    item = whose(desk, "ada")
    assert (item.stale, item.why, item.mark.earned) == (True, WaitingReason.STALE, ("right",))
    item = save(desk, item, ("example",))
    assert not item.stale
    assert desk.undo(item.id, marker="grace").mark is None


def test_what_a_rule_accepted_can_be_taken_back_on_the_page(course, gb, desk, suggest):
    suggest("keys", {"ada": {"right"}})
    accept(course, gb, "hw", "confidence >= 0.9", marker="grace")
    item = whose(desk, "ada")
    assert item.mark.earned == ("right",)
    (line,) = desk.history(item.id)
    assert (line.rule, line.before, line.after.score) == ("confidence >= 0.9", None, 2.0)
    assert desk.undo(item.id, marker="ken").why is WaitingReason.SUGGESTED


def test_the_history_tells_who_did_what_and_what_it_was_before(desk):
    item = save(desk, desk.open_next("grace"), ("right",), comment="Good.")
    save(desk, item, ("example",), marker="ken", adjustment=0.5, reason="A fine example.")
    desk.flag(item.id, marker="ida", flagged=True, note="Copied?")
    desk.reveal(item.id, marker="ida")
    desk.undo(item.id, marker="ken")
    lines = desk.history(item.id)
    assert [(line.who, line.what) for line in lines] == [
        ("grace", "mark"),
        ("ken", "mark"),
        ("ida", "flagged"),
        ("ida", "revealed"),
        ("ken", "undo"),
    ]
    assert (lines[1].before.comment, lines[1].after.score, lines[1].after.reason) == (
        "Good.",
        1.5,
        "A fine example.",
    )
    assert lines[2].note == "Copied?"
    assert (lines[3].before, lines[3].after) == (None, None)
    assert lines[4].after.earned == ("right",)


# Flags, names, comments, counts


def test_a_flag_is_seen_by_all_markers_until_taken_away(course, gb, desk):
    item = desk.flag(desk.open_next("grace").id, marker="grace", flagged=True, note=" Why? ")
    assert (item.flagged, item.flag_note) == (True, "Why?")
    with Gradebook.open(course) as elsewhere:
        other = Desk(course, elsewhere, "hw", "keys")
        assert other.item(item.id, marker="ken").flag_note == "Why?"
        assert other.progress().flagged == 1
        other.flag(item.id, marker="ken", flagged=True, note="Why?")
        other.flag(item.id, marker="ken", flagged=False)
    assert not desk.item(item.id, marker="grace").flagged
    assert what(gb) == ["flagged", "unflagged"]


def test_revealing_a_name_is_written_down(gb, desk):
    name = desk.order("grace")[0]
    student = desk.reveal(name, marker="grace")
    (event,) = gb.events("hw")
    assert (event.who, event.what, event.subject["student"]) == ("grace", "revealed", student)


def test_comments_come_back_most_used_first_and_this_questions_before_others(course, gb, desk):
    doors = Desk(course, gb, "hw", "doors")
    for name in doors.order("grace"):
        save(doors, doors.item(name, marker="grace"), comment="Doors open.")
    first, second = desk.order("grace")
    save(desk, desk.item(first, marker="grace"), comment="Say why it opens.")
    assert desk.comments() == ("Say why it opens.", "Doors open.")
    assert desk.comments("OPEN why") == ("Say why it opens.",)
    assert desk.comments("shut") == ()
    save(desk, desk.item(second, marker="grace"), comment="Aha.")
    assert desk.comments() == ("Aha.", "Say why it opens.", "Doors open.")


def test_every_answer_is_counted_once_and_by_its_marker(course, gb, desk, suggest, rewrite):
    suggest("keys", {"ada": {"right"}})
    counts = desk.progress()
    assert (counts.suggested, counts.waiting, counts.blank) == (1, 1, 1)
    assert (counts.total, counts.open) == (3, 2)
    save(desk, whose(desk, "ada"))
    save(desk, whose(desk, "ben"), marker="ken")
    assert desk.progress().by_marker == {"grace": 1, "ken": 1}
    rewrite("ada", "keys", "New.")
    assert (desk.progress().marked, desk.progress().stale) == (1, 1)


# Staying fresh


def test_a_desk_reads_again_only_when_something_changed(course, gb, desk, rewrite, monkeypatch):
    loads = []
    load = Desk._load
    monkeypatch.setattr(Desk, "_load", lambda self: (loads.append(1), load(self))[1])
    assert not desk.refresh()
    item = save(desk, desk.open_next("grace"))
    desk.open_next("grace", after=item.id)
    Desk(course, gb, "hw", "doors")
    assert len(loads) == 1, "marking must not read everything again"
    rewrite("ada", "keys", "New.")
    assert desk.refresh()
    assert len(loads) == 2
    assert not desk.refresh()


def test_an_edited_rubric_is_taken_over(course, desk):
    path = course.rubric("hw", "keys")
    version = desk.rubric.version
    path.write_text(path.read_text().replace("points: 2", "points: 1.5"))
    assert desk.refresh()
    assert desk.rubric.version != version
    assert save(desk, desk.open_next("grace")).mark.score == 1.5
