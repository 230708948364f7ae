"""Where the marks lie while an evaluation runs: a mark is handed out once it was asked for.

Everything that predicts is given texts only, and an ``Oracle``. What it may know of the marks it
asks for here, by name: marks of other questions to fit on (``Fold.training``), and single marks as
a person would give them (``Session.mark``). What it predicts it seals here. The marks of all other
answers come out when the oracle is closed, and then nothing can be sealed any more: no figure can
be made of a prediction that knew its answer's mark without that answer counting as marked.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from markbook.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["Fold", "Guess", "Oracle", "Sealed", "Session", "Stage"]


@dataclass(frozen=True, slots=True)
class Stage:
    """When something was predicted: ``name``, after ``k`` marks, with a ``share`` read by hand."""

    name: str
    k: int = 0
    share: float = 0.0


@dataclass(frozen=True)
class Guess:
    """What is predicted for some answers: shares of the maximum (n,).

    ``mean`` is the expected score, ``shown`` the one that would be suggested, ``confidence`` the
    chance that that is right. ``refused`` says why nothing would be suggested.
    """

    mean: NDArray[np.float64]
    shown: NDArray[np.float64]
    confidence: NDArray[np.float64]
    refused: str | None = None

    @classmethod
    def plain(cls, values: NDArray[np.float64]) -> Guess:
        """Return a guess of these values without any confidence."""
        return cls(values, values, np.zeros(len(values)))


@dataclass(frozen=True)
class Sealed:
    """A guess for ``rows`` (n,) of the sheet; ``marked`` had a mark then (n,)."""

    rows: NDArray[np.int64]
    guess: Guess
    marked: NDArray[np.bool_]


class Oracle:
    """Every answer's mark, by row: a share of the maximum."""

    def __init__(self, shares: Sequence[float] | NDArray[np.float64]) -> None:
        self._shares = np.array(shares, dtype=float)
        self._sealed: dict[Stage, list[Sealed]] = defaultdict(list)
        self._closed = False
        self.asked: list[tuple[Session, int]] = []

    def fold(self, withheld: Iterable[int]) -> Fold:
        """Begin an experiment whose training may not see the marks of the rows ``withheld``."""
        return Fold(self, frozenset(int(row) for row in withheld))

    def close(self) -> tuple[NDArray[np.float64], dict[Stage, list[Sealed]]]:
        """Return all marks (rows,) and what was sealed; nothing is handed out or sealed after."""
        self._closed = True
        return self._shares.copy(), dict(self._sealed)

    def _read(self, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float64]:
        self._require_open()
        return np.asarray(self._shares[np.asarray(rows, dtype=int)])

    def _require_open(self) -> None:
        if self._closed:
            raise InternalError("The marks are known already: nothing can be predicted any more.")


class Fold:
    """One experiment: what its model is fitted on, and the questions that it is tried on."""

    def __init__(self, oracle: Oracle, withheld: frozenset[int]) -> None:
        self._oracle = oracle
        self._withheld = withheld

    def training(self, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the marks of ``rows`` to fit on (n,).

        Raises:
            InternalError: one of them is withheld from this experiment, or the oracle is closed.
        """
        if not self._withheld.isdisjoint(int(row) for row in rows):
            raise InternalError("A model asked to be fitted on the marks that it shall predict.")
        return self._oracle._read(rows)

    def session(self, rows: Iterable[int], withheld: Iterable[int] = ()) -> Session:
        """Begin to work on a question; ``withheld`` rows can be predicted and never marked.

        Raises:
            InternalError: a row is not withheld from this experiment's training.
        """
        mine = frozenset(int(row) for row in rows)
        if not mine <= self._withheld:
            raise InternalError("A question is tried that its model may have been fitted on.")
        return Session(self._oracle, mine, frozenset(int(row) for row in withheld))


class Session:
    """A person and a model at one question."""

    def __init__(self, oracle: Oracle, rows: frozenset[int], withheld: frozenset[int]) -> None:
        self._oracle = oracle
        self._rows = rows
        self._withheld = withheld
        self.marked: set[int] = set()

    def mark(self, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float64]:
        """Let the person mark ``rows`` and return the marks (n,); they count as marked from now.

        Raises:
            InternalError: a row is another question's or withheld, or the oracle is closed.
        """
        asked = {int(row) for row in rows}
        if not asked <= self._rows or asked & self._withheld:
            raise InternalError("A mark was asked for that is not to be had here.")
        found = self._oracle._read(rows)
        self.marked |= asked
        self._oracle.asked.extend((self, row) for row in sorted(asked))
        return found

    def seal(self, stage: Stage, rows: Sequence[int] | NDArray[np.int64], guess: Guess) -> None:
        """Keep a guess for ``rows`` (n,), with those that were marked before told apart.

        Raises:
            InternalError: a number is missing, or the oracle is closed.
        """
        self._oracle._require_open()
        places = np.array(rows, dtype=np.int64)
        columns = [np.array(c, dtype=float) for c in (guess.mean, guess.shown, guess.confidence)]
        if any(column.shape != places.shape for column in columns):
            raise InternalError(f"There are not as many predictions as answers ({stage.name}).")
        if not all(np.isfinite(column).all() for column in columns):
            raise InternalError(f"A prediction is not a number ({stage.name}).")
        mean, shown, confidence = (np.clip(column, 0.0, 1.0) for column in columns)
        marked = np.array([int(row) in self.marked for row in places], dtype=bool)
        kept = Guess(mean, shown, confidence, guess.refused)
        self._oracle._sealed[stage].append(Sealed(places, kept, marked))
