"""The server's eye on its kernels' memory, where no control group counts it.

A process's own count holds pages that it shares with the server and its siblings, so it is only
a first look; past half of the bound, each page is counted once.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markbook.kernels import forktree
from markbook.kernels.sandbox import places

__all__ = ["EVERY", "Watchdog"]

EVERY = 0.05  # seconds: what one core can fill in between is below 200 MB
_UNIT = 1024
_ROUGH = ("RssAnon:", "RssShmem:")
_EXACT = ("Pss_Anon:", "Pss_Shmem:")


@dataclass(frozen=True, slots=True)
class _Watched:
    room: str
    most: int


class Watchdog:
    """Kernels by process, and how much each room may take."""

    def __init__(self) -> None:
        self._watched: dict[int, _Watched] = {}

    def __bool__(self) -> bool:
        return bool(self._watched)

    def add(self, pid: int, box: dict[str, Any]) -> None:
        """Watch a kernel, unless its room has no bound or a control group."""
        most = box["bounds"]["memory"]
        if most is not None and not box["grouped"]:
            self._watched[pid] = _Watched(f"{places.ROOMS}/{box['room']}", most)

    def remove(self, pid: int) -> None:
        """Stop watching a kernel, which ended."""
        self._watched.pop(pid, None)

    def over(self) -> list[int]:
        """Return the kernels that take too much, all of their processes together."""
        return [pid for pid, watched in self._watched.items() if _is_over(pid, watched)]


def _is_over(pid: int, watched: _Watched) -> bool:
    below = _tree(pid)
    files = _files(watched.room)
    if files + sum(_count(p, "status", _ROUGH) for p in below) <= watched.most // 2:
        return False
    return files + sum(_count(p, "smaps_rollup", _EXACT) for p in below) > watched.most


def _tree(root: int) -> list[int]:
    found = [root]
    for pid in found:
        found += forktree.children(pid)
    return found


def _files(room: str) -> int:
    try:
        usage = os.statvfs(room)
    except OSError:
        return 0
    return (usage.f_blocks - usage.f_bfree) * usage.f_frsize


def _count(pid: int, name: str, fields: tuple[str, ...]) -> int:
    with contextlib.suppress(OSError):  # it ended
        lines = Path(f"/proc/{pid}/{name}").read_text(errors="replace").splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(fields)) * _UNIT
    return 0
