"""One question on the desk of everybody who marks it in this process."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from typing import TYPE_CHECKING, Literal

from markbook.errors import StaleMark, UnknownName, UsageError
from markbook.marking.cases import Situation
from markbook.marking.comments import rank
from markbook.marking.decisions import make_mark, marker_name
from markbook.marking.desk_items import DeskItem, DeskProgress
from markbook.marking.desk_table import Order, Table, file_stamps, read_table
from markbook.marking.history import UNDO, Decided, HistoryLine, decisions, lines
from markbook.model import score

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.marking.cases import Case
    from markbook.model import Mark, Question, Rubric

__all__ = ["Desk"]

MARKED = "mark"
REVEALED = "revealed"

_TRIES = 5  # each lost one means that another marker marked something in that millisecond


class Desk:
    """The answers to one question, for all markers of this process; several threads may use it.

    Reads everything once and then only what changed: everything that reads or decides looks
    first whether something did. Decisions are stored at once, one transaction each. A lease is a
    courtesy between markers; what guards a mark is its ``row_version``.
    """

    def __init__(self, course: Course, gb: Gradebook, assignment: str, question: str) -> None:
        """Read the question. Raises ``UnknownName``, and ``CourseError`` without a rubric."""
        self.assignment = course.require(assignment)
        self._course = course
        self._gb = gb
        self._lock = threading.RLock()
        self._name = question
        self._kept: set[str] = set()  # the rubric versions that the gradebook surely has
        self._by: dict[str, Order] = {}
        self._event = self._stamp = 0
        self._stamps: tuple[object, ...] = ()
        self._load()

    # What is there

    @property
    def question(self) -> Question:
        return self._table.question

    @property
    def rubric(self) -> Rubric:
        return self._table.rubric

    @property
    def cap(self) -> float:
        """The most an answer can earn, in points."""
        return self.rubric.cap(self.question.points)

    def refresh(self) -> bool:
        """Take over what changed in the gradebook and the files; tell whether something did."""
        with self._lock:
            event, stamp = self._gb.pulse(self.assignment)
            if (self._files(), stamp) != (self._stamps, self._stamp):
                self._load()
                return True
            if event == self._event:
                return False
            students = self._gb.touched(self.assignment, self._name, self._event)
            if None in students:  # the rubric was edited
                self._load()
                return True
            self._event = event
            self._reread(student for student in students if student is not None)
            return bool(students)

    def order(self, marker: str, by: Order = "shuffled") -> tuple[str, ...]:
        """Return the ids of the answers that a person may mark, in this marker's order.

        ``shuffled`` is another order for each marker, and always the same one. ``useful`` has
        those first that no machine could settle, then the least confident.
        """
        self.refresh()
        with self._lock:
            return tuple(self._table.order(marker_name(marker), by))

    def item(self, item_id: str, *, marker: str) -> DeskItem:
        """Return an answer as it stands; changes nothing. ``UnknownName`` for a foreign id."""
        self.refresh()
        with self._lock:
            self._case(item_id)
            return self._item(item_id, marker_name(marker))

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
                ids = list(self._candidates(name, after, by, only, backwards))
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
                    return self._item(found, name)
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
                if case.mark is not None and _same(case.mark, mark):
                    return self._item(item_id, name)
                raise self._stale(case)
            self._keep_rubric()
            with _Rereading(self, case):
                self._gb.save_marks([mark], who=name, what=MARKED)
            self._reread([case.answer.student])
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
            with _Rereading(self, case):
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

    def _load(self) -> None:
        # The stamps first: what changes while the rest is read is then read once more.
        self._event, self._stamp = self._gb.pulse(self.assignment)
        self._stamps = self._files()
        self._table: Table = read_table(self._course, self._gb, self.assignment, self._name)

    def _files(self) -> tuple[object, ...]:
        return file_stamps(self._course, self.assignment, self._name)

    def _reread(self, students: Iterable[str]) -> None:
        wanted = [student for student in students if student in self._table.ids]
        if wanted:
            self._table.update(self._gb.marks_of(self.assignment, self._name, wanted))

    def _case(self, item_id: str) -> Case:
        try:
            return self._table.cases[item_id]
        except KeyError:
            raise UnknownName(
                f"There is no answer {item_id!r} to {self._name!r} of {self.assignment!r}.",
                hint="Open the question again.",
            ) from None

    def _candidates(
        self, marker: str, after: str | None, by: Order, only: str, backwards: bool
    ) -> Iterator[str]:
        places = self._table.order(marker, by)
        ids = list(places)
        if backwards:
            ids.reverse()
        start = 0
        if after in places:
            start = (len(ids) - 1 - places[after] if backwards else places[after]) + 1
        if only == "all":
            return iter(ids[start:])
        waiting = self._table.open
        return (each for each in ids[start:] + ids[:start] if each in waiting)

    def _keep_rubric(self) -> None:
        if self.rubric.version not in self._kept:
            self._gb.save_rubric(self.assignment, self.rubric)
            self._kept.add(self.rubric.version)

    def _earlier(self, case: Case, decided: list[Decided]) -> Mark | None:
        """Return the mark that counted before the present one, if it fits the present text."""
        if len(decided) < 2:
            return None
        before = decided[-2]
        if before.mark.answer_hash != case.answer.hash:
            return None
        return self._carried(before.mark, case) if before.carried else before.mark

    def _carried(self, mark: Mark, case: Case) -> Mark:
        """Return an earlier mark under the present rubric, to which all marks were carried."""
        kept = tuple(c.id for c in self.rubric.criteria if c.id in mark.earned)
        points = case.points or 0.0
        return dataclasses.replace(
            mark,
            earned=kept,
            rubric_version=self.rubric.version,
            score=score(self.rubric, kept, points=points, adjustment=mark.adjustment),
        )

    def _stale(self, case: Case) -> StaleMark:
        by = f" by {case.mark.marker!r}" if case.mark is not None else ""
        error = StaleMark(
            f"This answer to {self._name!r} was changed{by} since you opened it.",
            hint="Look at both and decide anew; nothing was stored.",
        )
        error.theirs = _blind(case.mark)
        return error

    def _item(self, item_id: str, marker: str) -> DeskItem:
        table = self._table
        case = table.cases[item_id]
        holder = self._gb.leases(self.assignment, self._name).get(case.answer.student)
        flag = table.flags.get(item_id)
        places = table.order(marker, self._by.get(marker, "shuffled"))
        return DeskItem(
            id=item_id,
            text=case.answer.text,
            status=case.answer.status,
            row_version=table.versions[item_id],
            mark=_blind(case.mark),
            stale=case.situation is Situation.STALE,
            suggestions=case.suggestions,
            why=case.waits,
            situation=case.situation,
            leased_to=None if holder == marker else holder,
            flagged=flag is not None,
            flag_note="" if flag is None else flag.note,
            position=places.get(item_id, -1) + 1,
            total=len(places),
        )


class _Rereading:
    """Turns the gradebook's ``StaleMark`` into one that names no student, and reads again."""

    def __init__(self, desk: Desk, case: Case) -> None:
        self._desk = desk
        self._case = case

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, StaleMark):
            answer = self._case.answer
            desk = self._desk
            desk._reread([answer.student])
            name = desk._table.ids[answer.student]
            raise desk._stale(desk._table.cases[name]) from error


def _blind(mark: Mark | None) -> Mark | None:
    return None if mark is None else dataclasses.replace(mark, student="")


def _same(stored: Mark, mark: Mark) -> bool:
    return stored == dataclasses.replace(
        mark, marked_at=stored.marked_at, row_version=stored.row_version
    )
