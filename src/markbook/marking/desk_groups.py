"""Marking answers that say the same with one decision, and taking it back with one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.errors import StaleMark, UnknownName
from markbook.marking.cases import Situation
from markbook.marking.decisions import make_mark, marker_name
from markbook.marking.desk_base import DeskBase, same
from markbook.marking.history import UNDO_GROUP, decisions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from markbook.model import Mark
    from markbook.text.groups import Cluster

__all__ = ["Group", "GroupResult", "GroupingDesk"]

GROUPED = "mark of a group"

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Group:
    """Answers that say the same, by item id; nothing in it names a student.

    ``text`` is the most frequent wording, which the first of ``members`` has; the others follow,
    the most alike first, with their likeness to it (1: the same after normalising). ``outliers``
    are the least alike, to be looked at before deciding. ``open`` members wait for a person.
    """

    id: str
    text: str
    members: tuple[str, ...]
    likeness: Mapping[str, float]
    outliers: tuple[str, ...]
    open: tuple[str, ...]

    @property
    def size(self) -> int:
        return len(self.members)


@dataclass(frozen=True, slots=True)
class GroupResult:
    """What became of a group's members, by item id; each is in exactly one.

    ``batch`` is what ``undo_group`` wants; empty when nothing was saved. ``unchanged`` had this
    very decision already; ``left`` were decided otherwise by a person, or another marker has them
    open just now; ``skipped`` were taken out by the marker.
    """

    batch: str
    saved: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


class GroupingDesk(DeskBase):
    """The desk's groups."""

    def groups(self) -> tuple[Group, ...]:
        """Return the groups of at least two answers, the largest first."""
        self.refresh()
        clusters = self._clusters()
        with self._lock:
            return tuple(self._group(each) for each in clusters)

    def save_group(  # noqa: PLR0913  (a decision has these parts, and is named at the call)
        self,
        group_id: str,
        *,
        marker: str,
        earned: Iterable[str],
        adjustment: float = 0.0,
        reason: str = "",
        comment: str = "",
        skip: Collection[str] = (),
    ) -> GroupResult:
        """Make one decision the mark of all members, in one transaction.

        What a person decided otherwise stays, and is listed; what a rule accepted, or was decided
        about an earlier text, is replaced. Raises ``UnknownName`` for a group that is not there
        (any more), and like ``save`` for what is no decision.
        """
        name = marker_name(marker)
        decision = tuple(earned)
        for attempt in range(_TRIES):
            self.refresh()
            clusters = self._clusters()
            with self._lock:
                members = self._members(clusters, group_id)
                marks, result = self._plan(
                    members, set(skip), name, (decision, adjustment, reason, comment)
                )
                if not marks:
                    return result
                self._keep_rubric()
                try:
                    self._gb.save_marks(marks, who=name, what=GROUPED, batch=result.batch)
                except StaleMark:  # somebody marked one of them in between: look again
                    if attempt == _TRIES - 1:
                        raise
                    continue
                self.refresh()
                return result
        raise AssertionError("unreachable")

    def undo_group(self, batch: str, *, marker: str) -> int:
        """Take back what ``save_group`` stored, where it still counts; return for how many.

        The decisions before it count again. Raises ``UnknownName`` for a batch that is not of
        this question.
        """
        name = marker_name(marker)
        with self._lock:
            self.refresh()
            events = [e for e in self._gb.batch(self.assignment, batch) if e.what == GROUPED]
            if not events or any(e.subject.get("question") != self._name for e in events):
                raise UnknownName(f"No group of {self._name!r} was marked as {batch!r}.")
            students = {str(event.subject["student"]) for event in events}
            found = self._gb.histories(self.assignment, self._name, students)
            undone: list[tuple[Mark, Mark | None]] = []
            for student in sorted(students & self._table.ids.keys()):
                case = self._table.cases[self._table.ids[student]]
                decided = decisions(found[student])
                if case.mark is not None and decided and decided[-1].batch == batch:
                    undone.append((case.mark, self._earlier(case, decided)))
            self._gb.undo_marks(undone, who=name, what=UNDO_GROUP, batch=batch)
            self.refresh()
            return len(undone)

    def _clusters(self) -> tuple[Cluster, ...]:
        # not under the lock: for a big class this waits, and the others shall go on marking
        return () if self._index is None else self._index.clusters()

    def _members(self, clusters: Iterable[Cluster], group_id: str) -> tuple[str, ...]:
        for cluster in clusters:
            if cluster.id == group_id:
                return tuple(name for name in cluster.members if name in self._table.cases)
        raise UnknownName(
            f"There is no group {group_id!r} of answers to {self._name!r} (any more).",
            hint="Answers changed since; look at the groups again.",
        )

    def _plan(
        self,
        members: tuple[str, ...],
        skip: Collection[str],
        marker: str,
        decision: tuple[tuple[str, ...], float, str, str],
    ) -> tuple[list[Mark], GroupResult]:
        """Return the marks to store, and what becomes of each member then."""
        earned, adjustment, reason, comment = decision
        held = self._gb.leases(self.assignment, self._name)
        by_people = self._decided_by_people(members)
        marks: list[Mark] = []
        fates: dict[str, list[str]] = {"saved": [], "unchanged": [], "left": [], "skipped": []}
        for name in members:
            case = self._table.cases[name]
            mark = make_mark(
                case,
                marker=marker,
                earned=earned,
                adjustment=adjustment,
                reason=reason,
                comment=comment,
            )
            if name in skip:
                fate = "skipped"
            elif case.mark is not None and same(case.mark, mark, whoever=True):
                fate = "unchanged"
            elif name in by_people or held.get(case.answer.student, marker) != marker:
                fate = "left"
            else:
                fate = "saved"
                marks.append(mark)
            fates[fate].append(name)
        batch = uuid.uuid4().hex if marks else ""
        return marks, GroupResult(batch, **{fate: tuple(ids) for fate, ids in fates.items()})

    def _decided_by_people(self, members: tuple[str, ...]) -> set[str]:
        """Return the members whose present text a person, not a rule, decided about."""
        marked = {
            self._table.cases[name].answer.student: name
            for name in members
            if self._table.situations[name] is Situation.MARKED
        }
        found = self._gb.histories(self.assignment, self._name, marked)
        decided = {student: decisions(events) for student, events in found.items()}
        return {
            name
            for student, name in marked.items()
            if not (decided[student] and decided[student][-1].rule)
        }

    def _group(self, cluster: Cluster) -> Group:
        table = self._table
        return Group(
            id=cluster.id,
            text=self._index.texts[cluster.leader] if self._index is not None else "",
            members=cluster.members,
            likeness=cluster.likeness,
            outliers=cluster.outliers,
            open=tuple(name for name in cluster.members if name in table.open),
        )
