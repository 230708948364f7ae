"""What other programs and older formats left in a student's notebook, brought in line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from markbook.errors import NotebookError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["OLD_FORMAT", "tidy", "upgraded"]

OLD_FORMAT = 3
_MINOR_WITH_CELL_IDS = 5
_ID = re.compile("[a-zA-Z0-9_-]{1,64}")  # nbformat's own
_NOTEBOOK_KEYS = frozenset({"cells", "metadata", "nbformat", "nbformat_minor"})
_TEXT_KEYS = frozenset({"attachments", "cell_type", "id", "metadata", "source"})
_CELL_KEYS = {
    "raw": _TEXT_KEYS,
    "markdown": _TEXT_KEYS,
    "code": frozenset({"cell_type", "execution_count", "id", "metadata", "outputs", "source"}),
}


def upgraded(document: dict[str, Any], path: Path | None) -> dict[str, Any]:
    """Return a format 3 notebook's JSON values as format 4, without ids: nbformat draws lots."""
    from nbformat import from_dict
    from nbformat.v4 import upgrade

    try:
        old = from_dict(document)  # type: ignore[no-untyped-call]
        found: dict[str, Any] = upgrade(old, from_version=OLD_FORMAT)  # type: ignore[no-untyped-call]
        for cell in found["cells"]:
            cell.pop("id", None)
    except Exception as error:
        raise NotebookError(
            f"Not a valid notebook of format {OLD_FORMAT}: {type(error).__name__}:"
            f" {str(error)[:100]}.",
            path=path,
            hint="Open it in JupyterLab and save it again.",
        ) from error
    return found


def tidy(document: dict[str, Any]) -> None:
    """Take out what does not belong to the format, which many programs leave in notebooks.

    Cells with ids in a notebook of an older minor version make it one of the version with ids.
    Ids that nbformat would refuse are gone afterwards.
    """
    cells = [cell for cell in document.get("cells", []) if isinstance(cell, dict)]
    minor = document.get("nbformat_minor")
    if any("id" in cell for cell in cells) and isinstance(minor, int):
        document["nbformat_minor"] = max(minor, _MINOR_WITH_CELL_IDS)
    _keep(document, _NOTEBOOK_KEYS)
    if not isinstance(document.get("metadata"), dict):
        document["metadata"] = {}
    for cell in cells:
        if not (isinstance(cell.get("id"), str) and _ID.fullmatch(cell["id"])):
            cell.pop("id", None)
        kind = cell.get("cell_type")
        if isinstance(kind, str) and kind in _CELL_KEYS:
            _keep(cell, _CELL_KEYS[kind])
            if not isinstance(cell.get("metadata"), dict):
                cell["metadata"] = {}


def _keep(found: dict[str, Any], keys: frozenset[str]) -> None:
    for key in found.keys() - keys:
        del found[key]
