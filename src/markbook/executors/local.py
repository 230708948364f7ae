"""Executors of this machine."""

from __future__ import annotations

from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

__all__ = ["processes", "serial"]


def serial(*, workers: int | None = None, address: str | None = None) -> Executor:
    """Being written."""
    return ThreadPoolExecutor(max_workers=1)


def processes(*, workers: int | None = None, address: str | None = None) -> Executor:
    """Being written."""
    return ProcessPoolExecutor(max_workers=workers)
