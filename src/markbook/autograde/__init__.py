"""Running submissions, and putting what students wrote into the answers table."""

from markbook.autograde.events import AutogradeEvent, SubmissionFinished, SubmissionStarted
from markbook.autograde.run import AutogradeReport, autograde

__all__ = [
    "AutogradeEvent",
    "AutogradeReport",
    "SubmissionFinished",
    "SubmissionStarted",
    "autograde",
]
