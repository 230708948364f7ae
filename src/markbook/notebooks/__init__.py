"""Notebooks as files, and the nbgrader cells in them."""

from markbook.notebooks.cells import answer_cells, graded_cells, prompt_cell, read_questions
from markbook.notebooks.files import (
    is_valid,
    notebook_bytes,
    parse_notebook,
    read_notebook,
    write_notebook,
)
from markbook.notebooks.metadata import nbgrader_id, nbgrader_metadata
from markbook.notebooks.regions import (
    NBGRADERS,
    REGIONS,
    Delimiters,
    Hidden,
    Mark,
    odd_mark,
    split,
)

__all__ = [
    "NBGRADERS",
    "REGIONS",
    "Delimiters",
    "Hidden",
    "Mark",
    "answer_cells",
    "graded_cells",
    "is_valid",
    "nbgrader_id",
    "nbgrader_metadata",
    "notebook_bytes",
    "odd_mark",
    "parse_notebook",
    "prompt_cell",
    "read_notebook",
    "read_questions",
    "split",
    "write_notebook",
]
