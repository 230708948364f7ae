"""What every part of the desk needs: a question's answers, kept as the gradebook has them."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING

from markbook.errors import StaleMark, UnknownName
from markbook.marking.cases import UNANSWERED, Situation
from markbook.marking.desk_items import DeskItem
from markbook.marking.desk_table import Order, Table, file_stamps, read_table
from markbook.marking.desk_useful import UsefulOrder, expected_score
from markbook.marking.groups_index import GroupIndex
from markbook.marking.live_scores import LiveScores
from markbook.model import score

if TYPE_CHECKING:
    from collections.abc import Iterable

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.marking.cases import Case
    from markbook.marking.history import Decided
    from markbook.marking.score_host import ScoreHost
    from markbook.model import Mark, Question, Rubric

__all__ = ["DeskBase", "Rereading", "same"]


class DeskBase:
    """The table of one question, its lock, and how it stays fresh."""

    def __init__(
        self,
        course: Course,
        gb: Gradebook,
        assignment: str,
        question: str,
        host: ScoreHost | None = None,
    ) -> None:
        """Read the question; with ``host``, learn scores from the marks while people mark.

        Raises ``UnknownName``, and ``CourseError`` without a rubric.
        """
        self.assignment = course.require(assignment)
        self._course = course
        self._gb = gb
        self._lock = threading.RLock()
        self._name = question
        self._kept: set[str] = set()  # the rubric versions that the gradebook surely has
        self._by: dict[str, Order] = {}
        self._index: GroupIndex | None = None
        self._host = host
        self._live: LiveScores | None = None
        self._useful = UsefulOrder()
        self._event = self._stamp = 0
        self._stamps: tuple[object, ...] = ()
        self._load()

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

    # Inside

    def _load(self) -> None:
        # The stamps first: what changes while the rest is read is then read once more.
        self._event, self._stamp = self._gb.pulse(self.assignment)
        self._stamps = self._files()
        self._table: Table = read_table(self._course, self._gb, self.assignment, self._name)
        texts = {name: self._table.cases[name].answer.text for name in self._table.markable}
        if self._index is None or self._index.texts != texts:
            self._index = GroupIndex(texts)
        if self._host is not None:
            self._learn(self._host)

    def _learn(self, host: ScoreHost) -> None:
        """Let the table's marks be learned from, once somebody asks for the most useful answer."""
        table = self._table
        markable = (table.cases[name].answer for name in table.markable)
        texts = {answer.hash: answer.text for answer in markable}
        live = self._live
        if live is None or (live.texts, live.rubric) != (texts, table.rubric):
            live = self._live = LiveScores(
                host,
                table.question,
                table.rubric,
                texts,
                lambda students: self._gb.histories(self.assignment, self._name, students),
                lambda snapshot: self._table.rank(snapshot.places),
                self._course.taught(self.assignment, self._name),
            )
        elif live.snapshot is not None:
            table.rank(live.snapshot.places)
        for name, case in table.cases.items():
            live.hear(name, case)
        table.hear = live.hear

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

    def _item(self, item_id: str, marker: str, holder: str | None = None) -> DeskItem:
        table = self._table
        case = table.cases[item_id]
        if holder is None:
            holder = self._gb.leases(self.assignment, self._name).get(case.answer.student)
        flag = table.flags.get(item_id)
        group, similar = (None, ()) if self._index is None else self._index.about(item_id)
        places = self._places(marker, self._by.get(marker, "shuffled"))
        live = None if self._live is None else self._live.snapshot
        expected = None
        if case.situation is not Situation.MARKED and case.situation not in UNANSWERED:
            expected = expected_score(table, case, live, similar)
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
            group=group,
            similar=similar,
            position=places.get(item_id, -1) + 1,
            total=len(places),
            expected=expected,
        )

    def _places(self, marker: str, by: Order) -> dict[str, int]:
        """Return the places of the items in a marker's order, from 0."""
        if by == "shuffled":
            return self._table.order(marker, by)
        return self._useful.places(marker, self._table.ranked(marker))


class Rereading:
    """Turns the gradebook's ``StaleMark`` into one that names no student, and reads again."""

    def __init__(self, desk: DeskBase, case: Case) -> None:
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


def same(stored: Mark, mark: Mark, *, whoever: bool = False) -> bool:
    """Tell whether two marks decide the same about the same text; ``whoever`` made them."""
    return stored == dataclasses.replace(
        mark,
        marked_at=stored.marked_at,
        row_version=stored.row_version,
        marker=stored.marker if whoever else mark.marker,
    )
