"""A question's answers in memory, kept as the gradebook has them."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from typing import TYPE_CHECKING, Literal

from markbook.errors import CourseError
from markbook.marking.cases import (
    Situation,
    WaitingReason,
    read_cases,
    select_questions,
    text_questions,
)
from markbook.marking.items import item_id
from markbook.rubrics import load_rubric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.gradebook.book import MarksOf
    from markbook.gradebook.flags import Flag
    from markbook.marking.cases import Case
    from markbook.model import Expectation, Mark, Question, Rubric

__all__ = ["Order", "Table", "file_stamps", "read_table", "sureness"]

Order = Literal["shuffled", "useful"]


class Table:
    """The cases of one question by item id, with what changes while people mark.

    ``expected`` is by text; ``known`` is how many marked texts it was learned from. ``hear`` is
    told of every mark that changes.
    """

    def __init__(
        self,
        question: Question,
        rubric: Rubric,
        cases: Mapping[str, Case],
        versions: Mapping[str, int],
        flags: Mapping[str, Flag],
        expected: Iterable[Expectation] = (),
    ) -> None:
        self.question = question
        self.rubric = rubric
        self.ids = {case.answer.student: name for name, case in cases.items()}
        self.cases: dict[str, Case] = dict(cases)
        self.versions = {self.ids[s]: n for s, n in versions.items() if s in self.ids}
        self.flags = {self.ids[s]: flag for s, flag in flags.items() if s in self.ids}
        self.situations = {name: case.situation for name, case in cases.items()}
        self.open = {name for name, case in cases.items() if _is_open(case)}
        # Marks come and go; which answers there are to mark stays until the table is read again.
        self.markable = tuple(name for name, case in cases.items() if _is_markable(case))
        self._orders: dict[tuple[str, Order], dict[str, int]] = {}
        self.expected = {each.answer_hash: each for each in expected}
        self.known = sum(each.sd == 0 for each in self.expected.values())
        self.hear: Callable[[str, Case], None] | None = None
        self._ranked: tuple[str, ...] | None = None
        self._least_sure: dict[str, tuple[str, ...]] = {}
        if self.expected:
            self.rank({})

    def put(self, name: str, mark: Mark | None, version: int) -> None:
        """Let the counting mark of an answer be this."""
        case = dataclasses.replace(self.cases[name], mark=mark)
        self.cases[name] = case
        self.versions[name] = version
        self.situations[name] = case.situation
        (self.open.add if _is_open(case) else self.open.discard)(name)
        if self.hear is not None:
            self.hear(name, case)

    def update(self, found: MarksOf) -> None:
        """Take over the present marks of the answers that ``found`` has versions of."""
        for student, version in found.versions.items():
            if student in self.ids:
                self.put(self.ids[student], found.marks.get(student), version)
        self.flags = {self.ids[s]: flag for s, flag in found.flags.items() if s in self.ids}

    def order(self, marker: str, by: Order) -> dict[str, int]:
        """Return the places of the items that a marker may mark, from 0 and in order."""
        key = (marker, by)
        if key not in self._orders:
            lots = {name: self._lot(name, marker) for name in self.markable}
            if by == "useful":
                names = sorted(lots, key=lambda name: (*sureness(self.cases[name]), lots[name]))
            else:
                names = sorted(lots, key=lots.__getitem__)
            self._orders[key] = {name: place for place, name in enumerate(names)}
        return self._orders[key]

    def rank(self, places: Mapping[str, int]) -> None:
        """Let the most useful be those first in ``places`` (by text), then as they were expected.

        Of several answers with one text only the first is useful; the others come last.
        """
        seen: set[str] = set()
        keys: dict[str, tuple[bool, float, float, bool, float]] = {}
        for name in sorted(self.markable):
            text = self.cases[name].answer.hash
            stored = self.expected.get(text)
            keys[name] = (
                text in seen,
                places.get(text, math.inf),
                math.inf if stored is None else stored.rank,
                *sureness(self.cases[name]),
            )
            seen.add(text)
        self._ranked = tuple(sorted(keys, key=keys.__getitem__))

    def ranked(self, marker: str) -> Sequence[str]:
        """Return the items that may be marked, the most useful first.

        Where nothing is expected of them, those that no machine could settle, then the least
        confident.
        """
        if self._ranked is None:
            return self._least_sure.setdefault(marker, tuple(self.order(marker, "useful")))
        return self._ranked

    def _lot(self, name: str, marker: str) -> bytes:
        # as MarkingQueue draws it: the terminal and the page go through the answers alike
        answer = self.cases[name].answer
        parts = "\0".join((answer.assignment, self.question.id, marker, answer.student))
        return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).digest()


def read_table(course: Course, gb: Gradebook, assignment: str, question: str) -> Table:
    """Read everything about a question.

    Raises ``UnknownName`` for one that is not there, ``CourseError`` for one without a rubric.
    """
    (chosen,) = select_questions(text_questions(course, assignment), [question], assignment)
    path = course.rubric(assignment, question)
    if not path.is_file():
        raise CourseError(
            f"The question {question!r} of {assignment!r} has no rubric.",
            hint=f"Add graders/{assignment}/{question}.yaml.",
        )
    versions = gb.versions(assignment, question)
    cases = read_cases(course, gb, assignment, [question])
    named = {item_id(assignment, question, case.answer.student): case for case in cases}
    rubric = cases[0].rubric if cases else None
    flags = gb.flags(assignment, question)
    expected = gb.expectations(assignment, question)
    return Table(chosen, rubric or load_rubric(path), named, versions, flags, expected)


def file_stamps(course: Course, assignment: str, question: str) -> tuple[object, ...]:
    """Return values that differ when the question's rubric or a notebook was written anew."""
    files = [course.rubric(assignment, question), *course.source(assignment).glob("*.ipynb")]
    found = []
    for path in sorted(files):
        try:
            about = path.stat()
        except FileNotFoundError:
            continue
        found.append((path.name, about.st_ino, about.st_mtime_ns, about.st_size))
    return tuple(found)


def _is_markable(case: Case) -> bool:
    if case.waits is WaitingReason.NOT_GRADED:
        return False
    return case.waits is not None or case.situation is Situation.MARKED


def _is_open(case: Case) -> bool:
    return case.waits not in (None, WaitingReason.NOT_GRADED)


def sureness(case: Case) -> tuple[bool, float]:
    """Return a key that sorts what no machine could settle first, then the least confident."""
    settled = bool(case.suggestions) and all(s.awarded is not None for s in case.suggestions)
    return settled, min((s.confidence for s in case.suggestions), default=0.0)
