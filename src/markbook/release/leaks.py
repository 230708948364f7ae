"""Proof that a release holds nothing of what students must not see."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markbook.errors import InternalError
from markbook.notebooks import NBGRADERS, Delimiters, read_notebook, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["Leak", "check_leaks", "find_leaks"]

# Shorter lines ("else:", "- yes") prove nothing; longer ones are also searched inside other lines.
_TELLING = 8
_SEARCHED = 25


@dataclass(frozen=True, slots=True)
class Leak:
    """A hidden ``line`` that stands in a released file, and where it comes from."""

    path: Path
    line: str
    origin: str


def check_leaks(
    source: Path,
    release: Path,
    model_answers: Iterable[str],
    delimiters: Delimiters = NBGRADERS,
) -> None:
    """Raise ``InternalError`` if a hidden line of ``source`` stands anywhere in ``release``.

    A line that the authors also show openly (in a prompt, in a visible test) is not hidden.
    """
    secrets = {answer: "a model answer in graders/" for answer in model_answers}
    for leak in find_leaks(source, release, secrets, delimiters):
        raise InternalError(
            f"The release file {leak.path.name} would show students a hidden line"
            f" ({leak.origin}): {leak.line[:60]!r}.",
            hint="Nothing was released. Move the line into the marked region or out of it.",
        )


def find_leaks(
    source: Path,
    release: Path,
    secrets: Mapping[str, str],
    delimiters: Delimiters = NBGRADERS,
) -> Iterator[Leak]:
    """Yield every hidden line of ``source``, and of ``secrets``, that stands in ``release``.

    ``secrets`` are texts from elsewhere with where they come from; ``delimiters`` are those of
    the marks in ``source``.
    """
    hidden: dict[str, str] = {}
    visible: set[str] = set()
    for path in sorted(source.glob("*.ipynb")):
        for number, cell in enumerate(read_notebook(path).cells, start=1):
            parts = split(cell, delimiters)
            visible.update(_lines(parts.visible))
            hidden |= dict.fromkeys(_lines(parts.hidden), f"{path.name}, cell {number}")
    for text, origin in secrets.items():
        for line in _lines(text.splitlines()):
            hidden.setdefault(line, origin)
    openly = "\n".join(visible)
    secret = {line: place for line, place in hidden.items() if line not in openly}
    for path in sorted(p for p in release.rglob("*") if p.is_file()):
        yield from _in_file(path, secret)


def _in_file(path: Path, secret: dict[str, str]) -> Iterator[Leak]:
    shown = "\n".join(_texts(path))
    lines = set(_lines(shown.splitlines()))
    found = [line for line in secret if line in lines or (len(line) >= _SEARCHED and line in shown)]
    for line in found:
        # a phrase within a longer secret line that stands there is said with that one
        if not any(line in other and line != other for other in found):
            yield Leak(path, line, secret[line])


def _texts(path: Path) -> Iterator[str]:
    text = path.read_bytes().decode("utf-8", "replace")
    if path.suffix != ".ipynb":
        yield text
        return
    try:
        yield from _strings(json.loads(text))
    except ValueError:
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
