"""Executors of a Dask cluster."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from concurrent.futures import CancelledError, Executor, Future
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from markbook import __version__
from markbook.errors import UsageError
from markbook.executors.end import ExecutorLost, WorkerKilled, settle

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ClusterExecutor", "dask"]

T = TypeVar("T")

_CONNECT_SECONDS = 10
_WORKER_SECONDS = 30
_COUNT_SECONDS = 5.0  # asking is a round trip to the scheduler


def dask(*, workers: int | None = None, address: str | None = None) -> Executor:
    """Return an executor on the cluster of the scheduler at ``address``.

    ``workers`` bounds how many tasks are thought to run at once; by default that is what the
    cluster has threads for. Raises ``UsageError`` without Dask or an address, when nobody answers
    there, when no worker comes, or when one has another Markbook.
    """
    if address is None:
        raise UsageError(
            "The executor 'dask' needs to know where its scheduler is.",
            hint="Name it with --scheduler tcp://HOST:PORT.",
        )
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise UsageError(
            "Dask is not installed here.", hint="Install it: pip install 'markbook[cluster]'."
        ) from error
    try:
        client = distributed.Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise UsageError(
            f"No Dask scheduler answers at {address!r}: {error}",
            hint="Is it running, and does the address begin with tcp:// or tls://?",
        ) from error
    try:
        _check(client, address)
    except BaseException:
        client.close()
        raise
    return ClusterExecutor(client, address, workers)


def _check(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_WORKER_SECONDS)
    except TimeoutError as error:
        raise UsageError(
            f"The Dask scheduler at {address!r} has no worker.",
            hint="Start some: 'dask worker ADDRESS' on each machine.",
        ) from error
    for worker, version in client.run(_version, on_error="return").items():
        if version != __version__:
            raise UsageError(
                f"The Dask worker {worker} has not the Markbook of this machine"
                f" ({__version__}), but: {version}.",
                hint="Install the same version there.",
            )


def _version() -> str:
    return __version__


@dataclass(slots=True)
class _Call:
    """A call, and the future that whoever submitted it holds."""

    start: Callable[[], Future[Any]]
    outer: Future[Any] = field(default_factory=Future)


class ClusterExecutor(Executor):
    """Dask's executor, whose errors are those of any other executor; owns its ``client``.

    Dask fails a task when the workers it was on died several times, and that counts for whatever
    waited on them beside the task that ended them. So a task failed like this is run again, one at
    a time and with no other under way: who is failed once more is the culprit.
    """

    def __init__(self, client: Any, address: str, workers: int | None = None) -> None:
        self._client = client
        self._address = address
        self._workers = workers
        self._count = 0
        self._counted_at = -_COUNT_SECONDS
        # a scheduler that goes away is our error to tell, not a traceback in a log on the terminal
        self._log = logging.getLogger("distributed.client")
        self._level = self._log.level
        self._log.setLevel(logging.CRITICAL)
        # the same call twice is two calls: results are not looked up by their arguments
        self._executor = client.get_executor(pure=False)
        self._lock = threading.RLock()  # Dask may call back in the thread that submits
        self._running = 0
        self._held: deque[_Call] = deque()  # not begun as long as there are suspects
        self._suspects: deque[_Call] = deque()

    @property
    def workers(self) -> int:
        """How many tasks run at once: as asked, or the cluster's threads, which come and go."""
        if self._workers is not None:
            return self._workers
        if time.monotonic() > self._counted_at + _COUNT_SECONDS:
            self._counted_at = time.monotonic()
            self._count = sum(self._client.nthreads().values())
        return max(1, self._count)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        call = _Call(partial(self._executor.submit, fn, *args, **kwargs))
        with self._lock:
            if self._suspects:
                self._held.append(call)
            else:
                self._start(call)
        return call.outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if wait and not cancel_futures:
            wait_for(self._put_off())
        self._executor.shutdown(wait=wait and not cancel_futures)
        self._client.close()
        self._cancel()
        self._log.setLevel(self._level)

    def kill(self) -> None:
        """Have the cluster forget what was asked of it; what runs there runs to its end."""
        self._executor.shutdown(wait=False)
        self._client.close(timeout=2)
        self._cancel()

    def _put_off(self) -> list[Future[Any]]:
        with self._lock:
            return [call.outer for call in (*self._suspects, *self._held)]

    def _cancel(self) -> None:
        for future in self._put_off():
            future.cancel()

    def _start(self, call: _Call, *, alone: bool = False) -> None:
        inner = call.start()
        self._running += 1
        inner.add_done_callback(lambda done: self._finish(call, done, alone=alone))

    def _finish(self, call: _Call, done: Future[Any], *, alone: bool) -> None:
        error = CancelledError() if done.cancelled() else done.exception()
        killed = type(error).__name__ == "KilledWorker"
        with self._lock:
            self._running -= 1
            if alone:
                self._suspects.popleft()
            if killed and not alone:
                self._suspects.append(call)
            self._go_on()
        if not killed or alone:
            self._settle(call, done, error, killed=killed)

    def _go_on(self) -> None:
        """Start the next suspect as soon as nothing else runs, or else what was held back."""
        while self._suspects and not self._running:
            self._try(self._suspects[0], alone=True)
        while self._held and not self._suspects:
            self._try(self._held.popleft())

    def _try(self, call: _Call, *, alone: bool = False) -> None:
        try:
            self._start(call, alone=alone)
        except Exception:  # noqa: BLE001  (whatever it is: the scheduler is not there any more)
            if alone:
                self._suspects.popleft()
            self._fail(call, self._lost())

    def _settle(
        self, call: _Call, done: Future[Any], error: BaseException | None, *, killed: bool
    ) -> None:
        if killed:
            self._fail(call, WorkerKilled("it ended its workers, one after another"))
        elif isinstance(error, CancelledError) or self._client.status != "running":
            self._fail(call, self._lost())
        else:
            settle(call.outer, done)

    def _fail(self, call: _Call, error: Exception) -> None:
        if call.outer.set_running_or_notify_cancel():
            call.outer.set_exception(error)

    def _lost(self) -> ExecutorLost:
        return ExecutorLost(
            f"The Dask scheduler at {self._address!r} went away.",
            hint="What was done is kept; run it again to do the rest.",
        )
