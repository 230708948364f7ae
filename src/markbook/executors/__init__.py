"""Where work on many submissions runs: here, in other processes, or on a Dask cluster.

Everything behind this is a ``concurrent.futures.Executor``. Others are added as entry points of
the group ``markbook.executors``: a function ``(*, workers: int | None, address: str | None)``
that returns one.
"""

from markbook.executors.choose import executor_names, open_executor
from markbook.executors.end import ExecutorLost, WorkerKilled, warm, width
from markbook.executors.local import ProcessPool, SerialExecutor, cores

__all__ = [
    "ExecutorLost",
    "ProcessPool",
    "SerialExecutor",
    "WorkerKilled",
    "cores",
    "executor_names",
    "open_executor",
    "warm",
    "width",
]
