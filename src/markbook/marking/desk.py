"""One question on the desk of everybody who marks it in this process."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Literal

from markbook.errors import UsageError
from markbook.marking.cases import Situation
from markbook.marking.comments import rank
from markbook.marking.decisions import make_mark, marker_name
from markbook.marking.desk_base import Rereading, same
from markbook.marking.desk_groups import GroupingDesk
from markbook.marking.desk_items import DeskItem, DeskProgress
from markbook.marking.history import UNDO, HistoryLine, decisions, lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from markbook.marking.desk_table import Order

__all__ = ["Desk"]

MARKED = "mark"
REVEALED = "revealed"

_TRIES = 5  # each lost one means that another marker marked something in that millisecond


class Desk(GroupingDesk):
    """The answers to one question, for all markers of this process; several threads may use it.

    Reads everything once and then only what changed: everything that reads or decides looks
    first whether something did. Decisions are stored at once, one transaction each. A lease is a
    courtesy between markers; what guards a mark is its ``row_version``.
    """

    # What is there

    def order(self, marker: str, by: Order = "shuffled") -> tuple[str, ...]:
        """Return the ids of the answers that a person may mark, in this marker's order.

        ``shuffled`` is another order for each marker, and always the same one. ``useful`` has
        those first that the marker was shown in this order, then those whose marks tell most about
        the others; it changes with the marks. Where no scores are expected, those come first that
        no machine could settle, then the least confident.
        """
        self.refresh()
        with self._lock:
            return tuple(self._places(marker_name(marker), by))

    def item(self, item_id: str, *, marker: str) -> DeskItem:
        """Return an answer as it stands; changes nothing. ``UnknownName`` for a foreign id."""
        self.refresh()
        with self._lock:
            self._case(item_id)
            return self._item(item_id, marker_name(marker))

    def text(self, item_id: str) -> str:
        """Return an answer's text alone, as for showing a similar one; costs nothing."""
        return self._case(item_id).answer.text

    # Going from one to the next

    def open_next(
        self,
        marker: str,
        *,
        after: str | None = None,
        by: Order = "shuffled",
        only: Literal["open", "all"] = "open",
        backwards: bool = False,
    ) -> DeskItem | None:
        """Lease and return the next answer behind ``after`` that no other marker has open.

        ``open`` ones wait for a person; at the end it goes on with those skipped at the
        beginning, ``after`` itself last, and returns None when none is left. ``all`` ends at the
        end. The lease on ``after`` is given back.
        """
        name = marker_name(marker)
        with self._lock:
            if after is not None:
                self._case(after)
            given_back = None if after is None else self._table.cases[after].answer.student
            for _ in range(_TRIES):
                self.refresh()
                self._by[name] = by
                if by == "useful":
                    self._walk(name, after)
                ids = self._candidates(name, after, by, only, backwards)
                student = self._gb.lease(
                    self.assignment,
                    self._name,
                    (self._table.cases[each].answer.student for each in ids),
                    marker=name,
                    instead_of=given_back,
                )
                if student is None:
                    return None
                found = self._table.ids[student]
                self.refresh()  # it may have been marked between looking and leasing
                if only == "all" or found in self._table.open:
                    if by == "useful":
                        self._useful.show(name, found)
                    return self._item(found, name, holder=name)
            return None

    def open(self, item_id: str, *, marker: str) -> DeskItem:
        """Return an answer and lease it, or renew the lease, unless another marker has it."""
        name = marker_name(marker)
        self.refresh()
        with self._lock:
            student = self._case(item_id).answer.student
            self._gb.lease(self.assignment, self._name, [student], marker=name)
            return self._item(item_id, name)

    def release(self, item_id: str, marker: str) -> None:
        """Give back the marker's lease on an answer."""
        student = self._case(item_id).answer.student
        self._gb.release(self.assignment, self._name, student, marker=marker_name(marker))

    # Deciding

    def save(  # noqa: PLR0913  (a decision has these parts, and is named at the call)
        self,
        item_id: str,
        *,
        marker: str,
        earned: Iterable[str],
        adjustment: float = 0.0,
        reason: str = "",
        comment: str = "",
        row_version: int,
    ) -> DeskItem:
        """Store a decision about the answer as it was when it had ``row_version``.

        Raises ``StaleMark`` when somebody decided meanwhile (``theirs`` is that mark, without its
        student) or the text changed; the same decision once more is no conflict. ``UsageError``
        for what is no decision, see ``make_mark``.
        """
        name = marker_name(marker)
        with self._lock:
            self.refresh()
            case = self._case(item_id)
            mark = make_mark(
                case,
                marker=name,
                earned=earned,
                adjustment=adjustment,
                reason=reason,
                comment=comment,
            )
            if row_version != self._table.versions[item_id]:
                if case.mark is not None and same(case.mark, mark):
                    return self._item(item_id, name)
                raise self._stale(case)
            self._keep_rubric()
            with Rereading(self, case):
                (saved,) = self._gb.save_marks([mark], who=name, what=MARKED)
            new = case.mark is None or saved.row_version != case.mark.row_version
            self._table.put(item_id, saved, row_version + new)
            return self._item(item_id, name)

    def undo(self, item_id: str, *, marker: str) -> DeskItem:
        """Take back the latest decision about an answer, whoever made it; the one before counts.

        An earlier decision about another text does not come back, the answer then waits.
        Raises ``UsageError`` when nothing was decided, ``StaleMark`` when it changed meanwhile.
        """
        name = marker_name(marker)
        with self._lock:
            self.refresh()
            case = self._case(item_id)
            if case.mark is None:
                raise UsageError("There is no mark to take back: nobody marked this answer.")
            student = case.answer.student
            found = self._gb.histories(self.assignment, self._name, [student])
            earlier = self._earlier(case, decisions(found[student]))
            with Rereading(self, case):
                self._gb.undo_marks([(case.mark, earlier)], who=name, what=UNDO)
            self._reread([student])
            return self._item(item_id, name)

    def flag(self, item_id: str, *, marker: str, flagged: bool, note: str = "") -> DeskItem:
        """Set or take away the flag of an answer, for all markers; audited."""
        name = marker_name(marker)
        with self._lock:
            answer = self._case(item_id).answer
            self._gb.flag(answer, marker=name, flagged=flagged, note=note.strip())
            self.refresh()
            return self._item(item_id, name)

    def reveal(self, item_id: str, *, marker: str) -> str:
        """Return the student whose answer it is, and write down who asked."""
        answer = self._case(item_id).answer
        self._gb.note(answer, who=marker_name(marker), what=REVEALED)
        return answer.student

    # Looking back and around

    def history(self, item_id: str) -> tuple[HistoryLine, ...]:
        """Return what happened to an answer, oldest first."""
        student = self._case(item_id).answer.student
        return lines(self._gb.histories(self.assignment, self._name, [student])[student])

    def comments(self, search: str = "") -> tuple[str, ...]:
        """Return the comments of this question's marks, then the assignment's, most used first.

        Only those that have every word of ``search``.
        """
        return rank(self._gb.comments(self.assignment), self._name, search)

    def progress(self) -> DeskProgress:
        """Count the answers."""
        self.refresh()
        with self._lock:
            counts = Counter(self._table.situations.values())
            marks = (case.mark for case in self._table.cases.values())
            return DeskProgress(
                marked=counts[Situation.MARKED],
                stale=counts[Situation.STALE],
                suggested=counts[Situation.SUGGESTED],
                waiting=counts[Situation.WAITING],
                blank=counts[Situation.BLANK],
                not_asked=counts[Situation.NOT_ASKED],
                missing=counts[Situation.MISSING],
                flagged=len(self._table.flags),
                by_marker=dict(Counter(mark.marker for mark in marks if mark is not None)),
            )

    # Inside

    def _walk(self, marker: str, after: str | None) -> None:
        """Keep the place of the answer that a marker comes from; without one, start again."""
        if self._live is not None:
            self._live.start()
        if after is None:
            self._useful.begin(marker)
        else:
            self._useful.show(marker, after)

    def _candidates(
        self, marker: str, after: str | None, by: Order, only: str, backwards: bool
    ) -> Iterator[str]:
        places = self._places(marker, by)
        ids = list(places)
        if backwards:
            ids.reverse()
        start = 0
        if after in places:
            start = (len(ids) - 1 - places[after] if backwards else places[after]) + 1
        if only == "all":
            return iter(ids[start:])
        waiting = self._table.open
        return (each for each in chain(ids[start:], ids[:start]) if each in waiting)
