"""What autograding tells while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markbook.model import Outcome

__all__ = ["AutogradeEvent", "SubmissionFinished", "SubmissionStarted", "SubmissionUnchanged"]


@dataclass(frozen=True, slots=True)
class SubmissionStarted:
    """A submission is being run; ``done`` of ``total`` are finished."""

    student: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class SubmissionFinished:
    """A submission is done, its record stored and its folder in place."""

    student: str
    done: int
    total: int
    outcome: Outcome
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SubmissionUnchanged:
    """A submission was as at its last run, and nothing was done."""

    student: str
    done: int
    total: int


AutogradeEvent = SubmissionStarted | SubmissionFinished | SubmissionUnchanged
