"""What the marks of a question say of each score: all of them, and those of answers like one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from markbook.graders.learning.cohort import Likeness
    from markbook.graders.learning.process import Question

__all__ = ["NEAR", "SCORES", "TOLERANCE", "VOICES", "Heard", "lies_near", "voices"]

TOLERANCE = 0.1  # of the maximum: half a point of five
NEAR = TOLERANCE + 1e-6  # an error of exactly half a point is within half a point
SCORES = np.linspace(0, 1, 21)  # what may be suggested, as shares of the maximum
# Kinds of likeness by the process's tables; the texts' three are one voice, for they agree.
VOICES = (("words", "letters", "topics"), ("near",), ("meaning",))
_FADE = 3  # power of a likeness: only answers that are much alike speak for each other
_AT_ONCE = 512  # answers that are compared with the marked ones at once


def lies_near(marks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1.0 where a mark (n,) lies within half a point of five of a score: (n, s)."""
    return (np.abs(marks[:, None] - SCORES[None]) <= NEAR).astype(float)


def voices(places: Likeness) -> tuple[tuple[str, ...], ...]:
    """Return the kinds of likeness that are known of a question's answers."""
    return tuple(each for each in VOICES if places.meaning is not None or "meaning" not in each)


@dataclass(frozen=True)
class Heard:
    """What is known at n answers of s scores from the question's marks.

    ``marks`` (n,): how many there are; ``own`` (n, s): how many of them lie near a score;
    ``like`` (v, n): how many the answer is like, each counted by its likeness, for each kind of
    likeness; ``hits`` (v, n, s): how many of these lie near a score.
    """

    marks: NDArray[np.intp]
    own: NDArray[np.float64]
    like: NDArray[np.float64]
    hits: NDArray[np.float64]

    @classmethod
    def nothing(cls, n: int, marks: int = 0, voices: int = 0) -> Heard:
        """Return what is heard where no mark tells anything (``marks`` of them are known)."""
        size = len(SCORES)
        like, hits = np.zeros((voices, n)), np.zeros((voices, n, size))
        return cls(np.full(n, marks), np.zeros((n, size)), like, hits)

    @classmethod
    def of(
        cls, question: Question, marks: Mapping[int, float], rows: NDArray[np.intp] | None = None
    ) -> Heard:
        """Listen to ``marks`` (shares of the maximum, by place), at all answers or at ``rows``.

        A marked answer does not hear its own mark.
        """
        at = np.arange(len(question.mean)) if rows is None else rows
        kinds = voices(question.read.places)
        if not marks:
            return cls.nothing(len(at), voices=len(kinds))
        seen = np.fromiter(marks, dtype=np.intp)
        near = lies_near(np.fromiter(marks.values(), dtype=float))
        found = cls.nothing(len(at), len(seen), len(kinds))
        found.own[:] = near.sum(axis=0)
        for start in range(0, len(at), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            tables = dict(question.tables(at[part], seen))
            for voice, names in enumerate(kinds):
                likeness = [np.clip(tables[name], 0, 1) ** _FADE for name in names]
                weights = np.mean(likeness, axis=0)
                weights[at[part, None] == seen[None]] = 0
                found.like[voice, part] = weights.sum(axis=1)
                found.hits[voice, part] = weights @ near
        return found

    @classmethod
    def joined(cls, several: Sequence[Heard]) -> Heard:
        """Return what is heard at the answers of several questions, one after the other."""
        return cls(
            np.concatenate([each.marks for each in several]),
            np.concatenate([each.own for each in several]),
            np.concatenate([each.like for each in several], axis=1),
            np.concatenate([each.hits for each in several], axis=1),
        )

    def part(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Heard:
        """Return what is heard at some of the answers."""
        return Heard(self.marks[rows], self.own[rows], self.like[:, rows], self.hits[:, rows])
