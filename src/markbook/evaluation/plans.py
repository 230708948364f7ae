"""Which questions and rows each fold holds back, by protocol."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from markbook.errors import InputError, UsageError
from markbook.text.words import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from markbook.evaluation.sheet import Asked, Sheet

__all__ = ["FoldPlan", "Protocol", "Settings", "Task", "plan"]


_USUAL = 5  # marks by design before the least certain: what the development's tables begin with


class Protocol(StrEnum):
    """What is known of a question when its answers are predicted."""

    UNSEEN = "unseen-questions"  # no mark of it
    FEW_SHOT = "few-shot"  # the marks of a few answers, chosen by design
    SEEN = "seen"  # the marks of the file's training rows, or of all folds but one


@dataclass(frozen=True, slots=True)
class Settings:
    """How to evaluate; ``ks`` are numbers of marks by design inside a question."""

    protocol: Protocol = Protocol.UNSEEN
    folds: int = 10
    ks: tuple[int, ...] = (0, 3, 5, 10)
    seed: int = 0

    @property
    def stops(self) -> tuple[int, ...]:
        """The numbers of marks after which scores are looked at."""
        if self.protocol is Protocol.SEEN:
            return ()
        return self.ks if self.protocol is Protocol.FEW_SHOT else (0,)

    @property
    def curve_k(self) -> int:
        """The number of marks by design that a person goes on from with the least certain."""
        return _USUAL if _USUAL in self.ks else max(self.ks)


@dataclass(frozen=True)
class Task:
    """A question to try the fold's model on.

    ``given`` are the places of answers whose marks are known at the start (``seen`` only),
    ``judged`` those whose predictions count. Of a ``closed`` task no judged answer is ever marked.
    """

    question: int
    given: NDArray[np.int64]
    judged: NDArray[np.int64]
    closed: bool


@dataclass(frozen=True)
class FoldPlan:
    """What one model is fitted on and tried on; ``training`` are places by question."""

    training: dict[int, NDArray[np.int64]]
    tasks: tuple[Task, ...]


def plan(sheet: Sheet, settings: Settings) -> tuple[tuple[FoldPlan, ...], tuple[str, ...]]:
    """Return the folds, and notes on what differs from what was asked for.

    Whole questions are dealt to folds, together with those asked in the same words, and in the
    protocols other than ``seen`` with those that share a group. A fold's model is fitted on the
    other folds' questions. In ``seen`` it is told the marks of the training rows of a question
    (the file's, or those of all folds over the question's rows but one) and judged on the others.

    Raises:
        UsageError: the questions hang together, so that no fold could be made.
        InputError: the column split, used by ``seen``, names no test row.
    """
    seen = settings.protocol is Protocol.SEEN
    if seen and any(any(asked.split) for asked in sheet.questions):
        return _by_file(sheet, settings)
    everybody = range(len(sheet.questions))
    pieces, notes = _pieces(sheet, everybody, by_row=sheet.grouped and not seen)
    parts, more = _deal(sheet, pieces, settings)
    folds = []
    for part in parts:
        training = {n: _all(sheet.questions[n]) for n in everybody if n not in part}
        tasks = [task for n in part for task in _tasks(sheet.questions[n], n, settings)]
        folds.append(FoldPlan(training, tuple(tasks)))
    return tuple(folds), (*notes, *more, *_used_up(sheet, settings))


def _used_up(sheet: Sheet, settings: Settings) -> list[str]:
    """Say how many questions have no answer left after the most marks that a person gives."""
    most = max(settings.ks)
    none = sum(len(asked.rows) <= most for asked in sheet.questions)
    if settings.protocol is not Protocol.FEW_SHOT or not none:
        return []
    return [f"Questions of which {most} marks leave no answer to suggest a score for: {none}."]


def _all(asked: Asked) -> NDArray[np.int64]:
    return np.arange(len(asked.rows))


def _pieces(
    sheet: Sheet, numbers: Iterable[int], *, by_row: bool
) -> tuple[dict[int, int], list[str]]:
    """Return which questions stay together, as the first one's number, by question."""
    parent = {number: number for number in numbers}

    def root(number: int) -> int:
        while parent[number] != number:
            number = parent[number]
        return number

    seen: dict[object, int] = {}
    alike = 0
    for number in parent:
        asked = sheet.questions[number]
        words = normalise(asked.texts.question)
        alike += bool(words) and words in seen
        signs: list[object] = [words] if words else []
        if by_row:
            signs += [int(each) for each in set(asked.kin)]
        for sign in signs:
            one, other = root(number), root(seen.setdefault(sign, number))
            parent[max(one, other)] = min(one, other)
    same = f"Questions asked in the words of another, kept together: {alike}."
    return {number: root(number) for number in parent}, [same] if alike else []


def _deal(
    sheet: Sheet, pieces: Mapping[int, int], settings: Settings
) -> tuple[list[list[int]], list[str]]:
    """Deal pieces to folds: large ones first, each to the fold with the fewest answers."""
    names = sorted(set(pieces.values()))
    if len(names) == 1 and (len(pieces) > 1 or settings.protocol is Protocol.UNSEEN):
        alone = "There is one question only: no other is left to learn from."
        raise UsageError(
            alone if len(pieces) == 1 else "The questions hang together and give no two folds.",
            hint="Take another --group; for one question, --protocol few-shot or seen.",
        )
    sizes = dict.fromkeys(names, 0)
    for number, piece in pieces.items():
        sizes[piece] += len(sheet.questions[number].rows)
    mixed = np.random.default_rng(settings.seed).permutation(names)
    count = min(settings.folds, len(names))
    folds: list[list[int]] = [[] for _ in range(count)]
    load = [0] * count
    for piece in sorted(mixed.tolist(), key=lambda piece: -sizes[piece]):
        lightest = load.index(min(load))
        load[lightest] += sizes[piece]
        folds[lightest] += [number for number, mine in pieces.items() if mine == piece]
    few = f"Folds: {count}, for there are no more questions to part."
    return folds, [few] if 1 < count < settings.folds else []


def _tasks(asked: Asked, question: int, settings: Settings) -> list[Task]:
    everything = _all(asked)
    if settings.protocol is not Protocol.SEEN:
        return [Task(question, everything[:0], everything, closed=False)]
    kin = asked.kin if len(set(asked.kin.tolist())) > 1 else everything
    names, member = np.unique(kin, return_inverse=True)
    count = min(settings.folds, len(names))
    rng = np.random.default_rng([settings.seed, question])
    fold_of = (rng.permutation(len(names)) % count)[member]
    return [
        Task(question, np.flatnonzero(fold_of != n), np.flatnonzero(fold_of == n), closed=True)
        for n in range(count if count > 1 else 0)
    ]


def _by_file(sheet: Sheet, settings: Settings) -> tuple[tuple[FoldPlan, ...], tuple[str, ...]]:
    """Return folds of the file's own split.

    A question with training rows is dealt to a fold like any other: the model is fitted on the
    training rows of other questions, as in a course, and told the question's own. Questions
    without any are one fold more, with all training rows to fit on.
    """
    train = {n: _places(asked, "train") for n, asked in enumerate(sheet.questions)}
    test = {n: _places(asked, "test") for n, asked in enumerate(sheet.questions)}
    if not sum(map(len, test.values())):
        raise InputError("No row has the split 'test'.", hint="Leave split out to have folds made.")
    everybody, notes = _pieces(sheet, range(len(sheet.questions)), by_row=False)
    fresh = [n for n in train if len(test[n]) and not len(train[n])]
    known = {n: piece for n, piece in everybody.items() if len(train[n])}
    parts: list[list[int]] = []
    if known:
        parts, more = _deal(sheet, known, settings)
        notes += more
    folds = []
    for part in [*parts, fresh]:
        kept = {everybody[n] for n in part}
        training = {n: train[n] for n in known if everybody[n] not in kept}
        tasks = tuple(Task(n, train[n], test[n], closed=True) for n in part if len(test[n]))
        folds += [FoldPlan(training, tasks)] if tasks else []
    left = sheet.answers - sum(map(len, train.values())) - sum(map(len, test.values()))
    notes += [f"Rows that are neither train nor test, left out: {left}."] if left else []
    return tuple(folds), tuple(notes)


def _places(asked: Asked, kind: str) -> NDArray[np.int64]:
    return np.array([n for n, word in enumerate(asked.split) if _kind(word) == kind], dtype=int)


def _kind(word: str) -> str:
    """Return train or test for what published splits call their parts, or the word itself."""
    if word.startswith("train"):
        return "train"
    return "test" if word.startswith(("test", "unseen")) else word
