from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from markbook.errors import NotebookError
from markbook.release.regions import check_marks, split


def cell(source, **metadata):
    return new_code_cell(source, metadata={"nbgrader": metadata | {"grade_id": "q"}})


def test_the_lines_between_marks_are_hidden_and_the_others_visible():
    parts = split(
        cell("a\n### BEGIN HIDDEN TESTS\nb\n### END HIDDEN TESTS\nc", grade=True, solution=False)
    )
    assert (parts.hidden, parts.visible) == (("b",), ("a", "c"))


def test_an_answer_cell_without_marks_is_hidden_as_a_whole():
    assert split(cell("a\nb", solution=True)).visible == ()


@pytest.mark.parametrize(
    "source",
    [
        "### BEGIN SOLUTION\nx",
        "x\n### END SOLUTION",
        "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION",
        "### BEGIN SOLUTION\n### END HIDDEN TESTS",
        "### BEGIN SOLUTION\n### END SOLUTION\n### END SOLUTION",
    ],
)
def test_marks_without_a_partner_are_refused_with_their_cell(source):
    notebook = new_notebook(cells=[cell("x"), cell(source, solution=True)])
    with pytest.raises(NotebookError, match=r"n\.ipynb.*'q' \(cell 2\).*without its partner"):
        check_marks(notebook, Path("n.ipynb"))


def test_solution_marks_where_students_do_not_answer_are_refused():
    notebook = new_notebook(cells=[cell("### BEGIN SOLUTION\n### END SOLUTION", grade=True)])
    with pytest.raises(NotebookError, match="do not answer"):
        check_marks(notebook, Path("n.ipynb"))


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
    check_marks(new_notebook(cells=[made]), Path("n.ipynb"))
    if hidden:
        # splitlines drops one empty last line, which hides nothing
        parts = split(made)
        assert list(parts.hidden) == hidden
        assert [x for x in parts.visible if x] == [x for x in visible if x]
