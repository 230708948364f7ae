"""Opening an executor by its name."""

from __future__ import annotations

from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, cast

from markbook.errors import UsageError
from markbook.executors.end import kill
from markbook.executors.local import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

__all__ = ["executor_names", "open_executor"]

_GROUP = "markbook.executors"


def executor_names() -> tuple[str, ...]:
    """Return the names of the executors that are installed, sorted."""
    return tuple(sorted({entry.name for entry in entry_points(group=_GROUP)}))


@contextmanager
def open_executor(
    name: str | None = None, *, workers: int | None = None, address: str | None = None
) -> Iterator[Executor]:
    """Give an executor; without a name Dask where there is an ``address``, else processes.

    ``workers`` is how many tasks it runs at once (default: one for each core, or what the cluster
    has); one process more gains nothing for one worker, so that it then works in this thread.
    Leaving by an error ends the workers at once. Raises ``UsageError`` for a name that nobody has
    installed, or an ``address`` for an executor of this machine.
    """
    chosen = name or _default(workers, address)
    if address is not None and chosen in ("serial", "processes"):
        raise UsageError(
            f"The executor {chosen!r} has no scheduler, so {address!r} means nothing to it.",
            hint="Take --scheduler or --executor away.",
        )
    executor = _named(chosen)(workers=workers, address=address)
    try:
        yield executor
    except BaseException:
        kill(executor)
        raise
    executor.shutdown(wait=True, cancel_futures=True)


def _default(workers: int | None, address: str | None) -> str:
    if address is not None:
        return "dask"
    return "serial" if (workers or cores()) == 1 else "processes"


def _named(name: str) -> Callable[..., Executor]:
    found = entry_points(group=_GROUP, name=name)
    if not found:
        raise UsageError(
            f"There is no executor {name!r}.",
            hint=f"There are these: {', '.join(executor_names())}.",
        )
    return cast("Callable[..., Executor]", next(iter(found)).load())
