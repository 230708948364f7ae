"""A prior that is moved by marks of a course's other questions, and how right it was on those."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from markbook.graders.learning.cohort import Likeness
from markbook.graders.learning.features import Features, Read
from markbook.graders.learning.likelihood import spread
from markbook.graders.learning.meaning import MEANING_NAMES
from markbook.graders.learning.prior import Opinions, Prior, blend
from markbook.graders.learning.process import Kernel, Question
from markbook.graders.learning.texts import QuestionTexts
from markbook.graders.learning.trials import try_by_design

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from markbook.graders.learning.calibration import Trust

__all__ = ["move"]

# Marks from which a question counts as a whole one, and questions that the shipped prior counts
# for: held out, thirteen questions of ten marks each were worth .39 of the opinion, of thirty
# marks .57 (decision 0021).
_WHOLE = 20
_FEW = 10.0
_FOLDS = 5  # questions are left out by fifths: one at a time costs three times as much
_TREES = 20  # of members fitted to be tried only; 40 cost half as much again, for the same line
_TRIED = 40  # answers of one question that are tried: the cost of a big class would grow
_OF_FEATURES = ("level", "slope", "near", "far", "linear")  # likeness that needs no text


@dataclass(frozen=True)
class _Rows:
    """Marked answers: ``before`` (m,) and ``apart`` (m,) are what the earlier prior expects."""

    start: Prior
    values: NDArray[np.float64]
    before: NDArray[np.float64]
    apart: NDArray[np.float64]
    scores: NDArray[np.float64]
    groups: NDArray[np.intp]

    def part(self, rows: NDArray[np.bool_]) -> _Rows:
        of = (self.values[rows], self.before[rows], self.apart[rows])
        return _Rows(self.start, *of, self.scores[rows], self.groups[rows])

    def few(self) -> _Rows:
        """Return some answers of each question, drawn by a fixed seed."""
        drawn = np.random.default_rng(0)
        kept = np.zeros(len(self.scores), dtype=bool)
        for group in np.unique(self.groups):
            kept[drawn.permutation(np.flatnonzero(self.groups == group))[:_TRIED]] = True
        return self.part(kept)

    def fit(self, trees: int | None = None) -> tuple[Opinions, float, float]:
        """Return members fitted on all rows, how much they count, and the earlier prior's shift."""
        counts = np.unique(self.groups, return_counts=True)[1]
        whole = float(np.minimum(counts / _WHOLE, 1).sum())
        weight = whole / (whole + _FEW)
        values = np.column_stack([self.values, self.before])
        opinions = Opinions.fit(values, self.scores, self.groups, trees=trees)
        return opinions, weight, weight * float((self.scores - self.before).mean())

    def held_out(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what is expected of each row (m,), moved by other questions, and the spread."""
        numbers = np.unique(self.groups, return_inverse=True)[1]
        count = int(numbers.max()) + 1
        fold = np.random.default_rng(0).permutation(count)[numbers] % min(_FOLDS, count)
        mean, apart = np.zeros(len(numbers)), np.zeros(len(numbers))
        for number in np.unique(fold):
            there = fold == number
            opinions, weight, shift = self.part(~there).fit(_TREES)
            these = self.part(there)
            said = opinions.ask(np.column_stack([these.values, these.before]))
            mean[there], apart[there] = blend(said, these.before, weight, shift)
        return mean, spread(self.start.variance, mean, apart)


def move(
    start: Prior,
    values: NDArray[np.float64],
    scores: NDArray[np.float64],
    groups: NDArray[np.intp],
) -> Prior:
    """Return ``start`` moved by marked answers: features (m, d), shares, question numbers.

    Members are fitted on them, with the opinion of ``start`` as one more feature; the more
    questions and marks there are, the more they count. Spread and process stay those of
    ``start``. Confidence is moved by how right it was on these questions, each without the own
    marks that are judged.
    """
    rows = _Rows(start, values, *start.ask(values), scores, groups)
    opinions, weight, shift = rows.fit()
    trust = start.trust if len(np.unique(groups)) < 2 else _trust(rows.few())
    parts = (start.variance, start.kernel, trust, start, weight, shift)
    return Prior(start.names, opinions, *parts, borrowed=True)


def _trust(rows: _Rows) -> Trust:
    """Return the earlier prior's trust, moved by trials on the questions."""
    start = rows.start
    mean, sd = rows.held_out()
    standard = start.standard(Features(start.names, rows.values))
    tried = []
    for group in np.unique(rows.groups):
        inside = rows.groups == group
        read = _without_texts(Features(start.names, rows.values[inside]))
        question = Question(read, standard[inside], mean[inside], sd[inside])
        tried.append((question, rows.scores[inside]))
    return start.trust.moved(try_by_design(tried, _of_features(start.kernel)))


def _of_features(kernel: Kernel) -> Kernel:
    """Return the process where no text is known: what likeness of texts would tell is noise."""
    parts = {name: size for name, size in kernel.parts.items() if name in _OF_FEATURES}
    return Kernel(parts, kernel.noise + sum(kernel.parts.values()) - sum(parts.values()))


def _without_texts(features: Features) -> Read:
    """Return a question of which features alone are known: no text is like another."""
    n = len(features.values)
    no, none = sparse.csr_matrix((n, 1)), np.zeros((n, 1))
    model = set(MEANING_NAMES) <= set(features.names)
    places = Likeness(no, no, none, no, no, none, none if model else None)
    return Read(QuestionTexts("", "", (), ("",) * n), features, places)
