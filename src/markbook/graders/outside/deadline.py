"""One time limit for all of a request: httpx's own begins anew with every piece that arrives."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Deadline", "Deadlines"]

_CONNECTED = ("connect_tcp.complete", "start_tls.complete")


class Deadline:
    """Cuts the line of one request when its time is over, or when it is told to.

    ``trace`` is httpx's extension of that name; a request needs a connection of its own.
    """

    def __init__(self, seconds: float, forget: Callable[[Deadline], None]) -> None:
        self.over = False
        self._forget = forget
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._timer = threading.Timer(seconds, self.cut)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._forget(self)
        with self._lock:
            self._line = None

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Remember the socket of a connection that was made."""
        if event.endswith(_CONNECTED):
            with self._lock:
                self._line = info["return_value"].get_extra_info("socket")
            if self.over:
                self.cut()

    def cut(self) -> None:
        """End the request now: whoever waits for its next piece stops waiting."""
        self.over = True
        with self._lock, contextlib.suppress(OSError, ValueError):
            if self._line is not None:
                self._line.shutdown(socket.SHUT_RDWR)


class Deadlines:
    """The requests that are under way."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._open: set[Deadline] = set()

    def start(self) -> Deadline:
        """Return a deadline for one request; its time runs inside of ``with``."""
        deadline = Deadline(self._seconds, self._open.discard)
        with self._lock:
            self._open.add(deadline)
        return deadline

    def cut(self) -> None:
        """End all requests now."""
        with self._lock:
            found = tuple(self._open)
        for deadline in found:
            deadline.cut()
