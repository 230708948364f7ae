"""Executors of this machine: this thread, or a pool of processes that survives its workers."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import connection, get_context, parent_process
from multiprocessing.context import ForkServerContext
from typing import TYPE_CHECKING, Any, TypeVar

from markbook.executors.end import WorkerKilled, settle

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ProcessPool", "SerialExecutor", "cores", "processes", "serial"]

T = TypeVar("T")


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


def serial(*, workers: int | None = None, address: str | None = None) -> Executor:
    """Return an executor that works in this thread; the arguments mean nothing to it."""
    return SerialExecutor()


def processes(*, workers: int | None = None, address: str | None = None) -> Executor:
    """Return a pool of ``workers`` processes, by default one for each processor."""
    return ProcessPool(workers or cores())


class SerialExecutor(Executor):
    """Runs each task in the thread that submits it, before ``submit`` returns."""

    workers = 1

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  (it belongs to the future)
            future.set_exception(error)
        return future


@dataclass(slots=True)
class _Task:
    """A call, and the future that whoever submitted it holds."""

    call: Callable[[], Any]
    future: Future[Any] = field(default_factory=Future)


class ProcessPool(Executor):
    """Worker processes, of which any may be killed without any other task noticing.

    When a worker dies, the standard library's pool fails everything that was under way. Here the
    pool is made anew, and each of these tasks is run again alone: the one that ends its process
    once more fails with ``WorkerKilled``. The processes end with this one, whatever way it ends.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._modules: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._pool: _Pool | None = None
        self._alone: _Pool | None = None
        self._suspects: deque[_Task] = deque()
        self._retrying: threading.Thread | None = None
        self._ended = False

    def warm(self, *modules: str) -> None:
        """Have workers import ``modules`` once for all of them, before the first is started."""
        self._modules = modules

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        task = _Task(partial(fn, *args, **kwargs))
        self._start(task)
        return task.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        with self._lock:
            self._ended = True
            pool, thread = self._pool, self._retrying
            if cancel_futures:
                while self._suspects:
                    self._suspects.popleft().future.cancel()
        if pool is not None:
            pool.shutdown(wait=wait, cancel_futures=cancel_futures)
        if wait and thread is not None:
            thread.join()

    def kill(self) -> None:
        """End the workers at once, whatever they are doing; what is under way is cancelled."""
        with self._lock:
            self._ended = True
            pools = [pool for pool in (self._pool, self._alone) if pool is not None]
            while self._suspects:
                self._suspects.popleft().future.cancel()
        for pool in pools:
            pool.kill()
        for pool in pools:
            pool.shutdown(wait=True, cancel_futures=True)

    def _start(self, task: _Task) -> None:
        while True:
            with self._lock:
                if self._ended:
                    raise RuntimeError("cannot schedule new futures after shutdown")
                if self._pool is None:
                    self._pool = _Pool(self.workers, self._modules)
                pool = self._pool
            try:
                inner = pool.submit(task.call)
            except BrokenExecutor:
                self._forget(pool)
            else:
                inner.add_done_callback(partial(self._finish, task, pool))
                return

    def _finish(self, task: _Task, pool: _Pool, inner: Future[Any]) -> None:
        """Pass on how a task ended; called in the pool's own thread."""
        if inner.cancelled():
            task.future.cancel()
            task.future.set_running_or_notify_cancel()
        elif isinstance(inner.exception(), BrokenExecutor):
            self._forget(pool)
            self._suspect(task)
        else:
            settle(task.future, inner)

    def _forget(self, pool: _Pool) -> None:
        with self._lock:
            if self._pool is pool:
                self._pool = None

    def _suspect(self, task: _Task) -> None:
        """Have a task run again that was under way when a worker died."""
        with self._lock:
            if self._ended:
                task.future.cancel()
                task.future.set_running_or_notify_cancel()
                return
            self._suspects.append(task)
            if self._retrying is None:
                self._retrying = threading.Thread(
                    target=self._run_suspects, name="markbook-suspects", daemon=True
                )
                self._retrying.start()

    def _run_suspects(self) -> None:
        while True:
            with self._lock:
                if not self._suspects:
                    self._retrying = None
                    alone, self._alone = self._alone, None
                    break
                task = self._suspects.popleft()
            self._run_alone(task)
        if alone is not None:
            alone.shutdown(wait=True)

    def _run_alone(self, task: _Task) -> None:
        """Run one task with no other beside it, so that whose fault it is is beyond doubt."""
        with self._lock:
            if self._alone is None:
                self._alone = _Pool(1, self._modules)
            alone = self._alone
        try:
            inner = alone.submit(task.call)
        except BrokenExecutor:  # the worker was killed while it had nothing to do
            with self._lock:
                self._alone = None
            self._run_alone(task)
            return
        error = inner.exception()
        if not isinstance(error, BrokenExecutor):
            settle(task.future, inner)
            return
        with self._lock:
            self._alone = None
        if self._ended:
            task.future.cancel()
            task.future.set_running_or_notify_cancel()
        elif task.future.set_running_or_notify_cancel():
            task.future.set_exception(WorkerKilled("it ended its worker process, twice"))


class _Pool(ProcessPoolExecutor):
    """A pool of the standard library that can be killed.

    Its processes are forked from one that was started afresh: this one has threads and database
    connections, which a fork would take along half alive.
    """

    def __init__(self, workers: int, modules: tuple[str, ...]) -> None:
        self._context = _Context()
        self._context.set_forkserver_preload(["markbook.executors.worker", *modules])
        super().__init__(workers, mp_context=self._context, initializer=_begin)

    def kill(self) -> None:
        for process in self._context.started:
            if process.pid is not None:  # None: it could not be started
                process.kill()


class _Context(ForkServerContext):
    """The standard library's context, which remembers what it started."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[Any] = []

    def Process(self, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]  # noqa: N802
        process = get_context("forkserver").Process(*args, **kwargs)
        self.started.append(process)
        return process


def _begin() -> None:
    """Set a worker up: deaf to Ctrl-C, and gone when the process that asked for it is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.setsid()  # what a terminal sends to its processes reaches no kernel of a worker either
    parent = parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(70)  # a thread has no other way out; what was half done is done again
