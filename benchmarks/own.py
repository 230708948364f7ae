"""Markbook's side: its own step on submissions, and how long it took for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import side

if TYPE_CHECKING:
    from pathlib import Path

WARM_UP = 28  # twice the sample class


@dataclass(frozen=True)
class Own:
    """How Markbook did: seconds for the step and for one submission.

    ``milestones`` are the seconds after which each tenth was done, ``peak`` the coordinator's
    memory in bytes, ``again`` the seconds of a second run in which nothing had changed.
    """

    seconds: float
    submission: float
    milestones: tuple[float, ...]
    peak: int
    again: float


def autograde(
    course: Path,
    assignment: str,
    cores: frozenset[int],
    warm_up: int,
    *,
    address: str | None = None,
    isolation: str = "auto",
) -> Own:
    """Autograde everybody but the first ``warm_up``, who were graded before and do not count.

    On one core in the coordinator's own process, on more in a pool of as many; with an
    ``address`` on that Dask cluster. Students' code is locked up, but for ``isolation="none"``.
    """
    pool = "serial" if len(cores) == 1 else "processes"
    found = side(
        "autograde",
        cores,
        course=str(course),
        assignment=assignment,
        executor="dask" if address else pool,
        workers=len(cores),
        address=address,
        warm_up=warm_up,
        isolation=isolation,
    )
    if found["failed"]:
        raise RuntimeError(f"Markbook failed on {len(found['failed'])}: {found['failed'][0]}")
    if found["unchanged"] != found["submissions"] + warm_up:
        raise RuntimeError(f"Markbook grades again what did not change: {found}")
    return Own(
        found["seconds"],
        found["seconds"] / found["submissions"],
        tuple(found["milestones"]),
        found["peak"],
        found["again"],
    )
