"""The plainest way to suggest, to be measured beside: the mean, trusted by a bell curve."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm

from markbook.evaluation import LearnedScores
from markbook.graders.learning.heard import TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from markbook.graders.learning.model import Prediction, QuestionModel, ScoreModel

__all__ = ["PlainScores"]


class _Question:
    def __init__(self, question: QuestionModel) -> None:
        self.first, self._question = question.first, question

    def observe(self, scores: Mapping[int, float]) -> None:
        self._question.observe(scores)

    def predict(self) -> Prediction:
        """Suggest the mean, and trust it as far as its spread says."""
        found = self._question.predict()
        reach = TOLERANCE / np.maximum(found.sd, 1e-9)
        sure = np.where(found.sd > 0, 2 * norm.cdf(reach) - 1, 1.0)
        if found.refused is not None:
            sure = np.where(found.sd > 0, 0.0, sure)
        return replace(found, suggested=found.mean, confidence=sure)


class _Model:
    def __init__(self, model: ScoreModel) -> None:
        self._model = model

    def open_read(self, question: Any) -> _Question:
        return _Question(self._model.open_read(question))


class PlainScores(LearnedScores):
    """The same prior and process; what is suggested is the expected score itself."""

    @property
    def name(self) -> str:
        return f"the mean, {super().name}"

    def fit(self, questions: Sequence[tuple[Any, NDArray[np.float64]]]) -> Any:
        return _Model(super().fit(questions))
