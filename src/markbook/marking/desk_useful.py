"""The order in which answers tell most about the others, which changes with every mark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markbook.marking.desk_items import ExpectedScore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markbook.marking.cases import Case
    from markbook.marking.desk_table import Table
    from markbook.marking.live_scores import Snapshot

__all__ = ["UsefulOrder", "expected_score"]

_ALIKE = 0.6  # likeness from which another answer's mark says something about this one


class UsefulOrder:
    """For each marker what was shown, in that order, and behind it the rest by its use.

    So the next answer is always the most useful one by now, and nobody is led in circles by
    answers that they left for later.
    """

    def __init__(self) -> None:
        self._shown: dict[str, dict[str, None]] = {}
        self._places: dict[str, tuple[Sequence[str], int, dict[str, int]]] = {}

    def begin(self, marker: str) -> None:
        """Forget what was shown: the marker starts again at the most useful answer."""
        self._shown.pop(marker, None)
        self._places.pop(marker, None)

    def show(self, marker: str, name: str) -> None:
        """Keep an answer's place from now on."""
        self._shown.setdefault(marker, {})[name] = None

    def places(self, marker: str, ranked: Sequence[str]) -> dict[str, int]:
        """Return the places of the items in the marker's order, from 0 and in order.

        ``ranked`` are all items, the most useful first; the same object while that order stands.
        """
        shown = self._shown.get(marker, {})
        known = self._places.get(marker)
        if known is not None and known[0] is ranked and known[1] == len(shown):
            return known[2]
        there = set(ranked) if shown else ()
        ids = [n for n in shown if n in there] + [n for n in ranked if n not in shown]
        places = {name: place for place, name in enumerate(ids)}
        self._places[marker] = (ranked, len(shown), places)
        return places


def expected_score(
    table: Table,
    case: Case,
    live: Snapshot | None,
    similar: Sequence[tuple[str, float]],
) -> ExpectedScore | None:
    """Return what is expected of an answer, None where nobody expects anything.

    What was learned from marks counts where there are more of them than the last run of the
    graders had; that run knew the criteria besides.
    """
    key, cap = case.answer.hash, table.rubric.cap(table.question.points)
    stored = table.expected.get(key)
    now = None if live is None else live.scores.get(key)
    if live is not None and now is not None and (stored is None or live.marks > table.known):
        mean, sd, likely, confidence = now
        refused = live.refused
        marks = "1 mark" if live.marks == 1 else f"{live.marks} marks"
        why = f"learned from {marks} of this question"
        if not live.marks:
            why = "from what is known of other questions"
        why = "; ".join(filter(None, (why, live.note)))
    elif stored is not None:
        mean, sd, likely, confidence = stored.mean, stored.sd, stored.likely, stored.confidence
        refused = stored.refused or ""
        why = "as the last run of the graders expected"
    else:
        return None
    if sd == 0:
        why = "this very text was marked already"
    return ExpectedScore(
        mean=mean * cap,
        sd=sd * cap,
        likely=likely * cap,
        confidence=confidence,
        why="; ".join(filter(None, (why, _like(table.cases, similar)))),
        refused=refused,
        flags=() if stored is None else stored.flags,
    )


def _like(cases: Mapping[str, Case], similar: Sequence[tuple[str, float]]) -> str:
    """Say which marked answer is the most alike, if one is."""
    for name, likeness in similar:
        other = cases.get(name)
        if likeness < _ALIKE or other is None or other.mark is None:
            continue
        if other.mark.answer_hash == other.answer.hash:
            return f"an answer {likeness:.0%} alike was marked {other.mark.score:g}"
    return ""
