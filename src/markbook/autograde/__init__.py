"""Grading submissions, and putting what students wrote into the answers table."""

from markbook.autograde.events import (
    AutogradeEvent,
    SubmissionFinished,
    SubmissionStarted,
    SubmissionUnchanged,
)
from markbook.autograde.report import AutogradeReport, SubmissionReport
from markbook.autograde.run import ENGINES, Options, autograde

__all__ = [
    "ENGINES",
    "AutogradeEvent",
    "AutogradeReport",
    "Options",
    "SubmissionFinished",
    "SubmissionReport",
    "SubmissionStarted",
    "SubmissionUnchanged",
    "autograde",
]
