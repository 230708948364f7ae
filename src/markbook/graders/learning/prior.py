"""What is expected of an answer before any mark of its question: learned from other questions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from sklearn.linear_model import Ridge

from markbook.errors import UsageError
from markbook.graders.learning.process import Kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from markbook.graders.learning.features import Features, Read

__all__ = ["Marked", "Prior"]

_CLIP = 4.0  # standard deviations: a feature never seen that far out counts no more than this


@dataclass(frozen=True)
class Marked:
    """A question that was read, and its scores: shares of the maximum (NaN where none) (n,)."""

    read: Read
    scores: NDArray[np.float64]


@dataclass(frozen=True)
class Prior:
    """Numbers fitted on marked questions; ``predict`` needs features with the same ``names``."""

    names: tuple[str, ...]
    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    slopes: NDArray[np.float64]
    level: float
    sd: float
    kernel: Kernel = field(default_factory=Kernel)

    @classmethod
    def fit(cls, questions: Sequence[Marked], start: Prior | None = None) -> Prior:
        """Fit on marked questions; ``start`` is what was known before them.

        Raises:
            UsageError: no question has a mark.
        """
        rows = [(q.read.features.values[m], q.scores[m]) for q in questions
                if (m := np.isfinite(q.scores)).any()]  # fmt: skip
        if not rows:
            raise UsageError("No question has a mark.", hint="A prior is fitted on marks.")
        values = np.vstack([r[0] for r in rows])
        scores = np.concatenate([r[1] for r in rows])
        centre, spread = values.mean(axis=0), values.std(axis=0) + 1e-6
        reader = Ridge(200).fit((values - centre) / spread, scores)
        left = scores - reader.predict((values - centre) / spread)
        names = questions[0].read.features.names
        return cls(
            names, centre, spread, reader.coef_, float(reader.intercept_), float(left.std() + 0.02)
        )

    def standard(self, features: Features) -> NDArray[np.float64]:
        """Return the features in standard deviations of the questions fitted on (n, d)."""
        if features.names != self.names:
            raise UsageError("The prior was fitted on other features.", hint="Fit it again.")
        return np.clip((features.values - self.centre) / self.spread, -_CLIP, _CLIP)

    def predict(self, features: Features) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the expected share of the maximum (n,) and its standard deviation (n,)."""
        mean = self.standard(features) @ self.slopes + self.level
        return np.clip(mean, 0, 1), np.full(len(mean), self.sd)
