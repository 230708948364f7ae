"""The texts of one question, with and without its marks."""

from __future__ import annotations

import math
from dataclasses import dataclass

from markbook.errors import UsageError

__all__ = ["LabelledQuestion", "QuestionTexts"]


@dataclass(frozen=True)
class QuestionTexts:
    """What a question asks, how it may be answered, and the answers to be marked.

    ``references`` are model answers (there may be none); ``answers`` keep their order: every
    array that is computed from them has one row for each.
    """

    id: str
    question: str
    references: tuple[str, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True)
class LabelledQuestion:
    """Texts and what a person gave: a share of the maximum in [0, 1] each, or None.

    Raises:
        UsageError: the scores are not as many as the answers, or one is not a share.
    """

    texts: QuestionTexts
    scores: tuple[float | None, ...]

    def __post_init__(self) -> None:
        name = f"question '{self.texts.id}'"
        if len(self.scores) != len(self.texts.answers):
            raise UsageError(
                f"{name} has {len(self.texts.answers)} answers and {len(self.scores)} scores.",
                hint="Give one score for each answer, None where there is none.",
            )
        for place, score in enumerate(self.scores):
            if score is not None and not (math.isfinite(score) and 0 <= score <= 1):
                raise UsageError(
                    f"{name}, answer {place + 1}: the score {score} is no share of the maximum.",
                    hint="Divide scores by the maximum: they must lie in 0 to 1.",
                )
