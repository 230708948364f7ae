"""What is printed while a question is answered, in order, for who asked."""

from __future__ import annotations

import contextlib
import io
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["collected"]

_MOST_SAID = 1_000_000  # characters that one question may print


class _Said(io.TextIOBase):
    """Keeps what is printed, with where it was printed to."""

    def __init__(self, name: str, into: list[list[str]]) -> None:
        self.name = name
        self.into = into

    def write(self, text: str) -> int:
        if len(self.into) < _MOST_SAID // 100:
            if self.into and self.into[-1][0] == self.name and len(self.into[-1][1]) < 10_000:
                self.into[-1][1] += text[:_MOST_SAID]
            else:
                self.into.append([self.name, text[:_MOST_SAID]])
        return len(text)

    def writable(self) -> bool:
        return True


@contextlib.contextmanager
def collected() -> Iterator[list[list[str]]]:
    """Collect what is printed: pairs of stream and text, in order."""
    said: list[list[str]] = []
    kept = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Said("stdout", said), _Said("stderr", said)
    try:
        yield said
    finally:
        sys.stdout, sys.stderr = kept
