"""How the owner of a fork server and the server talk: JSON with a length, and open files.

Standard library only: the server must not load more than its kernels need.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["receive", "send"]

_LENGTH = struct.Struct("!I")
_MOST_FILES = 16


def send(stream: socket.socket, message: Mapping[str, Any], files: Sequence[int] = ()) -> None:
    """Send one message; ``files`` are descriptors that the receiver gets copies of."""
    body = json.dumps(message).encode()
    socket.send_fds(stream, [_LENGTH.pack(len(body))], list(files))
    stream.sendall(body)


def receive(stream: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Return the next message and the files that came with it; None when the other end is shut."""
    head, files, _, _ = socket.recv_fds(stream, _LENGTH.size, _MOST_FILES)
    for file in files:
        os.set_inheritable(file, False)
    rest = _exactly(stream, _LENGTH.size - len(head)) if head else None
    body = _exactly(stream, _LENGTH.unpack(head + rest)[0]) if rest is not None else None
    if body is None:
        for file in files:
            os.close(file)
        return None
    return json.loads(body), files


def _exactly(stream: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = stream.recv(count - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)
