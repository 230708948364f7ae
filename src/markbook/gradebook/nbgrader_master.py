"""What nbgrader keeps of an assignment's release, which submissions are graded against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, exists, func, select

from markbook.errors import UnknownName
from markbook.gradebook.nbgrader_schema import (
    assignment,
    base_cell,
    grade_cells,
    notebook,
    source_cell,
    task_cells,
)
from markbook.model import MasterCell, MasterNotebook

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

__all__ = ["Layout", "NotebookLayout", "exists_for", "read_layout", "read_master", "read_notebooks"]

_GRADE, _SOLUTION, _TASK = "GradeCell", "SolutionCell", "TaskCell"


@dataclass(frozen=True, slots=True)
class NotebookLayout:
    """The ids of a notebook's cells by name: those with a grade, those with a comment.

    ``written`` are the graded cells that students answer in.
    """

    id: str
    graded: dict[str, str]
    commented: dict[str, str]
    written: frozenset[str]


@dataclass(frozen=True, slots=True)
class Layout:
    """Which rows nbgrader makes for a submission; ``notebooks`` by name."""

    id: str
    duedate: datetime | None
    notebooks: dict[str, NotebookLayout]


_ASSIGNMENT = select(assignment.c.id, assignment.c.duedate).where(
    assignment.c.name == bindparam("name")
)
_NOTEBOOKS = (
    select(notebook.c.id, notebook.c.name, notebook.c.kernelspec)
    .select_from(assignment)
    .join(notebook, notebook.c.assignment_id == assignment.c.id)
    .where(assignment.c.name == bindparam("name"))
    .order_by(notebook.c.name)
)
_CELLS = (
    select(
        base_cell.c.id,
        base_cell.c.notebook_id,
        base_cell.c.name,
        base_cell.c.type,
        func.coalesce(grade_cells.c.max_score, task_cells.c.max_score).label("points"),
    )
    .select_from(assignment)
    .join(notebook, notebook.c.assignment_id == assignment.c.id)
    .join(base_cell, base_cell.c.notebook_id == notebook.c.id)
    .outerjoin(grade_cells, grade_cells.c.id == base_cell.c.id)
    .outerjoin(task_cells, task_cells.c.id == base_cell.c.id)
    .where(assignment.c.name == bindparam("name"))
    .order_by(base_cell.c.name, base_cell.c.id)
)
_SOURCES = (
    select(source_cell)
    .select_from(assignment)
    .join(notebook, notebook.c.assignment_id == assignment.c.id)
    .join(source_cell, source_cell.c.notebook_id == notebook.c.id)
    .where(assignment.c.name == bindparam("name"))
    .order_by(source_cell.c.name)
)


def exists_for(connection: Connection, name: str) -> bool:
    """Tell whether nbgrader knows the assignment ``name``."""
    return bool(connection.scalar(select(exists().where(assignment.c.name == name))))


def read_layout(connection: Connection, name: str) -> Layout:
    """Return what a submission of the assignment has to have. Raises ``UnknownName``."""
    found = connection.execute(_ASSIGNMENT, {"name": name}).first()
    if found is None:
        raise _unknown(name)
    cells: dict[str, list[Any]] = {}
    for row in connection.execute(_CELLS, {"name": name}):
        cells.setdefault(row.notebook_id, []).append(row)
    return Layout(
        id=found.id,
        duedate=found.duedate,
        notebooks={
            row.name: _layout(row.id, cells.get(row.id, []))
            for row in connection.execute(_NOTEBOOKS, {"name": name})
        },
    )


def read_notebooks(connection: Connection, name: str) -> tuple[MasterNotebook, ...]:
    """Return the assignment's notebooks by name, each with its cells by id.

    nbgrader keeps no order of the cells. Raises ``UnknownName``.
    """
    if not exists_for(connection, name):
        raise _unknown(name)
    kinds: dict[tuple[str, str], dict[str, float | None]] = {}
    for row in connection.execute(_CELLS, {"name": name}):
        kinds.setdefault((row.notebook_id, row.name), {})[row.type] = row.points
    cells: dict[str, list[MasterCell]] = {}
    for row in connection.execute(_SOURCES, {"name": name}):
        kind = kinds.get((row.notebook_id, row.name), {})
        cells.setdefault(row.notebook_id, []).append(_master_cell(row, kind))
    return tuple(
        MasterNotebook(row.name, row.kernelspec or "", tuple(cells.get(row.id, ())))
        for row in connection.execute(_NOTEBOOKS, {"name": name})
    )


def _unknown(name: str) -> UnknownName:
    return UnknownName(
        f"nbgrader's gradebook does not know the assignment {name!r}.",
        hint=f"Run 'markbook release {name}' first.",
    )


def _master_cell(row: Any, kinds: dict[str, float | None]) -> MasterCell:
    points = kinds.get(_GRADE, kinds.get(_TASK))
    return MasterCell(
        id=row.name,
        cell_type=row.cell_type,
        source=row.source or "",
        checksum=row.checksum or "",
        locked=bool(row.locked),
        grade=_GRADE in kinds,
        solution=_SOLUTION in kinds,
        task=_TASK in kinds,
        points=points,
    )


def _layout(notebook_id: str, rows: list[Any]) -> NotebookLayout:
    graded = {row.name: row.id for row in rows if row.type in (_GRADE, _TASK)}
    commented = {row.name: row.id for row in rows if row.type in (_SOLUTION, _TASK)}
    answered = {row.name for row in rows if row.type == _SOLUTION}
    return NotebookLayout(notebook_id, graded, commented, frozenset(answered & graded.keys()))


def read_master(connection: Connection, name: str) -> list[list[Any]]:
    """Return what nbgrader autogrades against: every kept cell and its points, in a fixed order."""
    query = (
        select(
            notebook.c.name,
            source_cell.c.name,
            source_cell.c.cell_type,
            source_cell.c.locked,
            source_cell.c.source,
            source_cell.c.checksum,
            grade_cells.c.max_score,
        )
        .select_from(assignment)
        .join(notebook, notebook.c.assignment_id == assignment.c.id)
        .join(source_cell, source_cell.c.notebook_id == notebook.c.id)
        .outerjoin(
            base_cell,
            and_(
                base_cell.c.notebook_id == notebook.c.id,
                base_cell.c.name == source_cell.c.name,
                base_cell.c.type == _GRADE,
            ),
        )
        .outerjoin(grade_cells, grade_cells.c.id == base_cell.c.id)
        .where(assignment.c.name == name)
        .order_by(notebook.c.name, source_cell.c.name)
    )
    return [list(row) for row in connection.execute(query)]
