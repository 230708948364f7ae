"""Trials: questions with all their marks, read bit by bit as a person would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from markbook.graders.learning.calibration import Trial, Trust
from markbook.graders.learning.design import first
from markbook.graders.learning.heard import Heard
from markbook.graders.learning.process import Process

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from markbook.graders.learning.process import Kernel, Question

    Tried = Sequence[tuple[Question, NDArray[np.float64]]]

__all__ = ["fit_trust", "try_by_design"]

_TRIED = (0, 3, 5, 10, 20)  # marks given by design
_DESIGNED = 5  # marks by design before the least certain are read
_SHARES = (0.15, 0.25, 0.3, 0.35, 0.4)  # of a question that is read then
_CHOSEN = 0.05  # share of a question after which whom to read is chosen anew
_FEWEST = 12  # answers of a question that is read so far
_ANSWERS = 90  # of a question that are sought by design: the cost grows with their cube
_JUDGED = 60  # unread answers of a question that count at each stop


def fit_trust(tried: Tried, kernel: Kernel) -> Trust:
    """Fit on questions with all their marks, each seen by the process as if it were new.

    First a few marks by design; then, by the trust that this gives, the least certain answers are
    read, as they are in a course: what is left unread then is not what was left by design.
    """
    processes = [(Process(question, kernel), marks) for question, marks in tried]
    orders = [_design(process, marks) for process, marks in processes]
    drawn = np.random.default_rng(0)
    found = _designed(processes, orders, drawn)
    trust = Trust.fit(_joined(found))
    for number, (process, marks) in enumerate(processes):
        for seen in _least_certain(process, marks, orders[number], trust):
            found.append(_trial(process, marks, seen, number, drawn))
    return Trust.fit(_joined(found))


def try_by_design(tried: Tried, kernel: Kernel) -> Trial:
    """Predict questions with all their marks as if only a few of them, by design, were known."""
    processes = [(Process(question, kernel), marks) for question, marks in tried]
    orders = [_design(process, marks) for process, marks in processes]
    return _joined(_designed(processes, orders, np.random.default_rng(0)))


def _designed(
    processes: Sequence[tuple[Process, NDArray[np.float64]]],
    orders: Sequence[Sequence[int]],
    drawn: np.random.Generator,
) -> list[Trial]:
    """Return a trial for each question and stop; ``orders`` are the places to read first."""
    return [
        _trial(process, marks, seen, number, drawn)
        for number, (process, marks) in enumerate(processes)
        for seen in _by_design(orders[number])
    ]


def _design(process: Process, marks: NDArray[np.float64]) -> tuple[int, ...]:
    """Return the places to read by design, at most half of the question."""
    every = np.arange(len(marks))[:_ANSWERS]
    count = min(max(_TRIED), len(marks) // 2)
    return first(process.left(every, every[:0]), process.noise[every], count)


def _by_design(order: Sequence[int]) -> Iterable[list[int]]:
    """Yield the places that were read, at each stop."""
    for count in _TRIED:
        if count <= len(order):
            yield list(order[:count])


def _least_certain(
    process: Process, marks: NDArray[np.float64], order: Sequence[int], trust: Trust
) -> Iterable[list[int]]:
    n = len(marks)
    if n < _FEWEST:
        return
    seen = list(order[:_DESIGNED])
    step = max(1, int(_CHOSEN * n))
    for stop in sorted({int(share * n) for share in _SHARES}):
        while len(seen) < stop:
            known = {place: float(marks[place]) for place in seen}
            mean, variance = process.given(known)
            sd = np.sqrt(variance)
            heard = Heard.of(process.question, known)
            _, sure = trust.suggest(np.clip(mean, 0, 1), sd, heard)
            doubtful = np.lexsort((-sd, sure))
            unread = doubtful[~np.isin(doubtful, seen)]
            seen += unread[: min(step, stop - len(seen))].tolist()
        yield list(seen)


def _trial(
    process: Process,
    marks: NDArray[np.float64],
    seen: Sequence[int],
    number: int,
    drawn: np.random.Generator,
) -> Trial:
    """Predict unread answers of a question of which some were read."""
    known = {place: float(marks[place]) for place in seen}
    mean, variance = process.given(known)
    rest = np.setdiff1d(np.arange(len(marks)), np.array(seen, dtype=np.intp))
    if len(rest) > _JUDGED:
        rest = np.sort(drawn.permutation(rest)[:_JUDGED])
    heard = Heard.of(process.question, known, rest)
    spreads = np.sqrt(variance[rest])
    question = np.full(len(rest), number)
    return Trial(np.clip(mean[rest], 0, 1), spreads, marks[rest], question, heard)


def _joined(found: Sequence[Trial]) -> Trial:
    return Trial(
        np.concatenate([trial.mean for trial in found]),
        np.concatenate([trial.sd for trial in found]),
        np.concatenate([trial.score for trial in found]),
        np.concatenate([trial.question for trial in found]),
        Heard.joined([trial.heard for trial in found]),
    )
