"""Kernels' descendants: who they are, and ending all of them.

A kernel and its server each adopt the orphans below them (Linux's child subreaper). So a
daemon that a student's code left behind is a child of its kernel while that lives, whatever
sessions and groups it made for itself, and a child of the server afterwards: what the server
has as a child and never forked is a remainder of an ended kernel.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "adopt_orphans",
    "children",
    "die_with_parent",
    "end_marked",
    "end_orphans",
    "hide",
    "name",
]

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36
_PATIENCE = 5.0  # seconds for processes to die of SIGKILL; one that takes longer is in the kernel

_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int | bytes) -> None:
    argument = ctypes.c_char_p(value) if isinstance(value, bytes) else ctypes.c_ulong(value)
    if _libc.prctl(option, argument, ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def adopt_orphans() -> None:
    """Make this process the parent of every orphan below it."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> None:
    """Die when ``parent``, this process's parent, does; at once if that has happened."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def hide() -> None:
    """Keep other processes of this user from looking into this one, or tracing it."""
    _prctl(_PR_SET_DUMPABLE, 0)


def name(text: str) -> None:
    """Give this process a name for ``ps`` and ``top`` (15 bytes of it are kept)."""
    _prctl(_PR_SET_NAME, text.encode()[:15])


def children(pid: int) -> list[int]:
    """Return the children of a process; of one that is gone, none."""
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    except FileNotFoundError:  # the process is gone, or this kernel keeps no such lists
        return [child for child in _processes() if _parent(child) == pid]
    except OSError:
        return []
    return found


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _parent(pid: int) -> int | None:
    try:
        # The name, in brackets, may hold anything; state and parent come after it.
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def end_orphans(own: Collection[int]) -> None:
    """Kill all children of this process that are not its ``own``, and everything below them."""
    here = os.getpid()
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        strangers = [pid for pid in children(here) if pid not in own]
        if not strangers:
            return
        for pid in _stopped(strangers):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        for pid in strangers:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.001)


def _stopped(roots: list[int]) -> set[int]:
    """Stop the trees below ``roots``, till no process is new: one that runs could fork on."""
    known: set[int] = set()
    todo = list(roots)
    while todo:
        for pid in todo:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGSTOP)
        known.update(todo)
        todo = [child for pid in known for child in children(pid) if child not in known]
    return known


def end_marked(mark: str) -> None:
    """Kill every process of this user that has the line ``mark`` in its environment."""
    line = mark.encode()
    for pid in _processes():
        with contextlib.suppress(OSError):  # another's, or gone
            if line in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                os.kill(pid, signal.SIGKILL)
