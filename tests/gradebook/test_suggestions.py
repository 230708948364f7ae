from __future__ import annotations

import pytest

from markbook.errors import InternalError
from markbook.gradebook import Gradebook
from markbook.model import Expectation, Suggestion


def suggestion(criterion="right", answer_hash="h1", **fields):
    values = {
        "question": "keys",
        "answer_hash": answer_hash,
        "criterion": criterion,
        "awarded": True,
        "confidence": 0.75,
        "grader": "default",
        "rubric_version": "v1",
        "span": "se\0cret",
        "start": 4,
        "end": 11,
        "note": "n",
    }
    return Suggestion(**(values | fields))


ABSTAINED = suggestion("example", awarded=None, span=None, start=None, end=None, confidence=0.0)


@pytest.fixture
def gb(released):
    with Gradebook.open(released) as opened:
        yield opened


def test_suggestions_come_back_as_they_were_made(gb):
    assert gb.replace_suggestions("hw", "keys", [suggestion(), ABSTAINED]) == 2
    assert set(gb.suggestions("hw")) == {suggestion(), ABSTAINED}
    assert gb.suggestions("hw", "doors") == ()
    assert gb.suggestions("other") == ()


def test_the_awarded_ones_come_alone_if_wanted(gb):
    denied = suggestion("denied", awarded=False)
    gb.replace_suggestions("hw", "keys", [suggestion(), ABSTAINED, denied])
    assert gb.suggestions("hw", awarded=True) == (suggestion(),)
    assert gb.suggestions("hw", "keys", awarded=True) == (suggestion(),)


def test_the_same_suggestions_again_change_nothing(tiny, released, gb):
    gb.replace_suggestions("hw", "keys", [suggestion(), ABSTAINED])
    before = tiny.dump(released)
    assert gb.replace_suggestions("hw", "keys", [ABSTAINED, suggestion()]) == 0
    assert tiny.dump(released) == before


def test_what_came_what_changed_and_what_went_is_counted(gb):
    gb.replace_suggestions("hw", "keys", [suggestion(), ABSTAINED])
    new = [suggestion(confidence=0.5), suggestion(answer_hash="h2")]
    assert gb.replace_suggestions("hw", "keys", new) == 3
    assert set(gb.suggestions("hw", "keys")) == set(new)


def test_replacing_one_question_leaves_the_others(gb):
    gb.replace_suggestions("hw", "keys", [suggestion()])
    gb.replace_suggestions("hw", "doors", [suggestion(question="doors")])
    gb.replace_suggestions("hw", "keys", [])
    assert gb.suggestions("hw") == (suggestion(question="doors"),)


def test_two_suggestions_for_one_criterion_of_one_answer_are_refused_and_nothing_stored(gb):
    gb.replace_suggestions("hw", "keys", [suggestion()])
    with pytest.raises(InternalError, match="twice"):
        gb.replace_suggestions("hw", "keys", [ABSTAINED, ABSTAINED])
    assert gb.suggestions("hw") == (suggestion(),)


def expectation(answer_hash="h1", **fields):
    values = {"mean": 0.6, "sd": 0.1, "confidence": 0.75, "rank": 1, "flags": ("copied-prompt",)}
    return Expectation("keys", answer_hash, **(values | fields))


def test_expected_scores_come_back_with_those_to_mark_first_in_front(course):
    with Gradebook.open(course) as gb:
        _come_back(gb)


def _come_back(gb):
    both = (expectation("h2"), expectation("h1", rank=2, refused="few \0", suggested=0.5))
    assert gb.replace_suggestions("hw", "keys", [suggestion()], both[::-1]) == 1
    assert gb.expectations("hw") == gb.expectations("hw", "keys") == both
    assert gb.expectations("hw", "doors") == gb.expectations("other") == ()


def test_expected_scores_that_are_the_same_again_change_nothing(tiny, released, gb):
    gb.replace_suggestions("hw", "keys", [suggestion()], [expectation()])
    before = tiny.dump(released)
    assert gb.replace_suggestions("hw", "keys", [suggestion()], [expectation()]) == 0
    assert tiny.dump(released) == before


def test_whoever_keeps_expected_scores_in_memory_is_told_of_new_ones(gb):
    gb.replace_suggestions("hw", "keys", [suggestion()], [expectation()])
    before = gb.pulse("hw")
    assert gb.replace_suggestions("hw", "keys", [suggestion()], [expectation(mean=0.7)]) == 0
    assert gb.pulse("hw") != before
    assert gb.expectations("hw")[0].mean == 0.7


def test_new_suggestions_without_expected_scores_let_the_old_ones_go(gb):
    gb.replace_suggestions("hw", "keys", [suggestion()], [expectation()])
    gb.replace_suggestions("hw", "keys", [suggestion()])
    assert gb.expectations("hw") == ()


@pytest.mark.parametrize("wrong", [[expectation(), expectation(rank=2)], [expectation("h3")]])
def test_expected_scores_that_contradict_each_other_store_no_suggestion_either(gb, wrong):
    question = "keys" if len(wrong) == 2 else "doors"
    with pytest.raises(InternalError):
        gb.replace_suggestions("hw", question, [suggestion(question=question)], wrong)
    assert gb.suggestions("hw") == gb.expectations("hw") == ()
