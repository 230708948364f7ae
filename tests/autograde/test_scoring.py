"""Scoring cell by cell; nbgrader's own functions are the oracle."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.notebooknode import from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from nbgrader import utils
from nbgrader.preprocessors import IgnorePattern, LimitOutput

from markbook.autograde.checksum import checksum
from markbook.autograde.scoring import comment, limit_outputs, score
from markbook.autograde.values import Settings
from markbook.model import MasterCell

STREAMS = st.builds(
    lambda name, text: new_output("stream", name=name, text=text),
    st.sampled_from(["stdout", "stdout", "stderr"]),
    st.text("a\n") | st.sampled_from(["warn: x\n", "a\nwarn\nb"]),
)
VALUES = st.one_of(
    st.floats().map(repr),
    st.integers(-3, 9).map(str),
    st.sampled_from(["", "None", "'3'", "[1]", "1_0", " 2 ", "٣", "inf", "nan", "-0", "1e999"]),
    st.lists(st.sampled_from(["1", "2", "x"]), max_size=2),
    st.text(max_size=5),
)
RESULTS = st.builds(
    lambda data, n: new_output("execute_result", data, execution_count=n),
    st.dictionaries(st.sampled_from(["text/plain", "text/plain", "text/html"]), VALUES),
    st.integers(1, 9),
)
SHOWN = st.just(new_output("display_data", {"text/plain": "1"}))
ERRORS = st.builds(
    lambda lines: new_output("error", ename="E", evalue="e", traceback=lines),
    st.lists(st.text("ab\n", max_size=3), max_size=12),
)
OUTPUTS = st.lists(STREAMS | RESULTS | SHOWN | ERRORS, max_size=5)
KINDS = st.sampled_from(["code", "markdown"])
POINTS = st.sampled_from([0.0, 1.0, 2.5, 3.0, 100.0])


def master(kind="code", *, solution=False, task=False, points=3.0, source="", grade=True):
    cell = MasterCell(
        id="c",
        cell_type=kind,
        source=source,
        checksum="",
        locked=not solution and (grade or task),
        grade=grade,
        solution=solution,
        task=task,
        points=points,
    )
    return with_checksum(cell, source)


def with_checksum(cell, source):
    values = {name: getattr(cell, name) for name in cell.__slots__}
    return MasterCell(**(values | {"checksum": checksum(cell, source)}))


def as_cell(master_cell, source, outputs=()):
    make = new_code_cell if master_cell.cell_type == "code" else new_markdown_cell
    made = make(source, id="c")
    if master_cell.cell_type == "code":
        made.outputs = copy.deepcopy(list(outputs))
    made.metadata["nbgrader"] = {
        "grade_id": master_cell.id,
        "grade": master_cell.grade,
        "solution": master_cell.solution,
        "locked": master_cell.locked,
        "task": master_cell.task,
        "points": master_cell.points,
        "checksum": master_cell.checksum,
    }
    return type(made)(made)


@given(OUTPUTS, POINTS)
def test_a_test_is_worth_what_nbgrader_says_or_a_persons_where_nbgrader_gives_up(outputs, points):
    tested = master(points=points)
    cell = as_cell(tested, "test()", outputs)
    found = score(tested, cell)
    try:
        theirs, most = utils.determine_grade(cell)
    except (KeyError, ValueError):
        assert found.value is None
        assert found.why
    else:
        assert (found.value, most) == (theirs, points)
        assert not found.why


@given(
    st.text(st.characters(codec="utf-8")) | st.just("stub"), st.sampled_from(["code", "markdown"])
)
def test_an_answer_as_released_is_worth_nothing_and_any_other_is_a_persons(text, kind):
    asked = master(kind, solution=True, source="stub")
    cell = as_cell(asked, text)
    assert score(asked, cell).value == utils.determine_grade(cell)[0]
    assert comment(asked, cell) == ("No response." if text == "stub" else None)


def test_a_task_has_no_remark():
    task = master("markdown", task=True, grade=False, source="Do it.")
    assert comment(task, as_cell(task, "Do it.")) is None


@given(
    st.text(st.characters(codec="utf-8")),
    KINDS,
    st.sampled_from([(True, True), (True, False), (False, True), (False, False)]),
    POINTS,
)
def test_the_checksum_is_nbgraders(text, kind, flags, points):
    cell = master(kind, grade=flags[0], solution=flags[1], points=points, source=text)
    assert checksum(cell, text) == utils.compute_checksum(as_cell(cell, text))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"text/plain": "7"}, "its result is 7, more than its 3 points"),
        ({"text/plain": ""}, "its result has no text"),
        ({"text/html": "<b>1</b>"}, "its result has no text"),
        ({"text/plain": {"a": 1}}, "its result is no text"),
    ],
)
def test_a_result_that_cannot_be_a_score_is_a_persons_and_said(data, why):
    tested = master()
    output = from_dict({"output_type": "execute_result", "metadata": {}, "data": data})
    cell = as_cell(tested, "test()", [output])
    found = score(tested, cell)
    assert (found.value, found.why) == (None, why)


@given(OUTPUTS, st.integers(-1, 6), st.integers(-1, 6), st.sampled_from(["", "warn", "^a"]))
def test_outputs_are_cut_as_by_nbgrader(outputs, lines, traceback, pattern):
    settings = Settings(output_lines=lines, traceback_lines=traceback, ignore_stderr=pattern)
    ours, theirs = (as_cell(master(), "x", outputs) for _ in range(2))
    limit_outputs(ours, settings)
    theirs, _ = IgnorePattern(pattern=pattern).preprocess_cell(theirs, {}, 0)
    limit = LimitOutput(max_lines=lines, max_traceback=traceback)
    theirs, _ = limit.preprocess_cell(theirs, {}, 0)
    assert ours == theirs


def test_text_is_not_looked_through_for_outputs():
    cell = as_cell(master("markdown", solution=True), "text")
    before = copy.deepcopy(cell)
    limit_outputs(cell, Settings(output_lines=0))
    assert cell == before
