"""Marks that a person made elsewhere, read from a file of JSON lines.

A line is a decision about one answer: ``{"student": "ada", "question": "tdd", "earned": ["loop"],
"comment": "…"}``, optionally with ``adjustment`` and ``reason``. The score follows from the rubric.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from markbook.errors import InputError, StaleMark, UsageError
from markbook.marking.cases import read_cases
from markbook.marking.decisions import make_mark, marker_name
from markbook.model import decided_by_rule

if TYPE_CHECKING:
    from pathlib import Path
    from types import UnionType

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.marking.cases import Case
    from markbook.model import Mark

__all__ = ["ImportReport", "import_marks"]

IMPORTED = "imported"

_KEYS: dict[str, type] = {"student": str, "question": str, "earned": list}
_OPTIONAL: dict[str, type | UnionType] = {
    "comment": str,
    "adjustment": int | float,
    "reason": str,
}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file's decisions: ``problems`` are sentences that name the line."""

    assignment: str
    marker: str
    saved: tuple[Mark, ...]
    unchanged: int
    problems: tuple[str, ...]
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class _Decision:
    line: int
    student: str
    question: str
    earned: tuple[str, ...]
    adjustment: float
    reason: str
    comment: str


def import_marks(  # noqa: PLR0913  (a step's seam: every argument is one choice of the caller)
    course: Course,
    gb: Gradebook,
    assignment: str,
    path: Path,
    *,
    marker: str | None = None,
    replace_others: bool = False,
    dry_run: bool = False,
) -> ImportReport:
    """Store the decisions in ``path`` as marks of ``marker``.

    A mark that a rule made gives way to a person's decision; one that a person made stays, and
    is listed, unless ``replace_others``. A line that cannot be a mark is a problem in the report,
    and the others go on. Raises ``InputError`` for a file that cannot be read, ``UsageError`` for
    the marker.
    """
    name = marker_name(marker)
    decisions, problems = _read(path)
    cases = {(c.answer.student, c.question.id): c for c in read_cases(course, gb, assignment)}
    by_rule = decided_by_rule(gb.events(assignment))
    saved: list[Mark] = []
    unchanged = 0
    for decision in decisions:
        key = (decision.student, decision.question)
        try:
            mark = _mark(cases.get(key), decision, name)
            old = cases[key].mark
            if old is not None and _alike(old, mark):
                unchanged += 1
            elif old is not None and key not in by_rule and not replace_others:
                problems.append(
                    f"line {decision.line}: {decision.student!r} was marked otherwise for"
                    f" {decision.question!r} by {old.marker}; that mark stays."
                )
            else:
                saved.append(mark if dry_run else _save(gb, cases[key], mark, name))
        except (UsageError, StaleMark) as error:
            problems.append(f"line {decision.line}: {error}")
    return ImportReport(assignment, name, tuple(saved), unchanged, tuple(problems), dry_run)


def _read(path: Path) -> tuple[list[_Decision], list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"Cannot be read: {error.strerror}.", path=path) from error
    except UnicodeDecodeError as error:
        raise InputError("Not UTF-8.", path=path, hint="Save it as UTF-8.") from error
    decisions: list[_Decision] = []
    problems: list[str] = []
    seen: dict[tuple[str, str], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            decision = _decision(number, line)
        except (ValueError, RecursionError) as error:
            problems.append(f"line {number}: {error}")
            continue
        first = seen.setdefault((decision.student, decision.question), number)
        if first != number:
            problems.append(
                f"line {number}: {decision.student!r} has a decision for"
                f" {decision.question!r} in line {first} already; that one was taken."
            )
        else:
            decisions.append(decision)
    return decisions, problems


def _decision(number: int, line: str) -> _Decision:
    value = json.loads(line)
    if not isinstance(value, dict):
        raise _NotADecisionError("a decision is an object, such as " + _EXAMPLE)
    legal = _KEYS | _OPTIONAL
    for key in value:
        if key not in legal:
            raise _NotADecisionError(f"there is no key {key!r}; the keys are {', '.join(legal)}.")
    for key, kind in legal.items():
        if key in value and (not isinstance(value[key], kind) or isinstance(value[key], bool)):
            raise _NotADecisionError(f"{key!r} is not as in {_EXAMPLE}")
        if key in _KEYS and key not in value:
            raise _NotADecisionError(f"{key!r} is missing; a decision looks like {_EXAMPLE}")
    if not all(isinstance(criterion, str) for criterion in value["earned"]):
        raise _NotADecisionError(f"'earned' is a list of criteria, as in {_EXAMPLE}")
    return _Decision(
        line=number,
        student=value["student"],
        question=value["question"],
        earned=tuple(value["earned"]),
        adjustment=float(value.get("adjustment", 0.0)),
        reason=value.get("reason", ""),
        comment=value.get("comment", ""),
    )


_EXAMPLE = '{"student": "ada", "question": "tdd", "earned": ["test-first"]}'


class _NotADecisionError(ValueError):
    """A line that is JSON, but no decision."""


def _mark(case: Case | None, decision: _Decision, marker: str) -> Mark:
    if case is None:
        raise UsageError(
            f"there is no answer of {decision.student!r} to {decision.question!r}.",
            hint="Collect and autograde it first, or correct the names.",
        )
    return make_mark(
        case,
        marker=marker,
        earned=decision.earned,
        adjustment=decision.adjustment,
        reason=decision.reason,
        comment=decision.comment,
    )


def _alike(old: Mark, new: Mark) -> bool:
    """Tell whether two marks decide the same about the same text, whoever made them when."""
    return replace(old, marker=new.marker, marked_at="", row_version=0) == replace(
        new, marked_at="", row_version=0
    )


def _save(gb: Gradebook, case: Case, mark: Mark, who: str) -> Mark:
    if case.rubric is not None:
        gb.save_rubric(mark.assignment, case.rubric)
    (saved,) = gb.save_marks([mark], who=who, what=IMPORTED)
    return saved
