"""Suggestions for a whole assignment: one run of a grader notebook for each text question."""

from markbook.suggest.events import (
    OutsideOpened,
    QuestionFinished,
    QuestionProgress,
    QuestionStarted,
    SuggestEvent,
)
from markbook.suggest.report import QuestionState, QuestionSuggestions, SuggestReport
from markbook.suggest.step import suggest

__all__ = [
    "OutsideOpened",
    "QuestionFinished",
    "QuestionProgress",
    "QuestionStarted",
    "QuestionState",
    "QuestionSuggestions",
    "SuggestEvent",
    "SuggestReport",
    "suggest",
]
