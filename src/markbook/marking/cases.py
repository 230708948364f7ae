"""Every text answer of an assignment with what is known about it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from markbook.errors import UnknownName
from markbook.marking.rules import Facts
from markbook.model import AnswerStatus, QuestionKind, score
from markbook.notebooks import Delimiters, read_questions
from markbook.rubrics import load_rubrics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.model import Answer, Mark, Question, Rubric, Suggestion

__all__ = ["Case", "Situation", "WaitingReason", "read_cases", "select_questions", "text_questions"]


class Situation(StrEnum):
    """Where an answer stands; every answer is in exactly one."""

    MARKED = "marked"
    STALE = "stale"  # a person marked an earlier text of it
    SUGGESTED = "suggested"  # every criterion has a suggestion; a person has not decided
    WAITING = "waiting"  # a person has to look, without a full set of suggestions
    BLANK = "blank"
    NOT_ASKED = "not-asked"
    MISSING = "missing"


class WaitingReason(StrEnum):
    """Why an answer waits for a person."""

    MANUAL = "manual"  # the rubric's policy: an opinion or a reflection
    NO_RUBRIC = "no-rubric"
    NOT_GRADED = "not-graded"  # nbgrader has no grade to put a mark on: autograde first
    NO_SUGGESTION = "no-suggestion"  # none at all, or none under the present rubric
    ABSTAINED = "abstained"  # the grader abstained on at least one criterion
    STALE = "stale"  # the answer changed after a person marked it
    SUGGESTED = "suggested"  # fully suggested; no rule was applied to it
    RULE = "rule"  # fully suggested, and the rule does not cover it
    CHANGED = "changed"  # somebody marked or re-collected it at the same moment


_UNANSWERED = {
    AnswerStatus.BLANK: Situation.BLANK,
    AnswerStatus.NOT_ASKED: Situation.NOT_ASKED,
    AnswerStatus.MISSING: Situation.MISSING,
}
UNANSWERED = frozenset(_UNANSWERED.values())


@dataclass(frozen=True, slots=True)
class Case:
    """One student's answer to one text question.

    ``points`` is nbgrader's maximum for the cell, None while nbgrader has no grade row.
    ``suggestions`` are those for this very text under the present rubric, in rubric order.
    """

    answer: Answer
    question: Question
    rubric: Rubric | None
    points: float | None
    suggestions: tuple[Suggestion, ...] = ()
    mark: Mark | None = None

    @property
    def situation(self) -> Situation:
        if self.mark is not None:
            stale = self.mark.answer_hash != self.answer.hash
            return Situation.STALE if stale else Situation.MARKED
        if self.answer.status is not AnswerStatus.ANSWERED:
            return _UNANSWERED[self.answer.status]
        return Situation.SUGGESTED if self._obstacle is None else Situation.WAITING

    @property
    def waits(self) -> WaitingReason | None:
        """Why the answer waits for a person; None when it does not wait."""
        situation = self.situation
        if situation is Situation.STALE:
            return WaitingReason.STALE
        if situation is Situation.SUGGESTED:
            return WaitingReason.SUGGESTED
        return self._obstacle if situation is Situation.WAITING else None

    @property
    def facts(self) -> Facts | None:
        """What a rule may ask; None unless a rule may decide about this answer at all."""
        if self.situation is not Situation.SUGGESTED or self.rubric is None or self.points is None:
            return None
        return Facts(
            confidence=min(suggestion.confidence for suggestion in self.suggestions),
            score=score(self.rubric, self.suggested, points=self.points),
            points=self.rubric.cap(self.points),
            awarded=len(self.suggested),
            question=self.question.id,
        )

    @property
    def suggested(self) -> tuple[str, ...]:
        """The criteria that the grader would award, in rubric order."""
        return tuple(s.criterion for s in self.suggestions if s.awarded)

    @property
    def _obstacle(self) -> WaitingReason | None:
        if self.rubric is None:
            return WaitingReason.NO_RUBRIC
        if self.points is None:
            return WaitingReason.NOT_GRADED
        if self.rubric.policy == "manual":
            return WaitingReason.MANUAL
        if len(self.suggestions) < len(self.rubric.criteria):
            return WaitingReason.NO_SUGGESTION
        abstained = any(suggestion.awarded is None for suggestion in self.suggestions)
        return WaitingReason.ABSTAINED if abstained else None


def text_questions(course: Course, assignment: str) -> tuple[Question, ...]:
    """Return the assignment's text questions in the order of its notebooks."""
    source = course.source(course.require(assignment))
    found = read_questions(source, assignment, Delimiters.of(course.setting))
    return tuple(question for question in found if question.kind is QuestionKind.TEXT)


def select_questions(
    known: Iterable[Question], wanted: Iterable[str] | None, assignment: str
) -> tuple[Question, ...]:
    """Return the wanted questions (all, for None); ``UnknownName`` for one that is not there."""
    questions = tuple(known)
    if wanted is None:
        return questions
    ids = [question.id for question in questions]
    names = list(wanted)
    for name in names:
        if name not in ids:
            near = difflib.get_close_matches(name, ids, n=1)
            meant = f"Did you mean {near[0]!r}? " if near else ""
            raise UnknownName(
                f"{assignment!r} has no text question {name!r}.",
                hint=f"{meant}It has: {', '.join(ids) or 'none'}.",
            )
    return tuple(question for question in questions if question.id in names)


def read_cases(
    course: Course, gb: Gradebook, assignment: str, questions: Iterable[str] | None = None
) -> tuple[Case, ...]:
    """Return the cases by question, in notebook order, then as the gradebook has them.

    Raises ``UnknownName`` for an assignment or question that is not there, ``RubricError`` when
    a rubric of the assignment is broken.
    """
    chosen = select_questions(text_questions(course, assignment), questions, assignment)
    rubrics = load_rubrics(course.rubrics(assignment))
    only = chosen[0].id if len(chosen) == 1 else None
    grades = gb.grades(assignment, only)
    points = {(grade.student, grade.question): grade.max_score for grade in grades}
    marks = {(mark.student, mark.question): mark for mark in gb.marks(assignment, only)}
    suggestions: dict[tuple[str, str], dict[str, Suggestion]] = {}
    for suggestion in gb.suggestions(assignment, only):
        key = (suggestion.question, suggestion.answer_hash)
        suggestions.setdefault(key, {})[suggestion.criterion] = suggestion
    answers: dict[str, list[Answer]] = {}
    for answer in gb.answers(assignment, only):
        answers.setdefault(answer.question, []).append(answer)
    return tuple(
        Case(
            answer=answer,
            question=question,
            rubric=(rubric := rubrics.get(question.id)),
            points=points.get((answer.student, question.id)),
            suggestions=_current(suggestions.get((question.id, answer.hash), {}), rubric),
            mark=marks.get((answer.student, question.id)),
        )
        for question in chosen
        for answer in answers.get(question.id, ())
    )


def _current(found: dict[str, Suggestion], rubric: Rubric | None) -> tuple[Suggestion, ...]:
    if rubric is None:
        return ()
    present = (found.get(criterion.id) for criterion in rubric.criteria)
    return tuple(s for s in present if s is not None and s.rubric_version == rubric.version)
