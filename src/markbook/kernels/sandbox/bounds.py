"""How much a locked-up submission may take of the machine."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Bounds"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of one submission, all its processes together where not said otherwise.

    ``memory`` is in bytes, beyond what the kernel shares with the server it is forked from;
    ``processes`` counts threads too, as Linux does (a kernel itself has eight); ``disk`` (bytes)
    and ``files`` are of its private folders, which lie in memory; ``cpu_seconds`` and
    ``open_files`` are each process's own. None is no bound.
    """

    memory: int | None = 4 * 1024**3
    processes: int = 256
    disk: int = 1024**3
    files: int = 100_000
    open_files: int = 1024
    cpu_seconds: float | None = 600.0

    def as_json(self) -> dict[str, Any]:
        """Return the bounds for an order to the server."""
        return asdict(self)
