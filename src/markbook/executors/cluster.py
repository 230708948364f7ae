"""Executors of a Dask cluster."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor

__all__ = ["dask"]


def dask(*, workers: int | None = None, address: str | None = None) -> Executor:
    """Being written."""
    return ThreadPoolExecutor(max_workers=1)
