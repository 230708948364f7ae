"""A control group of Linux for one submission, where this process may make one.

It counts the memory of all processes together, the private files, and what no process's own
count shows. Made by the owner; the kernel steps in by itself, through a file opened outside.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from functools import cache
from pathlib import Path

__all__ = ["ControlGroup", "can_make"]

_ROOT = Path("/sys/fs/cgroup")
_PATIENCE = 2.0  # seconds for a group to be empty after its processes were reaped
_numbers = itertools.count()


class ControlGroup:
    """One group. ``entry`` is the open file by which a process steps in, by writing ``0``."""

    def __init__(self, folder: Path, *, first: bool, memory: int) -> None:
        self.folder = folder
        self.first = first  # of the two versions of control groups
        folder.mkdir()
        try:
            name = "memory.limit_in_bytes" if first else "memory.max"
            (folder / name).write_text(str(memory))
            # Swapped memory counts, too, where the machine swaps.
            swap, most = ("memsw.limit_in_bytes", memory) if first else ("swap.max", 0)
            with contextlib.suppress(OSError):
                (folder / f"memory.{swap}").write_text(str(most))
            if not first:
                (folder / "memory.oom.group").write_text("1")
            # Moving a whole process waits 10 ms for all processors; one with a single thread that
            # moves itself need not, but only version 1 lets it say so.
            entry = folder / ("tasks" if first else "cgroup.procs")
            self.entry = os.open(entry, os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            folder.rmdir()
            raise

    @classmethod
    def make(cls, memory: int) -> ControlGroup | None:
        """Return a new group that may take so many bytes, None where none can be made."""
        base = _base()
        if base is None:
            return None
        folder, first = base
        name = f"markbook-{os.getpid()}-{next(_numbers)}"
        try:
            return cls(folder / name, first=first, memory=memory)
        except OSError:
            return None

    @property
    def kills(self) -> int:
        """How many processes were ended for want of memory."""
        name = "memory.oom_control" if self.first else "memory.events"
        try:
            lines = (self.folder / name).read_text().splitlines()
        except OSError:
            return 0
        return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)

    def close(self) -> None:
        """Take the group away; its processes have ended."""
        os.close(self.entry)
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                self.folder.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                if time.monotonic() > until:
                    return
                time.sleep(0.002)
            else:
                return


@cache
def _base() -> tuple[Path, bool] | None:
    """Return the folder to make groups in, and whether they are of version 1."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return _usable(_ROOT / "memory" / path.lstrip("/"), first=True)
        if not controllers and (_ROOT / "cgroup.controllers").exists():
            # A group with processes of its own hands out no controllers: ours lie beside it.
            own = _ROOT / path.lstrip("/")
            return _usable(own.parent if own != _ROOT else own, first=False)
    return None


def _usable(folder: Path, *, first: bool) -> tuple[Path, bool] | None:
    if not os.access(folder, os.W_OK):
        return None
    _sweep(folder)
    probe = folder / f"markbook-probe-{os.getpid()}"
    try:
        group = ControlGroup(probe, first=first, memory=1 << 30)
    except OSError:
        return None
    try:
        # Whether a process of ours may step in depends on where it comes from: try it.
        pid = os.posix_spawn(
            "/bin/sh", ["sh", "-c", f"echo $$ > '{probe}/cgroup.procs'"], {"PATH": os.defpath},
            file_actions=[(os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)],
        )  # fmt: skip
        _, status = os.waitpid(pid, 0)
    finally:
        group.close()
    return (folder, first) if status == 0 else None


def _sweep(folder: Path) -> None:
    """Remove groups of processes that were killed before they could; none that holds a process."""
    for old in folder.glob("markbook-*-*"):
        pid = old.name.split("-")[1]
        if pid.isdecimal() and not Path(f"/proc/{pid}").exists():
            with contextlib.suppress(OSError):
                old.rmdir()


def can_make() -> bool:
    """Tell whether this process may make control groups that bound memory."""
    return _base() is not None
