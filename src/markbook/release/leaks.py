"""Proof that a release holds nothing of what students must not see."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from markbook.errors import InternalError
from markbook.notebooks import read_notebook
from markbook.release.regions import split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["check_leaks"]

# Shorter lines ("else:", "- yes") prove nothing; longer ones are also searched inside other lines.
_TELLING = 8
_SEARCHED = 25


def check_leaks(source: Path, release: Path, model_answers: Iterable[str]) -> None:
    """Raise ``InternalError`` if a hidden line of ``source`` stands anywhere in ``release``.

    A line that the authors also show openly (in a prompt, in a visible test) is not hidden.
    """
    hidden: dict[str, str] = {}
    visible: set[str] = set()
    for path in sorted(source.glob("*.ipynb")):
        for number, cell in enumerate(read_notebook(path).cells, start=1):
            parts = split(cell)
            visible.update(_lines(parts.visible))
            hidden |= dict.fromkeys(_lines(parts.hidden), f"{path.name}, cell {number}")
    for answer in model_answers:
        for line in _lines(answer.splitlines()):
            hidden.setdefault(line, "a model answer in graders/")
    openly = "\n".join(visible)
    secret = {line: place for line, place in hidden.items() if line not in openly}
    for path in sorted(p for p in release.rglob("*") if p.is_file()):
        _check_file(path, secret)


def _check_file(path: Path, secret: dict[str, str]) -> None:
    shown = "\n".join(_texts(path))
    lines = set(_lines(shown.splitlines()))
    for line, place in secret.items():
        if line in lines or (len(line) >= _SEARCHED and line in shown):
            raise InternalError(
                f"The release file {path.name} would show students a hidden line ({place}):"
                f" {line[:60]!r}.",
                hint="Nothing was released. Move the line into the marked region or out of it.",
            )


def _texts(path: Path) -> Iterator[str]:
    text = path.read_bytes().decode("utf-8", "replace")
    if path.suffix == ".ipynb":
        yield from _strings(json.loads(text))
    else:
        yield text


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        if all(isinstance(inner, str) for inner in value):
            yield "".join(value)
        else:
            for inner in value:
                yield from _strings(inner)


def _lines(lines: Iterable[str]) -> Iterator[str]:
    return (line.strip() for line in lines if len(line.strip()) >= _TELLING)
