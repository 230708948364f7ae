"""Executors of this machine. What is submitted are functions that any process can import."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from markbook.executors import ProcessPool, SerialExecutor, WorkerKilled, cores, width

SECONDS = 60  # for what takes moments: a busy machine is slow, a broken pool waits for ever


def wait_for(condition):
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_serial_work_is_done_in_this_thread_before_submit_returns():
    future = SerialExecutor().submit(threading.get_ident)
    assert future.done()
    assert future.result() == threading.get_ident()


def test_an_error_of_serial_work_belongs_to_its_future():
    future = SerialExecutor().submit(divmod, 1, 0)
    assert isinstance(future.exception(), ZeroDivisionError)


def test_ctrl_c_in_serial_work_stops_whoever_submitted_it():
    with pytest.raises(KeyboardInterrupt):
        SerialExecutor().submit(signal.raise_signal, signal.SIGINT)


def test_there_are_as_many_cores_as_this_process_may_use():
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert cores() == len(allowed)


def test_workers_are_processes_of_their_own_that_have_imported_what_they_need():
    pool = ProcessPool(2)
    pool.warm("markbook.model")
    assert width(pool) == 2
    try:
        asked = "__import__('os').getpid(), 'markbook.model' in __import__('sys').modules"
        pid, warm = pool.submit(eval, asked).result(timeout=SECONDS)
        assert pid != os.getpid()
        assert warm
    finally:
        pool.shutdown()
    wait_for(lambda: not running(pid))


def test_an_error_of_a_worker_belongs_to_its_future(pool):
    with pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 1, 0).result(timeout=SECONDS)


def test_a_task_that_ends_its_worker_fails_and_no_other_notices(pool):
    before = [pool.submit(abs, -number) for number in range(20)]
    deadly = pool.submit(os._exit, 3)
    after = [pool.submit(abs, -number) for number in range(20)]
    with pytest.raises(WorkerKilled):
        deadly.result(timeout=SECONDS)
    assert [f.result(timeout=SECONDS) for f in before] == list(range(20))
    assert [f.result(timeout=SECONDS) for f in after] == list(range(20))


def test_two_deadly_tasks_at_once_fail_and_no_other_notices(pool):
    futures = [pool.submit(os._exit, 3) if n in (4, 5) else pool.submit(abs, n) for n in range(12)]
    for number, future in enumerate(futures):
        if number in (4, 5):
            assert isinstance(future.exception(timeout=SECONDS), WorkerKilled)
        else:
            assert future.result(timeout=SECONDS) == number


def test_a_worker_killed_from_outside_costs_no_result(pool, pid_of_a_worker):
    pid = pid_of_a_worker()
    slow = [pool.submit(eval, "(__import__('time').sleep(0.3), 7)[1]") for _ in range(6)]
    time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    assert [f.result(timeout=SECONDS) for f in slow] == [7] * 6
    wait_for(lambda: not running(pid))


def test_a_worker_killed_while_it_is_idle_costs_no_result(pool, pid_of_a_worker):
    for _ in range(3):
        pid = pid_of_a_worker()
        os.kill(pid, signal.SIGKILL)
        assert pool.submit(abs, -1).result(timeout=SECONDS) == 1


def test_workers_are_deaf_to_ctrl_c_and_out_of_reach_of_the_terminals(pool, pid_of_a_worker):
    pid = pid_of_a_worker()
    assert os.getsid(pid) != os.getsid(0)
    slow = [pool.submit(eval, "(__import__('time').sleep(0.3), 7)[1]") for _ in range(2)]
    time.sleep(0.1)
    os.kill(pid, signal.SIGINT)
    assert [f.result(timeout=SECONDS) for f in slow] == [7, 7]


def test_killing_the_pool_waits_for_nothing(pool, pid_of_a_worker):
    pid = pid_of_a_worker()
    futures = [pool.submit(time.sleep, 600) for _ in range(6)]
    start = time.monotonic()
    pool.kill()
    assert time.monotonic() - start < 20
    for future in futures:
        with pytest.raises(CancelledError):
            future.result(timeout=SECONDS)
    wait_for(lambda: not running(pid))
    with pytest.raises(RuntimeError):
        pool.submit(abs, 1)


def test_shutting_down_cancels_what_has_not_begun(pool):
    first = pool.submit(abs, -1)
    first.result(timeout=SECONDS)
    futures = [pool.submit(time.sleep, 0.2) for _ in range(40)]
    pool.shutdown(wait=True, cancel_futures=True)
    assert all(future.done() for future in futures)
    assert any(future.cancelled() for future in futures)


COORDINATOR = """
import os, time
from markbook.executors import ProcessPool
if __name__ == "__main__":
    pool = ProcessPool(2)
    pids = {pool.submit(os.getpid).result() for _ in range(8)}
    for _ in range(4):
        pool.submit(time.sleep, 600)
    print(*pids, flush=True)
    time.sleep(600)
"""


def test_workers_end_when_the_coordinator_is_killed(tmp_path):
    script = tmp_path / "coordinator.py"
    script.write_text(COORDINATOR)
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    pids = [int(word) for word in process.stdout.readline().split()]
    assert pids
    assert all(map(running, pids))
    process.kill()
    process.wait()
    process.stdout.close()
    wait_for(lambda: not any(map(running, pids)))


def test_a_worker_that_cannot_be_started_is_what_the_error_says(monkeypatch):
    from multiprocessing import popen_forkserver

    from markbook.executors import open_executor

    def refuse(*_):
        raise OSError("no process left")

    monkeypatch.setattr(popen_forkserver, "Popen", refuse)
    with pytest.raises(OSError, match="no process left"), open_executor("processes") as pool:
        pool.submit(len, ()).result(timeout=60)
