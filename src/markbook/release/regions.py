"""Refusing marks in an authored notebook that nbgrader would trip over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markbook.errors import NotebookError
from markbook.notebooks import NBGRADERS, Delimiters, nbgrader_metadata, odd_mark

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode

__all__ = ["check_marks"]


def check_marks(notebook: NotebookNode, path: Path, delimiters: Delimiters = NBGRADERS) -> None:
    """Raise ``NotebookError`` where a mark has no partner or stands in the wrong cell."""
    for number, cell in enumerate(notebook.cells, start=1):
        marks = delimiters.marks(cell.source)
        odd = odd_mark(marks)
        if odd is not None:
            raise NotebookError(
                f"{_name(cell)} (cell {number}) has {odd.delimiter!r} without its partner.",
                path=path,
                hint="Each BEGIN needs its END in the same cell, and regions must not overlap.",
            )
        wrong = any(mark.kind == "SOLUTION" for mark in marks)
        if wrong and not nbgrader_metadata(cell).get("solution"):
            raise NotebookError(
                f"{_name(cell)} (cell {number}) has solution marks, but students do not answer"
                " there.",
                path=path,
                hint="Make it an answer cell in the Create Assignment bar, or drop the marks.",
            )


def _name(cell: NotebookNode) -> str:
    name = nbgrader_metadata(cell).get("grade_id")
    return f"{name!r}" if name else f"A {cell.cell_type} cell"
