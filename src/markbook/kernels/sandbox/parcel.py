"""A submission's files on their way into its sandbox: as bytes in memory, never as a folder.

What is inside reads them once, before any code runs, and makes each file anew.
"""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["pack", "read_inputs", "unpack"]

_LENGTH = struct.Struct("!Q")


def pack(layers: Iterable[Mapping[str, bytes]]) -> int:
    """Return a file in memory that holds the layers' files by path, the first above the others."""
    taken: dict[str, bytes] = {}
    for layer in layers:
        for path, content in sorted(layer.items()):
            if path not in taken and _is_inside(path):
                taken[path] = content
    names = os.fsencode(json.dumps([[path, len(content)] for path, content in taken.items()]))
    file = os.memfd_create("markbook-files", os.MFD_CLOEXEC)
    with open(file, "wb", closefd=False) as stream:
        stream.write(_LENGTH.pack(len(names)))
        stream.write(names)
        stream.writelines(taken.values())
    return file


def read_inputs(folder: Path, inputs: Iterable[str]) -> dict[str, bytes]:
    """Return the named files of a folder, and those in its named folders, by path.

    Raises ``OSError`` for what is not there, not below it, or a link.
    """
    found: dict[str, bytes] = {}
    for name in inputs:
        path = folder / name
        if not _is_inside(name) or path.is_symlink() or not path.exists():
            raise OSError(f"{name!r} is no file or folder below {folder}")
        within = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in within:
            if file.is_file() and not file.is_symlink():
                found[str(file.relative_to(folder))] = file.read_bytes()
    return found


def unpack(file: int, folder: str) -> None:
    """Make the files of a parcel below ``folder``; closes the parcel.

    A file that stands where an upper one needs a folder is left out, and so is what has no room.
    """
    with open(file, "rb") as stream:
        stream.seek(0)  # the place in it is shared with who packed it, and with kernels before
        (length,) = _LENGTH.unpack(stream.read(_LENGTH.size))
        for path, size in json.loads(stream.read(length)):
            _write(os.path.join(folder, path), stream.read(size))  # noqa: PTH118


def _write(path: str, content: bytes) -> None:
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        return
    with open(target, "wb") as stream:  # noqa: PTH123  (a descriptor)
        stream.write(content)


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not PurePosixPath(path).is_absolute() and ".." not in parts
