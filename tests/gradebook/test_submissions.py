from __future__ import annotations

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from markbook.errors import InternalError
from markbook.gradebook import Gradebook
from markbook.model import Answer, AnswerStatus, Outcome, SubmissionRecord


def record(student="dan", outcome=Outcome.GRADED, findings=()):
    return SubmissionRecord("hw", student, "c" * 64, "m" * 64, outcome, findings)


def answer(text, question="keys", student="dan", status=AnswerStatus.ANSWERED):
    return Answer("hw", "part", question, student, text, status)


@pytest.fixture
def gb(released):
    with Gradebook.open(released) as opened:
        yield opened


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(st.characters(codec=None), max_size=60))
def test_an_answer_comes_back_letter_by_letter(gb, text):
    gb.save_submission(record(), [answer(text)])
    assert gb.answers("hw") == (answer(text),)


def test_a_record_comes_back_with_its_findings(gb):
    gb.save_submission(record(findings=("a → b", 'c "d"'), outcome=Outcome.NEEDS_ATTENTION), [])
    assert gb.record("hw", "dan") == record(
        findings=("a → b", 'c "d"'), outcome=Outcome.NEEDS_ATTENTION
    )
    assert gb.record("hw", "eve") is None
    assert gb.record("other", "dan") is None


def test_saving_the_same_submission_twice_changes_no_row(tiny, released, gb):
    gb.save_submission(record(), [answer("a"), answer("b", "doors")])
    before = tiny.dump(released)
    gb.save_submission(record(), [answer("a"), answer("b", "doors")])
    assert tiny.dump(released) == before


def test_an_answer_keeps_its_place_when_another_one_changes(gb):
    gb.save_submission(record(), [answer("a"), answer("b", "doors")])
    gb.save_submission(record(), [answer("new"), answer("b", "doors")])
    assert [a.text for a in gb.answers("hw")] == ["new", "b"]


def test_a_failed_submission_keeps_the_answers_of_the_last_run(gb):
    gb.save_submission(record(), [answer("a")])
    gb.save_submission(record(outcome=Outcome.FAILED, findings=("why",)), [])
    assert [a.text for a in gb.answers("hw")] == ["a"]
    assert gb.record("hw", "dan").outcome is Outcome.FAILED


def test_another_students_answer_in_a_submission_is_refused(gb):
    with pytest.raises(InternalError, match="eve"):
        gb.save_submission(record(), [answer("a"), answer("b", student="eve")])
    assert gb.answers("hw") == ()
    assert gb.records("hw") == ()


def test_students_are_those_with_a_record(gb):
    for student in ("zoe", "dan"):
        gb.save_submission(record(student), [])
    assert gb.students("hw") == ("dan", "zoe")


def test_the_present_rubric_version_never_changes_its_points(tiny, gb):
    rubric = tiny.rubric()
    gb.save_rubric("hw", rubric)
    assert gb.rubric(rubric.version) == rubric
    with pytest.raises(InternalError, match="different points"):
        gb.save_rubric("hw", dataclasses.replace(rubric, floor=-1.0))
    assert gb.rubric(rubric.version) == rubric
    assert gb.rubric("never") is None
