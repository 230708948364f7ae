"""Landlock: what a process and all it starts may open, on top of what its mounts show it.

Kernels before 5.13 have none; the mounts say the same once more, so that is no hole.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

from markbook.kernels.sandbox import syscalls

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["restrict", "version"]

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # on every processor
_ASK_VERSION = 1
_BENEATH = 1
_EXECUTE, _READ_FILE, _READ_DIR, _WRITE_FILE = 1 << 0, 1 << 2, 1 << 3, 1 << 1
_TRUNCATE, _IOCTL = 1 << 14, 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_ALL_BY_VERSION = ((1, 13), (2, 14), (3, 15), (5, 16))  # the first so many bits are known
_SCOPED = 0b11  # abstract sockets and signals: only among those that are locked up together
_SCOPED_SINCE = 6


def version() -> int:
    """Return this kernel's version of Landlock, 0 where it has none."""
    try:
        return syscalls.call(_CREATE, None, 0, _ASK_VERSION)
    except OSError:
        return 0


def restrict(writable: Iterable[str], devices: str = "/dev") -> None:
    """Read everything that is mounted, write below ``writable`` and to devices, nothing else."""
    abi = version()
    if abi < 1:
        return
    bits = max(count for since, count in _ALL_BY_VERSION if since <= abi)
    known = (1 << bits) - 1
    rules = struct.pack("=QQQ", known, 0, _SCOPED) if abi >= _SCOPED_SINCE else b""
    rules = rules or struct.pack("=Q", known)
    ruleset = syscalls.call(_CREATE, rules, len(rules), 0)
    try:
        _allow(ruleset, "/", _READ & known)
        _allow(ruleset, devices, (_READ | _WRITE_FILE | _TRUNCATE | _IOCTL) & known)
        for path in writable:
            _allow(ruleset, path, known)
        syscalls.call(_RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, access: int) -> None:
    beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", access, beneath)
        syscalls.call(_ADD, ruleset, _BENEATH, rule, 0)
    finally:
        os.close(beneath)
