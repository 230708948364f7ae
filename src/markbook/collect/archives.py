"""Archives of papers, unpacked into memory: zip and tar, bounded, with no name that leads out.

An archive is written by somebody else, down to its headers. So nothing here believes what a header
says of a size, nothing is laid down on the disk, and a member that is no plain file is refused.
"""

from __future__ import annotations

import bz2
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, cast

from markbook.errors import PaperError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import PurePath

__all__ = ["GROUP", "Budget", "Member", "archive_endings", "read_tar", "read_zip", "unpacker_for"]

GROUP = "markbook.archives"
"""Entry points named like a file ending: functions of bytes and a ``Budget`` that yield members."""

MOST_BYTES = 256_000_000
_CHUNK = 1_000_000
# Text packs 3 to 20 times, a table of noughts 200, a bomb a thousand. Small ones may be anything.
_RATIO = 200
_ANY_RATIO = 10_000_000
_XZ_MEMORY = 256_000_000
_HEADERS = 10_000_000  # bytes of a tar file beside what its members hold: 2 kB a member
_UNPACK = "Unpack it yourself, look at it, and collect the folder."


@dataclass(slots=True)
class Budget:
    """What may still come out of one archive and those inside it."""

    size: int = MOST_BYTES
    members: int = 5_000

    @classmethod
    def of(cls, packed: int) -> Budget:
        """Return what an archive of ``packed`` bytes may become."""
        return cls(min(MOST_BYTES, max(_ANY_RATIO, _RATIO * packed)))

    def member(self) -> None:
        self.members -= 1
        if self.members < 0:
            raise PaperError("The archive holds too many files (5,000).", hint=_UNPACK)

    def bytes(self, number: int) -> None:
        self.size -= number
        if self.size < 0:
            raise PaperError(
                f"The archive unpacks to more than {MOST_BYTES // 1_000_000} MB, or to more than"
                f" {_RATIO} times its size.",
                hint=_UNPACK,
            )


@dataclass(frozen=True, slots=True)
class Member:
    """One entry: its name as it stands there, and its bytes, or what it is instead of a file."""

    name: str
    data: bytes = b""
    odd: str = ""


_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    NotImplementedError,
    RuntimeError,  # zipfile: a password is needed; and too many headers inside each other
    IndexError,
    KeyError,
)


@cache
def archive_endings() -> frozenset[str]:
    """Return the last file endings, without dot, that archives have."""
    return frozenset(point.name.lower() for point in entry_points(group=GROUP))


def unpacker_for(path: PurePath) -> Callable[[bytes, Budget], Iterator[Member]] | None:
    """Return what unpacks a file of this name, if it is called like an archive.

    ``.gz`` and its like are archives behind ``.tar`` only.
    """
    ending = path.suffix.lstrip(".").lower()
    if ending in {"gz", "bz2", "xz"} and not path.stem.lower().endswith(".tar"):
        return None
    for point in entry_points(group=GROUP):
        if point.name.lower() == ending:
            return _named_errors(cast("Callable[[bytes, Budget], Iterator[Member]]", point.load()))
    return None


def _named_errors(
    unpack: Callable[[bytes, Budget], Iterator[Member]],
) -> Callable[[bytes, Budget], Iterator[Member]]:
    def unpacked(data: bytes, budget: Budget) -> Iterator[Member]:
        try:
            yield from unpack(data, budget)
        except _BROKEN as error:
            says = str(error).partition("\n")[0][:100].rstrip(".") or type(error).__name__
            raise PaperError(
                f"The archive is damaged or of a kind that is not read ({says}).", hint=_UNPACK
            ) from error

    return unpacked


def read_zip(data: bytes, budget: Budget) -> Iterator[Member]:
    """Yield the members of a zip file. Raises ``PaperError`` beyond the budget."""
    # Before it is opened, since Python makes an object of every entry then.
    if data.count(b"PK\x01\x02") > 2 * budget.members:
        raise PaperError("The archive holds too many files.", hint=_UNPACK)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            budget.member()
            mode = entry.external_attr >> 16
            if entry.is_dir():
                continue
            name = _zip_name(entry)
            if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
                yield Member(name, odd="a link" if stat.S_ISLNK(mode) else "a pipe or device")
            elif entry.flag_bits & 0x1:
                yield Member(name, odd="encrypted")
            else:
                with archive.open(entry) as stream:
                    yield Member(name, _read(cast("io.BufferedIOBase", stream), budget))


def _zip_name(entry: zipfile.ZipInfo) -> str:
    """Return an entry's name; many programs write UTF-8 without saying so."""
    name = entry.filename
    if not entry.flag_bits & 0x800 and not name.isascii():
        try:
            return name.encode("cp437").decode("utf-8")
        except UnicodeError:
            return name
    return name


def read_tar(data: bytes, budget: Budget) -> Iterator[Member]:
    """Yield the members of a tar file, plain or packed by gzip, bzip2 or xz."""
    plain = io.BytesIO(_without_packing(data, budget.size))
    with tarfile.TarFile(fileobj=plain, mode="r") as archive:
        for entry in archive:
            budget.member()
            if entry.size < 0 or entry.offset_data < 0:  # leads tarfile round in circles
                raise PaperError("The archive is damaged: a size in it is negative.", hint=_UNPACK)
            if entry.isdir():
                continue
            name = entry.name.encode("utf-8", "replace").decode()
            stream = archive.extractfile(entry) if entry.type in _TAR_FILES else None
            if stream is None or entry.issparse():
                is_link = entry.issym() or entry.islnk()
                yield Member(name, odd="a link" if is_link else "a pipe, device or sparse file")
            else:
                yield Member(name, _read(cast("io.BufferedIOBase", stream), budget))


_TAR_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)


def _read(stream: io.BufferedIOBase, budget: Budget) -> bytes:
    """Read what there really is, whatever the header says of it."""
    parts: list[bytes] = []
    while piece := stream.read(_CHUNK):
        budget.bytes(len(piece))
        parts.append(piece)
    return b"".join(parts)


def _without_packing(data: bytes, most: int) -> bytes:
    if data.startswith(b"\x1f\x8b"):
        return _inflated(zlib.decompressobj(wbits=31), data, most)
    if data.startswith(b"BZh"):
        return _inflated(bz2.BZ2Decompressor(), data, most)
    if data.startswith(b"\xfd7zXZ\x00"):
        return _inflated(lzma.LZMADecompressor(memlimit=_XZ_MEMORY), data, most)
    return data


def _inflated(decompressor: object, data: bytes, most: int) -> bytes:
    """Decompress one stream; more than ``most`` bytes, and room for headers, are refused."""
    found: bytes = decompressor.decompress(data, most + _HEADERS)  # type: ignore[attr-defined]
    if not decompressor.eof:  # type: ignore[attr-defined]
        if len(found) >= most + _HEADERS:
            Budget(0).bytes(1)
        raise EOFError("it is cut off")
    return found
