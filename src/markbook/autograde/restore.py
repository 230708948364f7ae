"""Putting a submission's cells back to what the master says, as nbgrader's sanitising does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markbook.notebooks import nbgrader_metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbformat import NotebookNode

    from markbook.autograde.prepared import PreparedCell, PreparedNotebook

__all__ = ["restore"]

_FLAGS = ("grade", "solution", "locked", "task")
_SCHEMA = 3
_GRADED_KEYS = frozenset({"grade_id", "points", "checksum", "cell_type", "schema_version", *_FLAGS})


def restore(notebook: NotebookNode, prepared: PreparedNotebook) -> list[str]:
    """Restore the notebook in place, and return a sentence for each thing a student changed.

    Restored are kernel, and of each cell of the master: type, points, kind, checksum and, where
    it is locked, its text, with the hidden tests. What the release itself left different is not
    told, nor are spaces at the ends of lines. Cells with an id that the master does not have are
    made ordinary ones. Every id must be there at most once. Outputs have to be cleared already.
    """
    if prepared.kernelspec is not None:
        notebook.metadata["kernelspec"] = dict(prepared.kernelspec)
    changes: list[str] = []
    name = prepared.master.name
    for number, cell in enumerate(notebook.cells, start=1):
        metadata = cell.metadata
        if cell.cell_type == "code":
            metadata.pop("collapsed", None)
            metadata.pop("scrolled", None)
        if "nbgrader" not in metadata:
            continue
        nbgrader = nbgrader_metadata(cell)
        known = prepared.cells.get(_id(nbgrader))
        if known is not None:
            changes += [
                f"{what} of the cell {known.master.id!r} in {name}.ipynb {became}"
                for what, became in _restore(cell, nbgrader, known)
            ]
        elif not _make_ordinary(cell, nbgrader):
            changes.append(
                f"cell {number} of {name}.ipynb ({_id(nbgrader) or 'no id'!r}) is not of this"
                " assignment; it was kept as an ordinary cell"
            )
    return changes


def _id(nbgrader: Any) -> str:
    found = nbgrader.get("grade_id")
    return found if isinstance(found, str) else ""


def _restore(cell: NotebookNode, nbgrader: Any, known: PreparedCell) -> Iterator[tuple[str, str]]:
    """Restore one cell and yield what was changed and what became of it."""
    if nbgrader != known.released:
        yield from _compare(nbgrader, known)
        cell.metadata["nbgrader"] = type(cell.metadata)(known.metadata)
    else:
        nbgrader["checksum"] = known.master.checksum
    if cell.cell_type != known.master.cell_type:
        yield "the type", f"was changed to {cell.cell_type} and put back"
        _set_type(cell, known.master.cell_type)
    if known.master.locked and cell.source != known.master.source:
        if not _same_text(cell.source, known.source):
            yield "the locked text", "was changed and put back"
        cell.source = known.master.source


def _compare(nbgrader: Any, known: PreparedCell) -> Iterator[tuple[str, str]]:
    version = nbgrader.get("schema_version")
    if version != _SCHEMA:
        yield "the nbgrader settings", f"have the version {version!r} and were put back"
        return
    points = nbgrader.get("points")
    if known.master.grade and not _same_points(points, known.master.points):
        became = f"from {known.master.points:g} to {_shown(points)}"
        yield "the points", f"were changed {became} and put back"
    if any(bool(nbgrader.get(flag)) != bool(known.released.get(flag)) for flag in _FLAGS):
        yield "the nbgrader settings", "were changed and put back"


def _same_points(theirs: Any, ours: float | None) -> bool:
    return not isinstance(theirs, bool) and isinstance(theirs, int | float) and theirs == ours


def _shown(points: Any) -> str:
    return f"{points:g}" if isinstance(points, int | float) else repr(points)[:40]


def _same_text(one: str, other: str) -> bool:
    return one == other or _plain(one) == _plain(other)


def _plain(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().splitlines()]


def _set_type(cell: NotebookNode, cell_type: str) -> None:
    cell.cell_type = cell_type
    if cell_type == "code":
        cell.outputs = []
        cell.execution_count = None
        cell.pop("attachments", None)  # a code cell has none
    else:
        cell.pop("outputs", None)
        cell.pop("execution_count", None)


def _make_ordinary(cell: NotebookNode, nbgrader: Any) -> bool:
    """Take the mark of a cell off that is not the master's; False if it claimed to be one.

    The Create Assignment bar leaves an id on cells that are nothing at all: nbgrader takes that
    id away and keeps the rest.
    """
    harmless = nbgrader.get("schema_version") == _SCHEMA and not nbgrader.keys() - _GRADED_KEYS
    claims = any(nbgrader.get(flag) for flag in _FLAGS)
    if harmless and not claims and "points" not in nbgrader:
        cell.metadata["nbgrader"].pop("grade_id", None)
    else:
        del cell.metadata["nbgrader"]
    return not claims
