"""What a run computes of a question's texts alone, kept for the next run of the same texts.

A class that is read again after marks, or by ``--force``, has the same answers: what does not
depend on marks is taken from the file that the last run left (docs/decisions/0031). Each part is
kept under a hash of all that it was made of, this code too, so what does not fit is made anew.
"""

from __future__ import annotations

import hashlib
import io
import platform
import struct
import zipfile
import zlib
from functools import cache
from importlib import metadata, resources
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from importlib.resources.abc import Traversable
    from pathlib import Path

    Arrays = Mapping[str, np.ndarray]

__all__ = ["Earlier", "hashed"]

T = TypeVar("T")

_CODE = ("graders", "text", "rubrics", "model")  # packages that tell what a text's numbers are
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "rapidfuzz", "snowballstemmer")
# What zipfile, numpy and JSON raise at damaged bytes: bad offsets, sizes, flags, methods, types.
_WRONG = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, MemoryError,
    SyntaxError, OSError, EOFError, zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip


class Earlier:
    """Parts by name: those of an earlier run, and those that this one takes over or makes.

    ``taken`` and ``made`` name them. Nothing here raises because of the file.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.taken: list[str] = []
        self.made: list[str] = []
        self._kept: dict[str, tuple[str, Callable[[], Arrays]]] = {}
        self._path = path if path is not None and path.is_file() else None

    def part(
        self,
        name: str,
        key: str,
        make: Callable[[], T],
        pack: Callable[[T], Arrays],
        unpack: Callable[[Arrays], T],
    ) -> T:
        """Return what the earlier run kept as ``name`` under this ``key``, else what is made now.

        ``unpack`` raises ``ValueError``, ``KeyError``, ``IndexError`` or ``TypeError`` for arrays
        that are none of its own.
        """
        key = hashed([code(), key])
        if (found := self._read(name, key)) is not None:
            arrays = found
            try:
                value = unpack(arrays)
            except _WRONG:
                pass  # it is none of ours
            else:
                self.taken.append(name)
                self._kept[name] = (key, lambda: arrays)
                return value
        made = make()
        self.made.append(name)
        self._kept[name] = (key, lambda: pack(made))
        return made

    def to_bytes(self, others: Arrays) -> bytes:
        """Return an npz of all parts and ``others``, whose names have no slash in them."""
        arrays = dict(others)
        for name, (key, packed) in self._kept.items():
            arrays[f"{name}/key"] = np.array(key)
            arrays |= {f"{name}/{part}": array for part, array in packed().items()}
        file = io.BytesIO()
        np.savez(file, **arrays)  # type: ignore[arg-type]
        return file.getvalue()

    def _read(self, name: str, key: str) -> Arrays | None:
        """Return the arrays of a part that the file holds under a key, each whole, or None."""
        if self._path is None:
            return None
        try:
            # Opened here: numpy leaves a file that is no zip open.
            with self._path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                if f"{name}/key" not in file.files or str(file[f"{name}/key"]) != key:
                    return None
                begin = f"{name}/"
                parts = [f for f in file.files if f.startswith(begin) and f != f"{name}/key"]
                return {part.removeprefix(begin): file[part] for part in parts}
        except _WRONG:
            return None  # damaged: each member has a checksum


def hashed(texts: Iterable[str]) -> str:
    """Return a hash of texts in their order; any string is fine."""
    found = hashlib.sha256()
    for text in texts:
        content = text.encode("utf-8", "surrogatepass")
        found.update(len(content).to_bytes(8) + content)
    return found.hexdigest()


@cache
def code() -> str:
    """Return a hash of this package's code and data that texts are read by, and of its libraries.

    By the files and not by a number that somebody has to raise with each change.
    """
    versions = [platform.python_version(), *map(metadata.version, _LIBRARIES)]
    found = hashlib.sha256(" ".join(versions).encode())
    for name in _CODE:
        for file in _files(resources.files("markbook") / name):
            found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def _files(folder: Traversable) -> list[Traversable]:
    found = []
    for each in sorted(folder.iterdir(), key=lambda item: item.name):
        if each.is_dir():
            found += _files(each)
        elif each.name.endswith((".py", ".json")):
            found.append(each)
    return found
