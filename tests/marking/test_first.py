"""Which answers are listed to be marked first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from markbook.graders import Scores
from markbook.marking import Desk
from markbook.marking.first import first_to_mark
from markbook.model import AnswerStatus, Expectation
from markbook.suggest.learned import expectations


@pytest.fixture
def expect(gb):
    """Store expectations for "keys" by student, (mean, rank) each."""

    def store(said, refused=None):
        texts = {a.student: a.hash for a in gb.answers("hw", "keys")}
        made = [
            Expectation("keys", texts[who], mean, 0.25, 0.4, rank, ("listed-words",), refused)
            for who, (mean, rank) in said.items()
        ]
        gb.replace_suggestions("hw", "keys", gb.suggestions("hw", "keys"), made)

    return store


def listed(course, gb, count=5):
    return first_to_mark(course, gb, "hw", count, ["keys"])


def test_the_answers_come_in_the_order_of_the_design_and_name_nobody(course, gb, expect):
    expect({"ada": (0.75, 2), "ben": (0.5, 1)})
    (keys,) = listed(course, gb)
    desk = Desk(course, gb, "hw", "keys")
    assert [desk.reveal(a.id, marker="grace") for a in keys.answers] == ["ben", "ada"]
    first, second = keys.answers
    assert (first.expected, first.sd, first.cap) == (0.5 * first.cap, 0.25 * first.cap, second.cap)
    assert (keys.by, keys.refused, first.flags) == ("design", "", ("listed-words",))
    assert first.page == f"/markbook/a/hw/q/keys#{first.id.replace(':', '%3A')}"
    assert "ben" not in str(keys.as_dict())


def test_no_more_are_listed_than_asked_for(course, gb, expect):
    expect({"ada": (0.75, 2), "ben": (0.5, 1)})
    assert len(listed(course, gb, 1)[0].answers) == 1


def test_a_refused_question_says_why(course, gb, expect):
    expect({"ada": (0.75, 2), "ben": (0.5, 1)}, "confidence does not rank here")
    assert listed(course, gb)[0].refused == "confidence does not rank here"


def test_a_refusal_without_any_score_is_shown_with_every_answer_on_the_page(course, gb):
    texts = [answer.hash for answer in gb.answers("hw", "keys") if answer.text]
    made = expectations("keys", Scores("the answers differ in a digit"), dict.fromkeys(texts))
    gb.replace_suggestions("hw", "keys", [], made)
    desk = Desk(course, gb, "hw", "keys")
    shown = [desk.item(name, marker="grace").expected for name in desk.order("grace")]
    assert [each.refused for each in shown] == ["the answers differ in a digit"] * 2


def test_without_expected_scores_the_least_sure_are_listed(course, gb, suggest):
    suggest("keys", {"ada": {"right"}})
    (keys,) = listed(course, gb)
    desk = Desk(course, gb, "hw", "keys")
    assert [desk.reveal(a.id, marker="grace") for a in keys.answers] == ["ben", "ada"]
    assert (keys.by, keys.answers[0].expected) == ("least-sure", None)


def test_marked_answers_are_not_listed_and_their_copies_come_last(course, gb, expect):
    texts = {a.student: a.text for a in gb.answers("hw", "keys")}
    (third,) = set(texts) - {"ada", "ben"}
    answers = [
        replace(a, text=texts["ada"], status=AnswerStatus.ANSWERED) if a.question == "keys" else a
        for a in gb.answers("hw")
        if a.student == third
    ]
    gb.save_submission(gb.record("hw", third), answers)
    expect({"ada": (0.75, 1), "ben": (0.5, 2)})
    desk = Desk(course, gb, "hw", "keys")
    (ada,) = [i for i in desk.order("grace") if desk.reveal(i, marker="grace") == "ada"]
    version = desk.item(ada, marker="grace").row_version
    desk.save(ada, marker="grace", earned=(), comment="no", row_version=version)
    (keys,) = listed(course, gb)
    names = [desk.reveal(a.id, marker="grace") for a in keys.answers]
    assert names == ["ben", third]


def test_one_text_of_several_students_is_listed_once(course, gb, expect, rewrite):
    texts = {a.student: a.text for a in gb.answers("hw", "keys")}
    rewrite("ben", "keys", texts["ada"])
    expect({"ada": (0.75, 1)})
    (keys,) = listed(course, gb)
    assert [a.students for a in keys.answers] == [2]
