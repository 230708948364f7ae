"""How much of the reference answers an answer says, by a sentence model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from markbook.graders.learning.alignment import Alignment
from markbook.graders.learning.words import shorten

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from markbook.graders.learning.texts import QuestionTexts
    from markbook.graders.learning.vectors import TokenModel, TokenVectors

__all__ = ["MEANING_NAMES", "meaning_features"]

_REFERENCES = 12
_SAID = 0.6  # cosine from which a piece of a reference counts as said
MEANING_NAMES = (
    "align", "align_mean", "align_said", "align_low", "align_precision", "align_f1",
    "sense_cos", "sense_centre", "sense_near", "sense_asked",
)  # fmt: skip


def meaning_features(
    texts: QuestionTexts, model: TokenModel
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (n, len(MEANING_NAMES)), and what is particular in each answer's vector (n, d).

    The latter are the pooled vectors less their mean, of length 1: what all answers share, the
    subject of the question, tells nothing between them.
    """
    references = texts.references[:_REFERENCES]
    encoded = model.encode([shorten(t) for t in (texts.question, *references, *texts.answers)])
    asked, models = encoded[0], encoded[1 : len(references) + 1]
    answers = encoded[len(references) + 1 :]
    n = len(answers)
    if not n:
        return np.zeros((0, len(MEANING_NAMES))), np.zeros((0, 1))
    recalls = _recalls(Alignment(answers, asked), models)
    precision = Alignment(answers, asked).precisions(models) if models else np.zeros(n)
    best = np.argmax(recalls[:, :, 0], axis=0) if len(models) else np.zeros(n, dtype=int)
    most = recalls[best, np.arange(n)] if len(models) else np.zeros((n, 3))
    mean = recalls[:, :, 0].mean(axis=0) if len(models) else np.zeros(n)
    pooled = np.array([a.pooled for a in answers], dtype=float)
    targets = np.array([m.pooled for m in models], dtype=float).reshape(len(models), -1)
    sense = (pooled @ targets.T).max(axis=1) if len(models) else np.zeros(n)
    own = pooled - pooled.mean(axis=0)
    lengths = np.linalg.norm(own, axis=1, keepdims=True)
    own = own / np.where(lengths > 1e-6, lengths, 1)
    harmony = 2 * most[:, 0] * precision / np.maximum(most[:, 0] + precision, 0.05)
    table = np.column_stack(
        [
            most[:, 0], mean, most[:, 1], most[:, 2], precision, harmony,
            sense, pooled @ pooled.mean(axis=0), _near(pooled),
            pooled @ asked.pooled.astype(float),
        ]
    )  # fmt: skip
    return np.nan_to_num(table), own


def _recalls(alignment: Alignment, models: list[TokenVectors]) -> NDArray[np.float64]:
    """Return for each reference and answer: mean likeness, share said, low quarter (m, n, 3)."""
    found = np.zeros((len(models), len(alignment.answers), 3))
    for place, model in enumerate(models):
        weights = alignment.weights(model.tokens)
        if weights.sum() <= 0:
            continue
        best = np.clip(alignment.best(model).astype(float), 0, 1)
        share = weights / weights.sum()
        found[place, :, 0] = best @ share
        found[place, :, 1] = (best >= _SAID) @ share
        telling = weights >= np.quantile(weights, 0.6)
        found[place, :, 2] = np.quantile(best[:, telling], 0.25, axis=1)
    return found


def _near(pooled: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean cosine of each answer with the five that are most like it."""
    n = len(pooled)
    if n < 2:
        return np.zeros(n)
    most = min(5, n - 1)
    found = np.empty(n)
    for start in range(0, n, 512):
        table = pooled[start : start + 512] @ pooled.T
        table[np.arange(len(table)), np.arange(start, start + len(table))] = -1
        found[start : start + 512] = -np.partition(-table, most - 1, axis=1)[:, :most].mean(axis=1)
    return found
