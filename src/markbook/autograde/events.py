"""What autograding tells while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markbook.model import Outcome

__all__ = ["AutogradeEvent", "SubmissionFinished", "SubmissionStarted"]


@dataclass(frozen=True, slots=True)
class SubmissionStarted:
    """A submission is being run: the ``number``-th (from 1) of ``total``."""

    student: str
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class SubmissionFinished:
    """A submission is done and its record stored."""

    student: str
    number: int
    total: int
    outcome: Outcome
    findings: tuple[str, ...]


AutogradeEvent = SubmissionStarted | SubmissionFinished
