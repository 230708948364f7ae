"""A client's ends of a forked kernel's shell and IOPub: without an event loop, and counted.

What arrives is counted before it is read as JSON, and libzmq drops the connection at a message
that is larger than all that is allowed, before it is in memory: a kernel cannot fill its grader.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from datetime import datetime
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

import zmq

from markbook.kernels.limits import Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markbook.kernels.forked import ForkedKernelManager

__all__ = ["Channels"]

# What a message counts beside its content and buffers: an output of one character costs a grader
# about 1 kB as a Python object, and each is one of these, a brace and a name.
_EACH = 100
_HEADROOM = 64 * 1024  # bytes of a largest message that are not its output: header, metadata
_TURN = 500  # messages taken in one go, so that deadlines are looked at in a flood
_DEEP = 80  # lists and objects in each other; a notebook may have 100, and an output is its sixth
_LONG = 86_400.0  # seconds of one wait, where there is no deadline
_ENDING = 1.0  # seconds between a broken connection and the news that its process ended

# By process: what was made before a fork is not to be used, nor ended, after it.
_contexts: dict[int, zmq.Context[zmq.Socket[bytes]]] = {}
_contexts_lock = threading.Lock()


def _shared_context() -> zmq.Context[zmq.Socket[bytes]]:
    """Return this process's context: its thread serves the sockets of all its threads."""
    with _contexts_lock:
        if os.getpid() not in _contexts:
            _contexts[os.getpid()] = zmq.Context()
        return _contexts[os.getpid()]


def _forget_lock() -> None:
    global _contexts_lock  # another thread may have held it
    _contexts_lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_lock)


class Channels:
    """Shell and IOPub of one kernel.

    ``output`` bounds all that the kernel may send, in bytes, ``messages`` in how many.

    ``wait`` takes what is there; ``published`` and ``replies`` hand it out; ``end`` says why
    nothing more will come. For one thread.
    """

    def __init__(
        self, manager: ForkedKernelManager, output: int | None, messages: int | None = None
    ) -> None:
        provisioner: Any = manager.provisioner
        info: dict[str, Any] = dict(manager.get_connection_info())
        self.session: Any = manager.session
        self.process = provisioner.process
        self.output = output
        self.messages = messages
        self.count = 0
        self.number = 0
        self.cut = False
        self._iopub_frames: deque[list[bytes]] = deque()
        self._shell_frames: deque[list[bytes]] = deque()
        self._poller = zmq.Poller()
        self._sockets: list[tuple[zmq.Socket[bytes], zmq.Socket[bytes]]] = []
        try:
            self._iopub, self._iopub_events = self._connect(zmq.SUB, info, "iopub_port")
            self._shell, self._shell_events = self._connect(zmq.DEALER, info, "shell_port")
        except BaseException:
            self.close()
            raise
        self._poller.register(self.process._line, zmq.POLLIN)

    def _connect(
        self, kind: int, info: dict[str, Any], port: str
    ) -> tuple[zmq.Socket[bytes], zmq.Socket[bytes]]:
        socket = _shared_context().socket(kind)
        events = socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self._sockets.append((socket, events))
        socket.linger = 0
        socket.reconnect_ivl = -1  # what was cut off stays off: it was said too much on it
        if self.output is not None:
            socket.maxmsgsize = self.output + _HEADROOM
        if kind == zmq.SUB:
            socket.subscribe(b"")
        else:
            socket.identity = self.session.bsession
        socket.connect(f"{info['transport']}://{info['ip']}-{info[port]}")
        self._poller.register(socket, zmq.POLLIN)
        self._poller.register(events, zmq.POLLIN)
        return socket, events

    def close(self) -> None:
        """Close the sockets. What was not handed out is gone."""
        for socket, events in self._sockets:
            socket.disable_monitor()
            events.close(linger=0)
            socket.close(linger=0)

    def send(self, kind: str, content: dict[str, Any]) -> str:
        """Send a request on the shell channel; returns its id."""
        message = self.session.msg(kind, content)
        self.send_message(message)
        return str(message["header"]["msg_id"])

    def send_message(self, message: dict[str, Any]) -> None:
        """Send a whole message on the shell channel; a kernel that is gone does not get it."""
        parts = self.session.serialize(message)
        try:
            self._shell.send_multipart(parts, zmq.NOBLOCK)
        except zmq.Again:
            self.cut = True

    def wait(self, seconds: float) -> None:
        """Wait until something arrives or happens, and take it. Negative: do not wait."""
        ready = dict(self._poller.poll(max(0, int(min(seconds, _LONG) * 1000) + 1)))
        if self._iopub_events in ready or self._shell_events in ready:
            self.cut = True
        if self._shell in ready:
            self._take(self._shell, self._shell_frames)
        if self._iopub in ready:
            self._take(self._iopub, self._iopub_frames)

    def _take(self, socket: zmq.Socket[bytes], into: deque[list[bytes]]) -> None:
        for _ in range(_TURN):
            if self.is_over:
                return
            try:
                frames = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            self.count += _EACH + sum(map(len, frames[6:]))  # content, buffers; see _read
            self.number += 1
            into.append(frames)

    @property
    def is_over(self) -> bool:
        """Whether more was sent than is allowed."""
        return self._too_long or (self.messages is not None and self.number > self.messages)

    @property
    def _too_long(self) -> bool:
        return self.output is not None and self.count > self.output

    def end(self) -> Stopped | None:
        """Say why the kernel is to be left alone, if it is. Takes what was still on its way."""
        if self.is_over:
            return Stopped.OUTPUT if self._too_long else Stopped.MESSAGES
        if self.cut or self.process.poll() is not None:
            # The connection breaks when the process ends, and also by a message that is too large.
            until = time.monotonic() + _ENDING
            while time.monotonic() < until:
                if self.cut and self.process.poll() is not None:
                    break
                self.wait(0.005)
            self.wait(-1)
            if self.is_over or self.process.poll() is None:
                return Stopped.OUTPUT
            return Stopped.DIED
        return None

    def published(self) -> Iterator[dict[str, Any]]:
        """Hand out what came on IOPub; the last of too much is cut to what is allowed."""
        while self._iopub_frames:
            frames = self._iopub_frames.popleft()
            message = self._read(frames)
            if message is None:
                continue
            if self._too_long and not self._iopub_frames and not self._cut_text(message):
                continue
            yield message

    def replies(self) -> Iterator[dict[str, Any]]:
        """Hand out what came on the shell channel."""
        while self._shell_frames:
            message = self._read(self._shell_frames.popleft())
            if message is not None:
                yield message

    def _read(self, frames: list[bytes]) -> dict[str, Any] | None:
        """Return a message as jupyter_client has it, or None where the kernel's code forged it.

        ``deep`` says beside that its content is nested too deeply for a notebook.

        jupyter_client's own ``deserialize`` looks for dates in all of both headers, which was a
        quarter of this client's time.
        """
        try:
            _, parts = self.session.feed_identities(frames)
            signature, header, parent, metadata, content, *buffers = parts
            if not compare_digest(
                signature, self.session.sign([header, parent, metadata, content])
            ):
                return None
            unpack = self.session.unpack
            message: dict[str, Any] = {
                "header": unpack(header),
                "parent_header": unpack(parent),
                "metadata": unpack(metadata),
                "content": unpack(content),
                "buffers": [memoryview(buffer) for buffer in buffers],
            }
            head = message["header"]
            head["date"] = datetime.fromisoformat(head["date"])
            message["msg_id"], message["msg_type"] = head["msg_id"], str(head["msg_type"])
            message["parent_header"].get("msg_id")
            message["content"].get("text")
            message["deep"] = _is_deep(content, message["content"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None
        return message

    def _cut_text(self, message: dict[str, Any]) -> bool:
        """Cut a stream's text to what was allowed; False where there is nothing to keep."""
        text = message["content"].get("text")
        if message["msg_type"] != "stream" or not isinstance(text, str) or self.output is None:
            return False
        allowed = len(text.encode("utf-8", "replace")) - (self.count - self.output)
        kept = text.encode("utf-8", "replace")[: max(0, allowed)]
        message["content"]["text"] = kept.decode("utf-8", "ignore")
        return bool(message["content"]["text"])


def _is_deep(content: bytes, value: object) -> bool:
    if content.count(b"[") + content.count(b"{") <= _DEEP:
        return False
    layer = [value]
    for _ in range(_DEEP):
        inner: list[object] = []
        for each in layer:
            if isinstance(each, dict):
                inner += each.values()
            elif isinstance(each, list):
                inner += each
        layer = [each for each in inner if isinstance(each, dict | list)]
        if not layer:
            return False
    return True
