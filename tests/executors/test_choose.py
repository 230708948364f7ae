from __future__ import annotations

import pytest

from markbook.errors import UsageError
from markbook.executors import (
    ProcessPool,
    SerialExecutor,
    choose,
    cluster,
    executor_names,
    open_executor,
    width,
)


def test_the_built_in_executors_are_entry_points():
    assert executor_names() == ("dask", "processes", "serial")


def test_by_default_each_core_has_a_worker(monkeypatch):
    monkeypatch.setattr(choose, "cores", lambda: 3)
    with open_executor() as executor:
        assert isinstance(executor, ProcessPool)
    with open_executor(workers=7) as executor:
        assert width(executor) == 7


def test_one_worker_needs_no_other_process(monkeypatch):
    with open_executor(workers=1) as executor:
        assert isinstance(executor, SerialExecutor)
    monkeypatch.setattr(choose, "cores", lambda: 1)
    with open_executor() as executor:
        assert isinstance(executor, SerialExecutor)
    with open_executor("processes", workers=1) as executor:
        assert isinstance(executor, ProcessPool), "what was asked for by name is given"


def test_an_unknown_executor_is_named_with_the_known_ones():
    with pytest.raises(UsageError, match=r"'slurm'.*dask, processes, serial"):
        open_executor("slurm").__enter__()


@pytest.mark.parametrize("name", ["serial", "processes"])
def test_an_executor_of_this_machine_refuses_an_address(name):
    with pytest.raises(UsageError, match="scheduler"):
        open_executor(name, address="tcp://127.0.0.1:1").__enter__()


def test_leaving_by_an_error_ends_the_executor_at_once(monkeypatch):
    ended = []
    monkeypatch.setattr(choose, "kill", ended.append)
    with pytest.raises(KeyboardInterrupt), open_executor("serial") as executor:
        raise KeyboardInterrupt
    assert ended == [executor]


def test_dask_without_an_address_asks_for_one():
    with pytest.raises(UsageError, match="--scheduler"):
        open_executor("dask").__enter__()


def test_without_dask_one_line_says_how_to_install_it(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(cluster, "import_module", missing)
    with pytest.raises(UsageError, match=r"pip install 'markbook\[cluster\]'") as error:
        open_executor(address="tcp://127.0.0.1:1").__enter__()
    assert "\n" not in str(error.value)


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 0.5)
    with pytest.raises(UsageError, match=r"No Dask scheduler answers at 'tcp://127\.0\.0\.1:1'"):
        open_executor(address="tcp://127.0.0.1:1").__enter__()
