"""What Markbook asks of any executor beyond the standard library's methods, and how work ends."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor
from typing import TYPE_CHECKING

from markbook.errors import MarkbookError

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future
    from typing import Any

__all__ = ["ExecutorLost", "WorkerKilled", "kill", "settle", "warm", "width"]


class WorkerKilled(BrokenExecutor):
    """The task ended the process it ran in, more than once; other tasks are not affected."""


class ExecutorLost(MarkbookError):  # noqa: N818  (the name already says what happened)
    """Nothing more can be run; what has come back is good."""


def settle(future: Future[Any], inner: Future[Any]) -> None:
    """Pass on how ``inner``, which is done and was not cancelled, ended."""
    if not future.set_running_or_notify_cancel():
        return
    error = inner.exception()
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(inner.result())


def width(executor: Executor) -> int:
    """Return how many tasks the executor runs at once, as far as it tells; at least 1."""
    said = getattr(executor, "workers", None) or getattr(executor, "_max_workers", None)
    return max(1, said) if isinstance(said, int) else 1


def warm(executor: Executor, *modules: str) -> None:
    """Tell the executor which modules its workers will need, if it wants to know."""
    listen = getattr(executor, "warm", None)
    if callable(listen):
        listen(*modules)


def kill(executor: Executor) -> None:
    """End the executor now: what runs is broken off where that is possible, nothing is awaited."""
    end = getattr(executor, "kill", None)
    if callable(end):
        end()
    else:
        executor.shutdown(wait=False, cancel_futures=True)
