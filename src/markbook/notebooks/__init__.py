"""Notebooks as files, and the nbgrader cells in them."""

from markbook.notebooks.cells import (
    BEGIN_SOLUTION,
    END_SOLUTION,
    answer_cells,
    graded_cells,
    nbgrader_metadata,
    read_questions,
    solution_text,
)
from markbook.notebooks.files import (
    is_valid,
    notebook_bytes,
    parse_notebook,
    read_notebook,
    write_notebook,
)

__all__ = [
    "BEGIN_SOLUTION",
    "END_SOLUTION",
    "answer_cells",
    "graded_cells",
    "is_valid",
    "nbgrader_metadata",
    "notebook_bytes",
    "parse_notebook",
    "read_notebook",
    "read_questions",
    "solution_text",
    "write_notebook",
]
