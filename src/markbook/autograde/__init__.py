"""Grading submissions, and putting what students wrote into the answers table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markbook.autograde.events import (
    AutogradeEvent,
    SubmissionFinished,
    SubmissionStarted,
    SubmissionUnchanged,
)
from markbook.autograde.report import AutogradeReport, SubmissionReport

if TYPE_CHECKING:
    from markbook.autograde.run import Options, autograde

__all__ = [
    "AutogradeEvent",
    "AutogradeReport",
    "Options",
    "SubmissionFinished",
    "SubmissionReport",
    "SubmissionStarted",
    "SubmissionUnchanged",
    "autograde",
]


def __getattr__(name: str) -> Any:
    # The coordinator needs the gradebook; workers, which import this package too, do not.
    if name in ("Options", "autograde"):
        from markbook.autograde import run

        return getattr(run, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
