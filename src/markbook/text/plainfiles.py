"""Reading what other people laid down: plain files only, none through a link, none without end.

A student's folder can hold links to the model answers, named pipes that never end, and files
that grow. Everything that a student could have put somewhere is read in here.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from markbook.text.controls import visible_plain

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Bounds", "PlainFolder", "read_folder", "read_plain", "refuse_link", "shown_name"]

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a named pipe would otherwise wait for its writer for ever
    | getattr(os, "O_CLOEXEC", 0)
)
_NO_FILE = {
    stat.S_IFLNK: "is a link, and links are not followed",
    stat.S_IFDIR: "is a folder, not a file",
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a folder may hold: ``size`` is bytes of all files, ``path`` bytes of one's name."""

    size: int = 256_000_000
    # A project with its data has a few hundred; an unpacked package folder thousands.
    files: int = 5_000
    depth: int = 32
    # Linux ends at 4,096, and the course's own folders stand before it.
    path: int = 1_000


@dataclass(slots=True)
class PlainFolder:
    """The files of a folder by relative path; ``refusal`` says why they are not to be used.

    ``odd`` stands for what was not read: where a link leads, what else it is.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    odd: dict[str, bytes] = field(default_factory=dict)
    refusal: str | None = None
    size: int = 0

    def refuse(self, name: str, instead: bytes, why: str) -> None:
        self.odd[name] = instead
        self.refusal = self.refusal or why


def shown_name(name: str) -> str:
    """Return a file's name for people, in one line; it may hold bytes that are no text."""
    shown = visible_plain(name.encode("utf-8", "replace").decode())
    return shown.replace("\n", "[U+000A]").replace("\t", "[U+0009]")


def read_plain(path: Path, most: int) -> bytes:
    """Return the bytes of a file of at most ``most``.

    Raises ``OSError`` with a phrase for what is a link, a pipe, a device, larger, also known by
    another name (a hard link could be anybody's file), or changes meanwhile.
    """
    handle = _open(os.fspath(path))
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise _odd(path, _NO_FILE.get(stat.S_IFMT(found.st_mode), "is a pipe or device"))
        if found.st_nlink > 1:
            raise _odd(path, "has another name (a hard link)")
        if found.st_size > most:
            raise _odd(path, f"is larger than {_size(most)}")
        return _bytes(handle, found, os.fspath(path))
    finally:
        os.close(handle)


def read_folder(folder: Path, bounds: Bounds) -> PlainFolder:
    """Read all files below ``folder``, each once.

    Nothing is opened by a path that somebody may change meanwhile: each step goes from the open
    folder above it, and none through a link. Raises ``OSError`` for what cannot be read, or
    changes while it is.
    """
    found = PlainFolder()
    if refuse_link(folder, found):
        return found
    _Reading(found, bounds).read(os.fspath(folder))
    return found


def refuse_link(folder: Path, found: PlainFolder) -> bool:
    """Refuse ``folder`` if it is a link itself; return whether it is."""
    if not folder.is_symlink():
        return False
    where = b"link:" + os.fsencode(folder.readlink())
    found.refuse(folder.name, where, f"{shown_name(folder.name)} is a link, not a file")
    return True


class _Reading:
    """One folder on its way."""

    def __init__(self, found: PlainFolder, bounds: Bounds) -> None:
        self._found, self._bounds = found, bounds
        self._entries = 0
        # By device and inode: a name, how many names were met here, how many there are.
        self._names: dict[tuple[int, int], tuple[str, int, int]] = {}

    def read(self, folder: str) -> None:
        handle = os.open(folder, _FLAGS | os.O_DIRECTORY)
        try:
            self._folder(handle, "", 1)
        finally:
            os.close(handle)
        for name, met, names in self._names.values():
            if names > met:
                self._found.refuse(
                    name,
                    b"hard link",
                    f"{shown_name(name)} has another name outside the submission (a hard link)",
                )

    def _folder(self, handle: int, base: str, depth: int) -> None:
        for name in _names_in(handle, self._bounds.files + 1):
            place = f"{base}{name}"
            self._entries += 1
            if not self._fits(place, depth):
                return
            found = os.stat(name, dir_fd=handle, follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                self._deeper(handle, name, place, depth)
            elif stat.S_ISREG(found.st_mode):
                self._file(handle, name, place)
            elif stat.S_ISLNK(found.st_mode):
                where = b"link:" + os.fsencode(os.readlink(name, dir_fd=handle))
                self._found.refuse(place, where, f"{shown_name(place)} is a link, not a file")
            else:
                why = f"{shown_name(place)} is a pipe or device, not a file"
                self._found.refuse(place, b"pipe or device", why)

    def _fits(self, place: str, depth: int) -> bool:
        bounds = self._bounds
        if self._entries > bounds.files:
            why = f"it has more than {bounds.files:,} files and folders"
        elif depth > bounds.depth:
            why = f"its folders are nested deeper than {bounds.depth}"
        elif len(os.fsencode(place)) > bounds.path:
            why = f"it has a file whose path is longer than {bounds.path:,} bytes"
        else:
            return True
        self._found.refuse("", why.encode(), why)
        return False

    def _deeper(self, handle: int, name: str, place: str, depth: int) -> None:
        inner = _open(name, handle, os.O_DIRECTORY)
        try:
            self._folder(inner, f"{place}/", depth + 1)
        finally:
            os.close(inner)

    def _file(self, folder: int, name: str, place: str) -> None:
        handle = _open(name, folder)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise _odd(place, "changed while it was read")
            known = self._names.get((status.st_dev, status.st_ino), (place, 0, 0))
            if status.st_nlink > 1:
                counted = (known[0], known[1] + 1, status.st_nlink)
                self._names[status.st_dev, status.st_ino] = counted
            if self._found.size + status.st_size > self._bounds.size:
                instead = b"large:%d:%d" % (status.st_size, status.st_mtime_ns)
                why = f"its files are larger than {_size(self._bounds.size)} together"
                self._found.refuse(place, instead, why)
                return
            self._found.files[place] = _bytes(handle, status, place)
            self._found.size += status.st_size
        finally:
            os.close(handle)


def _names_in(handle: int, most: int) -> list[str]:
    with os.scandir(handle) as entries:
        return sorted(entry.name for entry in islice(entries, most))


def _open(name: str, folder: int | None = None, more: int = 0) -> int:
    try:
        return os.open(name, _FLAGS | more, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _odd(name, _NO_FILE[stat.S_IFLNK]) from error
        if error.errno == errno.ENXIO:
            raise _odd(name, "is a pipe or device") from error
        raise


def _bytes(handle: int, before: os.stat_result, name: str) -> bytes:
    """Return exactly what the file held when it was opened."""
    with os.fdopen(handle, "rb", closefd=False) as stream:
        data = stream.read(before.st_size + 1)
    after = os.fstat(handle)
    if len(data) != before.st_size or after.st_mtime_ns != before.st_mtime_ns:
        raise _odd(name, "changed while it was read")
    return data


def _size(most: int) -> str:
    return f"{most // 1_000_000} MB" if most >= 1_000_000 else f"{most:,} bytes"


def _odd(name: str | os.PathLike[str], why: str) -> OSError:
    return OSError(errno.EINVAL, why, os.fspath(name))
