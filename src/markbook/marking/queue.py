"""The answers that wait for one marker, one after another."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.errors import UsageError
from markbook.marking.cases import Case, Situation, WaitingReason, read_cases
from markbook.marking.decisions import make_mark, marker_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.model import Mark, Question, Rubric, Suggestion

__all__ = ["Earlier", "Item", "MarkingQueue"]

MARKED = "mark"
UNDONE = "undo"


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was decided about an answer before, without saying whose answer it is."""

    earned: tuple[str, ...]
    score: float
    adjustment: float
    reason: str
    comment: str
    marker: str
    stale: bool


@dataclass(frozen=True, slots=True)
class Item:
    """One answer to decide about. Blind: nothing in it names the student.

    ``id`` stands for the answer within this queue. ``cap`` is the most it can earn. ``why`` is
    None for an answer that is marked already.
    """

    id: str
    assignment: str
    question: Question
    rubric: Rubric | None
    text: str
    cap: float
    suggestions: tuple[Suggestion, ...]
    why: WaitingReason | None
    earlier: Earlier | None = None

    @property
    def suggested(self) -> tuple[str, ...]:
        """The criteria that the grader would award, in rubric order."""
        return tuple(s.criterion for s in self.suggestions if s.awarded)


class MarkingQueue:
    """The answers of an assignment that wait for ``marker``, by question and else shuffled.

    The order is the same at every opening, another one for every marker and question, and new
    answers do not move the others. Decisions are stored at once, one transaction each.
    """

    def __init__(
        self,
        course: Course,
        gb: Gradebook,
        assignment: str,
        *,
        marker: str | None = None,
        questions: Iterable[str] | None = None,
        again: bool = False,
    ) -> None:
        """Read what waits; with ``again`` also what is marked. Raises as ``read_cases`` does."""
        self.assignment = assignment
        self.marker = marker_name(marker)
        self._gb = gb
        self._cases: dict[str, Case] = {}
        self._done: list[tuple[str, Mark | None, Mark]] = []
        cases = read_cases(course, gb, assignment, questions)
        order = {name: n for n, name in enumerate(dict.fromkeys(c.question.id for c in cases))}
        lots = [(order[case.question.id], self._lot(case), case) for case in cases]
        for _, lot, case in sorted(lots, key=lambda entry: entry[:2]):
            if _belongs(case, again=again):
                self._cases[f"{case.question.id}:{lot[:16]}"] = case

    def __len__(self) -> int:
        """How many answers the queue had when it was opened."""
        return len(self._cases)

    @property
    def items(self) -> tuple[Item, ...]:
        """All items in marking order, as they stand now."""
        return tuple(_item(key, case) for key, case in self._cases.items())

    def item(self, key: str) -> Item:
        """Return one item as it stands now; ``UsageError`` for an id of another queue."""
        return _item(key, self._case(key))

    def waiting(self) -> tuple[Item, ...]:
        """Return the items that nobody decided about yet, in marking order."""
        return tuple(item for item in self.items if item.why is not None)

    def reveal(self, key: str) -> str:
        """Return the student whose answer it is."""
        return self._case(key).answer.student

    def decide(
        self,
        key: str,
        *,
        earned: Iterable[str],
        adjustment: float = 0.0,
        reason: str = "",
        comment: str = "",
    ) -> Mark:
        """Store a decision and return the mark.

        Raises ``UsageError`` when the decision is not one (see ``make_mark``), ``StaleMark`` when
        somebody else decided meanwhile or the answer changed; nothing is stored then.
        """
        case = self._case(key)
        mark = make_mark(
            case,
            marker=self.marker,
            earned=earned,
            adjustment=adjustment,
            reason=reason,
            comment=comment,
        )
        if case.rubric is not None:
            self._gb.save_rubric(self.assignment, case.rubric)
        (saved,) = self._gb.save_marks([mark], who=self.marker, what=MARKED)
        self._done.append((key, case.mark, saved))
        self._cases[key] = dataclasses.replace(case, mark=saved)
        return saved

    def undo(self) -> Item | None:
        """Take back this queue's last decision and return its item; None when there is none.

        The mark that stood before counts again, unless it was for another text of the answer:
        then the answer waits. Raises ``StaleMark`` when somebody else decided meanwhile.
        """
        if not self._done:
            return None
        key, before, mark = self._done[-1]
        case = self._case(key)
        restored: Mark | None = None
        if before is not None and before.answer_hash == case.answer.hash:
            again = dataclasses.replace(before, row_version=mark.row_version)
            (restored,) = self._gb.save_marks([again], who=self.marker, what=UNDONE)
        else:
            self._gb.remove_mark(mark, who=self.marker)
        self._done.pop()
        self._cases[key] = dataclasses.replace(case, mark=restored)
        return self.item(key)

    def _case(self, key: str) -> Case:
        try:
            return self._cases[key]
        except KeyError:
            raise UsageError(f"There is no answer {key!r} in this queue.") from None

    def _lot(self, case: Case) -> str:
        parts = (self.assignment, case.question.id, self.marker, case.answer.student)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _belongs(case: Case, *, again: bool) -> bool:
    if case.waits is WaitingReason.NOT_GRADED or case.waits is WaitingReason.NO_RUBRIC:
        return False
    return case.waits is not None or (again and case.situation is Situation.MARKED)


def _item(key: str, case: Case) -> Item:
    points = case.points or 0.0
    return Item(
        id=key,
        assignment=case.answer.assignment,
        question=case.question,
        rubric=case.rubric,
        text=case.answer.text,
        cap=case.rubric.cap(points) if case.rubric is not None else points,
        suggestions=case.suggestions,
        why=case.waits,
        earlier=None if case.mark is None else _earlier(case.mark, case),
    )


def _earlier(mark: Mark, case: Case) -> Earlier:
    return Earlier(
        earned=mark.earned,
        score=mark.score,
        adjustment=mark.adjustment,
        reason=mark.reason,
        comment=mark.comment,
        marker=mark.marker,
        stale=mark.answer_hash != case.answer.hash,
    )
