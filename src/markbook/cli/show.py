"""Printing results: for people, or as JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import click

from markbook.text.controls import visible_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["count", "json_out", "line", "listing", "warn"]


# What a terminal obeys or nobody sees; JSON leaves all but the first 32 of them as they are.
_UNSEEN = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def line(text: str = "", **style: Any) -> None:
    """Print a line of the result; ``style`` is click's.

    Whatever a student's text holds, the terminal obeys none of it: controls show as ``[U+001B]``.
    """
    shown = visible_plain(text)
    click.echo(click.style(shown, **style) if style else shown)


def warn(text: str) -> None:
    """Print a line for people that is not part of the result."""
    click.echo(visible_plain(text), err=True)


def json_out(value: Any) -> None:
    """Print a result as JSON."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    click.echo(_UNSEEN.sub(lambda found: f"\\u{ord(found.group()):04x}", text))


def count(number: int, one: str, many: str = "") -> str:
    """Return "1 answer", "2 answers"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def listing(rows: Iterable[Sequence[str]], *, indent: int = 2, gap: int = 2) -> None:
    """Print rows as aligned columns; the last one is left as long as it is."""
    table = [tuple(row) for row in rows]
    if not table:
        return
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]) - 1)]
    for row in table:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        line((" " * indent + (" " * gap).join([*cells, row[-1]])).rstrip())
