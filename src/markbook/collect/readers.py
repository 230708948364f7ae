"""Readers: from the bytes of a paper to its text. Entry points of the group ``markbook.readers``.

An entry point is named like the file ending that it reads (``md``), and is a function from bytes to
``Decoded``; the built-ins are registered in the same way.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from markbook.text.decode import Decoded, decode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path, PurePath

__all__ = ["GROUP", "endings", "is_paper", "read_text", "reader_for"]

GROUP = "markbook.readers"
_BUILT_IN = ("markdown", "md", "txt")


def read_text(data: bytes) -> Decoded:
    """Read Markdown or plain text. Raises ``PaperError`` for what is neither."""
    return decode(data)


@cache
def endings() -> frozenset[str]:
    """Return the file endings, without dot, that a folder of papers is searched for."""
    return frozenset(_BUILT_IN) | {point.name.lower() for point in entry_points(group=GROUP)}


def is_paper(path: PurePath) -> bool:
    """Tell whether a file is called like a paper."""
    return path.suffix.lstrip(".").lower() in endings()


def reader_for(path: Path) -> Callable[[bytes], Decoded]:
    """Return the reader for a file's ending; any other file is read as text."""
    ending = path.suffix.lstrip(".").lower()
    for point in entry_points(group=GROUP):
        if point.name.lower() == ending:
            reader: Callable[[bytes], Decoded] = point.load()
            return reader
    return read_text
