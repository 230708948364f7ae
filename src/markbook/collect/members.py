"""The names in an archive, made harmless: relative, normal, each once."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from markbook.text.controls import visible_plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from markbook.collect.archives import Member

__all__ = ["Unpacked", "clean_name", "unpack"]

_DRIVE = re.compile(r"[A-Za-z]:")
_PART = 255  # bytes: where file systems end
_PATH = 1_000
_DEPTH = 32
_SUFFIX = 20
# What systems put into every archive, and nobody wrote.
_LITTER = frozenset({"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", ".ipynb_checkpoints"})


@dataclass(slots=True)
class Unpacked:
    """The files of an archive by clean relative name.

    ``refused`` are sentences by the name shown for what was not taken; ``notes`` say which names
    were changed.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def unpack(members: Iterable[Member]) -> Unpacked:
    """Take an archive's members under clean names; what cannot be taken is refused by name.

    Of several files with one name, capitals apart, none is taken, nor a file that is a folder too:
    which one would win is not for the archive to say.
    """
    found = Unpacked()
    taken: list[tuple[str, str, bytes]] = []
    for member in members:
        shown = visible_plain(member.name)
        if _LITTER & set(re.split(r"[/\\]", member.name)):
            continue
        name, fault = clean_name(member.name)
        if fault or member.odd:
            found.refused[shown] = fault or f"it is {member.odd}, not a file"
            continue
        taken.append((name, shown, member.data))
        if _parts(member.name) != name.split("/"):
            found.notes.append(f"The file {shown!r} of the archive is called {name!r} here.")
    _without_doubles(taken, found)
    return found


def _without_doubles(taken: list[tuple[str, str, bytes]], found: Unpacked) -> None:
    times = Counter(name.casefold() for name, _, _ in taken)
    folders = {
        str(above).casefold() for name, _, _ in taken for above in PurePosixPath(name).parents
    }
    for name, shown, data in taken:
        if times[name.casefold()] > 1:
            found.refused[shown] = "another file of the archive has the same name"
        elif name.casefold() in folders:
            found.refused[shown] = "a folder of the archive has the same name"
        else:
            found.files[name] = data


def clean_name(raw: str) -> tuple[str, str]:
    """Return a relative name with single slashes in NFC, and why it is refused, or "".

    Control and direction characters become ``_``; a part that is too long is shortened in front
    of its ending, with a piece of its hash.
    """
    if raw.startswith(("/", "\\")) or _DRIVE.match(raw):
        return "", "its name is absolute"
    parts = _parts(raw)
    if ".." in parts:
        return "", "its name leads out of the archive with '..'"
    if not parts:
        return "", "it has no name"
    name = "/".join(_clean_part(part) for part in parts)
    if len(parts) > _DEPTH or len(name.encode()) > _PATH:
        return "", f"its path is deeper than {_DEPTH} folders or longer than {_PATH:,} bytes"
    return name, ""


def _parts(raw: str) -> list[str]:
    """Return a name's parts; some programs on Windows separate them by backslashes."""
    return [part for part in raw.replace("\\", "/").split("/") if part not in ("", ".")]


def _unseen(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def _clean_part(part: str) -> str:
    part = unicodedata.normalize("NFC", part.encode("utf-8", "replace").decode())
    part = "".join(
        "_" if unicodedata.category(c)[0] == "C" or c in "\u2028\u2029" else c for c in part
    )
    encoded = part.encode()
    if len(encoded) <= _PART:
        return part
    ending = PurePosixPath(part).suffix
    ending = ending if len(ending.encode()) <= _SUFFIX else ""
    piece = hashlib.sha256(encoded).hexdigest()[:8]
    room = _PART - len(ending.encode()) - len(piece) - 1
    return f"{encoded[:room].decode('utf-8', 'ignore')}-{piece}{ending}"
