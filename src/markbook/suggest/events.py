"""What the step tells on its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markbook.suggest.report import QuestionSuggestions

__all__ = [
    "OutsideOpened",
    "QuestionFinished",
    "QuestionProgress",
    "QuestionStarted",
    "SuggestEvent",
]


@dataclass(frozen=True, slots=True)
class QuestionStarted:
    """A grader is about to run; ``done`` of ``total`` questions are finished."""

    question: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class QuestionProgress:
    """A grader goes on: what it does now, with ``read`` of ``texts`` where they are counted.

    Texts are answers, and with a sentence model also the rubric's phrases and exemplars.
    """

    question: str
    doing: str
    read: int
    texts: int
    done: int
    total: int

    @property
    def now(self) -> str:
        """Say it in a few words."""
        count = f", {self.read:,} of {self.texts:,} texts" if self.texts else ""
        return f"{self.question}: {self.doing}{count}"


@dataclass(frozen=True, slots=True)
class QuestionFinished:
    """A question is finished, whatever became of it."""

    result: QuestionSuggestions
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class OutsideOpened:
    """An outside model is going to be asked; nothing was sent yet.

    ``notice`` is to be shown to a person: where answers go, and what is odd about it. ``local``
    tells that they stay on this machine.
    """

    notice: str
    local: bool


SuggestEvent = QuestionStarted | QuestionProgress | QuestionFinished | OutsideOpened
