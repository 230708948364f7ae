"""Which answers to mark first, as the latest run of the graders had it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from markbook.marking.cases import WaitingReason, read_cases
from markbook.marking.desk_table import sureness
from markbook.marking.items import item_id
from markbook.text.controls import visible_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.marking.cases import Case
    from markbook.model import Expectation

__all__ = ["FirstAnswer", "QuestionFirst", "first_to_mark"]

_START = 70  # characters of an answer: enough to know it again, and a line of a terminal


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """An answer to mark soon, without its student; ``id`` is its name on the marking page.

    ``students`` gave this very text and wait. ``expected``, its spread ``sd`` and the score that
    is most ``likely`` are in points of ``cap``; ``confidence`` is the chance that a mark is
    within a tenth of the latter. All four are None where nothing is expected. ``page`` is its
    address there.
    """

    id: str
    page: str
    start: str
    students: int
    cap: float
    expected: float | None = None
    sd: float | None = None
    likely: float | None = None
    confidence: float | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuestionFirst:
    """A question's answers, the most useful first. ``by`` tells whether a design chose them.

    Where no scores are expected, ``by`` is ``least-sure``. ``refused`` says why the scores should
    not be relied on, or is empty.
    """

    question: str
    by: str
    answers: tuple[FirstAnswer, ...]
    refused: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        return asdict(self)


def first_to_mark(
    course: Course,
    gb: Gradebook,
    assignment: str,
    count: int,
    questions: Iterable[str] | None = None,
) -> tuple[QuestionFirst, ...]:
    """Return up to ``count`` different texts of each question that has some that wait.

    Texts of which an answer is marked come last, whatever was expected of them. Raises as
    ``read_cases`` does.
    """
    found: dict[str, list[Case]] = {}
    for case in read_cases(course, gb, assignment, questions):
        found.setdefault(case.question.id, []).append(case)
    expected: dict[str, dict[str, Expectation]] = {}
    for each in gb.expectations(assignment):
        expected.setdefault(each.question, {})[each.answer_hash] = each
    chosen = (
        _question(name, cases, expected.get(name, {}), count) for name, cases in found.items()
    )
    return tuple(each for each in chosen if each.answers)


def _question(
    name: str, cases: Sequence[Case], expected: dict[str, Expectation], count: int
) -> QuestionFirst:
    marked = {c.mark.answer_hash for c in cases if c.mark is not None}
    waiting = [c for c in cases if c.waits not in (None, WaitingReason.NOT_GRADED)]
    students = Counter(case.answer.hash for case in waiting)
    texts: dict[str, Case] = {}
    for case in sorted(waiting, key=_id):  # which of several with one text: no order of students
        texts.setdefault(case.answer.hash, case)

    def place(case: Case) -> tuple[bool, float, bool, float]:
        said = expected.get(case.answer.hash)
        rank = float("inf") if said is None else said.rank
        return (case.answer.hash in marked, rank, *sureness(case))

    chosen = sorted(texts.values(), key=place)[:count]
    return QuestionFirst(
        name,
        "design" if any(c.answer.hash in expected for c in chosen) else "least-sure",
        tuple(
            _answer(case, students[case.answer.hash], expected.get(case.answer.hash))
            for case in chosen
        ),
        next((e.refused for e in expected.values() if e.refused), ""),
    )


def _answer(case: Case, students: int, said: Expectation | None) -> FirstAnswer:
    name, question = _id(case), case.question
    points = case.points or 0.0
    cap = case.rubric.cap(points) if case.rubric is not None else points
    words = " ".join(visible_plain(case.answer.text[: 20 * _START]).split())
    return FirstAnswer(
        id=name,
        page=f"/markbook/a/{quote(question.assignment)}/q/{quote(question.id)}#{quote(name)}",
        start=words if len(words) <= _START else f"{words[: _START - 2].rstrip()} …",
        students=students,
        cap=cap,
        expected=None if said is None else said.mean * cap,
        sd=None if said is None else said.sd * cap,
        likely=None if said is None else said.likely * cap,
        confidence=None if said is None else said.confidence,
        flags=() if said is None else said.flags,
    )


def _id(case: Case) -> str:
    answer = case.answer
    return item_id(answer.assignment, answer.question, answer.student)
