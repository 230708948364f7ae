"""The words before a kernel server's command line that lock it up: bubblewrap's.

The server sees the system, this interpreter and this package, read-only, and nothing of home,
course or network. It keeps the right to make namespaces, for its children, which then give it
up (``enter``). Its own process is outside of no process namespace: when bwrap's first process
ends, so does everything in it.
"""

from __future__ import annotations

import os
import shutil
import site
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import markbook
from markbook.kernels.sandbox import places

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["command", "find_bwrap", "seen_in_tmp"]

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
# What programs and libraries want to know of a system, and nobody's secret.
_ETC = (
    "alternatives",
    "fonts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "magic",
    "magic.mime",
    "mime.types",
    "nsswitch.conf",
    "ssl/certs",
    "ssl/openssl.cnf",
    "timezone",
)
# Becoming another user, ending their processes, and reading how much memory they take.
_AS_ROOT = (
    "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_KILL", "CAP_CHOWN", "CAP_DAC_OVERRIDE",
    "CAP_SYS_PTRACE",
)  # fmt: skip
_AS_USER = (
    "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETFCAP", "CAP_SYS_PTRACE",
)  # fmt: skip
_SERVER_BYTES = 256 * 1024**2  # caches that preloaded modules write; a class shares them


def find_bwrap() -> str | None:
    """Return the path of bubblewrap's program, if it is installed."""
    return shutil.which("bwrap", path=os.pathsep.join([os.environ.get("PATH", ""), os.defpath]))


def command(readable: Iterable[str] = ()) -> tuple[str, ...]:
    """Return bwrap's command line; ``readable`` are folders that kernels may read beside."""
    program = find_bwrap() or "bwrap"
    words = [program, "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    words += ["--unshare-cgroup-try", "--hostname", "markbook", "--cap-drop", "ALL"]
    words += ["--cap-add", "CAP_SYS_ADMIN"]
    if os.getuid() == 0:
        words += [word for name in _AS_ROOT for word in ("--cap-add", name)]
    else:
        # As root of a user namespace: bwrap else adds another, which could not mount anything.
        words += ["--unshare-user", "--uid", "0", "--gid", "0"]
        words += [word for name in _AS_USER for word in ("--cap-add", name)]
    words += _system()
    words += ["--proc", "/proc", "--dev", "/dev"]
    words += ["--size", "65536", "--tmpfs", "/dev/shm", "--dir", "/tmp"]
    shown = (*_own_places(), *_outermost(readable))
    for path in shown:
        words += [*_way_to(path), "--ro-bind", path, path]
    words += [*_programs(shown), *_rooms(), *_fonts()]
    words += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/", "--"]
    return tuple(words)


def seen_in_tmp(words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return what a command line shows in /tmp: paths, and what they link to ("": a folder).

    A kernel's own /tmp lies over it, and shows it again.
    """
    seen = []
    for what, source, target in zip(words, words[1:], words[2:], strict=False):
        if what in ("--ro-bind", "--symlink") and target.startswith(f"{places.PRIVATE}/"):
            seen.append((target, source if what == "--symlink" else ""))
    return tuple(seen)


def _system() -> list[str]:
    words: list[str] = []
    for name in _SYSTEM:
        path = Path(name)
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), name]
        elif path.is_dir():
            words += ["--ro-bind", name, name]
    words += ["--dir", "/etc", "--dir", "/etc/ssl"]
    for name in _ETC:
        words += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    return words


def _way_to(path: str) -> list[str]:
    """Return words that make the folders above a path; those that bwrap makes are its user's."""
    above = reversed([str(folder) for folder in Path(path).parents[:-1]])
    return [word for folder in above for word in ("--dir", folder)]


def _own_places() -> list[str]:
    """Return the folders of this interpreter and of this package, none inside another."""
    found = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix]
    found.append(str(Path(markbook.__file__).resolve().parent))
    if site.ENABLE_USER_SITE:
        found.append(site.getusersitepackages())
    return _outermost(found)


def _outermost(paths: Iterable[str]) -> list[str]:
    """Return the folders that are there, none of them inside another or the system's own."""
    kept: list[str] = []
    for path in sorted({os.path.abspath(p) for p in paths}):  # noqa: PTH100  (links stay)
        inside = any(Path(path).is_relative_to(above) for above in (*_SYSTEM, *kept))
        if not inside and Path(path).is_dir():
            kept.append(path)
    return kept


def _programs(bound: Iterable[str]) -> list[str]:
    """Return words that show the links by which this interpreter is started, outside of ``bound``.

    Each as the program it leads to: the folder of a link may be somebody's home.
    """
    words: list[str] = []
    inside = (*_SYSTEM, *bound)
    link = Path(sys.executable)
    while True:
        if not any(link.is_relative_to(folder) for folder in inside):
            words += [*_way_to(str(link)), "--ro-bind", str(link), str(link)]
        if not link.is_symlink():
            return words
        link = Path(os.path.normpath(link.parent / link.readlink()))


def _rooms() -> list[str]:
    """Return the server's own folders, and where a child finds its room."""
    words = ["--dir", os.path.dirname(places.ROOMS)]  # noqa: PTH120
    for place, size in ((places.ROOMS, 65536), (places.SERVER, _SERVER_BYTES)):
        words += ["--size", str(size), "--tmpfs", place]
    words += ["--dir", places.EMPTY, "--dir", places.BEHIND]
    for name in ("HOME", "TMPDIR"):
        words += ["--setenv", name, places.SERVER]
    return [*words, "--unsetenv", "XDG_CACHE_HOME"]


def _fonts() -> list[str]:
    """Return matplotlib's list of this machine's fonts, which takes seconds to make."""
    home = Path.home()
    caches = [os.environ.get("XDG_CACHE_HOME"), str(home / ".cache")]
    folders = [os.environ.get("MPLCONFIGDIR"), *(f"{c}/matplotlib" for c in caches if c)]
    words = ["--dir", places.FONTS, "--dir", f"{places.SERVER}/matplotlib"]
    words += ["--setenv", "MPLCONFIGDIR", f"{places.SERVER}/matplotlib"]
    folder = next((Path(f) for f in folders if f and Path(f).is_dir()), None)
    for file in sorted(folder.glob("fontlist-*.json")) if folder else ():
        words += ["--ro-bind", str(file), f"{places.FONTS}/{file.name}"]
        words += ["--symlink", f"{places.FONTS}/{file.name}"]
        words.append(f"{places.SERVER}/matplotlib/{file.name}")
    return words
