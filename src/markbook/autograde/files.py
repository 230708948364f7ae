"""A submission's files: read once and without following links, and laid down as nbgrader does."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from markbook.autograde.values import Submission
from markbook.text.plainfiles import Bounds, PlainFolder, read_folder, refuse_link
from markbook.text.plainfiles import shown_name as shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

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

    A link, a device or the like is not opened and makes a failure; so do hard links out of the
    submission and whatever is above a bound (``MOST`` bytes together), of which size and time are
    hashed. Raises ``OSError`` for a folder that cannot be read or changes while it is.
    """
    found = PlainFolder()
    if not refuse_link(folder.parent, found):  # or eve's folder is ada's
        found = read_folder(folder, Bounds(size=MOST))
    digest = hash_files({**found.files, **found.odd})
    files = {} if found.refusal else {n: c for n, c in found.files.items() if _kept(n)}
    return HandedIn(Submission(student, files), digest, found.refusal, found.size)


def hash_files(files: Mapping[str, bytes]) -> str:
    """Return a hash of files, names and bytes; Jupyter's checkpoints do not count."""
    digest = hashlib.sha256()
    for name in sorted(files, key=lambda name: PurePosixPath(name).parts):
        if _kept(name):
            encoded, content = name.encode("utf-8", "surrogateescape"), files[name]
            digest.update(b"%d:%s%d:" % (len(encoded), encoded, len(content)))
            digest.update(content)
    return digest.hexdigest()


def _kept(name: str) -> bool:
    return _CHECKPOINTS not in name


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
