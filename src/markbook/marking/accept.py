"""Accepting suggestions in bulk, by a rule that a person stated."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markbook.errors import StaleMark, UnknownName
from markbook.marking.cases import WaitingReason, read_cases, text_questions
from markbook.marking.decisions import make_mark, marker_name
from markbook.marking.rules import Rule, parse_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.marking.cases import Case
    from markbook.model import Mark

__all__ = ["ACCEPTED", "AcceptReport", "accept"]

ACCEPTED = "accepted by rule"

# One transaction each: long enough to be quick, short enough that another marker's save on SQLite
# waits for well under a second.
_BATCH = 200


@dataclass(frozen=True, slots=True)
class AcceptReport:
    """What a rule accepted (or would accept, in a dry run) and why the rest waits.

    ``accepted`` and ``waiting`` together are all answers that waited for a person before.
    """

    assignment: str
    rule: str
    marker: str
    accepted: tuple[Mark, ...] = ()
    waiting: Mapping[WaitingReason, int] = field(default_factory=dict)
    dry_run: bool = False

    @property
    def by_question(self) -> dict[str, int]:
        """How many answers were accepted, by question."""
        return dict(Counter(mark.question for mark in self.accepted))


def accept(  # noqa: PLR0913  (each narrows what is accepted, and is named at the call)
    course: Course,
    gb: Gradebook,
    assignment: str,
    rule: str | Rule,
    *,
    marker: str | None = None,
    questions: Iterable[str] | None = None,
    dry_run: bool = False,
) -> AcceptReport:
    """Turn the suggestions of every answer that ``rule`` covers into marks by ``marker``.

    Only answers that nobody marked, that every criterion of the present rubric has a suggestion
    for, and whose rubric lets machines assist. What a person decided is never touched, not even
    when the answer has changed since. Marks are saved in batches; running it again finishes what
    was interrupted and changes nothing else.
    Raises ``UsageError`` for a rule or marker that cannot be, ``UnknownName`` for a name in the
    rule or in ``questions`` that the assignment does not have.
    """
    name = marker_name(marker)
    stated = parse_rule(rule) if isinstance(rule, str) else rule
    _check_questions(course, assignment, stated)
    waiting: Counter[WaitingReason] = Counter()
    covered: list[Case] = []
    for case in read_cases(course, gb, assignment, questions):
        facts = case.facts
        if facts is not None and stated.matches(facts):
            covered.append(case)
        elif case.waits is not None:
            waiting[WaitingReason.RULE if facts is not None else case.waits] += 1
    marks = [make_mark(case, marker=name, earned=case.suggested) for case in covered]
    if not dry_run:
        _keep_rubrics(gb, assignment, covered)
        saved = list(_save(gb, marks, who=name, rule=stated.text))
        if len(saved) < len(marks):
            waiting[WaitingReason.CHANGED] = len(marks) - len(saved)
        marks = saved
    return AcceptReport(assignment, stated.text, name, tuple(marks), dict(waiting), dry_run)


def _check_questions(course: Course, assignment: str, rule: Rule) -> None:
    ids = [question.id for question in text_questions(course, assignment)]
    for name in rule.questions:
        if name not in ids:
            near = difflib.get_close_matches(name, ids, n=1)
            meant = f"Did you mean {near[0]!r}? " if near else ""
            raise UnknownName(
                f"The rule {rule.text!r} names {name!r}, which is no text question of"
                f" {assignment!r}.",
                hint=f"{meant}It has: {', '.join(ids)}.",
            )


def _keep_rubrics(gb: Gradebook, assignment: str, cases: Iterable[Case]) -> None:
    """Let the gradebook know the rubric versions that the marks will name."""
    rubrics = {case.rubric.version: case.rubric for case in cases if case.rubric is not None}
    for rubric in rubrics.values():
        gb.save_rubric(assignment, rubric)


def _save(gb: Gradebook, marks: Sequence[Mark], *, who: str, rule: str) -> Iterator[Mark]:
    for start in range(0, len(marks), _BATCH):
        batch = marks[start : start + _BATCH]
        try:
            yield from gb.save_marks(batch, who=who, what=ACCEPTED, rule=rule)
        except StaleMark:
            # Somebody decided about one of them just now; the others must not suffer.
            for mark in batch:
                yield from _save_one(gb, mark, who=who, rule=rule)


def _save_one(gb: Gradebook, mark: Mark, *, who: str, rule: str) -> tuple[Mark, ...]:
    try:
        return gb.save_marks([mark], who=who, what=ACCEPTED, rule=rule)
    except StaleMark:
        return ()
