"""What speaks against a match: another criterion that fits the same words, or words unexplained."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markbook.graders.phrases import Match, Reading
    from markbook.model import Criterion

__all__ = ["contested", "outdone", "strange"]

_EXPLAINED = 0.5  # share of a phrase that makes a clause one that the rubric knows


def strange(
    reading: Reading,
    matches: Iterable[Match | None],
    skip: frozenset[int],
    known: frozenset[str],
) -> bool:
    """Tell whether an answer states something in words that the rubric does not have."""
    explained = [m for m in matches if m is not None and m.raw >= _EXPLAINED]
    for number, clause in enumerate(reading.clauses):
        if number in skip or any(m.start < clause.end and clause.start < m.end for m in explained):
            continue
        words = {t.stem for t in clause.tokens if t.content}
        if len(words - known) >= 1 and len(words) >= 2:
            return True
    return False


def overlap(one: Match, other: Match) -> bool:
    return one.start < other.end and other.start < one.end


def outdone(match: Match, rivals: Sequence[tuple[Criterion, Match]]) -> float:
    """Return what a match loses because another criterion explains the same words better."""
    best = max((r.score for _, r in rivals if overlap(match, r)), default=0.0)
    return max(0.0, best - match.score) * 0.8


def contested(
    criterion: Criterion, match: Match, rivals: Sequence[tuple[Criterion, Match]]
) -> bool:
    """Tell whether a criterion of the other sign fits the same words about as well."""
    return any(
        overlap(match, rival)
        and (other.points < 0) != (criterion.points < 0)
        and rival.score > max(0.55, match.score - 0.2)
        for other, rival in rivals
    )
