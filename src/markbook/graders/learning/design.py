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
    free = np.ones(len(noise), dtype=bool)
    free[list(skip)] = False
    # What is left after some choices is the covariance less a few products: it is not made, and
    # its columns' sums of squares are kept instead.
    own = np.diag(covariance).copy()
    squares = np.einsum("ij,ij->j", covariance, covariance)
    taken = np.empty((len(noise), min(count, len(noise))))
    chosen: list[int] = []
    while len(chosen) < count and free.any():
        place = int(np.argmax(np.where(free, squares / (own + noise), -np.inf)))
        known = taken[:, : len(chosen)]
        column = covariance[:, place] - known @ known[place]
        size = own[place] + noise[place]
        across = covariance @ column - known @ (known.T @ column)
        squares += column * (column * (column @ column) / size - 2 * across) / size
        own -= column**2 / size
        taken[:, len(chosen)] = column / np.sqrt(size)
        chosen.append(place)
        free[place] = False
    return tuple(chosen)
