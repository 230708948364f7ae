"""How a clean process and the student's side talk: JSON with a length, over a stream socket.

Each side is suspicious: what is too long, no JSON, or no message is a ``BrokenChannelError``, and
a channel on which that happened is used no more.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket

__all__ = ["MOST", "BrokenChannelError", "Channel"]

_LENGTH = struct.Struct("!I")
MOST = 16_000_000  # bytes of one message: a picture of 2000 x 1000 floats; beyond, a test is slow
_MOST_IN_ALL = 256_000_000  # bytes that a channel takes in: what a test may make its grader read


class BrokenChannelError(Exception):
    """The other side is gone, or does not speak as agreed."""


class Channel:
    """One end of a connection on which one message is answered by one."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._taken = 0

    def send(self, message: dict[str, Any]) -> None:
        """Send a message. Raises ``BrokenChannelError``, and ``ValueError`` for one too long."""
        body = json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii")
        if len(body) > MOST:
            raise ValueError(f"{len(body):,} bytes are more than can be sent")
        try:
            self._stream.sendall(_LENGTH.pack(len(body)) + body)
        except OSError as error:
            raise BrokenChannelError("the other side is gone") from error

    def receive(self) -> dict[str, Any]:
        """Wait for a message."""
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        self._taken += length
        if length > MOST or self._taken > _MOST_IN_ALL:
            raise BrokenChannelError("it sent more than is allowed")
        try:
            message = json.loads(self._exactly(length))
        except (ValueError, RecursionError) as error:
            raise BrokenChannelError("it sent what is no message") from error
        if not isinstance(message, dict):
            raise BrokenChannelError("it sent what is no message")
        return message

    def _exactly(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            try:
                part = self._stream.recv(min(count - len(parts), 1 << 20))
            except OSError as error:
                raise BrokenChannelError("the other side is gone") from error
            if not part:
                raise BrokenChannelError("the other side is gone")
            parts += part
        return bytes(parts)

    def close(self) -> None:
        """Close this end."""
        self._stream.close()
