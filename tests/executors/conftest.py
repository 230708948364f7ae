"""Executors that are ended however the test ends."""

from __future__ import annotations

import pytest

from markbook.executors import ProcessPool


@pytest.fixture
def pool():
    """Two worker processes."""
    made = ProcessPool(2)
    yield made
    made.kill()


@pytest.fixture
def pid_of_a_worker(pool):
    """Return the process of one of the pool's workers, which is idle then."""

    def find():
        import os

        return pool.submit(os.getpid).result(timeout=60)

    return find
