"""Copying from the exchange, whose inbound folder every student can write into.

nbgrader copies what links lead to, waits for named pipes, and ends the whole collection at one
folder whose name holds no time. Here a submission is plain files or it is refused by name, and the
others are collected.
"""

from __future__ import annotations

import datetime
import os
import shutil
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from markbook.text.plainfiles import Bounds, PlainFolder, read_folder, shown_name

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["take_safely"]

_NOBODY = {"username": "", "timestamp": datetime.datetime.min}


def take_safely(exchange: Any) -> list[dict[str, str]]:
    """Change nbgrader's collector; return the list that refused submissions will be put on.

    Each is ``student``, ``folder`` (its name in the exchange) and ``reason``.
    """
    refused: list[dict[str, str]] = []
    kind = type(exchange)

    def path_to_record(path: str) -> Mapping[str, Any]:
        try:
            record: Mapping[str, Any] = kind._path_to_record(exchange, path)
        except Exception:  # noqa: BLE001  (whatever it thinks of one name)
            refused.append(_refusal("", Path(path).name, "its name holds no time"))
            return _NOBODY
        if not _is_name(record["username"]):
            why = "its name holds no student that a folder could be called"
            refused.append(_refusal("", Path(path).name, why))
            return _NOBODY
        return record

    def init_src() -> None:
        kind.init_src(exchange)
        exchange.src_records = [r for r in exchange.src_records if r["username"] and taken(r)]

    def taken(record: Mapping[str, Any]) -> bool:
        why = _look(Path(exchange.inbound_path, record["filename"]), exchange).refusal
        if why is not None:
            refused.append(_refusal(record["username"], record["filename"], why))
        return why is None

    exchange._path_to_record = path_to_record
    exchange.init_src = init_src
    exchange.do_copy = lambda src, dest, log=None: _copy(Path(src), Path(dest), exchange)
    return refused


def _refusal(student: str, folder: str, why: str) -> dict[str, str]:
    return {"student": student, "folder": shown_name(folder), "reason": why}


def _is_name(student: str) -> bool:
    return bool(student) and student.isprintable() and not student.startswith(".")


def _look(folder: Path, exchange: Any) -> PlainFolder:
    bounds = Bounds()
    size = min(bounds.size, 1_000 * exchange.coursedir.max_dir_size)
    try:
        return read_folder(folder, Bounds(size=size))
    except OSError as error:
        name = shown_name(os.fsdecode(error.filename or folder.name))
        return PlainFolder(refusal=f"{PurePosixPath(name).name} cannot be read: {error.strerror}")


def _copy(source: Path, destination: Path, exchange: Any) -> None:
    """Copy a submission as nbgrader would, 0700, there in full or not at all."""
    found = _look(source, exchange)
    if found.refusal is not None:  # it was fine a moment ago
        raise RuntimeError(f"{shown_name(source.name)} changed meanwhile: {found.refusal}")
    new = destination.with_name(f".markbook-{destination.name}")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    for name in _wanted(found.files, source, exchange):
        place = new / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(found.files[name])
    if exchange.coursedir.groupshared:
        for path in (new, *new.rglob("*")):
            mode = path.stat().st_mode
            path.chmod((mode | 0o2770) & 0o2777 if path.is_dir() else (mode | 0o660) & 0o777)
    new.rename(destination)


def _wanted(files: Mapping[str, bytes], source: Path, exchange: Any) -> list[str]:
    """Leave out what the course's ``ignore``, ``include`` and ``max_file_size`` do."""
    from nbgrader.utils import ignore_patterns

    settings = exchange.coursedir
    ignore = ignore_patterns(
        exclude=settings.ignore,
        include=settings.include,
        max_file_size=settings.max_file_size,
        log=exchange.log,
    )
    entries: dict[PurePosixPath, set[str]] = defaultdict(set)
    for name in files:
        path = PurePosixPath(name)
        for part in (path, *path.parents):
            if part.name:
                entries[part.parent].add(part.name)
    left_out = {
        folder / name
        for folder, names in entries.items()
        for name in ignore(str(source / folder), sorted(names))
    }
    return [
        name for name in files if not left_out & {PurePosixPath(name), *PurePosixPath(name).parents}
    ]
