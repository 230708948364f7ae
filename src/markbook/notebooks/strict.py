"""From the bytes of a notebook to JSON values, strictly: what is wrong is named, with its place.

Python's own reader takes the last of two equal keys, NaN, and 900 lists inside each other, at
which other programs then fail. Here none of it comes further, and nothing takes memory without
bound: a file is measured before it is parsed.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from markbook.errors import NotebookError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "MOST_BYTES",
    "MOST_CELLS",
    "MOST_COMMAS",
    "MOST_DEPTH",
    "MOST_LINES",
    "MOST_PARTS",
    "lines_of",
    "load_json",
    "shape_fault",
]

MOST_BYTES = 50_000_000
"""Bytes of one notebook; with all its pictures a student's has a tenth."""

MOST_PARTS = 200_000
"""Lists and objects: each takes a kilobyte on its way through the libraries, however short."""

MOST_COMMAS = 2_000_000
"""So many values at most; a drawn figure has some 100,000 numbers."""

MOST_DEPTH = 100
"""Lists and objects inside each other; the widgets and figures of libraries have 20 to 30."""

MOST_CELLS = 10_000

MOST_LINES = 500_000
"""Lines of all cells' texts: the format keeps each by itself, and each takes 100 bytes and more."""

_SAVE = "Open it in JupyterLab and save it again."
_AGAIN = "Get the whole file again."
# Possessive, since what may be given back costs memory for each character.
_TOKEN = re.compile(
    r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\],]|-?Infinity|NaN|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?',
    re.DOTALL,
)
_INNERMOST = re.compile(rb"\[\]|\{\}")
_NO_STRUCTURE = bytes(set(range(256)) - set(b'{}[],"'))


def load_json(data: bytes, path: Path | None) -> Any:
    """Return the JSON values of a notebook's bytes; a byte order mark is passed over.

    Raises ``NotebookError`` for what is empty, too large, not UTF-8, not JSON or cut off, holds a
    key twice or a number that JSON has not, or is nested too deeply: each with its place.
    """
    _measure(data, path)
    text = _text(data, path)
    try:
        found = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_number, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        raise _not_json(error, text, path) from error
    except _TwiceError as error:
        key = str(error.args[0])[:60]
        raise NotebookError(
            f"The key {key!r} stands twice in one object.",
            path=path,
            line=_line_of_twice(text),
            hint="One of the two would be lost. " + _SAVE,
        ) from error
    except _NumberError as error:
        raise NotebookError(
            f"{error.args[0]} is not a number that JSON has.",
            path=path,
            line=_line_of_number(text),
            hint="Take out the output that holds it.",
        ) from error
    except RecursionError as error:
        raise _too_deep(path) from error
    except ValueError as error:  # a number of more digits than Python converts
        raise NotebookError(
            "Not a notebook's JSON: it holds a number of more than 4,300 digits.", path=path
        ) from error
    if _deeper_than(data, MOST_DEPTH):
        raise _too_deep(path)
    return found


def _measure(data: bytes, path: Path | None) -> None:
    if not data.strip():
        raise NotebookError("Not JSON: the file is empty.", path=path, hint=_AGAIN)
    if len(data) > MOST_BYTES:
        raise NotebookError(
            f"Too large: {len(data) / 1e6:.0f} MB; more than {MOST_BYTES // 1_000_000} MB are not"
            " read.",
            path=path,
            hint="Clear its outputs and save it again.",
        )
    if _many(data) and _many(_outside_texts(data)):
        raise NotebookError(
            f"Too large: it holds more than {MOST_PARTS:,} lists and objects, or more than"
            f" {MOST_COMMAS:,} values.",
            path=path,
            hint="Clear its outputs and save it again.",
        )


def _many(data: bytes) -> bool:
    parts = data.count(b"{") + data.count(b"[")
    return parts > MOST_PARTS or data.count(b",") > MOST_COMMAS


def _outside_texts(data: bytes) -> bytes:
    """Return the brackets and commas of JSON that stand in no text."""
    left = data.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NO_STRUCTURE)
    return re.sub(rb'"[^"]*+"', b"", left)


def _text(data: bytes, path: Path | None) -> str:
    if (nul := data.find(b"\0")) >= 0:
        utf16 = data[:2] in {b"\xff\xfe", b"\xfe\xff"}
        says = "Not UTF-8 but UTF-16" if utf16 else f"Not JSON: byte {nul} is NUL"
        hint = "Notebooks are JSON in UTF-8. " + (_SAVE if utf16 else _AGAIN)
        raise NotebookError(f"{says}.", path=path, hint=hint)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotebookError(
            f"Not UTF-8 (byte {error.start}).",
            path=path,
            line=data.count(b"\n", 0, error.start) + 1,
            hint="Notebooks are JSON in UTF-8.",
        ) from error


def _not_json(error: json.JSONDecodeError, text: str, path: Path | None) -> NotebookError:
    ends = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
    if ends:
        says = f"Not JSON: the file is cut off after {len(text):,} characters."
        line = text.count("\n") + 1
        return NotebookError(says, path=path, line=line, hint=_AGAIN)
    says = f"Not JSON: {error.msg} (column {error.colno}); the file may be cut off or damaged."
    return NotebookError(says, path=path, line=error.lineno, hint=_AGAIN)


def _too_deep(path: Path | None) -> NotebookError:
    return NotebookError(
        f"Nested too deeply to be a notebook: lists and objects stand more than {MOST_DEPTH} deep.",
        path=path,
        hint="Clear its outputs and save it again.",
    )


def _deeper_than(data: bytes, most: int) -> bool:
    """Tell whether lists and objects stand deeper in each other; ``data`` is whole JSON.

    All but brackets is taken out, then the innermost pairs, as often as there may be levels.
    """
    left = _outside_texts(data).replace(b",", b"")
    for _ in range(most):
        before = len(left)
        left = _INNERMOST.sub(b"", left)
        if len(left) == before:
            break
    return bool(left)


class _TwiceError(ValueError):
    """A key stands twice in a JSON object, so that the last would silently win."""


class _NumberError(ValueError):
    """NaN or an infinity, or a number that is as good as one."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _TwiceError(key)
            seen.add(key)
    return found


def _no_number(name: str) -> float:
    raise _NumberError(name)


def _finite(digits: str) -> float:
    found = float(digits)
    if math.isinf(found):
        raise _NumberError(digits[:40])
    return found


# --- the shapes that everything else relies on -------------------------------------------------

_KINDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number"}
_CELL_TYPES = ("code", "markdown", "raw")


def shape_fault(document: dict[str, Any]) -> str:
    """Return what is wrong with the shape of a format 4 notebook whose cells are a list, or "".

    nbformat says the same of most of it, in words of its schema, and stumbles over the rest.
    """
    minor = document.get("nbformat_minor")
    if isinstance(minor, bool) or not isinstance(minor, int):
        return f"nbformat_minor is {_kind(minor)}, not a whole number"
    for number, cell in enumerate(document.get("cells", []), start=1):
        fault = _cell_fault(cell)
        if fault:
            return f"cell {number} {fault}"
    return ""


def lines_of(document: dict[str, Any]) -> int:
    """Return how many lines the texts of a notebook's cells have together, of any shape."""
    sources = [cell.get("source") for cell in document["cells"] if isinstance(cell, dict)]
    return sum(
        source.count("\n") if isinstance(source, str) else len(source)
        for source in sources
        if isinstance(source, str | list)
    )


def _cell_fault(cell: object) -> str:
    if not isinstance(cell, dict):
        return f"is {_kind(cell)}, not an object"
    if "cell_type" not in cell:
        return "has no type"
    if cell["cell_type"] not in _CELL_TYPES:
        return f"has the type {str(cell['cell_type'])[:40]!r}; there are {', '.join(_CELL_TYPES)}"
    if "source" not in cell:
        return "has no source"
    source = cell["source"]
    if isinstance(source, list):
        odd = next((line for line in source if not isinstance(line, str)), "")
        return "" if odd == "" else f"has {_kind(odd)} among the lines of its source"
    return "" if isinstance(source, str) else f"has {_kind(source)} for its source, not text"


def _kind(value: object) -> str:
    return "null" if value is None else _KINDS.get(type(value), "a number")


# --- places, looked for only where something is wrong ------------------------------------------


def _line_of_twice(text: str) -> int | None:
    """Return the line of the first key that stands twice in its object."""
    stack: list[set[str] | None] = []  # the keys of an object, None for a list
    is_key = False
    for token in _TOKEN.finditer(text):
        found = token.group()
        if found in "{[":
            stack.append(set() if found == "{" else None)
        elif found in "}]":
            stack.pop()
        keys = stack[-1] if stack else None
        if found in "{,":
            is_key = keys is not None
        elif is_key and keys is not None and found[0] == '"':
            is_key = False
            key = json.loads(found)
            if key in keys:
                return _line(text, token.start())
            keys.add(key)
    return None


def _line_of_number(text: str) -> int | None:
    for token in _TOKEN.finditer(text):
        found = token.group()
        if found[0] not in '"{}[],' and not math.isfinite(float(found.replace("Infinity", "inf"))):
            return _line(text, token.start())
    return None


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
