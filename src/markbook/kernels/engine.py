"""Papermill's engine on forked kernels."""

from __future__ import annotations

from papermill.engines import NBClientEngine

__all__ = ["MarkbookEngine"]


class MarkbookEngine(NBClientEngine):  # type: ignore[misc]
    """Being written: papermill's own engine until then."""
