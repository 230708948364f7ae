"""One answer after another: blind, in a fair order, every decision stored and undoable."""

from __future__ import annotations

import dataclasses

import pytest

from markbook.errors import CourseError, StaleMark, UsageError
from markbook.marking import MarkingQueue, WaitingReason, make_mark, read_cases
from markbook.rubrics import load_rubric


@pytest.fixture
def queue(course, gb):
    return MarkingQueue(course, gb, "hw", marker="grace")


def test_the_queue_has_what_waits_by_question_in_notebook_order(queue) -> None:
    assert [item.question.id for item in queue.items] == [
        "keys",
        "keys",
        "doors",
        "doors",
        "story",
    ]
    assert {item.why for item in queue.items} == {WaitingReason.NO_SUGGESTION}
    assert [item.cap for item in queue.items] == [3.0, 3.0, 2.0, 2.0, 2.0]


def test_nothing_in_an_item_names_the_student(queue) -> None:
    for item in queue.items:
        shown = repr(dataclasses.replace(item, text=""))
        assert queue.reveal(item.id) in ("ada", "ben", "cleo")
        assert not any(f"'{name}'" in shown for name in ("ada", "ben", "cleo"))


def of_ada(queue):
    """Ada's answer about keys."""
    return next(item for item in queue.items if queue.reveal(item.id) == "ada")


def many(gb, tiny, number=30):
    (ada,) = [a for a in gb.answers("hw", "doors") if a.student == "ada"]
    record = gb.record("hw", "ada")
    for n in range(number):
        student = f"s{n:02d}"
        gb.save_submission(
            dataclasses.replace(record, student=student),
            [dataclasses.replace(ada, student=student)],
        )


def order(course, gb, marker):
    """The doors' students in marking order; nbgrader's grades are not needed to see it."""
    queue = MarkingQueue.__new__(MarkingQueue)
    queue.assignment, queue.marker = "hw", marker
    cases = [c for c in read_cases(course, gb, "hw", ["doors"])]
    return [c.answer.student for c in sorted(cases, key=queue._lot)]


def test_the_order_is_stable_not_alphabetical_and_another_for_every_marker(
    course, gb, tiny
) -> None:
    many(gb, tiny)
    grace = order(course, gb, "grace")
    assert order(course, gb, "grace") == grace
    assert grace != sorted(grace)
    assert order(course, gb, "ken") != grace


def test_new_answers_do_not_move_the_others(course, gb, tiny) -> None:
    before = order(course, gb, "grace")
    many(gb, tiny)
    assert [s for s in order(course, gb, "grace") if s in before] == before


def test_a_decision_is_stored_with_the_score_of_the_rubric(course, gb, queue) -> None:
    item = queue.items[0]
    mark = queue.decide(item.id, earned=["example", "right"], comment=" Well said. ")
    assert gb.marks("hw") == (mark,)
    assert (mark.earned, mark.score, mark.comment) == (("right", "example"), 3.0, "Well said.")
    assert mark.marker == "grace"
    assert mark.rubric_version == load_rubric(course.rubric("hw", "keys")).version
    assert queue.item(item.id).why is None
    assert len(queue.waiting()) == 4
    assert len(queue) == 5


def test_no_criteria_earned_is_a_decision(course, gb, queue) -> None:
    mark = queue.decide(queue.items[0].id, earned=[])
    assert mark.score == 0
    assert len(MarkingQueue(course, gb, "hw", marker="grace")) == 4


def test_an_adjustment_needs_a_reason(gb, queue) -> None:
    key = queue.items[0].id
    with pytest.raises(UsageError, match="needs a reason"):
        queue.decide(key, earned=["right"], adjustment=0.5)
    with pytest.raises(UsageError, match="number"):
        queue.decide(key, earned=["right"], adjustment=float("nan"), reason="x")
    assert gb.marks("hw") == ()
    mark = queue.decide(key, earned=["right"], adjustment=0.5, reason="A fine example of it.")
    assert (mark.score, mark.reason) == (2.5, "A fine example of it.")


def test_an_unknown_criterion_is_refused_with_the_known_ones(gb, queue) -> None:
    with pytest.raises(UsageError, match="right, example, muddle"):
        queue.decide(queue.items[0].id, earned=["rigth"])
    with pytest.raises(UsageError, match="in this queue"):
        queue.decide("keys:0", earned=[])
    assert gb.marks("hw") == ()


def test_undo_takes_back_the_last_decisions_one_by_one(gb, queue) -> None:
    first, second = queue.items[:2]
    queue.decide(first.id, earned=["right"])
    queue.decide(second.id, earned=["right"])
    assert queue.undo() == second
    assert len(gb.marks("hw")) == 1
    assert queue.undo() == first
    assert gb.marks("hw") == ()
    assert queue.undo() is None
    assert not any(g.manual_score for g in gb.grades("hw"))
    queue.decide(first.id, earned=["example"])
    assert [m.earned for m in gb.marks("hw")] == [("example",)]


def test_undoing_a_second_decision_brings_the_first_back(course, gb, queue) -> None:
    queue.decide(queue.items[0].id, earned=["right"], comment="First.")
    again = MarkingQueue(course, gb, "hw", marker="ken", again=True)
    (item,) = [i for i in again.items if i.why is None]
    assert (item.earlier.marker, item.earlier.stale) == ("grace", False)
    again.decide(item.id, earned=[])
    again.undo()
    (mark,) = gb.marks("hw")
    assert (mark.earned, mark.marker, mark.comment) == (("right",), "grace", "First.")
    assert [event.what for event in gb.events("hw")] == ["mark", "mark", "undo"]


def test_an_answer_that_changed_is_shown_with_what_was_decided(course, gb, queue, rewrite) -> None:
    queue.decide(of_ada(queue).id, earned=["right"])
    rewrite("ada", "keys", "A new text.")
    item = of_ada(MarkingQueue(course, gb, "hw", marker="grace"))
    assert item.why is WaitingReason.STALE
    assert (item.text, item.earlier.earned, item.earlier.stale) == ("A new text.", ("right",), True)


def test_a_decision_on_a_text_that_changed_meanwhile_is_refused(gb, queue, rewrite) -> None:
    rewrite("ada", "keys", "A new text.")
    with pytest.raises(StaleMark):
        queue.decide(of_ada(queue).id, earned=["right"])
    assert gb.marks("hw") == ()
    assert of_ada(queue).why is not None


def test_two_markers_do_not_overwrite_each_other(course, gb, queue) -> None:
    other = MarkingQueue(course, gb, "hw", marker="ken", questions=["keys"])
    queue.decide(queue.items[0].id, earned=["right"])
    with pytest.raises(StaleMark):
        other.decide(other.items[0].id, earned=[])
    assert [m.marker for m in gb.marks("hw")] == ["grace"]


def test_suggestions_are_shown_but_decide_nothing(course, gb, suggest) -> None:
    suggest("keys", {"ada": {"right"}})
    item = of_ada(MarkingQueue(course, gb, "hw", marker="grace"))
    assert (item.why, item.suggested) == (WaitingReason.SUGGESTED, ("right",))
    assert gb.marks("hw") == ()


def test_what_cannot_be_marked_yet_is_not_in_the_queue(course, gb) -> None:
    course.rubric("hw", "doors").unlink()
    queue = MarkingQueue(course, gb, "hw", marker="grace")
    assert [item.question.id for item in queue.items] == ["keys", "keys", "story"]
    case = next(c for c in read_cases(course, gb, "hw", ["doors"]))
    with pytest.raises(CourseError, match=r"graders/hw/doors\.yaml"):
        make_mark(case, marker="grace", earned=[])
    with pytest.raises(CourseError, match="autograde"):
        make_mark(
            dataclasses.replace(case, rubric=load_rubric(course.rubric("hw", "keys")), points=None),
            marker="grace",
            earned=[],
        )
