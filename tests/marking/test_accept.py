"""Suggestions become marks only by a person's rule, and never over a person's mark."""

from __future__ import annotations

import dataclasses
import sys

import pytest

from markbook.errors import RubricError, UnknownName, UsageError
from markbook.gradebook import Gradebook
from markbook.marking import MarkingQueue, WaitingReason, accept, marker_name
from markbook.rubrics import load_rubric, save_rubric

RULE = "confidence >= 0.9"


def by_rule(course, gb, rule=RULE, **how):
    return accept(course, gb, "hw", rule, **({"marker": "tutor"} | how))


def marked(gb):
    return {(m.student, m.question): m.earned for m in gb.marks("hw")}


def test_what_the_rule_covers_is_marked_in_nbgrader_too(course, gb, suggest) -> None:
    suggest("keys", {"ada": {"right", "example"}})
    report = by_rule(course, gb)
    (mark,) = report.accepted
    assert (mark.student, mark.score, mark.marker, mark.comment) == ("ada", 3.0, "tutor", "")
    (grade,) = [g for g in gb.grades("hw") if (g.student, g.question) == ("ada", "keys")]
    assert (grade.manual_score, grade.needs_marking) == (3.0, False)
    (event,) = [e for e in gb.events("hw") if e.what == "accepted by rule"]
    assert (event.who, event.subject["rule"]) == ("tutor", RULE)
    assert report.by_question == {"keys": 1}


def test_an_answer_that_earns_nothing_is_marked_with_nothing(course, gb, suggest) -> None:
    suggest("doors", {"ada": set(), "cleo": {"right"}})
    assert len(by_rule(course, gb).accepted) == 2
    assert marked(gb) == {("ada", "doors"): (), ("cleo", "doors"): ("right",)}


def test_a_bonus_goes_to_extra_credit(course, gb, suggest) -> None:
    suggest("story", {"cleo": {"right"}})
    by_rule(course, gb)
    (grade,) = [g for g in gb.grades("hw") if (g.student, g.question) == ("cleo", "story")]
    assert grade.extra_credit == 2.0


def test_running_it_twice_changes_nothing(course, gb, suggest, tiny) -> None:
    suggest("keys", {"ada": {"right"}})
    by_rule(course, gb)
    before = tiny.dump(course)
    again = by_rule(course, gb)
    assert again.accepted == ()
    assert tiny.dump(course) == before


def test_a_dry_run_tells_the_same_and_stores_nothing(course, gb, suggest, tiny) -> None:
    suggest("keys", {"ada": {"right"}})
    before = tiny.dump(course)
    dry = by_rule(course, gb, dry_run=True)
    assert tiny.dump(course) == before
    real = by_rule(course, gb)
    assert [m.earned for m in dry.accepted] == [m.earned for m in real.accepted] == [("right",)]
    assert dry.waiting == real.waiting


def test_a_mark_of_a_person_stays_whatever_is_suggested(course, gb, suggest) -> None:
    queue = MarkingQueue(course, gb, "hw", marker="grace", questions=["keys"])
    for item in queue.items:
        queue.decide(item.id, earned=["muddle"])
    suggest("keys", {"ada": {"right", "example"}})
    assert by_rule(course, gb).accepted == ()
    assert marked(gb)["ada", "keys"] == ("muddle",)


def test_an_answer_that_changed_after_a_person_marked_it_waits(
    course, gb, suggest, rewrite
) -> None:
    queue = MarkingQueue(course, gb, "hw", marker="grace", questions=["keys"])
    for item in queue.items:
        queue.decide(item.id, earned=["muddle"])
    rewrite("ada", "keys", "A new and better text.")
    suggest("keys", {"ada": {"right"}})
    report = by_rule(course, gb, questions=["keys"])
    assert report.accepted == ()
    assert report.waiting == {WaitingReason.STALE: 1}


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"confidence": 0.89}, WaitingReason.RULE),
        ({"unsure": ("example",)}, WaitingReason.ABSTAINED),
        ({"left_out": ("muddle",)}, WaitingReason.NO_SUGGESTION),
        ({"version": "old"}, WaitingReason.NO_SUGGESTION),
    ],
)
def test_what_the_rule_cannot_cover_waits_and_says_why(course, gb, suggest, how, reason) -> None:
    suggest("keys", {"ada": {"right"}, "ben": {"right"}}, **how)
    report = by_rule(course, gb, questions=["keys"])
    assert report.accepted == ()
    assert report.waiting == {reason: 2}
    assert gb.marks("hw") == ()


def test_an_opinion_is_never_accepted_by_a_rule(course, gb, suggest) -> None:
    path = course.rubric("hw", "keys")
    save_rubric(path, dataclasses.replace(load_rubric(path), policy="manual"))
    suggest("keys", {"ada": {"right"}, "ben": {"right"}})
    report = by_rule(course, gb, questions=["keys"])
    assert report.waiting == {WaitingReason.MANUAL: 2}


def test_a_rubric_edited_after_the_suggestions_needs_new_ones(course, gb, suggest) -> None:
    suggest("keys", {"ada": {"right"}})
    path = course.rubric("hw", "keys")
    path.write_text(path.read_text().replace("points: 2", "points: 1"))
    assert by_rule(course, gb).accepted == ()


def test_a_question_without_a_rubric_waits_and_the_others_go_on(course, gb, suggest) -> None:
    suggest("keys", {"ada": {"right"}})
    course.rubric("hw", "doors").unlink()
    report = by_rule(course, gb)
    assert [m.question for m in report.accepted] == ["keys"]
    assert report.waiting[WaitingReason.NO_RUBRIC] == 2


def test_a_broken_rubric_stops_before_anything_is_marked(course, gb, suggest) -> None:
    suggest("keys", {"ada": {"right"}})
    course.rubric("hw", "doors").write_text("question: doors\n")
    with pytest.raises(RubricError):
        by_rule(course, gb)
    assert gb.marks("hw") == ()


def test_blank_and_unasked_answers_need_nobody(course, gb, suggest) -> None:
    report = by_rule(course, gb, questions=["story"])
    assert sum(report.waiting.values()) == 1


def test_only_the_named_questions_are_marked(course, gb, suggest) -> None:
    suggest("keys", {"ada": {"right"}})
    suggest("doors", {"ada": {"right"}, "cleo": {"right"}})
    assert by_rule(course, gb, questions=["doors"]).by_question == {"doors": 2}


def test_somebody_who_marks_at_the_same_moment_keeps_the_mark(
    course, gb, suggest, monkeypatch
) -> None:
    suggest("doors", {"ada": {"right"}, "cleo": {"right"}})
    real = Gradebook.save_marks
    raced = []

    def race(self, marks, **how):
        if not raced:
            raced.append(True)
            grace = dataclasses.replace(marks[0], earned=(), score=0.0, marker="grace")
            real(self, [grace], who="grace", what="mark")
        return real(self, marks, **how)

    monkeypatch.setattr(Gradebook, "save_marks", race)
    report = by_rule(course, gb, questions=["doors"])
    assert len(report.accepted) == 1
    assert report.waiting == {WaitingReason.CHANGED: 1}
    assert {m.marker for m in gb.marks("hw")} == {"grace", "tutor"}


def test_unknown_names_are_refused_with_the_known_ones(course, gb) -> None:
    with pytest.raises(UnknownName, match="keys"):
        by_rule(course, gb, questions=["kees"])
    with pytest.raises(UnknownName, match="keys"):
        by_rule(course, gb, "question == 'kees'")
    with pytest.raises(UnknownName):
        accept(course, gb, "hw9", RULE, marker="tutor")


@pytest.mark.parametrize("name", ["", "  ", "markbook", "MarkBook", "a\x00b"])
def test_a_marker_is_a_person(course, gb, name) -> None:
    with pytest.raises(UsageError, match="--marker"):
        by_rule(course, gb, marker=name)


def test_the_marker_is_the_user_unless_one_is_given(monkeypatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "hopper")
    assert marker_name() == "hopper"
    assert marker_name(" Grace   Hopper ") == "Grace Hopper"
    monkeypatch.setattr("getpass.getuser", lambda: "markbook")
    with pytest.raises(UsageError):
        marker_name()


def test_a_run_that_was_killed_is_finished_by_running_it_again(
    course, gb, suggest, monkeypatch
) -> None:
    suggest("keys", {"ada": {"right"}, "ben": {"muddle"}})
    suggest("doors", {"ada": {"right"}, "cleo": set()})
    # The package exports the function under the name of its module.
    monkeypatch.setattr(sys.modules[accept.__module__], "_BATCH", 1)
    real = Gradebook.save_marks
    saved = []

    def dies(self, marks, **how):
        if len(saved) == 2:
            raise KeyboardInterrupt
        saved.extend(marks)
        return real(self, marks, **how)

    with monkeypatch.context() as patch:
        patch.setattr(Gradebook, "save_marks", dies)
        with pytest.raises(KeyboardInterrupt):
            by_rule(course, gb)
    assert len(gb.marks("hw")) == 2
    assert len(by_rule(course, gb).accepted) == 2
    assert len(gb.marks("hw")) == len(list(gb.events("hw"))) == 4
