"""What ``--since`` found, as values and as text."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from markbook.suggest.report import CONFIDENT

if TYPE_CHECKING:
    from markbook.graders import SuggestionLine

__all__ = ["QuestionChange", "ScoreChange", "SinceReport", "SuggestionChange", "stance"]


def stance(line: SuggestionLine) -> str:
    """Return what a suggestion says in words; "surely" is a confidence of 0.9 or more."""
    if line.awarded is None:
        return "abstained"
    said = "awarded" if line.awarded else "refused"
    return f"surely {said}" if line.confidence >= CONFIDENT else said


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """So many students' marks go from ``before`` to ``after`` points."""

    before: float
    after: float
    students: int


@dataclass(frozen=True, slots=True)
class SuggestionChange:
    """So many students' suggestion of a criterion changes; empty where there is none."""

    criterion: str
    before: str
    after: str
    students: int


@dataclass(frozen=True, slots=True)
class QuestionChange:
    """One question whose rubric or grader changed.

    Of ``marked`` students ``scores`` says whose score would be another, and ``left`` counts those
    whose mark cannot be computed; ``lost`` are criteria that are gone, each with the number of
    students who earned it. Of ``students`` with an answer (``answers`` different ones),
    ``changed_students`` have a suggestion that would be another. ``problems`` are sentences.
    """

    assignment: str
    question: str
    rubric: bool
    grader: bool
    marked: int = 0
    left: int = 0
    scores: tuple[ScoreChange, ...] = ()
    lost: tuple[tuple[str, int], ...] = ()
    students: int = 0
    answers: int = 0
    changed_students: int = 0
    suggestions: tuple[SuggestionChange, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def rescored(self) -> int:
        """The number of students whose mark would have another score."""
        return sum(change.students for change in self.scores)

    def as_text(self) -> str:
        what = " and ".join(
            name for name, on in (("rubric", self.rubric), ("grader", self.grader)) if on
        )
        lines = [f"{self.assignment}/{self.question}: its {what} changed"]
        if self.rubric:
            lines.append(f"  marks        {self.rescored} of {_students(self.marked)} rescored")
            lines += [
                f"               {each.before:g} -> {each.after:g}: {_students(each.students)}"
                for each in self.scores
            ]
            lines += [
                f"               {name!r} is gone: {_students(count)} earned it"
                for name, count in self.lost
            ]
        lines.append(
            f"  suggestions  {self.changed_students} of {_students(self.students)} would get others"
        )
        lines += [
            f"               {change.criterion}: {change.before or 'none'} ->"
            f" {change.after or 'none'}: {_students(change.students)}"
            for change in self.suggestions
        ]
        lines += [f"  problem      {problem}" for problem in self.problems]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class SinceReport:
    """All changed questions since a revision."""

    revision: str
    commit: str
    assignments: tuple[str, ...]
    questions: tuple[QuestionChange, ...]

    @property
    def needs_attention(self) -> bool:
        """Tell whether a mark would change, or could not be compared."""
        return any(q.rescored or q.left or q.problems for q in self.questions)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON-able values."""
        return {
            "revision": self.revision,
            "commit": self.commit,
            "assignments": list(self.assignments),
            "questions": [asdict(q) | {"rescored": q.rescored} for q in self.questions],
        }

    def as_text(self) -> str:
        since = f"{self.revision} ({self.commit[:10]})"
        named = ", ".join(self.assignments)
        if not self.questions:
            return f"since {since}: no rubric and no grader of {named} changed"
        marks = sum(q.rescored for q in self.questions)
        count = len(self.questions)
        questions = f"{count} {'question' if count == 1 else 'questions'}"
        head = (
            f"since {since}: {questions} of {named} changed,"
            f" {marks} {'mark' if marks == 1 else 'marks'} would have another score"
        )
        return "\n".join([head, *(q.as_text() for q in self.questions)])


def _students(count: int) -> str:
    return f"{count} {'student' if count == 1 else 'students'}"
