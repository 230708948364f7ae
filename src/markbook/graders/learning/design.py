"""Which answers to mark first: those that tell most about all the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

__all__ = ["first"]


def first(
    covariance: NDArray[np.float64],
    noise: NDArray[np.float64],
    count: int,
    skip: Collection[int] = (),
) -> tuple[int, ...]:
    """Return up to ``count`` answers, most useful first, by greedy A-optimal design.

    Each choice is the answer whose mark would lower the total posterior variance most; the marks
    themselves do not matter, so one batch can be handed out. ``covariance`` (n, n) is what is
    left given the marks so far, ``noise`` (n,) the variance of a mark; ``skip`` are not chosen.
    """
    left = covariance.copy()
    free = np.ones(len(noise), dtype=bool)
    free[list(skip)] = False
    chosen: list[int] = []
    while len(chosen) < count and free.any():
        gain = (left**2).sum(axis=0) / (np.diag(left) + noise)
        place = int(np.argmax(np.where(free, gain, -np.inf)))
        chosen.append(place)
        free[place] = False
        column = left[:, place].copy()
        left -= np.outer(column, column / (column[place] + noise[place]))
    return tuple(chosen)
