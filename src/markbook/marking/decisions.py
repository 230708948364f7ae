"""From what a person decided to a mark."""

from __future__ import annotations

import getpass
import math
from typing import TYPE_CHECKING

from markbook.errors import CourseError, UsageError
from markbook.model import Mark, score

if TYPE_CHECKING:
    from collections.abc import Iterable

    from markbook.marking.cases import Case
    from markbook.model import Rubric

__all__ = ["make_mark", "marker_name"]


def marker_name(given: str | None = None) -> str:
    """Return the name of the person who marks: as given, or else the computer's user name.

    Raises ``UsageError`` for no name, and for the program's own: a mark is a person's.
    """
    name = _user() if given is None else given
    name = " ".join(name.split())
    if not name or not name.isprintable():
        raise UsageError("A mark needs the name of a marker.", hint="Give one with --marker NAME.")
    if name.casefold() == "markbook":
        raise UsageError(
            "'markbook' cannot be a marker: a mark is a person's decision.",
            hint="Give your name with --marker NAME.",
        )
    return name


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


def make_mark(
    case: Case,
    *,
    marker: str,
    earned: Iterable[str],
    adjustment: float = 0.0,
    reason: str = "",
    comment: str = "",
) -> Mark:
    """Return the mark that a decision on an answer is; the score follows from the rubric.

    ``adjustment`` is in points and needs a ``reason``. The mark replaces the one that the case
    has. Raises ``UsageError`` when the decision is not one, ``CourseError`` when the answer
    cannot be marked yet (no rubric, or nbgrader has no grade for it).
    """
    rubric, points = _markable(case)
    ids = _known(rubric, earned)
    adjustment, reason = _reasoned(adjustment, reason)
    return Mark(
        assignment=case.answer.assignment,
        notebook=case.answer.notebook,
        question=case.question.id,
        student=case.answer.student,
        answer_hash=case.answer.hash,
        earned=ids,
        marker=marker_name(marker),
        rubric_version=rubric.version,
        score=score(rubric, ids, points=points, adjustment=adjustment),
        adjustment=adjustment,
        reason=reason,
        comment=comment.strip(),
        row_version=case.mark.row_version if case.mark is not None else 0,
    )


def _markable(case: Case) -> tuple[Rubric, float]:
    place = f"{case.answer.assignment}/{case.question.id}"
    if case.rubric is None:
        raise CourseError(
            f"The question {case.question.id!r} of {case.answer.assignment!r} has no rubric.",
            hint=f"Add graders/{place}.yaml.",
        )
    if case.points is None:
        raise CourseError(
            f"nbgrader has no grade for this answer to {place} yet.",
            hint=f"Run 'markbook autograde {case.answer.assignment}' first.",
        )
    return case.rubric, case.points


def _known(rubric: Rubric, earned: Iterable[str]) -> tuple[str, ...]:
    """Return the earned ids in rubric order, each once."""
    wanted = set(earned)
    ids = [criterion.id for criterion in rubric.criteria]
    unknown = sorted(wanted - set(ids))
    if unknown:
        raise UsageError(
            f"The rubric of {rubric.question!r} has no criterion {unknown[0]!r}.",
            hint=f"It has: {', '.join(ids)}.",
        )
    return tuple(name for name in ids if name in wanted)


def _reasoned(adjustment: float, reason: str) -> tuple[float, str]:
    if not math.isfinite(adjustment):
        raise UsageError("An adjustment is a number of points.")
    adjustment, reason = round(adjustment, 6) + 0.0, reason.strip()
    if adjustment and not reason:
        raise UsageError(
            f"An adjustment of {adjustment:+g} points needs a reason.",
            hint="Say in a few words why the criteria alone are not fair here.",
        )
    return adjustment, reason if adjustment else ""
