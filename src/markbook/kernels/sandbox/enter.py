"""What a forked child does to itself before it runs a student's code: it goes in, for good.

The server prepares a room's private files (``Rooms``) and gives each child a process namespace,
in which it is process 1: when it ends, everything that it started is dead.
"""

from __future__ import annotations

import contextlib
import math
import os
import resource
from typing import Any

from markbook.kernels.sandbox import landlock, places, seccomp, syscalls
from markbook.kernels.sandbox.parcel import unpack

__all__ = ["Rooms", "enter", "prepare"]

_KIND = "tmpfs"
_WAITS = 1  # seconds between a signal that says that processor time is up, and the end
_USER = 1000  # whom an ordinary person's kernels see as themselves
_filters: dict[bool, bytes | None] = {}


def prepare() -> None:
    """Make ready, before the fork, what all children use."""
    for shared in (False, True):
        _filters[shared] = seccomp.program(syscalls.machine(), shared_memory=shared)


class Rooms:
    """The server's rooms, and its own process namespace to come back to after each fork."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._home = -1

    def open(self, box: dict[str, Any]) -> None:
        """Make a room's private files, unless they are there: then they are not ``fresh``."""
        name = str(box["room"])
        box["fresh"] = name not in self.names
        if box["fresh"]:
            folder = f"{places.ROOMS}/{name}"
            os.mkdir(folder)  # noqa: PTH102  (a name that was made for it)
            user = box["user"] or 0
            bounds = box["bounds"]
            size = f"size={bounds['disk']},nr_inodes={bounds['files']}"
            owner = f"mode=0700,uid={user},gid={user}"
            syscalls.mount(_KIND, folder, _KIND, syscalls.SAFE, f"{size},{owner}")
            os.mkdir(f"{folder}/shm", 0o700)  # noqa: PTH102
            os.chown(f"{folder}/shm", user, user)
            self.names.add(name)

    def leave(self, name: str) -> None:
        """Throw a room's files away."""
        if name in self.names:
            self.names.discard(name)
            with contextlib.suppress(OSError):
                syscalls.unmount(f"{places.ROOMS}/{name}")
                os.rmdir(f"{places.ROOMS}/{name}")  # noqa: PTH106

    def new_processes(self) -> None:
        """Have the next child be process 1 of a namespace of its own."""
        if self._home == -1:
            self._home = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        syscalls.unshare(syscalls.NEW_PIDS)

    def own_processes(self) -> None:
        """In the server again: the next child is an ordinary one."""
        syscalls.setns(self._home, syscalls.NEW_PIDS)

    def forget(self) -> None:
        """In a child: let go of what is the server's."""
        if self._home != -1:
            os.close(self._home)


def enter(box: dict[str, Any], files: list[int]) -> None:
    """Go into the room and give up all rights. ``files`` are those of ``Room.files``."""
    parcel, *entry = files
    for file in entry:
        os.write(file, b"0")
        os.close(file)
    _mount(box)
    _limit(box["bounds"])
    if box["user"] is None:
        syscalls.become_ordinary(_USER)
    syscalls.drop_capabilities(box["user"])
    syscalls.set_dumpable()
    if box["fresh"]:
        for folder in (places.HOME, places.WORK):
            os.mkdir(folder, 0o700)  # noqa: PTH102
        unpack(parcel, places.WORK)
        _link_fonts()
    else:
        os.close(parcel)
    syscalls.no_new_privileges()
    landlock.restrict([places.PRIVATE, "/dev/shm"])
    program = _filters[bool(box["grouped"])]
    if program is not None:
        seccomp.install(program)


def _mount(box: dict[str, Any]) -> None:
    room, seen = f"{places.ROOMS}/{box['room']}", box["seen"]
    syscalls.unshare(syscalls.NEW_MOUNTS | syscalls.NEW_IPC)
    syscalls.mount("none", "/", flags=syscalls.PRIVATE | syscalls.RECURSIVE)
    syscalls.mount("proc", "/proc", "proc", syscalls.SAFE | 8)
    if seen:
        syscalls.mount(places.PRIVATE, places.BEHIND, flags=syscalls.BIND | syscalls.RECURSIVE)
    syscalls.mount(room, places.PRIVATE, flags=syscalls.BIND)
    syscalls.mount(f"{places.PRIVATE}/shm", "/dev/shm", flags=syscalls.BIND)
    for path, link in seen:
        _show_again(path, link)
    for hidden in (places.ROOMS, places.SERVER, places.BEHIND):
        syscalls.mount(places.EMPTY, hidden, flags=syscalls.BIND)


def _show_again(path: str, link: str) -> None:
    """Show what lies in the server's /tmp, this Python for instance, in the kernel's as well."""
    usual = os.umask(0o022)  # the way there is for whoever the kernel becomes
    os.makedirs(os.path.dirname(path) if link else path, exist_ok=True)  # noqa: PTH103, PTH120
    os.umask(usual)
    if link:
        with contextlib.suppress(FileExistsError):  # of the submission's notebook before
            os.symlink(link, path)  # noqa: PTH211
        return
    behind = f"{places.BEHIND}{path.removeprefix(places.PRIVATE)}"
    syscalls.mount(behind, path, flags=syscalls.BIND | syscalls.RECURSIVE)


def _limit(bounds: dict[str, Any]) -> None:
    def bound(what: int, most: int) -> None:
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))

    bound(resource.RLIMIT_CORE, 0)
    bound(resource.RLIMIT_NPROC, bounds["processes"])
    bound(resource.RLIMIT_FSIZE, bounds["disk"])
    bound(resource.RLIMIT_NOFILE, bounds["open_files"])
    bound(resource.RLIMIT_MEMLOCK, 0)
    bound(resource.RLIMIT_MSGQUEUE, 0)
    if bounds["cpu_seconds"] is not None:
        seconds = max(1, math.ceil(bounds["cpu_seconds"]))
        bound(resource.RLIMIT_CPU, seconds + _WAITS)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + _WAITS))


def _link_fonts() -> None:
    folder = f"{places.HOME}/.matplotlib"
    os.mkdir(folder, 0o700)  # noqa: PTH102
    for name in os.listdir(places.FONTS):  # noqa: PTH208
        os.symlink(f"{places.FONTS}/{name}", f"{folder}/{name}")  # noqa: PTH211
