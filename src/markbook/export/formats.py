"""The built-in formats: functions from an export's data to the text of a file."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markbook.model import Event

__all__ = ["ExportData", "ScoreLine", "audit", "guarded", "scores_csv", "scores_json", "unguarded"]

# What spreadsheets take for the beginning of a formula, also in full width, behind blanks, and
# where a program that parts cells by semicolons or lines sees another cell begin. Apostrophes that
# stand in front get one more, so that ours can be told from a person's own.
_BLANK = "[ \u00a0\u3000\ufeff\u200b]"
_FORMULA = "[=+@\uff1d\uff0b\uff0d\uff20-]"
_FIRST = re.compile(f"(?:{_BLANK}|')*{_FORMULA}|'*[\t\r\n]")
# Inside a text the "- " of a list is left alone.
_INNER = re.compile(f"([;|\t\r\n]{_BLANK}*)(?='*(?:[=@\uff1d\uff20]|[+-]\\S))")
_GUARDED = re.compile(f"([;|\t\r\n]{_BLANK}*)'(?='*(?:[=@\uff1d\uff20]|[+-]\\S))")


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """One student and one question. ``score`` is None while the answer waits.

    ``extra_credit`` holds what a bonus question earned, whose ``score`` and ``max`` are 0.
    ``status`` is marked, waiting, changed (after marking), tested, not-tested, or why there is
    nothing to mark: blank, not-asked, missing.
    """

    assignment: str
    student: str
    notebook: str
    question: str
    kind: str
    status: str
    score: float | None
    max: float
    extra_credit: float | None = None
    criteria: tuple[str, ...] = ()
    adjustment: float = 0.0
    marker: str = ""
    marked_at: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class ExportData:
    """What an exporter is given: the scores by student and question, and the audit."""

    course: str
    assignment: str
    scores: Sequence[ScoreLine]
    events: Sequence[Event]


def scores_csv(data: ExportData) -> str:
    """One line for each student and question, safe to open in a spreadsheet (RFC 4180)."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(field.name for field in dataclasses.fields(ScoreLine))
    for line in data.scores:
        writer.writerow(_cell(value) for value in dataclasses.astuple(line))
    return stream.getvalue()


def scores_json(data: ExportData) -> str:
    """The same lines as objects, numbers as numbers."""
    document = {
        "course": data.course,
        "assignment": data.assignment,
        "scores": [dataclasses.asdict(line) for line in data.scores],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def audit(data: ExportData) -> str:
    """Every event, one JSON object a line, oldest first."""
    lines = (
        json.dumps(
            {
                "at": event.at,
                "who": event.who,
                "what": event.what,
                "subject": dict(event.subject),
                "before": None if event.before is None else dict(event.before),
                "after": None if event.after is None else dict(event.after),
            },
            ensure_ascii=False,
            sort_keys=True,
        )
        for event in data.events
    )
    return "".join(f"{line}\n" for line in lines)


def guarded(text: str) -> str:
    """Return ``text`` with an apostrophe before what a spreadsheet would calculate.

    Numbers of ours are no texts and stay numbers. ``unguarded`` gives the text back.
    """
    inner = _INNER.sub(r"\1'", text)
    return f"'{inner}" if _FIRST.match(text) else inner


def unguarded(text: str) -> str:
    """Return what ``guarded`` was given."""
    ours = text.startswith("'") and _FIRST.match(text[1:]) is not None
    return _GUARDED.sub(r"\1", text[1:] if ours else text)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:g}"  # a number of ours: its minus sign is no formula
    if isinstance(value, tuple):
        return guarded("; ".join(map(str, value)))
    return guarded(str(value))
