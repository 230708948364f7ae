"""The comments that were written before, for writing them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["rank"]


def rank(used: Mapping[tuple[str, str], int], question: str, search: str = "") -> tuple[str, ...]:
    """Return the comments that have every word of ``search``, each once.

    Those of the question come first, then the assignment's others, the most used first.
    ``used`` says how often each (question, comment) was used.
    """
    wanted = search.casefold().split()
    here: dict[str, int] = {}
    elsewhere: dict[str, int] = {}
    for (where, comment), times in used.items():
        if all(word in comment.casefold() for word in wanted):
            counts = here if where == question else elsewhere
            counts[comment] = counts.get(comment, 0) + times
    ranked = [*_by_use(here), *_by_use(elsewhere)]
    return tuple(dict.fromkeys(ranked))


def _by_use(counts: Mapping[str, int]) -> list[str]:
    return sorted(counts, key=lambda comment: (-counts[comment], comment))
