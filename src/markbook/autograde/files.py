"""A submission's files: read once and without following links, and laid down as nbgrader does."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from markbook.autograde.values import Submission

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from markbook.autograde.settings import FileRules

__all__ = ["HandedIn", "hash_files", "laid_down", "read_submission", "shown"]

_CHECKPOINTS = ".ipynb_checkpoints"
_NOTEBOOK = ".ipynb"

# Bytes of a submission's files together. nbgrader collects no folder above 100 MB; papers and
# exports of a learning platform come past it, and what is read is held in memory.
MOST = 256_000_000


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A submission as it lies there: its hash, and its files or why there is nothing to grade."""

    submission: Submission
    content_hash: str
    failure: str | None = None
    size: int = 0

    @classmethod
    def unreadable(cls, student: str, error: OSError) -> HandedIn:
        """Return a submission that could not be read; another try may read it."""
        name = PurePosixPath(os.fsdecode(error.filename or "")).name
        reason = f"{shown(name) or 'its folder'} cannot be read: {error.strerror}"
        return cls(Submission(student, {}), "", reason)


def read_submission(folder: Path, student: str) -> HandedIn:
    """Read all files of a submission, each once.

    A link, a device or the like is not opened and makes a failure; so do files above a bound
    (``MOST`` bytes together), of which size and time are hashed. Raises ``OSError`` for a folder
    that cannot be read.
    """
    files: dict[str, bytes] = {}
    odd: dict[str, bytes] = {}
    failure: str | None = None
    size = 0
    for name, entry in _walk(folder):
        if isinstance(entry, str):
            odd[name] = entry.encode("utf-8", "surrogateescape")
            failure = failure or f"{shown(name)} is a {_kind(entry)}, not a file"
        elif size + os.fstat(entry).st_size > MOST:
            found = os.fstat(entry)
            odd[name] = b"large:%d:%d" % (found.st_size, found.st_mtime_ns)
            failure = failure or f"its files are larger than {MOST // 1_000_000} MB together"
        else:
            files[name] = _bytes(entry)
            size += len(files[name])
    digest = hash_files({**files, **odd})
    handed = {} if failure else {n: content for n, content in files.items() if _kept(n)}
    return HandedIn(Submission(student, handed), digest, failure, size)


def hash_files(files: Mapping[str, bytes]) -> str:
    """Return a hash of files, names and bytes; Jupyter's checkpoints do not count."""
    digest = hashlib.sha256()
    for name in sorted(files, key=lambda name: PurePosixPath(name).parts):
        if _kept(name):
            encoded, content = name.encode("utf-8", "surrogateescape"), files[name]
            digest.update(b"%d:%s%d:" % (len(encoded), encoded, len(content)))
            digest.update(content)
    return digest.hexdigest()


def shown(name: str) -> str:
    """Return a file's name for people; a name may hold bytes that are no text."""
    return name.encode("utf-8", "replace").decode()


def _kept(name: str) -> bool:
    return _CHECKPOINTS not in name


def _walk(folder: Path) -> Iterator[tuple[str, int | str]]:
    """Yield every entry below ``folder`` that is no folder: an open file, or what else it is.

    Nothing is opened by a path that somebody may change meanwhile: each step goes from the open
    folder above it, and none through a link.
    """
    if folder.is_symlink():
        yield folder.name, f"link:{folder.readlink()}"
        return
    for here, folders, names, handle in os.fwalk(folder, follow_symlinks=False, onerror=_raise):
        base = PurePosixPath(here).relative_to(PurePosixPath(folder))
        for name in [*folders, *names]:
            place = str(base / name)
            mode = os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode
            if stat.S_ISLNK(mode):
                yield place, f"link:{os.readlink(name, dir_fd=handle)}"
            elif stat.S_ISREG(mode):
                opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=handle)
                try:
                    yield place, opened
                finally:
                    os.close(opened)
            elif not stat.S_ISDIR(mode):
                yield place, "pipe or device"


def _raise(error: OSError) -> None:
    raise error


def _kind(entry: str) -> str:
    return entry.partition(":")[0]


def _bytes(handle: int) -> bytes:
    with os.fdopen(handle, "rb", closefd=False) as stream:
        return stream.read()


def laid_down(
    submission: Submission,
    notebooks: Mapping[str, bytes],
    helpers: Mapping[str, bytes],
    rules: FileRules,
) -> dict[str, bytes]:
    """Return the files of an autograded folder by their relative path.

    Those are the student's own files without notebooks, the source's helpers over them, and the
    notebooks as run.
    """
    files: dict[str, bytes] = {}
    own = {
        name: content for name, content in submission.files.items() if not rules.leaves_behind(name)
    }
    run = {f"{name}{_NOTEBOOK}": content for name, content in notebooks.items()}
    for layer in (own, helpers, run):
        _make_room(files, layer)
        files.update(layer)
    return files


def _make_room(files: dict[str, bytes], layer: Mapping[str, bytes]) -> None:
    """Take away the files that stand where a folder has to be, or below where a file has to."""
    needed = {str(parent) for name in layer for parent in PurePosixPath(name).parents}
    for name in [n for n in files if n in needed or layer.keys() & _above(n)]:
        del files[name]


def _above(name: str) -> set[str]:
    return {str(parent) for parent in PurePosixPath(name).parents}
