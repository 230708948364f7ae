"""Printing results: for people, or as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["count", "json_out", "line", "listing", "warn"]


def line(text: str = "") -> None:
    """Print a line of the result."""
    click.echo(text)


def warn(text: str) -> None:
    """Print a line for people that is not part of the result."""
    click.echo(text, err=True)


def json_out(value: Any) -> None:
    """Print a result as JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


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
