"""What marks of the course's other questions teach a question's run."""

from __future__ import annotations

import math
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.errors import MarkbookError
from markbook.model import QuestionKind
from markbook.notebooks import read_questions
from markbook.rubrics import load_rubric
from markbook.suggest.learned import as_share, marks_of_people

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markbook.course import Course
    from markbook.gradebook import Gradebook

__all__ = ["Others"]

_LEAST = 5  # marked texts of a question; fewer teach nothing about others


@dataclass(frozen=True, slots=True)
class _Marked:
    """A question with the scores that people gave its texts, by hash, as shares."""

    assignment: str
    question: str
    scores: Mapping[str, float]


class Others:
    """The marked questions of a course, read once for all runs of a step."""

    def __init__(self, course: Course, gb: Gradebook) -> None:
        self._course = course
        self._gb = gb
        self._found: list[_Marked] | None = None

    def fingerprint(self, assignment: str, question: str) -> list[list[str | int]]:
        """Return what a run depends on: other questions, each by how often its marks doubled.

        By the marks themselves each mark anywhere would ask for all graders to run again.
        """
        return [
            [each.assignment, each.question, (len(each.scores) // _LEAST).bit_length()]
            for each in self._others(assignment, question)
        ]

    def taught(self, assignment: str, question: str) -> bytes:
        """Return the marked answers of the other questions as a file, empty where there is none.

        A question whose features no run kept, or none that can be read, is left out.
        """
        others = self._others(assignment, question)
        paths = [(self._course.features(o.assignment, o.question), o.scores) for o in others]
        paths = [(path, scores) for path, scores in paths if path.is_file()]
        if not paths:
            return b""
        from markbook.graders.learning.taught import Kept, Taught

        known = []
        for path, scores in paths:
            with suppress(MarkbookError, OSError):
                known.append((Kept.from_bytes(path.read_bytes()), scores))
        found = Taught.of(known)
        return b"" if found is None else found.to_bytes()

    def _others(self, assignment: str, question: str) -> list[_Marked]:
        if self._found is None:
            self._found = self._read()
        return [o for o in self._found if (o.assignment, o.question) != (assignment, question)]

    def _read(self) -> list[_Marked]:
        found = []
        for assignment in self._course.assignments():
            # An assignment or a rubric that cannot be read teaches nothing, and is told elsewhere.
            with suppress(MarkbookError, OSError):
                for question in read_questions(self._course.source(assignment), assignment):
                    if question.kind is QuestionKind.TEXT:
                        scores = self._scores(assignment, question.id, question.points)
                        if len(scores) >= _LEAST:
                            found.append(_Marked(assignment, question.id, scores))
        return found

    def _scores(self, assignment: str, question: str, points: float) -> dict[str, float]:
        with suppress(MarkbookError, OSError):
            marks = marks_of_people(self._gb, assignment, question)
            if not marks:
                return {}
            cap = load_rubric(self._course.rubric(assignment, question)).cap(points)
            given: dict[str, list[float]] = defaultdict(list)
            for mark in marks:
                given[mark.answer_hash].append(mark.score)
            if cap > 0:
                return {
                    key: as_share(math.fsum(scores) / len(scores), cap)
                    for key, scores in sorted(given.items())
                }
        return {}
