"""What is evaluated: something that reads questions, is fitted on marked ones, and opens others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from markbook.errors import UsageError
from markbook.graders.learning.features import read
from markbook.graders.learning.model import ScoreModel
from markbook.graders.learning.prior import Marked, Prior

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from markbook.graders.learning.features import Read
    from markbook.graders.learning.model import Prediction
    from markbook.graders.learning.texts import QuestionTexts
    from markbook.graders.learning.vectors import TokenModel

__all__ = ["Engine", "LearnedScores", "Opened", "Opener"]


class Opened(Protocol):
    """One question at work, as ``markbook.graders.learning.model.QuestionModel``."""

    def first(self, count: int) -> tuple[int, ...]: ...

    def observe(self, scores: Mapping[int, float]) -> object: ...

    def predict(self) -> Prediction: ...


class Opener(Protocol):
    """A model that was fitted: opens a question that the same engine has read."""

    def open_read(self, question: Any) -> Opened: ...


class Engine(Protocol):
    """Reads questions, of which no mark is given, and is fitted on marked ones."""

    @property
    def name(self) -> str: ...

    def prepare(self, questions: Sequence[QuestionTexts]) -> tuple[str, ...]: ...

    def read(self, texts: QuestionTexts) -> Any: ...

    def fit(self, questions: Sequence[tuple[Any, NDArray[np.float64]]]) -> Opener: ...


class LearnedScores:
    """The score that ``markbook suggest`` learns, with a sentence model if one is given.

    Fitting begins with the prior that ships, as it does in a course, unless that was fitted on a
    question of the evaluation (``shipped=False``: never). ``start`` is another one to begin with.
    """

    def __init__(
        self,
        token_model: TokenModel | None = None,
        *,
        shipped: bool = True,
        start: Prior | None = None,
    ) -> None:
        self._tokens = token_model
        self._shipped = shipped
        self._given = start
        self._start: Prior | None = None

    @property
    def name(self) -> str:
        model = "words only" if self._tokens is None else self._tokens.name
        kind = "shipped" if self._given is None else "given"
        return f"{model}, {'no' if self._start is None else kind} prior"

    def prepare(self, questions: Sequence[QuestionTexts]) -> tuple[str, ...]:
        """Choose what to begin with by what is asked; return notes.

        Raises:
            UsageError: the prior that was given was fitted on one of these questions.
        """
        self._start = None
        if self._given is not None:
            if any(self._given.knows(texts) for texts in questions):
                raise UsageError(
                    "The prior to begin with was fitted on questions of this evaluation.",
                    hint="Nothing honest can be said of them: fit it on other questions.",
                )
            self._start = self._given
            return ()
        if not self._shipped:
            return ()
        prior = Prior.default(semantic=self._tokens is not None)
        known = sum(prior.knows(texts) for texts in questions)
        if known:
            self._start = Prior.unknown_to(questions, semantic=self._tokens is not None)
            if self._start is not None:
                note = f"The usual shipped prior was fitted on questions of these: {known}."
                return (f"{note} Another one that ships, fitted on none of them, is used.",)
            return (
                f"Left out: the shipped prior, which was fitted on questions of these: {known}.",
            )
        self._start = prior
        return ()

    def read(self, texts: QuestionTexts) -> Read:
        """Read a question once; all folds use it, for it knows no mark."""
        return read(texts, self._tokens)

    def fit(self, questions: Sequence[tuple[Read, NDArray[np.float64]]]) -> ScoreModel:
        """Fit on questions read before with their marks, NaN where there is none (n,).

        Raises:
            UsageError: there is no mark to fit on, and no prior to begin with.
        """
        marked = [Marked(each, scores) for each, scores in questions]
        if marked:
            return ScoreModel(Prior.fit(marked, self._start), self._tokens)
        if self._start is None:
            raise UsageError(
                "There is no other question to fit on.",
                hint="Evaluate a file with two questions or more.",
            )
        return ScoreModel(self._start, self._tokens)
