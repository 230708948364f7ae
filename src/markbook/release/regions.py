"""The marks in an authored notebook between which stands what students must not see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.errors import NotebookError
from markbook.notebooks import nbgrader_metadata

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nbformat import NotebookNode

__all__ = ["Hidden", "check_marks", "split"]

REGIONS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")


@dataclass(frozen=True, slots=True)
class Hidden:
    """The lines of a cell that stay in the course, and those that students get."""

    hidden: tuple[str, ...]
    visible: tuple[str, ...]


def check_marks(notebook: NotebookNode, path: Path) -> None:
    """Raise ``NotebookError`` where a mark has no partner or stands in the wrong cell."""
    for number, cell in enumerate(notebook.cells, start=1):
        opened = ""
        for kind, begins in _marks(cell):
            if begins == bool(opened) or (opened and kind != opened):
                side = "BEGIN" if begins else "END"
                raise _unbalanced(cell, number, path, f"### {side} {kind}")
            opened = kind if begins else ""
        if opened:
            raise _unbalanced(cell, number, path, f"### BEGIN {opened}")
        wrong = any(kind == "SOLUTION" for kind, _ in _marks(cell))
        if wrong and not nbgrader_metadata(cell).get("solution"):
            raise NotebookError(
                f"{_name(cell)} (cell {number}) has solution marks, but students do not answer"
                " there.",
                path=path,
                hint="Make it an answer cell in the Create Assignment bar, or drop the marks.",
            )


def split(cell: NotebookNode) -> Hidden:
    """Part a cell's lines by its marks; an answer cell without solution marks is all hidden."""
    hidden: list[str] = []
    visible: list[str] = []
    inside = False
    solution_marks = False
    for line in cell.source.splitlines():
        mark = _mark(line)
        if mark is not None:
            kind, inside = mark
            solution_marks |= kind == "SOLUTION"
        else:
            (hidden if inside else visible).append(line)
    if nbgrader_metadata(cell).get("solution") and not solution_marks:
        return Hidden((*hidden, *visible), ())
    return Hidden(tuple(hidden), tuple(visible))


def _marks(cell: NotebookNode) -> Iterator[tuple[str, bool]]:
    for line in cell.source.splitlines():
        mark = _mark(line)
        if mark is not None:
            yield mark


def _mark(line: str) -> tuple[str, bool] | None:
    for kind in REGIONS:
        if f"BEGIN {kind}" in line:
            return kind, True
        if f"END {kind}" in line:
            return kind, False
    return None


def _unbalanced(cell: NotebookNode, number: int, path: Path, mark: str) -> NotebookError:
    return NotebookError(
        f"{_name(cell)} (cell {number}) has '{mark}' without its partner.",
        path=path,
        hint="Each BEGIN needs its END in the same cell, and regions must not overlap.",
    )


def _name(cell: NotebookNode) -> str:
    name = nbgrader_metadata(cell).get("grade_id")
    return f"{name!r}" if name else f"A {cell.cell_type} cell"
