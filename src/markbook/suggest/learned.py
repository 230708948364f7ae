"""What people's marks teach a run, and how the scores expected before them held against them."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markbook.graders import MarkLine
from markbook.model import AnswerStatus, Expectation, decided_by_rule

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from markbook.gradebook import Gradebook
    from markbook.graders import Scores
    from markbook.model import Answer, Mark

__all__ = [
    "SURE",
    "Tally",
    "expectations",
    "mark_lines",
    "marks_of_people",
    "mean_share",
    "short_keys",
]

SURE = 0.9  # the confidence from which a suggestion is called sure, as in the report
_RIGHT = 0.1 + 1e-9  # of the maximum: what the confidence of an expected score is about
_SHORT = 16  # hexadecimal digits that tell the texts of a question apart


def marks_of_people(gb: Gradebook, assignment: str, question: str) -> list[Mark]:
    """Return the counting marks of a question that no rule made: a rule repeats suggestions."""
    marks = gb.marks(assignment, question)
    found = gb.histories(assignment, question, {mark.student for mark in marks})
    by_rule = decided_by_rule(event for events in found.values() for event in events)
    return [mark for mark in marks if (mark.student, question) not in by_rule]


def mark_lines(
    marks: Iterable[Mark], answers: Iterable[Answer], criteria: Sequence[str], cap: float
) -> tuple[MarkLine, ...]:
    """Return one line for each text with a mark, by its hash; ``cap`` is the maximum in points.

    A mark of an earlier text counts for nothing. Where one text has several marks, its score is
    their mean and it earns what more than half of them say.
    """
    texts = {a.student: a.hash for a in answers if a.status is AnswerStatus.ANSWERED}
    found: dict[str, list[Mark]] = defaultdict(list)
    for mark in marks:
        if texts.get(mark.student) == mark.answer_hash:
            found[mark.answer_hash].append(mark)
    if cap <= 0:
        return ()
    return tuple(_line(key, found[key], criteria, cap) for key in sorted(found))


def _line(key: str, marks: Sequence[Mark], criteria: Sequence[str], cap: float) -> MarkLine:
    earned = tuple(c for c in criteria if 2 * sum(c in m.earned for m in marks) > len(marks))
    shares = [_share(mark.score, cap) for mark in marks]
    ends = (min(shares), max(shares)) if len(marks) > 1 else (None, None)
    return MarkLine(key, earned, mean_share(marks, cap), *ends)


def mean_share(marks: Sequence[Mark], cap: float) -> float:
    """Return the mean of some marks as a share of ``cap``, the maximum in points: in [0, 1]."""
    return _share(math.fsum(mark.score for mark in marks) / len(marks), cap)


def _share(score: float, cap: float) -> float:
    return round(min(1.0, max(0.0, score / cap)), 6)


def expectations(
    question: str, scores: Scores | None, texts: Iterable[str] = ()
) -> tuple[Expectation, ...]:
    """Return what a grader expects as the gradebook keeps it; nothing from one that says none.

    A grader that refuses a question need not give a score for each of its ``texts`` (hashes):
    the refusal is kept with every one of them, for that is what the marking page shows.
    """
    if scores is None:
        return ()
    found = _expected(question, scores)
    if scores.refused is None:
        return found
    last = max((each.rank for each in found), default=0)
    known = {each.answer_hash for each in found}
    rest = (key for key in texts if key not in known)
    return (
        *found,
        *(
            Expectation(question, key, 0.5, 0.5, 0.0, rank, (), scores.refused)
            for rank, key in enumerate(rest, start=last + 1)
        ),
    )


def _expected(question: str, scores: Scores) -> tuple[Expectation, ...]:
    return tuple(
        Expectation(
            question=question,
            answer_hash=line.key,
            mean=line.mean,
            sd=line.sd,
            confidence=line.confidence,
            rank=line.rank,
            flags=line.flags,
            refused=scores.refused,
            suggested=line.suggested,
        )
        for line in scores.lines
    )


def short_keys(keys: Iterable[str]) -> list[str]:
    """Return hashes short enough to be listed in a notebook's metadata."""
    return sorted(key[:_SHORT] for key in keys)


@dataclass(frozen=True, slots=True)
class Tally:
    """Expected scores against marks that people gave after them, over all runs of a question.

    ``right`` of ``marks`` were within a tenth of the maximum, ``hoped`` is how many the
    confidences promised; ``sure_right`` of ``sure`` were, of those at 0.9 or more.
    """

    marks: int = 0
    right: int = 0
    hoped: float = 0.0
    sure: int = 0
    sure_right: int = 0

    @classmethod
    def read(cls, known: Mapping[str, Any]) -> Tally:
        """Return the tally of a kept run, an empty one where it has none."""
        said = known.get("tried")
        names = set(cls.__dataclass_fields__)
        if not isinstance(said, dict) or set(said) != names:
            return cls()
        numbers = all(isinstance(said[n], int | float) and math.isfinite(said[n]) for n in names)
        return cls(**said) if numbers else cls()

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.marks + other.marks,
            self.right + other.right,
            round(self.hoped + other.hoped, 4),
            self.sure + other.sure,
            self.sure_right + other.sure_right,
        )

    @classmethod
    def of(
        cls, expected: Iterable[Expectation], marks: Iterable[MarkLine], used: Collection[str]
    ) -> Tally:
        """Compare marks with what was expected before; ``used`` are the short keys of others.

        Those others were marked already when the scores were made. A refused question promised
        nothing and counts for nothing.
        """
        before = {e.answer_hash: e for e in expected if e.refused is None}
        seen = frozenset(used)
        pairs = [
            (before[mark.key].confidence, abs(before[mark.key].likely - mark.score) <= _RIGHT)
            for mark in marks
            if mark.key in before and mark.key[:_SHORT] not in seen
        ]
        return cls(
            marks=len(pairs),
            right=sum(right for _, right in pairs),
            hoped=round(math.fsum(confidence for confidence, _ in pairs), 4),
            sure=sum(confidence >= SURE for confidence, _ in pairs),
            sure_right=sum(right for confidence, right in pairs if confidence >= SURE),
        )

    def as_text(self) -> str:
        """Return the line of a report."""
        if not self.marks:
            return "calibration: no answer was marked after its score was expected; nothing to say."
        text = (
            f"calibration: of {self.marks} marked after their score was expected, {self.right} are"
            f" within a tenth of the maximum ({self.hoped:.1f} were promised)"
        )
        if self.sure:
            text += f"; of {self.sure} at {SURE} or more, {self.sure_right}"
        return text + "."
