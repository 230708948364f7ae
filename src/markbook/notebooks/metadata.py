"""nbgrader's metadata of a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbformat import NotebookNode

__all__ = ["nbgrader_id", "nbgrader_metadata"]


def nbgrader_metadata(cell: NotebookNode) -> Mapping[str, Any]:
    """Return a cell's nbgrader metadata, empty where it has none or something odd."""
    metadata = cell.get("metadata", {}).get("nbgrader")
    return metadata if isinstance(metadata, dict) else {}


def nbgrader_id(cell: NotebookNode) -> str:
    """Return a cell's nbgrader id, empty where it has none or something odd."""
    grade_id = nbgrader_metadata(cell).get("grade_id")
    return grade_id if isinstance(grade_id, str) else ""
