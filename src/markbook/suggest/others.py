"""What marks of the course's other questions teach a question's run."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.errors import MarkbookError
from markbook.model import QuestionKind
from markbook.notebooks import read_questions
from markbook.rubrics import load_rubric
from markbook.suggest.learned import marks_of_people, mean_share

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.graders.learning.taught import Kept
    from markbook.model import Mark

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
        self._marks: dict[tuple[str, str], list[Mark]] = {}
        self._kept: dict[Path, Kept | None] = {}

    def marks(self, assignment: str, question: str) -> list[Mark]:
        """Return the marks that people gave to a question's answers."""
        name = (assignment, question)
        if name not in self._marks:
            self._marks[name] = marks_of_people(self._gb, assignment, question)
        return self._marks[name]

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
        kept = [(self._features(o.assignment, o.question), o.scores) for o in others]
        known = [(features, scores) for features, scores in kept if features is not None]
        if not known:
            return b""
        from markbook.graders.learning.taught import Taught

        found = Taught.of(known)
        return b"" if found is None else found.to_bytes()

    def _features(self, assignment: str, question: str) -> Kept | None:
        """Read the features that a question's last run kept, once for all that learn from them."""
        path = self._course.features(assignment, question)
        if path not in self._kept:
            self._kept[path] = None
            if path.is_file():
                from markbook.graders.learning.taught import Kept

                with suppress(MarkbookError):
                    self._kept[path] = Kept.read(path)
        return self._kept[path]

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
            marks = self.marks(assignment, question)
            if not marks:
                return {}
            cap = load_rubric(self._course.rubric(assignment, question)).cap(points)
            given: dict[str, list[Mark]] = defaultdict(list)
            for mark in marks:
                given[mark.answer_hash].append(mark)
            if cap > 0:
                return {key: mean_share(same, cap) for key, same in sorted(given.items())}
        return {}
