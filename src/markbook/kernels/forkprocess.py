"""A forked kernel's process, as its owner sees it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket

    from markbook.kernels.forkowner import ForkServer

__all__ = ["ForkedProcess"]


class ForkedProcess:
    """A forked kernel's process, as its owner sees it. ``code`` is its exit status, or None.

    ``lost`` says that the server was gone before it could tell how the kernel ended.
    """

    def __init__(self, server: ForkServer, pid: int, line: socket.socket) -> None:
        self.server = server
        self.pid = pid
        self.code: int | None = None
        self.lost = False
        self.why: str | None = None  # the bound that ended it, by the server's word
        self.ready = False
        self.failure: str | None = None
        line.setblocking(False)
        self._line = line.detach()  # read as a file: each read is a packet, nothing (b"") the end

    def poll(self) -> int | None:
        """Return the exit status, or None while the process runs."""
        self._listen()
        return self.code

    def _listen(self) -> bool:
        """Take in what was said; False when that was nothing."""
        heard = False
        while self.code is None:
            try:
                packet = os.read(self._line, 65536)
            except BlockingIOError:
                break
            self._hear(json.loads(packet) if packet else None)
            heard = True
        return heard

    def _hear(self, message: dict[str, Any] | None) -> None:
        if message is None:
            self.lost = True
            self.code = -signal.SIGKILL
            self.server.end_remains()
        elif "exit" in message:
            self.code, self.why = message["exit"], message.get("why")
        else:
            self.ready = self.ready or message.get("ready", False)
            self.failure = message.get("failed", self.failure)

    async def news(self, timeout: float | None) -> bool:
        """Wait for a message of the kernel or its server; False when ``timeout`` (s) ran out."""
        # What is there already may be all that will come: a kernel says once that it is ready.
        if self._listen() or self.code is not None:
            return True
        loop = asyncio.get_running_loop()
        # A copy: others may wait on the same line, and a loop watches a descriptor once.
        copy = os.dup(self._line)
        heard: asyncio.Future[None] = loop.create_future()
        loop.add_reader(copy, _settle, heard)
        try:
            await asyncio.wait_for(heard, timeout)
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(copy)
            os.close(copy)
        self.poll()
        return True

    async def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end; returns the exit status, or None when ``timeout`` (s) ran out."""
        until = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            left = None if until is None else until - time.monotonic()
            if (left is not None and left <= 0) or not await self.news(left):
                break
        return self.code

    def signal(self, number: int) -> None:
        """Send a signal to the kernel's process group."""
        if self.poll() is None:
            self.server.signal(self.pid, number)

    def close(self) -> None:
        """Let go of the line. The process, should it live, is no longer heard of."""
        line, self._line = self._line, -1
        if line != -1:
            os.close(line)

    def __del__(self) -> None:
        self.close()


def _settle(heard: asyncio.Future[None]) -> None:
    if not heard.done():
        heard.set_result(None)
