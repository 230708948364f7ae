"""Feedback: one page per student and notebook that says what was earned, and why."""

from markbook.feedback.source import FeedbackSource
from markbook.feedback.write import FeedbackEvent, FeedbackReport, write_feedback

__all__ = ["FeedbackEvent", "FeedbackReport", "FeedbackSource", "write_feedback"]
