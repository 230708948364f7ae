"""The learned score of a question's answers: opened once, told marks, asked for scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from markbook.errors import UsageError
from markbook.graders.learning import design, limits
from markbook.graders.learning.features import Read, read
from markbook.graders.learning.heard import Heard
from markbook.graders.learning.process import Process, Question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from markbook.graders.learning.prior import Prior
    from markbook.graders.learning.texts import QuestionTexts
    from markbook.graders.learning.vectors import TokenModel

__all__ = ["Prediction", "QuestionModel", "ScoreModel"]

_REFUSED = 0.5  # what is left of the confidence where a question is refused: never a confident one
# The most that is sure where marks are all the same or are not ordered by the rest. What is right
# as often as that is not halved: such questions, many of them easy, would all be read first.
_UNORDERED = 0.85
# An answer of the question's own words, and of most of them, says nothing. On the public sets two
# of some 5,000 answers are such, with no point; pasted questions were expected to get .35 to .6.
_ECHO, _COPIED = 0.9, 0.6
_NOTHING, _FLAGGED = 0.1, 0.3  # the most that is expected of one, and how sure that is
_CANDIDATES = 800  # answers among which the most useful are sought: the cost is quadratic


@dataclass(frozen=True)
class Prediction:
    """What is expected of each answer, in shares of the maximum; arrays of shape (n,).

    ``mean`` is the expected score: the best guess by squared error. ``suggested`` is the score
    that is most likely within 0.1 of the mark (near a ceiling it is not the mean), and
    ``confidence`` the calibrated chance that it is. Answers that a person marked have their mark,
    spread 0 and confidence 1. ``refused`` says why nothing should be suggested for this question,
    or is None; confidence is low then. ``about`` are the places of answers that this is about.
    """

    mean: NDArray[np.float64]
    suggested: NDArray[np.float64]
    sd: NDArray[np.float64]
    confidence: NDArray[np.float64]
    refused: str | None = None
    about: tuple[int, ...] = ()


class ScoreModel:
    """A prior and, where there is one, a sentence model; opens questions."""

    def __init__(self, prior: Prior, token_model: TokenModel | None = None) -> None:
        self.prior = prior
        self.token_model = token_model

    def open(self, texts: QuestionTexts) -> QuestionModel:
        """Read a question; a second for a thousand answers of forty words."""
        return self.open_read(read(texts, self.token_model))

    def open_read(self, question: Read) -> QuestionModel:
        """Open a question that was read before, with the same sentence model or none."""
        return QuestionModel(self.prior, question)


class QuestionModel:
    """One question: marks in, scores out."""

    def __init__(self, prior: Prior, question: Read) -> None:
        mean, sd = prior.predict(question.features)
        self._trust = prior.trust
        self._texts = question.texts
        self._copies = _copies(question)
        self._refused = question.limit
        self._foreign = list(limits.foreign(question.texts))
        self._count = len(mean)
        self._process = Process(
            Question(question, prior.standard(question.features), mean, sd), prior.kernel
        )
        self._marks: dict[int, float] = {}

    def observe(self, scores: Mapping[int, float]) -> None:
        """Take marks by a person, by the answer's place; a mark given again replaces the first.

        Raises:
            UsageError: there is no such answer, or a score is no share of the maximum.
        """
        for place, score in scores.items():
            if not 0 <= place < self._count:
                raise UsageError(
                    f"There is no answer {place}: the question has {self._count}.",
                    hint="Answers are counted from 0.",
                )
            if not 0 <= score <= 1:
                raise UsageError(
                    f"The score {score} of answer {place} is no share of the maximum.",
                    hint="Divide scores by the maximum: they must lie in 0 to 1.",
                )
        self._marks.update({int(p): float(s) for p, s in scores.items()})

    def predict(self) -> Prediction:
        """Return what is expected now."""
        mean, variance = self._process.given(self._marks)
        mean, sd = np.clip(mean, 0, 1), np.sqrt(variance)
        heard = Heard.of(self._process.question, self._marks)
        suggested, sure = self._trust.suggest(mean, sd, heard)
        for expected, most in ((mean, _NOTHING), (suggested, _NOTHING), (sure, _FLAGGED)):
            expected[self._copies] = np.minimum(expected[self._copies], most)
        sure[self._foreign] = np.minimum(sure[self._foreign], _FLAGGED)
        refused, about = self._refused, None
        if refused is None and self._marks:
            held = self._process.unseen(self._marks)
            refused = limits.of_marks(self._texts, self._marks, held)
            if refused is not None:
                about = limits.contradicting(self._texts, self._marks)
        if self._refused is not None or about is not None:
            sure *= _REFUSED
        elif refused is not None:
            sure = np.minimum(sure, _UNORDERED)
        for place, score in self._marks.items():
            mean[place] = suggested[place] = score
            sd[place], sure[place] = 0.0, 1.0
        return Prediction(mean, suggested, sd, sure, refused, about or ())

    def held_out(self) -> dict[int, tuple[float, float]]:
        """Return what each marked answer would have without its own mark: mean and spread."""
        if not self._marks:
            return {}
        mean, variance = self._process.left_out(self._marks)
        held = zip(np.clip(mean, 0, 1).tolist(), np.sqrt(variance).tolist(), strict=True)
        return dict(zip(self._marks, held, strict=True))

    def first(self, count: int) -> tuple[int, ...]:
        """Return the answers to mark next, most useful first; marked ones are left out."""
        free = np.setdiff1d(np.arange(self._count), list(self._marks))
        if len(free) > _CANDIDATES:
            free = np.sort(np.random.default_rng(0).permutation(free)[:_CANDIDATES])
        seen = np.array(sorted(self._marks), dtype=np.intp)
        chosen = design.first(self._process.left(free, seen), self._process.noise[free], count)
        return tuple(int(free[place]) for place in chosen)


def _copies(question: Read) -> NDArray[np.intp]:
    """Return the places of answers that are the question pasted."""
    echo, copied = (question.features.column(n) for n in ("echo", "question_copied"))
    return np.flatnonzero((echo >= _ECHO) & (copied >= _COPIED))
