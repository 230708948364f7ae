"""A kernel's sockets, made and bound by its owner and handed in: what is inside sees no path."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zmq

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["CHANNELS", "adopt", "listen", "own_prefix", "sweep"]

CHANNELS = ("shell", "iopub", "stdin", "hb", "control")
_BACKLOG = 100  # libzmq's own
_PREFIX = "mbk-box"
_OLD = 86_400.0  # seconds


def listen(path: str) -> socket.socket:
    """Return a socket that listens at a path, for a kernel that will not see the path."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        listener.bind(path)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def own_prefix() -> str:
    """Return how the names begin of folders that hold sockets of this process's kernels."""
    return f"{_PREFIX}{os.getpid()}-"


@cache
def sweep(folder: str) -> None:
    """Remove the sockets of processes that were killed before they could. Looks once."""
    for path in Path(folder).glob(f"{_PREFIX}*-*"):
        pid = path.name.removeprefix(_PREFIX).partition("-")[0]
        with contextlib.suppress(OSError):
            # In another container's eyes a process that lives may not be there: old ones only.
            old = time.time() - path.stat().st_mtime > _OLD
            if old and path.stat().st_uid == os.getuid() and not Path(f"/proc/{pid}").exists():
                shutil.rmtree(path)


def adopt(connection: Mapping[str, Any], files: Sequence[int]) -> None:
    """Have the sockets that this process's kernel will bind take over listening ``files``.

    They are in the order of ``CHANNELS``. Each is taken once; after the last one, sockets bind
    as ever.
    """
    where = f"{connection['transport']}://{connection['ip']}-"
    waiting = {
        f"{where}{connection[f'{name}_port']}": file
        for name, file in zip(CHANNELS, files, strict=True)
    }
    usual: Any = zmq.Socket.bind

    def bind(self: Any, address: str) -> Any:
        file = waiting.pop(address, None)
        if not waiting:
            zmq.Socket.bind = usual  # type: ignore[method-assign]
        if file is not None:
            self.setsockopt(zmq.USE_FD, file)
        return usual(self, address)

    zmq.Socket.bind = bind  # type: ignore[method-assign,assignment]
