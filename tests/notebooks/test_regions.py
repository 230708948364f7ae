from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearSolutions
from traitlets.config import Config

from markbook.course.config import setting
from markbook.notebooks import NBGRADERS, Delimiters, odd_mark, split

OWN = {
    "ClearSolutions": {"begin_solution_delimeter": "BEGIN ANSWER"},
    "ClearHiddenTests": {"end_test_delimeter": "# --- hidden ends"},
    "NbGraderPreprocessor": {"begin_mark_scheme_delimeter": "SCHEME:"},
}


def cell(source, **metadata):
    return new_code_cell(source, metadata={"nbgrader": metadata | {"grade_id": "q"}})


def test_the_lines_between_marks_are_hidden_and_the_others_visible():
    parts = split(
        cell("a\n### BEGIN HIDDEN TESTS\nb\n### END HIDDEN TESTS\nc", grade=True, solution=False)
    )
    assert (parts.hidden, parts.visible) == (("b",), ("a", "c"))


def test_an_answer_cell_without_marks_is_hidden_as_a_whole():
    assert split(cell("a\nb", solution=True)).visible == ()


def of(config):
    return Delimiters.of(lambda name, *sections, default: setting(config, name, sections, default))


@pytest.mark.parametrize("config", [{}, OWN])
def test_the_delimiters_are_those_that_nbgrader_reads_from_the_same_configuration(config):
    found = of(config)
    steps = [
        step(config=Config(config)) for step in (ClearSolutions, ClearHiddenTests, ClearMarkScheme)
    ]
    assert list(found.pairs.values()) == [
        (steps[0].begin_solution_delimeter, steps[0].end_solution_delimeter),
        (steps[1].begin_test_delimeter, steps[1].end_test_delimeter),
        (steps[2].begin_mark_scheme_delimeter, steps[2].end_mark_scheme_delimeter),
    ]


@pytest.mark.parametrize("begin", ["### BEGIN", "## BEGIN", "#BEGIN", "BEGIN", "x = 1  # BEGIN"])
def test_what_stands_before_a_delimiter_on_its_line_does_not_matter(begin):
    source = f"a\n{begin} HIDDEN TESTS\nb\n### END HIDDEN TESTS\nc"
    made = cell(source, grade=True)
    assert split(made).visible == ("a", "c")
    ClearHiddenTests().preprocess(new_notebook(cells=[made]), {})
    assert made.source == "a\nc"


def test_what_nbgrader_does_not_take_for_a_mark_is_none():
    for line in ("### begin solution", "### BEGIN  SOLUTION", "### BEGIN HIDDEN TEST"):
        assert NBGRADERS.mark(line) is None


@given(
    st.lists(st.tuples(st.booleans(), st.lists(st.sampled_from(["x", "y = 1", ""]), max_size=3)))
)
def test_balanced_regions_are_accepted_and_no_line_is_lost(blocks):
    lines, hidden, visible = [], [], []
    for is_hidden, block in blocks:
        marked = ["### BEGIN SOLUTION", *block, "### END SOLUTION"]
        lines += marked if is_hidden else block
        (hidden if is_hidden else visible).extend(block)
    made = cell("\n".join(lines), solution=True)
    assert odd_mark(NBGRADERS.marks(made.source)) is None
    if hidden:
        # splitlines drops one empty last line, which hides nothing
        parts = split(made)
        assert list(parts.hidden) == hidden
        assert [x for x in parts.visible if x] == [x for x in visible if x]
