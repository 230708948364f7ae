"""SQLite's journal: a write-ahead log where it works, the rollback journal where it does not.

See docs/decisions/0017-write-ahead-log.md.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

__all__ = ["address", "choose_journal", "on_network"]

MOUNTS = Path("/proc/self/mountinfo")

# The log needs memory that all its readers and writers share, so one computer.
_NETWORK = frozenset(
    "9p afs autofs beegfs ceph cifs coda davfs drvfs gfs gfs2 glusterfs gpfs lustre ncpfs nfs nfs4"
    " ocfs2 prl_fs pvfs2 smb smb2 smb3 smbfs vboxsf virtiofs".split()
)

# A marker at work is no reason to wait: the gradebook is used as it is, and switched another time.
_SWITCH_SECONDS = 1.0

_HEADER = b"SQLite format 3\0"
_LOGGED = b"\x02\x02"  # bytes 18 and 19 of a database with a write-ahead log


def address(path: Path) -> str:
    """Return what to open the gradebook at ``path`` by: its path, or a URI that promises rest.

    A gradebook with a log but without one on disk, in a folder where none can be made, cannot be
    opened unless one promises that nobody writes to it.
    """
    resting = _logged(path) and not _log(path).exists()
    if resting and not os.access(path.parent, os.W_OK):
        return f"file:{quote(str(path))}?immutable=1"
    return str(path)


def choose_journal(path: Path) -> None:
    """Give the gradebook at ``path`` the journal that its place allows, if it has another.

    Does nothing while another process uses it. A file that is not there yet is made.
    """
    logged = _logged(path)
    network = on_network(path)
    if logged == (not network) or not _writable(path):
        return
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, _SWITCH_SECONDS)) as connection:
        if network:
            # before the first access, so that no memory is shared
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("PRAGMA journal_mode=DELETE")
        else:
            connection.execute("PRAGMA journal_mode=WAL")


def on_network(path: Path) -> bool:
    """Tell whether ``path`` lies on a file system that other computers share."""
    kind = _file_system(path)
    return kind in _NETWORK or kind.startswith("fuse.")


def _file_system(path: Path) -> str:
    """Return the kind of the file system that ``path`` lies on, empty where nothing tells."""
    try:
        lines = MOUNTS.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return ""
    place = os.path.realpath(path)
    kind, longest = "", -1
    for line in lines:
        # man proc_pid_mountinfo: fields, some of them optional, a dash, the kind and its source
        fields, _, rest = line.partition(" - ")
        mount = _unescape(fields.split()[4])
        inside = place == mount or place.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= longest:  # of two at one place the later one is on top
            kind, longest = rest.split()[0], len(mount)
    return kind


def _unescape(name: str) -> str:
    for code in ("\\040", "\\011", "\\012", "\\134"):
        name = name.replace(code, chr(int(code[1:], 8)))
    return name


def _logged(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            header = file.read(20)
    except OSError:
        return False
    return header.startswith(_HEADER) and header[18:20] == _LOGGED


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _writable(path: Path) -> bool:
    return os.access(path.parent, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))
