"""The rows of a CSV file of marked answers, each looked at; what is wrong is said by line."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.errors import InputError, PaperError, UsageError
from markbook.text.decode import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["FEWEST", "NEEDED", "Row", "read_rows"]

NEEDED = ("question_id", "question", "reference", "answer", "score", "max_score")
FEWEST = 2  # answers of one question
_PAIR = ("score_a", "score_b")
_DECIMAL_COMMA = re.compile(r"-?\d+,\d{1,2}|0,\d+")
_MOST = 1e9  # points: nobody gives more, and the squares of their sums stay numbers
_SHOWN = 40  # characters of a cell in a message


@dataclass(frozen=True, slots=True)
class Row:
    """One marked answer; ``share`` is score / max_score, ``two`` two markers' shares."""

    line: int
    question_id: str
    question: str
    reference: str
    answer: str
    share: float
    max_score: float
    group: str
    split: str
    two: tuple[float, float] | None


def read_rows(path: Path, *, group: str = "question_id") -> tuple[list[Row], list[str]]:
    """Return the rows of the file that have a score, and notes on what was odd.

    Raises:
        InputError: it cannot be read, lacks columns, or has a row that makes no sense; the
            message names the line and the column.
        UsageError: there is no column ``group``.
    """
    text, notes = _text(path)
    table = _Table(path, text)
    notes += table.notes
    _require_columns(table, group)
    notes += _pair_notes(table)
    found: list[Row] = []
    faults: list[InputError] = []
    unmarked = single = 0
    for line, cells in table:
        try:
            row = _row(line, cells, group, path)
        except InputError as error:
            faults.append(error)
            continue
        if row is None:
            unmarked += 1
        else:
            found.append(row)
            single += row.two is None and any(cells.get(each, "").strip() for each in _PAIR)
    if faults:
        if len(faults) > 1:
            faults[0].hint += f" There are {len(faults)} such rows in all."
        raise faults[0]
    if not found:
        what = "There is no row with a score." if unmarked else "There is no row below the header."
        raise InputError(what, path=path, hint="Each row is one marked answer.")
    if unmarked:
        notes.append(f"Rows without a score, left out: {unmarked}.")
    if single and len(table.pair) == 2:
        notes.append(f"Rows with the score of one marker of two, not compared: {single}.")
    return found, notes


def _text(path: Path) -> tuple[str, list[str]]:
    try:
        decoded = decode(path.read_bytes())
    except OSError as error:
        raise InputError(
            f"The file cannot be read: {error.strerror or error}.", path=path
        ) from error
    except PaperError as error:
        hint = "Save it as CSV in UTF-8: one row for each marked answer."
        raise InputError(error.what, path=path, hint=hint) from error
    return decoded.text, [note for note in decoded.notes if not note.startswith("Line ends")]


class _Table:
    """The lines of a CSV text as mappings from column to cell, with the line each begins in."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text
        self.notes: list[str] = []
        first = text.lstrip("\n").partition("\n")[0]
        self._comma = max(",;\t", key=first.count)
        if self._comma != ",":
            name = {";": "semicolons", "\t": "tabs"}[self._comma]
            self.notes.append(f"Columns are parted by {name}.")
        self.header = next((cells for _, cells in self._lines()), [])
        self.columns = [cell.strip().lower() for cell in self.header]
        self.pair = [name for name in _PAIR if name in self.columns]
        double = sorted({name for name in self.columns if name and self.columns.count(name) > 1})
        if double:
            what = f"Two columns are called {', '.join(map(repr, double))}."
            raise InputError(what, path=path, line=1, hint="Rename or remove one.")

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        lines = self._lines()
        next(lines, None)
        for line, cells in lines:
            if len(cells) != len(self.columns):
                raise InputError(
                    f"The row has {len(cells)} cells, the header {len(self.columns)}.",
                    path=self._path,
                    line=line,
                    hint="A cell with a comma, a quote or a line end stands in double quotes.",
                )
            yield line, dict(zip(self.columns, cells, strict=True))

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        # The limit is the csv module's own and global: it is put back after each row.
        reader = csv.reader(io.StringIO(self._text, newline=""), delimiter=self._comma, strict=True)
        while True:
            line = reader.line_num + 1
            limit = csv.field_size_limit(max(len(self._text) + 1, csv.field_size_limit()))
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise InputError(
                    f"The row that begins here is not CSV: {error}.",
                    path=self._path,
                    line=line,
                    hint='Close each quoted cell, and write a quote inside one twice ("").',
                ) from error
            finally:
                csv.field_size_limit(limit)
            if any(cell.strip() for cell in cells):
                yield line, cells


def _require_columns(table: _Table, group: str) -> None:
    missing = [name for name in NEEDED if name not in table.columns]
    if missing:
        has = ", ".join(name[:_SHOWN] for name in table.header[:12])
        raise InputError(
            f"The header lacks {', '.join(missing)}; it has {has}.",
            path=table._path,
            line=1,
            hint=f"The columns are {', '.join(NEEDED)}, and score_a, score_b, split if you like.",
        )
    if group.strip().lower() not in table.columns:
        raise UsageError(
            f"There is no column {group!r} in {table._path}.",
            hint=f"--group takes one of {', '.join(table.columns)}.",
        )


def _pair_notes(table: _Table) -> list[str]:
    if len(table.pair) != 1:
        return []
    (there,) = table.pair
    (other,) = set(_PAIR) - {there}
    return [f"There is {there} and no {other}: no two people are compared."]


def _row(line: int, cells: Mapping[str, str], group: str, path: Path) -> Row | None:
    """Return the row, or None when nobody marked it."""
    if not cells["score"].strip():
        return None

    def number(column: str) -> float:
        return _number(cells[column], column, path, line)

    name = cells["question_id"].strip()
    if not name:
        raise _fault("is empty", "question_id", path, line, "Name the question.")
    most = number("max_score")
    if most <= 0:
        hint = "It is what a perfect answer gets."
        raise _fault(f"is {_plain(most)}, not above 0", "max_score", path, line, hint)
    if most > _MOST:
        what = f"is {_plain(most)}, more than {_plain(_MOST)}"
        raise _fault(what, "max_score", path, line, "Is a point missing, or a digit too many?")

    def share(column: str) -> float:
        value = number(column)
        if not 0 <= value <= most * (1 + 1e-9):
            what = f"is {_plain(value)}, not between 0 and max_score, {_plain(most)}"
            raise _fault(what, column, path, line, "Correct the score or max_score.")
        return min(value / most, 1.0)

    mark = share("score")
    two = None
    if all(cells.get(column, "").strip() for column in _PAIR):
        two = (share("score_a"), share("score_b"))
    return Row(
        line,
        name,
        cells["question"],
        cells["reference"],
        cells["answer"],
        mark,
        most,
        cells[group.strip().lower()].strip(),
        cells.get("split", "").strip().lower(),
        two,
    )


def _number(cell: str, column: str, path: Path, line: int) -> float:
    text = cell.strip()
    if _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        shown = repr(text[:_SHOWN]) if text else "empty"
        hint = "Leave a score empty where nobody marked." if column == "score" else ""
        raise _fault(f"is {shown}, not a number", column, path, line, hint or "Write 2.5, say.")
    return value


def _fault(what: str, column: str, path: Path, line: int, hint: str) -> InputError:
    return InputError(f"column {column!r} {what}.", path=path, line=line, hint=hint)


def _plain(value: float) -> str:
    return f"{value:g}"
