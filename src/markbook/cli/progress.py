"""Progress on a terminal: a bar on stderr that listens to a step's events; silence elsewhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["progress"]


@contextmanager
def progress(label: str, *, quiet: bool = False) -> Iterator[Callable[[Any], None]]:
    """Give a function to pass to a step as ``on_event``.

    Events are the steps' own frozen dataclasses; what a bar needs of them is how many are done,
    of how many, and a name to show.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _event: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    bar = Progress(
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[now]}"),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(label, total=None, now="")

        def on_event(event: Any) -> None:
            done = getattr(event, "done", getattr(event, "number", None))
            total = getattr(event, "total", None)
            if total:
                bar.update(task, completed=done or 0, total=total, now=_name(event))

        yield on_event


def _name(event: Any) -> str:
    for field in ("student", "question", "path"):
        name = getattr(event, field, "")
        if name:
            return str(name)
    return ""
