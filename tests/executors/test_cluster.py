"""A real Dask scheduler with two worker processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future

import pytest

from markbook.errors import UsageError
from markbook.executors import ExecutorLost, WorkerKilled, cluster, open_executor, width

SECONDS = 240  # workers that ended take long to start on a busy machine


@pytest.fixture
def dask(dask_cluster):
    dask_cluster.scale(2)
    with open_executor(address=dask_cluster.scheduler_address) as executor:
        yield executor


def test_the_cluster_has_a_place_for_each_of_its_threads(dask, dask_cluster):
    assert width(dask) == 2
    with open_executor("dask", address=dask_cluster.scheduler_address, workers=5) as asked:
        assert width(asked) == 5


def test_work_is_done_elsewhere_and_twice_where_it_is_asked_twice(dask):
    futures = [dask.submit(os.urandom, 8) for _ in range(4)]
    assert len({future.result(timeout=SECONDS) for future in futures}) == 4
    assert dask.submit(os.getpid).result(timeout=SECONDS) != os.getpid()


def test_an_error_of_a_task_belongs_to_its_future(dask):
    with pytest.raises(ZeroDivisionError):
        dask.submit(divmod, 1, 0).result(timeout=SECONDS)


def test_a_killed_worker_costs_no_result(dask):
    slow = [dask.submit(eval, f"(__import__('time').sleep(0.3), {n})[1]") for n in range(6)]
    os.kill(dask.submit(os.getpid).result(timeout=SECONDS), signal.SIGKILL)
    assert [future.result(timeout=SECONDS) for future in slow] == list(range(6))


def test_a_task_that_ends_every_worker_fails_and_no_other_notices(dask):
    deadly = dask.submit(os._exit, 3)
    others = [dask.submit(abs, -number) for number in range(10)]
    assert [future.result(timeout=SECONDS) for future in others] == list(range(10))
    with pytest.raises(WorkerKilled):
        deadly.result(timeout=SECONDS)


class KilledWorker(Exception):  # noqa: N818  (Dask's name)
    pass


class Drawn:
    """Stands for Dask where its order of events has to be drawn up: each call waits for ``end``."""

    status = "running"

    def __init__(self):
        self.calls = []
        self.shut = False

    def get_executor(self, *, pure):
        return self

    def submit(self, name):
        if self.shut:
            raise RuntimeError("cannot schedule new futures after shutdown")
        self.calls.append((name, Future()))
        return self.calls[-1][1]

    def end(self, name, *, killed=False):
        [future] = [future for called, future in self.calls if called == name and not future.done()]
        if killed:
            future.set_exception(KilledWorker())
        else:
            future.set_result(name.upper())

    @property
    def under_way(self):
        return [name for name, future in self.calls if not future.done()]

    def shutdown(self, *, wait):
        self.shut = True

    def close(self, timeout=None):
        self.status = "closed"


@pytest.fixture
def drawn():
    return Drawn()


def test_tasks_failed_beside_a_deadly_one_are_tried_again_alone_and_the_rest_waits(drawn):
    executor = cluster.ClusterExecutor(drawn, "tcp://nowhere")
    futures = {name: executor.submit(name) for name in "abc"}
    drawn.end("a", killed=True)
    drawn.end("b", killed=True)  # Dask holds it against all that waited on the worker that died
    futures["d"] = executor.submit("d")
    assert drawn.under_way == ["c"]
    drawn.end("c")
    assert drawn.under_way == ["a"]
    drawn.end("a", killed=True)
    with pytest.raises(WorkerKilled):
        futures["a"].result(timeout=0)
    assert drawn.under_way == ["b"]
    drawn.end("b")
    assert drawn.under_way == ["d"]
    drawn.end("d")
    assert [futures[name].result(timeout=0) for name in "bcd"] == ["B", "C", "D"]


def test_what_waits_to_be_tried_again_when_the_scheduler_goes_away_is_lost_with_a_reason(drawn):
    executor = cluster.ClusterExecutor(drawn, "tcp://nowhere")
    futures = [executor.submit(name) for name in "ab"]
    drawn.end("a", killed=True)
    futures.append(executor.submit("c"))
    drawn.shut = True
    drawn.end("b")
    for future in (futures[0], futures[2]):
        with pytest.raises(ExecutorLost, match="went away"):
            future.result(timeout=0)


def test_what_waits_to_be_tried_again_is_cancelled_when_the_executor_is_killed(drawn):
    executor = cluster.ClusterExecutor(drawn, "tcp://nowhere")
    futures = [executor.submit(name) for name in "ab"]
    drawn.end("a", killed=True)
    futures.append(executor.submit("c"))
    executor.kill()
    assert futures[0].cancelled()
    assert futures[2].cancelled()


def test_a_worker_with_another_markbook_is_named(dask_cluster, monkeypatch):
    monkeypatch.setattr(cluster, "__version__", "99")
    with pytest.raises(UsageError, match=r"tcp://127\.0\.0\.1:\d+ has not the Markbook .*99"):
        open_executor(address=dask_cluster.scheduler_address).__enter__()


SCHEDULER = """
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=WORKERS, threads_per_worker=1, processes=True, host="127.0.0.1",
                      dashboard_address="127.0.0.1:0",
                      worker_dashboard_address="127.0.0.1:0") as cluster:
        print(cluster.scheduler_address, flush=True)
        input()
"""


@pytest.fixture
def own_scheduler(tmp_path):
    """Start a scheduler that may be killed; returns its process and address."""
    started = []

    def start(workers):
        script = tmp_path / "scheduler.py"
        script.write_text(SCHEDULER.replace("WORKERS", str(workers)))
        process = subprocess.Popen(
            [sys.executable, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        started.append(process)
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_scheduler_without_workers_is_said_so(own_scheduler, monkeypatch):
    monkeypatch.setattr(cluster, "_WORKER_SECONDS", 0.5)
    _, address = own_scheduler(0)
    with pytest.raises(UsageError, match="has no worker"):
        open_executor(address=address).__enter__()


def test_a_scheduler_that_goes_away_is_named_and_nothing_waits_for_ever(own_scheduler):
    process, address = own_scheduler(1)
    executor = cluster.dask(address=address)
    try:
        future = executor.submit(time.sleep, 600)
        time.sleep(0.3)
        process.kill()
        with pytest.raises(ExecutorLost, match="went away"):
            future.result(timeout=SECONDS)
    finally:
        executor.kill()
