"""Suggestions for a whole assignment: one run of a grader notebook for each text question."""

from markbook.suggest.report import QuestionState, QuestionSuggestions, SuggestReport
from markbook.suggest.step import (
    QuestionFinished,
    QuestionStarted,
    SuggestEvent,
    suggest,
)

__all__ = [
    "QuestionFinished",
    "QuestionStarted",
    "QuestionState",
    "QuestionSuggestions",
    "SuggestEvent",
    "SuggestReport",
    "suggest",
]
