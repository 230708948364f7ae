from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from markbook.autograde.answers import read_answers
from markbook.model import AnswerStatus
from markbook.notebooks import read_questions


@pytest.fixture
def read(tiny, released):
    """Read a submission as if it had been autograded."""
    questions = read_questions(released.release("hw"), "hw")

    def read_submission(answers, sidecar=None):
        folder = tiny.submit(released, "dan", answers, sidecar=sidecar)
        found = read_answers(questions, released.release("hw"), folder, "dan")
        return {answer.question: answer for answer in found}

    return read_submission


def test_every_question_has_an_answer_in_the_order_of_the_questions(read):
    assert list(read({})) == ["keys", "doors", "story", "add-visible", "add-hidden"]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_an_answer_is_the_students_own_text_or_blank(read, text):
    found = read({"keys": text})["keys"]
    if text.strip() in ("", "YOUR ANSWER HERE"):
        assert (found.status, found.text) == (AnswerStatus.BLANK, "")
    else:
        assert (found.status, found.text) == (AnswerStatus.ANSWERED, text)


def test_a_question_that_the_paper_did_not_hold_was_not_asked(read):
    found = read({}, {"keys": {"status": "not-asked"}, "doors": {"status": "blank"}})
    assert found["keys"].status is AnswerStatus.NOT_ASKED
    assert found["doors"].status is AnswerStatus.BLANK


def test_an_answer_is_an_answer_whatever_the_sidecar_says(read):
    found = read({"keys": "Secret."}, {"keys": {"status": "not-asked"}})
    assert found["keys"].status is AnswerStatus.ANSWERED


@pytest.mark.parametrize("sidecar", [[], {"keys": None}, {"keys": {}}])
def test_a_file_that_only_looks_like_a_sidecar_is_not_one(read, sidecar):
    assert read({}, sidecar)["keys"].status is AnswerStatus.BLANK


def test_an_answer_whose_cell_is_gone_is_missing_and_not_blank(read):
    found = read({"keys": None, "add": None})
    assert found["keys"].status is AnswerStatus.MISSING
    assert found["add-visible"].status is AnswerStatus.MISSING
    assert found["doors"].status is AnswerStatus.BLANK


def test_two_tests_in_a_row_test_the_same_code(read):
    found = read({"add": "def add(a, b):\n    return b + a"})
    assert (
        found["add-visible"].text
        == found["add-hidden"].text
        == ("def add(a, b):\n    return b + a")
    )
    assert found["add-hidden"].status is AnswerStatus.ANSWERED
