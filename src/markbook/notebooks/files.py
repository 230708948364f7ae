"""Reading and writing notebook files."""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4.nbjson import JSONReader
from nbformat.v4.rwbase import split_lines, strip_transient

from markbook.errors import NotebookError
from markbook.notebooks.strict import MOST_CELLS, MOST_LINES, lines_of, load_json, shape_fault
from markbook.notebooks.tidying import OLD_FORMAT, tidy, upgraded
from markbook.text.controls import visible_plain
from markbook.text.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

__all__ = ["is_valid", "notebook_bytes", "parse_notebook", "read_notebook", "write_notebook"]

_VERSION = 4
_MINOR_WITH_CELL_IDS = 5
_LAST_MINOR = 99  # newer minor versions are read as far as they are known; these do not exist
_node: Callable[..., NotebookNode] = NotebookNode  # nbformat has no types
_WORDS = {None: "null", True: "true", False: "false"}
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_notebook(path: Path) -> NotebookNode:
    """Read a format 4 notebook.

    Raises ``NotebookError`` naming what is wrong: missing, not UTF-8, not JSON (with the line),
    a key twice, not a notebook, another format, or not valid by nbformat's schema.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotebookError(f"Cannot be read: {error.strerror}.", path=path) from error
    return parse_notebook(data, path=path)


def parse_notebook(
    data: bytes, *, path: Path | None = None, clear_outputs: bool = False
) -> NotebookNode:
    """Read a format 4 notebook from its bytes; raises as ``read_notebook``, naming ``path``.

    With ``clear_outputs`` code cells come without outputs, counts and what the metadata says of
    outputs, as nbgrader's ``ClearOutput`` leaves them, whatever stood there: only the rest has to
    be valid. What other programs leave beside the format's own keys is taken out then, instead of
    refused, and format 3 is read as format 4.
    """
    document = _framed(load_json(data, path), path)
    if clear_outputs and document.get("nbformat") == OLD_FORMAT:
        document = _framed(upgraded(document, path), path)
    _require_format(document, path)
    if clear_outputs:
        _clear(document)
    _name_cells(document)
    if not is_valid(document):
        if clear_outputs:
            tidy(document)
            _name_cells(document)
        _validate(document, path)
    notebook: NotebookNode = JSONReader().to_notebook(document)  # type: ignore[no-untyped-call]
    return notebook


def _framed(document: Any, path: Path | None) -> dict[str, Any]:
    """Return JSON values that are a notebook as far as its frame goes: an object, cells a list."""
    cells = document.get("cells", []) if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(cells, list):
        what = "its cells are" if isinstance(document, dict) else "it is"
        what += " no list" if isinstance(document, dict) else " no object"
        raise NotebookError(f"This is JSON, but not a notebook: {what}.", path=path)
    if len(cells) > MOST_CELLS:
        raise NotebookError(
            f"Too large: it has {len(cells):,} cells; more than {MOST_CELLS:,} are not read.",
            path=path,
            hint="Take out the empty ones.",
        )
    if "cells" in document and lines_of(document) > MOST_LINES:
        raise NotebookError(
            f"Too large: its cells have more than {MOST_LINES:,} lines.",
            path=path,
            hint="Take out what is not an answer.",
        )
    return document


def _require_format(document: dict[str, Any], path: Path | None) -> None:
    version, minor = document.get("nbformat"), document.get("nbformat_minor")
    if not isinstance(version, int) or isinstance(version, bool) or version != _VERSION:
        found = json.dumps(version)[:20]
    elif isinstance(minor, int) and not 0 <= minor <= _LAST_MINOR:
        found = f"{_VERSION}.{str(minor)[:20]}"
    else:
        return
    raise NotebookError(
        f"This notebook has format {found}; Markbook reads format {_VERSION}.",
        path=path,
        hint="Open it in JupyterLab and save it again.",
    )


def write_notebook(notebook: NotebookNode, path: Path) -> bool:
    """Write a notebook atomically; returns False when the file already was the same."""
    text: str = nbformat.writes(notebook, version=_VERSION)  # type: ignore[no-untyped-call]
    return write_atomic(path, text.rstrip("\n") + "\n")


def notebook_bytes(notebook: NotebookNode) -> bytes:
    """Return what ``write_notebook`` writes, several times quicker, of a valid notebook.

    The notebook's own texts are left alone. A lone surrogate, which UTF-8 cannot hold, is written
    as JSON's escape.
    """
    shallow = _node(notebook)
    shallow.metadata = _node(notebook.metadata)
    shallow.cells = [_copied(cell) for cell in notebook.cells]
    parts: list[str] = []
    _write(strip_transient(split_lines(shallow)), "\n", parts.append)  # type: ignore[no-untyped-call]
    parts.append("\n")
    text = "".join(parts)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", text).encode()


def _copied(cell: NotebookNode) -> NotebookNode:
    """Copy a cell as deep as splitting its lines goes."""
    copy = _node(cell)
    copy.metadata = _node(cell.metadata)
    if "attachments" in cell:
        copy.attachments = _node({name: _node(bundle) for name, bundle in cell.attachments.items()})
    if "outputs" in cell:
        copy.outputs = [_node(output) for output in cell.outputs]
        for output in copy.outputs:
            if "data" in output:
                output.data = _node(output.data)
    return copy


def _write(value: Any, newline: str, add: Callable[[str], None]) -> None:
    """Add the JSON of ``value`` as nbformat lays it out; ``newline`` ends with the indentation.

    json's own encoder leaves its C code as soon as it indents.
    """
    if isinstance(value, str):
        add(encode_basestring(value))
    elif value and isinstance(value, dict):
        inner = newline + " "
        opening = "{" + inner
        for key in sorted(value):
            add(opening)
            add(encode_basestring(key))
            add(": ")
            _write(value[key], inner, add)
            opening = "," + inner
        add(newline)
        add("}")
    elif value and isinstance(value, list | tuple):
        inner = newline + " "
        opening = "[" + inner
        for item in value:
            add(opening)
            _write(item, inner, add)
            opening = "," + inner
        add(newline)
        add("]")
    else:
        word = _WORDS.get(value) if value is None or isinstance(value, bool) else None
        add(word or json.dumps(value))


def _clear(document: dict[str, Any]) -> None:
    for cell in document.get("cells", []):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            cell["outputs"] = []
            cell["execution_count"] = None
            metadata = cell.get("metadata")
            if isinstance(metadata, dict):
                for about_outputs in ("collapsed", "scrolled"):
                    metadata.pop(about_outputs, None)


def _name_cells(document: dict[str, Any]) -> None:
    """Give cells that lack an id, or share one, an id by position: nbformat would draw lots."""
    minor = document.get("nbformat_minor", 0)
    if not isinstance(minor, int) or minor < _MINOR_WITH_CELL_IDS:
        return
    taken: set[Any] = set()
    for position, cell in enumerate(document.get("cells", [])):
        if not isinstance(cell, dict):
            continue
        name = cell.get("id")
        if "id" not in cell or (isinstance(name, str) and name in taken):
            number = position
            while (name := f"cell-{number}") in taken:
                number += len(document["cells"])
            cell["id"] = name
        if isinstance(name, str):
            taken.add(name)


def is_valid(document: dict[str, Any]) -> bool:
    """Tell whether a notebook is valid by nbformat's compiled schema.

    Where it is not, nbformat's slow one can name the place.
    """
    minor = document.get("nbformat_minor")
    if not isinstance(minor, int):
        return False
    validator = nbformat.validator.get_validator(_VERSION, minor)  # type: ignore[no-untyped-call]
    if validator is None:
        return False
    try:
        validator.validate(document)
    except nbformat.ValidationError:
        return False
    return True


def _validate(document: dict[str, Any], path: Path | None) -> None:
    problem = shape_fault(document) or _problem(document)
    if problem is not None:
        raise NotebookError(
            f"Not a valid notebook: {problem}.",
            path=path,
            hint="Open it in JupyterLab and save it again.",
        )


def _problem(document: dict[str, Any]) -> str | None:
    try:
        nbformat.validate(nbformat.from_dict(document))  # type: ignore[no-untyped-call]
    except nbformat.ValidationError as error:
        return f"{visible_plain(error.message[:200])} ({_place(error.absolute_path)})"
    except Exception as error:  # noqa: BLE001  (it stumbles over shapes that it did not expect)
        return visible_plain(f"{type(error).__name__}: {error}"[:200])
    return None


def _place(parts: Iterable[str | int]) -> str:
    """Name a place of a document as people count: cells from 1."""
    path = list(parts)
    if len(path) > 1 and path[0] == "cells" and isinstance(path[1], int):
        rest = "/".join(map(str, path[2:]))
        return f"in {rest[:100]} of cell {path[1] + 1}" if rest else f"in cell {path[1] + 1}"
    return "in " + ("/".join(map(str, path))[:100] or "the notebook itself")
