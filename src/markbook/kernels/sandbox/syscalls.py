"""The system calls of a sandbox that Python has no functions for. Linux only, no packages."""

from __future__ import annotations

import ctypes
import os
import platform
import struct

__all__ = [
    "BIND",
    "NEW_IPC",
    "NEW_MOUNTS",
    "NEW_PIDS",
    "PRIVATE",
    "RECURSIVE",
    "SAFE",
    "become_ordinary",
    "call",
    "drop_capabilities",
    "has_capability",
    "machine",
    "mount",
    "no_new_privileges",
    "set_dumpable",
    "setns",
    "unmount",
    "unshare",
]

NEW_MOUNTS = 0x00020000
NEW_IPC = 0x08000000
_NEW_USER = 0x10000000
NEW_PIDS = 0x20000000
BIND = 0x1000
RECURSIVE = 0x4000
PRIVATE = 1 << 18
SAFE = 2 | 4  # no set-user-id, no devices

_DETACH = 2
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_CLEAR_ALL = 4
_CAPABILITY_VERSION = 0x20080522
_CAP_SETPCAP = 8
_LAST_CAPABILITY = 63  # a kernel says EINVAL past its own last one

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def machine() -> str:
    """Return the processor's name as seccomp filters are chosen by it."""
    return platform.machine()


def call(number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """Make a system call by its number. Raises ``OSError``."""
    passed = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return _checked(int(_libc.syscall(ctypes.c_long(number), *passed)), f"system call {number}")


def unshare(flags: int) -> None:
    """Leave namespaces for new ones."""
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def setns(file: int, kind: int) -> None:
    """Enter the namespace that is open as ``file``."""
    _checked(_libc.setns(ctypes.c_int(file), ctypes.c_int(kind)), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount, or bind, or change how something is mounted."""
    result = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        options.encode() or None,
    )
    _checked(result, f"mount {target}")


def unmount(target: str) -> None:
    """Take a mount away; what still uses it keeps it until it ends."""
    _checked(_libc.umount2(os.fsencode(target), _DETACH), f"umount {target}")


def _prctl(option: int, first: int, second: int = 0) -> int:
    zero = ctypes.c_ulong(0)
    return int(_libc.prctl(option, ctypes.c_ulong(first), ctypes.c_ulong(second), zero, zero))


def set_dumpable() -> None:
    """Let this process look at itself in /proc, after it changed its user."""
    _checked(_prctl(_PR_SET_DUMPABLE, 1), "prctl")


def no_new_privileges() -> None:
    """Gain nothing by running programs that would give more rights."""
    _checked(_prctl(_PR_SET_NO_NEW_PRIVS, 1), "prctl")


def has_capability(number: int) -> bool:
    """Tell whether a capability is in effect for this process."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:  # noqa: PTH123
        line = next(line for line in file if line.startswith("CapEff:"))
    return bool(int(line.split()[1], 16) >> number & 1)


def become_ordinary(user: int) -> None:
    """Be ``user`` of a new user namespace: Linux counts its processes apart from its siblings'."""
    own = os.getuid(), os.getgid()
    unshare(_NEW_USER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {own[0]} 1"),
        ("gid_map", f"{user} {own[1]} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(text)


def drop_capabilities(user: int | None) -> None:
    """Become ``user`` (None: stay who one is) without any capability, now and for good."""
    if has_capability(_CAP_SETPCAP):
        for number in range(_LAST_CAPABILITY + 1):
            if _prctl(_PR_CAPBSET_DROP, number) < 0:
                break
    _prctl(_PR_CAP_AMBIENT, _CLEAR_ALL)
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    nothing = struct.pack("=6I", *[0] * 6)
    _checked(_libc.capset(header, nothing), "capset")
