"""How far a grader is, told by a small file to whoever runs its notebook."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from markbook.text.files import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PROGRESS_NAME", "Progress", "Stage", "read_stage", "write_stage"]

PROGRESS_NAME = "progress.json"
_EVERY = 0.2  # seconds between two writes of one stage: a person reads no faster
_LONGEST = 200  # characters of what a stage calls itself


@dataclass(frozen=True, slots=True)
class Stage:
    """What a grader does now: ``done`` of ``total`` texts, both zero where nothing is counted."""

    doing: str
    done: int = 0
    total: int = 0


class Progress:
    """Writes the stages of a grader to a file, or nowhere. Never raises: it is a courtesy."""

    def __init__(self, path: Path | None = None) -> None:
        # A grader that a person runs by hand leaves no such file: only who asks lays one out.
        self._path = path if path is not None and path.is_file() else None
        self._told = Stage("")
        self._next = 0.0

    def tell(self, doing: str, done: int = 0, total: int = 0) -> None:
        """Tell a stage. A new one is written at once, a count a few times a second."""
        now = time.monotonic()
        if self._path is None or (doing == self._told.doing and now < self._next):
            return
        self._told, self._next = Stage(doing, done, total), now + _EVERY
        try:
            write_stage(self._path, self._told)
        except OSError:
            self._path = None  # the folder is gone or full: nobody hears, and nothing is lost


def write_stage(path: Path, stage: Stage) -> None:
    """Write a stage in one step, so that no reader finds half of it."""
    write_atomic(path, json.dumps(asdict(stage)), durable=False)


def read_stage(path: Path) -> Stage | None:
    """Return the stage in a file; None where there is none, or something else is written."""
    try:
        found = json.loads(path.read_bytes())
        stage = Stage(**found)
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    numbers = all(type(n) is int and n >= 0 for n in (stage.done, stage.total))
    words = isinstance(stage.doing, str) and 0 < len(stage.doing) <= _LONGEST
    return stage if numbers and words and stage.done <= stage.total else None
