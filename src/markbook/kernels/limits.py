"""How far a notebook's run may go, and what is said when it goes further."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["LOG_LIMIT", "Limits", "Stopped"]

LOG_LIMIT = 20_000  # characters of a kernel's log that are kept: enough to see why, not a flood


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one run. Times in seconds, sizes in bytes; None is no bound.

    ``cell_seconds`` interrupts a cell, which then counts as failed, and the next one runs;
    whatever a kernel does after that (swallowing the interrupt, say), it is killed a moment
    later. ``total_seconds``, ``output`` (the bytes of all of a run's messages) and ``messages``
    (how many they are) end the kernel; past ``memory`` (a process's address space, beyond what
    the kernel maps at its start) its code gets a ``MemoryError``.
    """

    cell_seconds: float | None = 30.0
    total_seconds: float | None = 600.0
    start_seconds: float = 60.0
    memory: int | None = None
    output: int | None = 10_000_000
    messages: int | None = None


class Stopped(StrEnum):
    """Why a run ended before its last cell."""

    DIED = "its code ended the kernel"
    UNRESPONSIVE = "its code did not stop when its time was up"
    TIME = "its code took longer than all of its time"
    OUTPUT = "its code wrote more output than is allowed"
    MESSAGES = "its code sent more messages than are allowed"
    MEMORY = "its code took more memory than is allowed"
    CPU = "its code took more processor time than is allowed"
    NEVER_STARTED = "the kernel did not start"
