"""Progress on stderr: a bar on a terminal, elsewhere a plain line every few seconds."""

from __future__ import annotations

import sys
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Meter", "progress"]

# Seconds between plain lines: what takes less says nothing at all.
_EVERY = 5.0
# Seconds that the rate looks back on: it tells how fast it goes now.
_WINDOW = 20.0


@dataclass(slots=True)
class Meter:
    """What a step's events add up to: how far it is, how fast it goes, what was found.

    Events are the steps' own frozen dataclasses; what counts of them are the fields ``done`` (or
    ``number``), ``total`` and ``findings``, and ``now``: what a ``question`` is at until its
    ``result`` is there.
    """

    clock: Callable[[], float] = field(default=lambda: time.monotonic())
    done: int = 0
    total: int = 0
    attention: int = 0
    _times: deque[float] = field(default_factory=deque)
    _now: dict[str, str] = field(default_factory=dict)

    def hear(self, event: Any) -> bool:
        """Take in an event; tell whether it says anything of progress."""
        total = getattr(event, "total", None)
        if not total:
            return False
        self.total = total
        self.done = getattr(event, "done", getattr(event, "number", None)) or 0
        if said := getattr(event, "now", ""):
            self._now[event.question] = said
        elif hasattr(event, "result"):
            self._now.pop(event.result.question, None)
        if hasattr(event, "outcome"):
            self._times.append(self.clock())
            self.attention += bool(getattr(event, "findings", ()))
        return True

    @property
    def rate(self) -> float | None:
        """How many were finished in a second of late; None while too few were to tell."""
        now = self.clock()
        while self._times and self._times[0] < now - _WINDOW:
            self._times.popleft()
        if len(self._times) < 2 or now - self._times[0] < 0.1:
            return None
        return (len(self._times) - 1) / (now - self._times[0])

    def now(self) -> str:
        """Return what each question that is under way is at, where that is told."""
        return "; ".join(self._now.values())

    def describe(self) -> str:
        """Return rate, time left and findings, for people; empty while nothing is known."""
        parts = []
        rate = self.rate
        if rate is not None:
            parts += [f"{rate:.0f}/s" if rate >= 3 else f"{rate:.1f}/s"]
            parts += [f"{_duration((self.total - self.done) / rate)} left"]
        if self.attention:
            parts += [f"{self.attention} need attention"]
        return ", ".join(parts)


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


@contextmanager
def progress(label: str, *, quiet: bool = False) -> Iterator[Callable[[Any], None]]:
    """Give a function to pass to a step as ``on_event``, which shows how far the step is."""
    if quiet:
        yield lambda _event: None
    elif not sys.stderr.isatty():
        yield _plain(label)
    else:
        with _bar(label) as on_event:
            yield on_event


def _plain(label: str) -> Callable[[Any], None]:
    meter = Meter()
    said = time.monotonic()

    def on_event(event: Any) -> None:
        nonlocal said
        if meter.hear(event) and time.monotonic() - said >= _EVERY:
            said = time.monotonic()
            parts = [f"{label} {meter.done}/{meter.total}", meter.describe() or meter.now()]
            print(", ".join(part for part in parts if part), file=sys.stderr, flush=True)

    return on_event


@contextmanager
def _bar(label: str) -> Iterator[Callable[[Any], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.table import Column

    # The least widths are what a long text beside them must not squeeze out.
    bar = Progress(
        TextColumn("{task.description}", table_column=Column(min_width=len(label))),
        BarColumn(bar_width=20),
        MofNCompleteColumn(table_column=Column(min_width=3)),
        TextColumn("{task.fields[now]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
        console=Console(stderr=True),
        transient=True,
    )
    meter = Meter()
    with bar:
        task = bar.add_task(label, total=None, now="")

        def on_event(event: Any) -> None:
            if meter.hear(event):
                now = meter.describe() or meter.now() or _name(event)
                bar.update(task, completed=meter.done, total=meter.total, now=now)

        yield on_event


def _name(event: Any) -> str:
    for place in ("student", "question", "path"):
        name = getattr(event, place, "")
        if name:
            return str(name)
    return ""
