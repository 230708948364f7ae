"""A submission's room in the sandbox, as its owner keeps it.

The room has private files, in memory, which all kernels of the submission share, one after the
other; it has a user of its own where this process is root, bounds, and a control group where one
can be made.
"""

from __future__ import annotations

import itertools
import os
import secrets
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

from markbook.kernels.sandbox import bwrap, places
from markbook.kernels.sandbox.bounds import Bounds
from markbook.kernels.sandbox.cgroup import ControlGroup
from markbook.kernels.sandbox.parcel import pack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from markbook.kernels.forkowner import ForkServer

__all__ = ["Room", "wrap_of"]

# Users of their own: RLIMIT_NPROC counts by user. Nobody has numbers as high as these.
_FIRST_USER = 0x4000_0000
_numbers = itertools.count()


@lru_cache(maxsize=16)
def wrap_of(readable: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the words before a server's command line; the same ones for the same server."""
    return bwrap.command(readable)


class Room:
    """A submission's room. ``files`` are layers of files by path, the first above the others.

    ``readable`` are more folders that its code may read. Close it, or use it in ``with``: its
    files and its control group go with it.
    """

    def __init__(
        self,
        *files: Mapping[str, bytes],
        bounds: Bounds | None = None,
        readable: Iterable[str] = (),
    ) -> None:
        self.bounds = bounds or Bounds()
        self.wrap = wrap_of(tuple(readable))
        self.name = secrets.token_hex(8)
        number = (os.getpid() & 0x3FFFFF) << 8 | next(_numbers) & 0xFF
        self.user = _FIRST_USER | number if os.getuid() == 0 else None
        self.parcel = pack(files)
        memory = self.bounds.memory
        self.group = ControlGroup.make(memory) if memory is not None else None
        self._seen = bwrap.seen_in_tmp(self.wrap)
        self._killed = 0
        self._server: ForkServer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @property
    def cwd(self) -> str:
        """The working folder, as the kernel sees it."""
        return places.WORK

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return a kernel's environment in this room."""
        return places.environment(dict(given))

    def order(self) -> dict[str, Any]:
        """Return what the server and the kernel have to know of the room."""
        return {
            "room": self.name,
            "seen": self._seen,
            "user": self.user,
            "bounds": self.bounds.as_json(),
            "grouped": self.group is not None,
        }

    def files(self) -> list[int]:
        """Return what goes along with the order: the parcel, and the way into the group."""
        return [self.parcel, *([self.group.entry] if self.group is not None else [])]

    def known_to(self, server: ForkServer) -> None:
        """Note which server has the room's files."""
        self._server = server

    def out_of_memory(self) -> bool:
        """Tell whether a process of the room was ended for memory since this was last asked."""
        before, self._killed = self._killed, self.group.kills if self.group is not None else 0
        return self._killed > before

    def close(self) -> None:
        """Let go of the room; its kernels have ended."""
        if self.parcel == -1:
            return
        os.close(self.parcel)
        self.parcel = -1
        if self._server is not None and self._server.alive:
            self._server.leave(self.name)
        if self.group is not None:
            self.group.close()
