"""Test cells tell how they ended, and nothing of the hidden tests."""

from __future__ import annotations

import pytest

from markbook.feedback.executed import Cell
from markbook.feedback.results import TestResult, read_result

BOTH = """assert f(1) == 2, 'one'
### BEGIN HIDDEN TESTS
assert f(2) == 4, 'secret'
### END HIDDEN TESTS"""


def error(name, value, traceback):
    return {"output_type": "error", "ename": name, "evalue": value, "traceback": traceback}


def failed(source, line, *, name="AssertionError", value=""):
    frame = (
        f"\x1b[32mCell\x1b[39m\x1b[32m \x1b[39m\x1b[32mIn[3]\x1b[39m\x1b[32m, line {line}\x1b[39m\n"
    )
    return Cell(source, [error(name, value, ["----", frame, "File x"])])


def test_no_error_and_full_marks_is_passed_for_what_the_cell_has():
    assert read_result(Cell(BOTH), full_marks=True) == TestResult("passed", "passed")
    assert read_result(Cell("assert f(1)"), full_marks=True) == TestResult("passed", None)
    only = "# more later\n### BEGIN HIDDEN TESTS\nassert 1\n### END HIDDEN TESTS"
    assert read_result(Cell(only), full_marks=True) == TestResult(None, "passed")


def test_no_error_but_fewer_points_is_not_called_passed():
    assert read_result(Cell("0.5"), full_marks=False).visible == "failed"


def test_a_visible_test_that_fails_is_quoted_with_what_it_said():
    result = read_result(failed(BOTH, 1, value="one"), full_marks=False)
    assert result == TestResult(
        "failed", "not-run", "assert f(1) == 2, 'one'", "AssertionError: one"
    )


def test_a_hidden_test_that_fails_says_only_that():
    result = read_result(failed(BOTH, 3, value="secret"), full_marks=False)
    assert result == TestResult("passed", "failed")


def test_hidden_source_in_a_students_own_error_is_left_out():
    stolen = "I found: assert f(2) == 4, 'secret'"
    result = read_result(failed(BOTH, 1, name="ValueError", value=stolen), full_marks=False)
    assert result.message == "ValueError"


@pytest.mark.parametrize("line", [0, 99])
def test_a_line_that_the_cell_does_not_have_is_not_believed(line):
    result = read_result(failed(BOTH, line, value="secret"), full_marks=False)
    assert (result.visible, result.hidden, result.line, result.message) == (
        "failed",
        "failed",
        "",
        "",
    )


def test_a_traceback_without_a_place_says_failed_and_nothing_else():
    odd = error("Odd", "secret", ["nothing here"])
    result = read_result(Cell(BOTH, [odd]), full_marks=False)
    assert (result.line, result.message) == ("", "")


def test_hidden_tests_without_an_end_hide_the_rest_of_the_cell():
    source = "assert a\n### BEGIN HIDDEN TESTS\nassert b"
    assert read_result(failed(source, 3), full_marks=False) == TestResult("passed", "failed")


def test_an_endless_error_message_is_cut():
    result = read_result(failed("assert a", 1, value="x" * 10_000), full_marks=False)
    assert len(result.message) == 300


def test_tests_that_were_ended_say_why_instead_of_failed():
    stopped = error("MarkbookStopped", "It ran longer than 30 seconds.", ["MarkbookStopped: It"])
    result = read_result(Cell(BOTH, [stopped]), full_marks=False)
    assert result == TestResult("not-run", "not-run", "", "It ran longer than 30 seconds.")


@pytest.mark.parametrize("output", [None, 3, "x", {"output_type": "error"}, {"traceback": 1}])
def test_an_output_that_is_none_is_not_read(output):
    assert read_result(Cell(BOTH, [output]), full_marks=True).line == ""
