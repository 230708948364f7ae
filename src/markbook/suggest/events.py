"""What the step tells on its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markbook.suggest.report import QuestionSuggestions

__all__ = ["OutsideOpened", "QuestionFinished", "QuestionStarted", "SuggestEvent"]


@dataclass(frozen=True, slots=True)
class QuestionStarted:
    """A grader is about to run; ``done`` of ``total`` questions are finished."""

    question: str
    done: int
    total: int


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


SuggestEvent = QuestionStarted | QuestionFinished | OutsideOpened
