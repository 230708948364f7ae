"""What happened to one answer, from the audit: for people to read, and for undo."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markbook.model import Mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from markbook.model import Event

__all__ = ["UNDO", "UNDO_GROUP", "Decided", "HistoryLine", "HistoryState", "decisions", "lines"]

UNDO = "undo"
UNDO_GROUP = "undo of a group"

_TAKEN_BACK = frozenset((UNDO, UNDO_GROUP, "remove"))
_RESCORED = "rescored"


@dataclass(frozen=True, slots=True)
class HistoryState:
    """A decision as it stood at one time."""

    earned: tuple[str, ...]
    score: float
    adjustment: float
    reason: str
    comment: str
    marker: str


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One audit line of an answer, without the student's name.

    ``before`` and ``after`` are None where no decision stood; both are for a line that decided
    nothing (a flag, a revealed name). ``note`` is the note of a flag.
    """

    at: str
    who: str
    what: str
    rule: str = ""
    batch: str = ""
    note: str = ""
    before: HistoryState | None = None
    after: HistoryState | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that stands or stood: the mark, the rule or batch it came with.

    ``carried`` tells that the rubric was edited since, and the marks with it.
    """

    mark: Mark
    rule: str = ""
    batch: str = ""
    carried: bool = False


def lines(events: Iterable[Event]) -> tuple[HistoryLine, ...]:
    """Return the lines, oldest first."""
    return tuple(
        HistoryLine(
            at=event.at,
            who=event.who,
            what=event.what,
            rule=str(event.subject.get("rule", "")),
            batch=str(event.subject.get("batch", "")),
            note=str(event.subject.get("note", "")),
            before=_state(event.before),
            after=_state(event.after),
        )
        for event in events
    )


def decisions(events: Iterable[Event]) -> list[Decided]:
    """Return the decisions about one answer that were not taken back, the latest last.

    A rescoring after an edit of the rubric changes a decision and is none of its own.
    """
    stack: list[Decided] = []
    for event in events:
        if event.what in _TAKEN_BACK:
            del stack[-1:]
        elif event.what == _RESCORED:
            stack = [dataclasses.replace(each, carried=True) for each in stack]
            if stack:
                stack[-1] = dataclasses.replace(stack[-1], mark=_mark(event))
        elif event.after is not None and "score" in event.after:
            about = event.subject
            rule, batch = str(about.get("rule", "")), str(about.get("batch", ""))
            stack.append(Decided(_mark(event), rule, batch))
    return stack


def _state(described: Mapping[str, Any] | None) -> HistoryState | None:
    if described is None or "score" not in described:
        return None
    return HistoryState(
        earned=tuple(described["earned"]),
        score=described["score"],
        adjustment=described["adjustment"],
        reason=described["reason"],
        comment=described["comment"],
        marker=described["marker"],
    )


def _mark(event: Event) -> Mark:
    described = event.after or {}
    fields = {field.name for field in dataclasses.fields(Mark)}
    values = {**event.subject, **described, "earned": tuple(described["earned"])}
    return Mark(**{name: value for name, value in values.items() if name in fields})
