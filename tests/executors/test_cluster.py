"""A real Dask scheduler with two worker processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from markbook.errors import UsageError
from markbook.executors import ExecutorLost, WorkerKilled, cluster, open_executor, width

SECONDS = 60


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
