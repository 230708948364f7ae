"""What a kernel's process writes outside of cells: files without a name, gone when closed."""

from __future__ import annotations

import fcntl
import os
import tempfile
from typing import IO

from markbook.kernels.limits import LOG_LIMIT

__all__ = ["open_log", "read_log"]

_LOCKED_UP = 65536  # bytes
_FIXED_SIZE = 0x1 | 0x2 | 0x4  # F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW: Python 3.11 has no names


def open_log(*, locked_up: bool) -> IO[bytes]:
    """Return a log; what is locked up does not write to a disk, and not without end."""
    if not locked_up:
        return tempfile.TemporaryFile("a+b", prefix="markbook-log-")
    log = os.memfd_create("markbook-log", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(log, _LOCKED_UP)
    fcntl.fcntl(log, fcntl.F_ADD_SEALS, _FIXED_SIZE)
    return open(log, "r+b", buffering=0)  # noqa: PTH123  (a descriptor)


def read_log(log: IO[bytes]) -> str:
    """Return the beginning of a log."""
    log.seek(0)
    return log.read(LOG_LIMIT).rstrip(b"\0").decode("utf-8", "replace")
