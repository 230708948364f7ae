from __future__ import annotations

from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from markbook.errors import NotebookError
from markbook.notebooks import Delimiters
from markbook.release.regions import check_marks


def cell(source, **metadata):
    return new_code_cell(source, metadata={"nbgrader": metadata | {"grade_id": "q"}})


@pytest.mark.parametrize(
    "source",
    [
        "### BEGIN SOLUTION\nx",
        "# BEGIN SOLUTION\nx",
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


def test_marks_of_another_course_are_plain_text_here():
    notebook = new_notebook(cells=[cell("### BEGIN ANSWER\nx", solution=True)])
    check_marks(notebook, Path("n.ipynb"))
    own = Delimiters({"SOLUTION": ("BEGIN ANSWER", "END ANSWER")})
    with pytest.raises(NotebookError, match="BEGIN ANSWER"):
        check_marks(notebook, Path("n.ipynb"), own)
