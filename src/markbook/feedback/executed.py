"""A student's notebook as it was run: test cells, answer cells and the student's own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from markbook.errors import NotebookError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Cell", "Executed", "parse_executed", "read_executed"]

_VERSION = 4


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its source, and its outputs as they stand in the file."""

    source: str
    outputs: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Executed:
    """The cells of a run notebook that a page speaks of.

    ``tests`` and ``answers`` (code only) are by id, the first of duplicates. ``further`` are the
    code cells without an id that stand between an answer and the next question, by the answer's
    id. ``sources`` are the sources of all cells but the tests: what the student saw and wrote.
    """

    tests: Mapping[str, Cell] = field(default_factory=dict)
    answers: Mapping[str, Cell] = field(default_factory=dict)
    further: Mapping[str, Sequence[Cell]] = field(default_factory=dict)
    sources: Sequence[str] = ()


def read_executed(path: Path) -> Executed:
    """Read a notebook that was run; ``NotebookError`` when it is none.

    The file is the autograder's own, so nothing but its frame is checked: what a cell's outputs
    hold is for those to see who show them.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotebookError(f"Cannot be read: {error.strerror}.", path=path) from error
    return parse_executed(data, path)


def parse_executed(data: bytes, path: Path) -> Executed:
    """Read a notebook's bytes; ``path`` only names the place in errors."""
    try:
        document = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_unique)
    except RecursionError as error:
        raise NotebookError("Nested too deeply to be a notebook.", path=path) from error
    except ValueError as error:  # not UTF-8, not JSON, a key twice
        raise NotebookError(
            f"Not a notebook: {error}.", path=path, hint="Autograde the submission again."
        ) from error
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list) or document.get("nbformat") != _VERSION:
        raise NotebookError(
            f"Not a notebook of format {_VERSION}.",
            path=path,
            hint="Autograde the submission again.",
        )
    return _sorted([cell for cell in cells if isinstance(cell, dict)])


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _sorted(cells: Sequence[Mapping[str, Any]]) -> Executed:
    tests: dict[str, Cell] = {}
    answers: dict[str, Cell] = {}
    further: dict[str, list[Cell]] = {}
    sources: list[str] = []
    current = ""
    for cell in cells:
        name, graded, answered = _role(cell)
        is_code = cell.get("cell_type") == "code"
        found = Cell(_text(cell.get("source")), _outputs(cell) if is_code else ())
        if graded and not answered:
            tests.setdefault(name, found)
            continue
        sources.append(found.source)
        if answered:
            current = name if is_code else ""
            if is_code:
                answers.setdefault(name, found)
        elif name or (not is_code and found.source.lstrip().startswith("#")):
            current = ""  # the next question's prompt, or a heading above it
        elif current and is_code:
            further.setdefault(current, []).append(found)
    return Executed(tests, answers, further, sources)


def _role(cell: Mapping[str, Any]) -> tuple[str, bool, bool]:
    """Return a cell's id, whether it is graded and whether students fill it in."""
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = marks.get("grade_id") if isinstance(marks, dict) else None
    if not isinstance(marks, dict) or not isinstance(name, str):
        return "", False, False
    return name, bool(marks.get("grade")), bool(marks.get("solution"))


def _outputs(cell: Mapping[str, Any]) -> Sequence[Any]:
    outputs = cell.get("outputs")
    return outputs if isinstance(outputs, list) else ()


def _text(value: object) -> str:
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""
