"""What is expected of an answer before any mark of its question: learned from other questions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from markbook.errors import UsageError
from markbook.graders.learning.calibration import Trust
from markbook.graders.learning.heard import voices
from markbook.graders.learning.likelihood import fit_kernel, fit_spread, spread
from markbook.graders.learning.members import Forest, Linear, Support
from markbook.graders.learning.process import Kernel, Question
from markbook.graders.learning.store import shipped
from markbook.graders.learning.trials import fit_trust
from markbook.text.words import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from markbook.graders.learning.features import Features, Read
    from markbook.graders.learning.texts import QuestionTexts

__all__ = ["Marked", "Opinions", "Prior", "blend"]

_CLIP = 4.0  # standard deviations: a feature never seen that far out counts no more than this
_FOLDS = 5
_FEW = 10.0  # questions: with that many, what was known before and what is new count the same
_LEAST = 4  # questions from which spread, process and trust are fitted anew
_SHIPPED = {
    False: ("prior-words", "prior-words-without-saf"),
    True: ("prior-semantic", "prior-semantic-without-saf"),
}
_SMALL_SUPPORT = {"rows": 450}
_SMALL_FOREST = {"trees": 50, "leaf": 90}
_PER_QUESTION = 150  # marked answers of one question; a big class must not drown the others


@dataclass(frozen=True)
class Marked:
    """A question that was read, and its scores: shares of the maximum, NaN where none (n,)."""

    read: Read
    scores: NDArray[np.float64]


def _number(texts: QuestionTexts) -> int:
    """Return a number that tells one question's wording from another."""
    wording = " ".join(words(texts.question)).encode()
    return int.from_bytes(hashlib.blake2b(wording, digest_size=8).digest())


@cache
def _default(name: str) -> Prior:
    return shipped(name)


@dataclass(frozen=True)
class Opinions:
    """Members fitted on one set of rows: ``centre`` and ``spread`` (d,) of their features."""

    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    linear: Linear
    support: Support
    forest: Forest

    @classmethod
    def fit(
        cls,
        values: NDArray[np.float64],
        scores: NDArray[np.float64],
        groups: NDArray[np.intp],
        *,
        small: bool = False,
        trees: int | None = None,
    ) -> Opinions:
        """Fit on values (n, d); ``small`` keeps fewer numbers, ``trees`` is how many there are."""
        forest = _SMALL_FOREST if small else {} if trees is None else {"trees": trees}
        centre, spread_ = values.mean(axis=0), values.std(axis=0) + 1e-6
        rows = np.clip((values - centre) / spread_, -_CLIP, _CLIP)
        return cls(
            centre,
            spread_,
            Linear.fit(rows, scores, groups),
            Support.fit(rows, scores, **(_SMALL_SUPPORT if small else {})),
            Forest.fit(rows, scores, **forest),
        )

    def ask(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what each member expects: (n, 3)."""
        rows = np.clip((values - self.centre) / self.spread, -_CLIP, _CLIP)
        said = (m.predict(rows) for m in (self.linear, self.support, self.forest))
        return np.clip(np.column_stack(list(said)), 0, 1)


@dataclass(frozen=True)
class Prior:
    """Numbers fitted on marked questions; ``predict`` needs features with the same ``names``.

    ``start`` is a prior from before, whose opinion is a feature here; ``weight`` is the share of
    what is new, and ``shift`` what the marks here lie above that earlier prior. Where spread and
    process are ``borrowed`` from it, distances between answers are as they were when it was fitted.
    """

    names: tuple[str, ...]
    opinions: Opinions
    variance: NDArray[np.float64]
    kernel: Kernel
    trust: Trust
    start: Prior | None = None
    weight: float = 1.0
    shift: float = 0.0
    seen: frozenset[int] = frozenset()
    borrowed: bool = False

    @classmethod
    def default(cls, *, semantic: bool = False) -> Prior:
        """Return the prior that ships: for features of words alone, or with a sentence model's."""
        return _default(_SHIPPED[semantic][0])

    @classmethod
    def unknown_to(cls, questions: Sequence[QuestionTexts], *, semantic: bool) -> Prior | None:
        """Return a prior that ships and was fitted on none of these questions, or None.

        For evaluating: what was fitted on a question says nothing about how well it is predicted.
        """
        for name in _SHIPPED[semantic]:
            prior = _default(name)
            if not any(prior.knows(texts) for texts in questions):
                return prior
        return None

    @classmethod
    def fit(
        cls, questions: Sequence[Marked], start: Prior | None = None, *, small: bool = False
    ) -> Prior:
        """Fit on marked questions; ``start`` is what was known before them.

        Members are fitted on all marks. The spread, the process and the trust are fitted on
        what was predicted for questions that were left out. A few seconds for 3,000 marks.
        ``small`` keeps fewer numbers, for a prior that is shipped.

        Raises:
            UsageError: no question has a mark, or ``start`` was fitted on other features.
        """
        marked = [q for q in questions if np.isfinite(q.scores).any()]
        if not marked:
            raise UsageError("No question has a mark.", hint="A prior is fitted on marks.")
        if start is not None:
            for question in marked:
                start._check(question.read.features)
        rows = _Rows.of(marked, start)
        names = marked[0].read.features.names
        every = np.ones(len(rows.scores), dtype=bool)
        opinions, weight, shift = rows.fit(every, small=small)
        seen = frozenset(_number(q.read.texts) for q in marked)
        if len(marked) < _LEAST:
            if start is not None:
                parts = (start.variance, start.kernel, start.trust, start, weight, shift, seen)
                return cls(names, opinions, *parts, borrowed=True)
            variance = np.array([np.log(np.var(rows.scores) + 0.02), 0.0, 0.0, 0.0])
            kernel = Kernel({"level": 0.2, "letters": 0.3, "near": 0.2}, 0.3)
            trust = Trust.untried(len(voices(marked[0].read.places)))
            return cls(names, opinions, variance, kernel, trust, seen=seen)
        means, apart = rows.held_out()
        variance = fit_spread(means, apart, rows.scores)
        tried = _questions(marked, rows, means, spread(variance, means, apart), opinions)
        kernel = fit_kernel(tried)
        trust = fit_trust(tried, kernel)
        return cls(names, opinions, variance, kernel, trust, start, weight, shift, seen)

    def knows(self, texts: QuestionTexts) -> bool:
        """Tell whether this prior, or one before it, was fitted on a question that asks the same.

        Nothing honest can be said of how well such a question is predicted.
        """
        earlier = self.start is not None and self.start.knows(texts)
        return earlier or _number(texts) in self.seen

    def standard(self, features: Features) -> NDArray[np.float64]:
        """Return the features in standard deviations of the questions fitted on (n, d)."""
        self._check(features)
        if self.start is not None and self.borrowed:
            return self.start.standard(features)
        d = features.values.shape[1]
        centre, spread_ = self.opinions.centre[:d], self.opinions.spread[:d]
        return np.clip((features.values - centre) / spread_, -_CLIP, _CLIP)

    def _check(self, features: Features) -> None:
        if features.names != self.names:
            raise UsageError(
                "The prior was fitted on other features.",
                hint="Fit it again, with the same sentence model or none.",
            )

    def ask(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the mean opinion (n,) and how far the members are apart (n,)."""
        before = None
        if self.start is not None:
            before, _ = self.start.ask(values)
            values = np.column_stack([values, before])
        return blend(self.opinions.ask(values), before, self.weight, self.shift)

    def predict(self, features: Features) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the expected share of the maximum (n,) and its standard deviation (n,)."""
        self._check(features)
        mean, apart = self.ask(features.values)
        return mean, spread(self.variance, mean, apart)


def blend(
    said: NDArray[np.float64], before: NDArray[np.float64] | None, weight: float, shift: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what members that ``said`` (n, 3) and an earlier prior expect together (n,).

    The second value (n,) is how far the members are apart.
    """
    mean = said.mean(axis=1)
    if before is not None:
        mean = weight * mean + (1 - weight) * np.clip(before + shift, 0, 1)
    return np.clip(mean, 0, 1), said.std(axis=1)


@dataclass(frozen=True)
class _Rows:
    """All marked answers: features with the earlier prior's opinion, scores, question numbers."""

    values: NDArray[np.float64]
    before: NDArray[np.float64] | None
    scores: NDArray[np.float64]
    groups: NDArray[np.intp]
    places: tuple[NDArray[np.intp], ...]  # of each question's rows among its answers

    @classmethod
    def of(cls, marked: Sequence[Marked], start: Prior | None) -> _Rows:
        drawn = np.random.default_rng(0)
        places, values, scores = [], [], []
        for question in marked:
            there = np.flatnonzero(np.isfinite(question.scores))
            there = np.sort(drawn.permutation(there)[:_PER_QUESTION])
            places.append(there)
            values.append(question.read.features.values[there])
            scores.append(question.scores[there])
        table = np.vstack(values)
        before = None
        if start is not None:
            before, _ = start.ask(table)
            table = np.column_stack([table, before])
        groups = np.repeat(np.arange(len(marked)), [len(p) for p in places])
        return cls(table, before, np.concatenate(scores), groups, tuple(places))

    def fit(self, rows: NDArray[np.bool_], *, small: bool = False) -> tuple[Opinions, float, float]:
        """Return the members fitted on some rows, their weight and the earlier prior's shift."""
        opinions = Opinions.fit(
            self.values[rows], self.scores[rows], self.groups[rows], small=small
        )
        if self.before is None:
            return opinions, 1.0, 0.0
        count = len(np.unique(self.groups[rows]))
        weight = count / (count + _FEW)
        return opinions, weight, weight * float((self.scores[rows] - self.before[rows]).mean())

    def held_out(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what is expected of each row by members that never saw its question."""
        count = len(self.places)
        fold = np.random.default_rng(0).permutation(count)[self.groups] % min(_FOLDS, count)
        means, apart = np.zeros(len(self.scores)), np.zeros(len(self.scores))
        for number in np.unique(fold):
            there = fold == number
            opinions, weight, shift = self.fit(~there)
            before = None if self.before is None else self.before[there]
            means[there], apart[there] = blend(
                opinions.ask(self.values[there]), before, weight, shift
            )
        return means, apart


def _questions(
    marked: Sequence[Marked],
    rows: _Rows,
    means: NDArray[np.float64],
    spreads: NDArray[np.float64],
    opinions: Opinions,
) -> list[tuple[Question, NDArray[np.float64]]]:
    """Return each question's marked answers as the process sees them, predicted unseen."""
    found = []
    for number, (question, places) in enumerate(zip(marked, rows.places, strict=True)):
        inside = rows.groups == number
        values = question.read.features.values[places]
        d = values.shape[1]
        standard = np.clip((values - opinions.centre[:d]) / opinions.spread[:d], -_CLIP, _CLIP)
        part = question.read.part(places)
        seen = Question(part, standard, means[inside], spreads[inside])
        found.append((seen, rows.scores[inside]))
    return found
