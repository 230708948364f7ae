"""Putting a submission's cells back to what the master says, as nbgrader's sanitising does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markbook.notebooks import nbgrader_metadata

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from markbook.autograde.prepared import PreparedCell, PreparedNotebook

__all__ = ["restore"]

_SKIP = "skip-execution"  # nbclient's tag of cells that it does not run

_SCHEMA = 3
_KEYS = frozenset(
    {"grade_id", "checksum", "cell_type", "schema_version", "grade", "solution", "locked", "task"}
)


def restore(notebook: NotebookNode, prepared: PreparedNotebook) -> list[str]:
    """Restore an aligned notebook, without outputs, in place.

    Returns sentences on what was changed, beside what the alignment has told already.

    Restored are the kernel and, of each cell of the master, type, points, kind, checksum and,
    where it is locked, tags and text: the master's, with hidden tests. Every id is there once.
    """
    told: list[str] = []
    if prepared.kernelspec is not None:
        notebook.metadata["kernelspec"] = dict(prepared.kernelspec)
    for cell in notebook.cells:
        metadata = cell.metadata
        if "nbgrader" not in metadata:
            continue
        known = prepared.find(cell)
        if known is not None:
            _restore(cell, known)
            if known.master.locked and _is_skipped(metadata.get("tags")) != known.skipped:
                _set_skipped(cell, known)
                what = "lost its tag" if known.skipped else "was given the tag"
                told.append(
                    f"the cell {known.master.id!r} of {prepared.master.name}.ipynb {what}"
                    f" {_SKIP!r}: put back"
                )
        elif _is_nothing(nbgrader_metadata(cell)):
            metadata["nbgrader"].pop("grade_id", None)
        else:
            del metadata["nbgrader"]
    return told


def _restore(cell: NotebookNode, known: PreparedCell) -> None:
    cell.metadata["nbgrader"] = type(cell.metadata)(known.metadata)
    if cell.cell_type != known.master.cell_type:
        _set_type(cell, known.master.cell_type)
    if known.master.locked:
        cell.source = known.master.source


def _is_skipped(tags: Any) -> bool:
    return isinstance(tags, list) and _SKIP in tags


def _set_skipped(cell: NotebookNode, known: PreparedCell) -> None:
    """Put the tag back that keeps a cell from running: nbgrader gives such a test full points."""
    kept = [tag for tag in cell.metadata.get("tags", ()) if tag != _SKIP]
    cell.metadata["tags"] = [*kept, _SKIP] if known.skipped else kept


def _set_type(cell: NotebookNode, cell_type: str) -> None:
    cell.cell_type = cell_type
    if cell_type == "code":
        cell.outputs = []
        cell.execution_count = None
        cell.pop("attachments", None)  # a code cell has none
    else:
        cell.pop("outputs", None)
        cell.pop("execution_count", None)


def _is_nothing(nbgrader: Any) -> bool:
    """Tell whether the Create Assignment bar only left its mark on a cell that is nothing at all.

    nbgrader takes the id out of such marks and keeps the rest.
    """
    return (
        nbgrader.get("schema_version") == _SCHEMA
        and not nbgrader.keys() - _KEYS
        and all(nbgrader.get(flag) is False for flag in ("grade", "solution", "locked"))
        and nbgrader.get("task", False) is False
    )
