"""What collecting found, as values and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markbook.collect.submissions import match_document

if TYPE_CHECKING:
    from pathlib import Path

    from markbook.collect.matching import PaperMatch

__all__ = ["CollectReport", "CollectedPaper", "PaperFinished", "PaperProblem"]


@dataclass(frozen=True, slots=True)
class CollectedPaper:
    """One paper that was read. ``match`` is None for a notebook, which needs no matching.

    ``changed`` tells whether the submission was written anew; ``error`` why it was not.
    """

    path: Path
    student: str
    match: PaperMatch | None
    notes: tuple[str, ...] = ()
    changed: bool = False
    error: str = ""

    @property
    def needs_attention(self) -> bool:
        return bool(self.error) or (self.match is not None and self.match.needs_attention)


@dataclass(frozen=True, slots=True)
class PaperProblem:
    """A paper that was not collected, and what to do about it."""

    path: Path
    error: str
    hint: str = ""
    student: str = ""


@dataclass(frozen=True, slots=True)
class PaperFinished:
    """Told after each paper, the ``number``-th (from 1) of ``total``; ``error`` if it failed."""

    path: Path
    student: str
    number: int
    total: int
    changed: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class CollectReport:
    """All papers of one call, in the order given."""

    assignment: str
    papers: tuple[CollectedPaper, ...]
    errors: tuple[PaperProblem, ...] = ()
    dry_run: bool = False

    @property
    def needs_attention(self) -> bool:
        return bool(self.errors) or any(paper.needs_attention for paper in self.papers)

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values.

        ``papers[].answers`` lists every text question. ``papers[].unmatched`` is all text of no
        question; ``preamble`` names those of it that only frame a paper and need nobody.
        """
        return {
            "assignment": self.assignment,
            "dry_run": self.dry_run,
            "papers": [_paper(paper) for paper in self.papers],
            "errors": [
                {
                    "path": str(problem.path),
                    "student": problem.student or None,
                    "error": problem.error,
                    "hint": problem.hint,
                }
                for problem in self.errors
            ],
        }


def _paper(paper: CollectedPaper) -> dict[str, Any]:
    matched: dict[str, Any] = {"answers": {}, "unmatched": [], "preamble": [], "doubtful": []}
    if paper.match is not None:
        matched = match_document(paper.match)
    return {
        "path": str(paper.path),
        "student": paper.student,
        **matched,
        "notes": list(paper.notes),
        "changed": paper.changed,
        "error": paper.error or None,
    }
