"""Leases, flags and stamps: what markers and their desks tell each other through the database."""

from __future__ import annotations

import dataclasses
import threading

import pytest

from markbook.errors import StaleMark
from markbook.gradebook import Gradebook, leases


@pytest.fixture
def gb(course):
    with Gradebook.open(course) as opened:
        yield opened


@pytest.fixture
def other(course):
    """Another process's gradebook of the same course."""
    with Gradebook.open(course) as opened:
        yield opened


def lease(gb, marker, students=("ada", "ben"), **more):
    return gb.lease("hw", "keys", students, marker=marker, **more)


def answer(gb, student):
    return next(a for a in gb.answers("hw", "keys") if a.student == student)


def test_the_first_free_answer_is_leased_and_the_next_marker_gets_the_next(gb, other):
    assert lease(gb, "grace") == "ada"
    assert lease(other, "ken") == "ben"
    assert lease(gb, "ida") is None
    assert lease(other, "grace") == "ada", "one's own lease is no obstacle"
    assert gb.leases("hw", "keys") == {"ada": "grace", "ben": "ken"}
    assert gb.leases("hw", "doors") == {}


def test_moving_on_gives_the_last_one_back(gb):
    lease(gb, "grace")
    assert lease(gb, "grace", ["ben"], instead_of="ada") == "ben"
    assert gb.leases("hw", "keys") == {"ben": "grace"}
    gb.release("hw", "keys", "ben", marker="ken")
    assert gb.leases("hw", "keys") == {"ben": "grace"}
    gb.release("hw", "keys", "ben", marker="grace")
    assert gb.leases("hw", "keys") == {}


def test_a_lease_ends_after_five_minutes_and_then_another_may_have_it(gb, other, monkeypatch):
    lease(gb, "grace")
    start = leases.time.time()
    monkeypatch.setattr(leases.time, "time", lambda: start + leases.LEASE_SECONDS + 1)
    assert gb.leases("hw", "keys") == {}
    assert lease(other, "ken", ["ada"]) == "ada"
    assert lease(gb, "grace", ["ada"]) is None


def test_many_at_once_never_lease_the_same_answer(course):
    students = [f"s{n}" for n in range(8)]
    got, errors = [], []
    start = threading.Barrier(8)

    def work(name):
        try:
            with Gradebook.open(course) as mine:
                start.wait()
                got.append(lease(mine, name, students))
        except Exception as error:  # noqa: BLE001  (a thread's own traceback is not seen)
            errors.append(error)

    threads = [threading.Thread(target=work, args=(f"m{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert sorted(got) == students


def test_a_flag_and_its_audit_line_come_and_go_together(gb):
    ada = answer(gb, "ada")
    gb.flag(ada, marker="grace", flagged=True, note="A NUL \0 and \ud800")
    flag = gb.flags("hw", "keys")["ada"]
    assert (flag.marker, flag.note) == ("grace", "A NUL \0 and \ud800")
    gb.flag(ada, marker="ken", flagged=True, note=flag.note)
    assert gb.flags("hw", "keys")["ada"] == flag, "the same flag again is no change"
    gb.flag(ada, marker="ken", flagged=True, note="Better.")
    gb.flag(ada, marker="ken", flagged=False)
    gb.flag(ada, marker="ken", flagged=False)
    assert gb.flags("hw", "keys") == {}
    assert [(e.who, e.what, e.subject.get("note")) for e in gb.events("hw")] == [
        ("grace", "flagged", "A NUL \0 and \ud800"),
        ("ken", "flagged", "Better."),
        ("ken", "unflagged", None),
    ]


def test_the_pulse_beats_when_something_changed_and_only_then(tiny, gb, other):
    before = gb.pulse("hw")
    assert other.pulse("hw") == before
    record = gb.record("hw", "ada")
    answers = [a for a in gb.answers("hw") if a.student == "ada"]
    gb.save_submission(record, answers)
    gb.replace_suggestions("hw", "keys", [])
    gb.resync("hw")
    lease(gb, "grace")
    assert other.pulse("hw") == before
    other_assignment = gb.pulse("elsewhere")
    gb.save_submission(record, answers[1:])
    assert other.pulse("hw") > before
    assert gb.pulse("elsewhere") == other_assignment
    stamped = gb.pulse("hw")
    gb.save_marks([tiny.mark(gb, "cleo", "doors")], who="t", what="mark")
    assert other.pulse("hw")[0] == stamped[0] + 1


def test_whose_answers_were_touched_since_is_known_by_question(tiny, gb):
    start, _ = gb.pulse("hw")
    gb.save_marks([tiny.mark(gb, "ada"), tiny.mark(gb, "ben")], who="t", what="mark")
    middle, _ = gb.pulse("hw")
    gb.save_marks([tiny.mark(gb, "cleo", "doors")], who="t", what="mark")
    assert gb.touched("hw", "keys", start) == {"ada", "ben"}
    assert gb.touched("hw", "keys", middle) == set()
    assert gb.touched("hw", "doors", middle) == {"cleo"}


def test_a_batch_is_found_by_its_name_and_undone_in_one_transaction(tiny, gb):
    given = [tiny.mark(gb, "ada"), tiny.mark(gb, "ben")]
    first, second = gb.save_marks(given, who="t", what="mark", batch="b1")
    events = gb.batch("hw", "b1")
    assert [event.subject["student"] for event in events] == ["ada", "ben"]
    assert gb.batch("other", "b1") == ()
    (newer,) = gb.save_marks(
        [tiny.mark(gb, "ben", earned=(), row_version=second.row_version)], who="t", what="mark"
    )
    with pytest.raises(StaleMark) as caught:
        gb.undo_marks([(first, None), (second, None)], who="t")
    assert caught.value.theirs == newer
    assert len(gb.marks("hw")) == 2, "a batch with one stale mark was half undone"
    none, restored = gb.undo_marks([(first, None), (newer, second)], who="t", batch="b2")
    assert none is None
    assert (restored.earned, restored.row_version) == (("right",), newer.row_version + 1)
    assert gb.marks("hw") == (restored,)
    assert [(e.what, e.subject["student"]) for e in gb.batch("hw", "b2")] == [
        ("undo", "ada"),
        ("undo", "ben"),
    ]


def test_a_version_grows_with_the_text_and_with_every_mark(tiny, gb):
    assert gb.versions("hw", "keys") == {"ada": 0, "ben": 0, "cleo": 0}
    (mark,) = gb.save_marks([tiny.mark(gb, "ada")], who="t", what="mark")
    assert gb.versions("hw", "keys")["ada"] == 1
    gb.remove_mark(mark, who="t")
    assert gb.versions("hw", "keys")["ada"] == 1
    mine = [a for a in gb.answers("hw") if a.student == "ada"]
    changed = [dataclasses.replace(a, text=f"{a.text} More.") for a in mine]
    gb.save_submission(gb.record("hw", "ada"), changed)
    assert gb.versions("hw", "keys")["ada"] == 2


def test_comments_are_counted_by_question(tiny, gb):
    gb.save_marks(
        [
            tiny.mark(gb, "ada", comment="Good."),
            tiny.mark(gb, "ben", comment="Good."),
            tiny.mark(gb, "ada", "doors", comment="Good."),
            tiny.mark(gb, "cleo", "doors"),
        ],
        who="t",
        what="mark",
    )
    assert gb.comments("hw") == {("keys", "Good."): 2, ("doors", "Good."): 1}
