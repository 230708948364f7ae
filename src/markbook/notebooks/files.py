"""Reading and writing notebook files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4.nbjson import JSONReader

from markbook.errors import NotebookError
from markbook.text.files import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_notebook", "write_notebook"]

_VERSION = 4
_MINOR_WITH_CELL_IDS = 5


def read_notebook(path: Path) -> NotebookNode:
    """Read a format 4 notebook.

    Raises ``NotebookError`` naming what is wrong: missing, not UTF-8, not JSON (with the line),
    a key twice, not a notebook, another format, or not valid by nbformat's schema.
    """
    document = _parse(path)
    version = document.get("nbformat") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(document.get("cells", []), list):
        raise NotebookError("This is JSON, but not a notebook.", path=path)
    if version != _VERSION:
        raise NotebookError(
            f"This notebook has format {version!r}; Markbook reads format {_VERSION}.",
            path=path,
            hint="Open it in JupyterLab and save it again.",
        )
    _name_cells(document)
    try:
        nbformat.validate(nbformat.from_dict(document))  # type: ignore[no-untyped-call]
    except nbformat.ValidationError as error:
        place = "/".join(str(part) for part in error.absolute_path) or "the notebook"
        raise NotebookError(
            f"Not a valid notebook: {error.message[:200]} (at {place}).",
            path=path,
            hint="Open it in JupyterLab and save it again.",
        ) from error
    notebook: NotebookNode = JSONReader().to_notebook(document)  # type: ignore[no-untyped-call]
    return notebook


def write_notebook(notebook: NotebookNode, path: Path) -> bool:
    """Write a notebook atomically; returns False when the file already was the same."""
    text: str = nbformat.writes(notebook, version=_VERSION)  # type: ignore[no-untyped-call]
    return write_atomic(path, text.rstrip("\n") + "\n")


def _name_cells(notebook: dict[str, Any]) -> None:
    """Give cells without an id one by position: nbformat would draw a new one at each reading."""
    if notebook.get("nbformat_minor", 0) < _MINOR_WITH_CELL_IDS:
        return
    for position, cell in enumerate(notebook.get("cells", [])):
        if isinstance(cell, dict) and "id" not in cell:
            cell["id"] = f"cell-{position}"


def _parse(path: Path) -> Any:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise NotebookError(f"Cannot be read: {error.strerror}.", path=path) from error
    except UnicodeDecodeError as error:
        raise NotebookError(
            f"Not UTF-8 (byte {error.start}).", path=path, hint="Notebooks are JSON in UTF-8."
        ) from error
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise NotebookError(
            f"Not JSON: {error.msg}; the file may be cut off.", path=path, line=error.lineno
        ) from error
    except _TwiceError as error:
        raise NotebookError(
            f"The key {error.args[0]!r} stands twice in one object.", path=path
        ) from error
    except RecursionError as error:
        raise NotebookError("Nested too deeply to be a notebook.", path=path) from error


class _TwiceError(ValueError):
    """A key stands twice in a JSON object, so that the last would silently win."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _TwiceError(key)
        found[key] = value
    return found
