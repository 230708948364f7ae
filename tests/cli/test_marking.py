"""The terminal view of marking: what is typed, what is stored, what is shown."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from markbook.cli.main import cli
from markbook.gradebook import Gradebook


@pytest.fixture
def course(tiny, tmp_path):
    return tiny.copy_of("autograded", tmp_path / "course")


@pytest.fixture
def mark(course):
    """Type lines into ``markbook mark hw --marker grace``; return what was printed, the code."""

    def typed(*lines, options=("--question", "keys")):
        result = CliRunner().invoke(
            cli,
            [
                "mark",
                "hw",
                "--terminal",
                "--course",
                str(course.root),
                "--marker",
                "grace",
                *options,
            ],
            input="".join(f"{line}\n" for line in lines),
            standalone_mode=False,
        )
        assert result.exception is None, result.exception
        return result.output, result.return_value

    return typed


def marks(course):
    with Gradebook.open(course) as gb:
        return {m.student: m for m in gb.marks("hw")}


def test_ticked_criteria_become_a_mark_with_the_score_of_the_rubric(course, mark):
    output, _ = mark("1 2", "", "q")
    (stored,) = marks(course).values()
    assert (stored.earned, stored.score, stored.marker) == (("right", "example"), 3.0, "grace")
    assert "stored: 3 of 3" in output


def test_enter_alone_stores_that_nothing_was_earned(course, mark):
    mark("", "q")
    (stored,) = marks(course).values()
    assert (stored.earned, stored.score) == ((), 0.0)


def test_ticking_twice_takes_the_tick_away(course, mark):
    mark("13", "3", "", "q")
    (stored,) = marks(course).values()
    assert stored.earned == ("right",)


def test_skipping_and_stopping_store_nothing(course, mark):
    output, code = mark("1", "s", "1", "q")
    assert marks(course) == {}
    assert "left. What you stored is stored." in output
    assert code == 1


def test_an_adjustment_without_a_reason_is_refused_and_the_ticks_are_kept(course, mark):
    output, _ = mark("1", "+0.5", "", "+0.5 a fine metaphor", "c Well said.", "", "q")
    assert "needs a reason" in output
    (stored,) = marks(course).values()
    assert (stored.score, stored.reason, stored.comment) == (2.5, "a fine metaphor", "Well said.")


def test_undo_takes_the_last_mark_back_and_shows_the_answer_again(course, mark):
    output, _ = mark("1", "", "u", "q")
    assert marks(course) == {}
    assert output.count("── 1 of") == 2


def test_names_are_hidden_until_one_asks(mark):
    output, _ = mark("q")
    assert not any(name in output for name in ("ada", "ben", "cleo"))
    output, _ = mark("name", "q")
    assert any(name in output for name in ("ada", "ben", "cleo"))


def test_nonsense_shows_the_help_and_a_criterion_that_is_not_there_is_named(mark):
    output, _ = mark("what", "9", "q")
    assert output.count("tick or untick criteria") == 2
    assert "There is no criterion 9; they go from 1 to 3." in output


def test_the_model_answer_is_shown_on_demand(mark):
    output, _ = mark("q")
    assert "A key must stay secret" not in output
    output, _ = mark("m", "q")
    assert "A key must stay secret" in output


def test_when_nothing_waits_it_says_so(mark):
    for _ in range(4):
        output, code = mark("", "", "", "", "", "q", options=())
    assert "Nothing waits for a person." in output
    assert code == 0


def test_the_end_of_the_input_stops_without_losing_what_is_stored(course, mark):
    output, code = mark("1", "")
    assert len(marks(course)) == 1
    assert code == 1
    assert "What you stored is stored." in output
