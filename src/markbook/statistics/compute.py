"""From the gradebook's values to the figures of a class. Pure: nothing is read or written."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING

from markbook.model import AnswerStatus, QuestionKind, counted
from markbook.statistics.figures import (
    ClassFigures,
    CriterionFigures,
    Doubt,
    QuestionFigures,
    Same,
    StudentFigures,
    SuggestionFigures,
)
from markbook.text.titles import humanise, split_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from markbook.model import (
        Answer,
        Grade,
        Mark,
        Question,
        Rubric,
        SubmissionRecord,
        Suggestion,
    )

__all__ = ["ClassData", "compute"]

# Shorter answers are the same by chance ("json web token").
_SAME_WORDS = 8

STALE = "changed after marking"
MANUAL = "an opinion or a reflection, which a person reads"
NO_SUGGESTION = "no suggestions yet"
ABSTAINED = "the grader abstained on a criterion"
UNDECIDED = "suggested, not decided yet"
NOT_TESTED = "the tests have not been run"


@dataclass(frozen=True)
class ClassData:
    """What the gradebook and the course hold of one assignment.

    ``rubrics`` are looked up by version, ``current`` by question. ``by_rule`` names the marks
    (student, question) that were accepted in bulk.
    """

    course: str
    assignment: str
    title: str
    questions: Sequence[Question]
    records: Sequence[SubmissionRecord]
    answers: Sequence[Answer]
    marks: Sequence[Mark]
    suggestions: Sequence[Suggestion]
    grades: Sequence[Grade]
    rubrics: Mapping[str, Rubric | None]
    current: Mapping[str, Rubric]
    by_rule: frozenset[tuple[str, str]] = frozenset()
    doubts: Sequence[Doubt] = ()
    unreadable: Sequence[str] = ()


def compute(data: ClassData) -> ClassFigures:
    """Return the figures of the class."""
    tables = _Tables.of(data)
    standings = {
        (record.student, question.id): tables.standing(record.student, question)
        for record in data.records
        for question in data.questions
    }
    return ClassFigures(
        course=data.course,
        assignment=data.assignment,
        title=data.title,
        submissions=len(data.records),
        questions=tuple(_question(tables, question, standings) for question in data.questions),
        students=tuple(_student(tables, record, standings) for record in data.records),
        doubts=tuple(data.doubts),
        same=tuple(_same(data)),
        unreadable=tuple(data.unreadable),
    )


@dataclass(frozen=True, slots=True)
class _Standing:
    """Where one student's question stands: a score, or the reason why there is none."""

    status: AnswerStatus
    score: float | None
    reason: str = ""
    mark: Mark | None = None


@dataclass(frozen=True)
class _Tables:
    data: ClassData
    answers: Mapping[tuple[str, str], Answer]
    marks: Mapping[tuple[str, str], Mark]
    grades: Mapping[tuple[str, str], Grade]
    suggestions: Mapping[tuple[str, str], Mapping[str, Suggestion]] = field(default_factory=dict)

    @classmethod
    def of(cls, data: ClassData) -> _Tables:
        suggestions: dict[tuple[str, str], dict[str, Suggestion]] = defaultdict(dict)
        for found in data.suggestions:
            suggestions[found.question, found.answer_hash][found.criterion] = found
        return cls(
            data,
            {(a.student, a.question): a for a in data.answers},
            {(m.student, m.question): m for m in data.marks},
            {(g.student, g.question): g for g in data.grades},
            suggestions,
        )

    def standing(self, student: str, question: Question) -> _Standing:
        answer = self.answers.get((student, question.id))
        status = answer.status if answer else AnswerStatus.MISSING
        if question.kind is QuestionKind.CODE:
            return self._tested(student, question, answer)
        mark = self.marks.get((student, question.id))
        if answer and mark and mark.answer_hash != answer.hash:
            return _Standing(status, None, STALE)
        if mark:
            return _Standing(status, mark.score, mark=mark)
        if answer is None or status is not AnswerStatus.ANSWERED:
            return _Standing(status, 0.0)
        return _Standing(status, None, self._reason(answer))

    def _tested(self, student: str, question: Question, answer: Answer | None) -> _Standing:
        grade = self.grades.get((student, question.id))
        if grade is None or grade.needs_marking:
            status = answer.status if answer else AnswerStatus.MISSING
            return _Standing(status, None, NOT_TESTED)
        return _Standing(answer.status if answer else AnswerStatus.ANSWERED, grade.score)

    def _reason(self, answer: Answer) -> str:
        rubric = self.data.current.get(answer.question)
        if rubric is not None and rubric.policy == "manual":
            return MANUAL
        found = self.suggestions.get((answer.question, answer.hash), {})
        if not found:
            return NO_SUGGESTION
        missing = rubric is not None and any(c.id not in found for c in rubric.criteria)
        if missing or any(suggestion.awarded is None for suggestion in found.values()):
            return ABSTAINED
        return UNDECIDED

    def cap(self, question: Question) -> float:
        rubric = self.data.current.get(question.id)
        return rubric.cap(question.points) if rubric else question.points

    def bonus(self, question: Question) -> bool:
        rubric = self.data.current.get(question.id)
        return rubric.bonus if rubric else question.points == 0


_Standings = dict[tuple[str, str], _Standing]


def _question(tables: _Tables, question: Question, standings: _Standings) -> QuestionFigures:
    mine = {student: s for (student, name), s in standings.items() if name == question.id}
    # An unanswered question has nothing to mark, unless a person marked it all the same.
    scores = sorted(
        s.score
        for s in mine.values()
        if s.score is not None and (s.mark or s.status is AnswerStatus.ANSWERED)
    )
    unanswered = Counter(s.status for s in mine.values() if s.score is not None and not s.mark)
    return QuestionFigures(
        id=question.id,
        title=split_title(question.prompt)[0] or humanise(question.id),
        kind=str(question.kind),
        possible=tables.cap(question),
        bonus=tables.bonus(question),
        submissions=len(mine),
        marked=len(scores),
        blank=unanswered[AnswerStatus.BLANK],
        not_asked=unanswered[AnswerStatus.NOT_ASKED],
        missing=unanswered[AnswerStatus.MISSING],
        waiting=dict(sorted(Counter(s.reason for s in mine.values() if s.reason).items())),
        scores=tuple(scores),
        mean=round(fmean(scores), 6) if scores else None,
        criteria=_criteria(tables, question, [s.mark for s in mine.values() if s.mark]),
        suggestions=_suggestions(tables, question, mine),
    )


def _criteria(
    tables: _Tables, question: Question, marks: Sequence[Mark]
) -> tuple[CriterionFigures, ...]:
    earned: Counter[str] = Counter()
    of: Counter[str] = Counter()
    for mark in marks:
        rubric = tables.data.rubrics.get(mark.rubric_version)
        if rubric is not None:
            known = {criterion.id for criterion in rubric.criteria}
            of.update(known)
            earned.update(c.id for c in counted(rubric, known.intersection(mark.earned)))
    current = tables.data.current.get(question.id)
    return tuple(
        CriterionFigures(c.id, c.says, c.points, earned[c.id], of[c.id])
        for c in (current.criteria if current else ())
    )


def _suggestions(
    tables: _Tables, question: Question, mine: Mapping[str, _Standing]
) -> SuggestionFigures:
    rubric = tables.data.current.get(question.id)
    if rubric is None or rubric.policy == "manual":
        return SuggestionFigures()
    counts: Counter[str] = Counter()
    for student, standing in mine.items():
        answer = tables.answers.get((student, question.id))
        if answer is None or answer.status is not AnswerStatus.ANSWERED:
            continue
        found = tables.suggestions.get((question.id, answer.hash), {})
        decided = {name: s.awarded for name, s in found.items() if s.awarded is not None}
        counts["answered"] += 1
        if all(criterion.id in decided for criterion in rubric.criteria):
            counts["covered"] += 1
        elif decided:
            counts["partly"] += 1
        if standing.mark is not None:
            counts.update(_agreement(tables, standing.mark, decided))
    return SuggestionFigures(**counts)


def _agreement(tables: _Tables, mark: Mark, decided: Mapping[str, bool]) -> Counter[str]:
    if (mark.student, mark.question) in tables.data.by_rule:
        return Counter(by_rule=1)
    rubric = tables.data.rubrics.get(mark.rubric_version)
    known = {criterion.id for criterion in rubric.criteria} if rubric else set()
    compared = [name for name in decided if name in known]
    agreed = [name for name in compared if decided[name] == (name in mark.earned)]
    return Counter(compared=len(compared), agreed=len(agreed))


def _student(tables: _Tables, record: SubmissionRecord, standings: _Standings) -> StudentFigures:
    sums: dict[str, float] = defaultdict(float)
    waiting = 0
    for question in tables.data.questions:
        standing = standings[record.student, question.id]
        if question.kind is QuestionKind.CODE and standing.status is AnswerStatus.NOT_ASKED:
            continue  # a paper cannot hold an exercise: it says nothing about the student
        kind = "extra" if tables.bonus(question) else str(question.kind)
        worth = 0.0 if kind == "extra" else tables.cap(question)
        sums["possible"] += worth
        if standing.score is None:
            waiting += 1
        else:
            sums["settled"] += worth
            sums[kind] += standing.score
    return StudentFigures(
        student=record.student,
        written=round(sums[QuestionKind.TEXT], 6),
        code=round(sums[QuestionKind.CODE], 6),
        extra=round(sums["extra"], 6),
        settled=sums["settled"],
        possible=sums["possible"],
        waiting=waiting,
        outcome=str(record.outcome),
        findings=record.findings,
    )


def _same(data: ClassData) -> Iterable[Same]:
    titles = {q.id: split_title(q.prompt)[0] or humanise(q.id) for q in data.questions}
    text_questions = [q.id for q in data.questions if q.kind is QuestionKind.TEXT]
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for answer in data.answers:
        words = answer.text.casefold().split()
        if answer.status is AnswerStatus.ANSWERED and len(words) >= _SAME_WORDS:
            groups[answer.question, " ".join(words)].append(answer.student)
    for (question, text), students in sorted(
        groups.items(), key=lambda group: (-len(group[1]), group[0])
    ):
        if len(students) > 1 and question in text_questions:
            yield Same(
                question, titles[question], tuple(sorted(students)), len(text.split()), text[:160]
            )
