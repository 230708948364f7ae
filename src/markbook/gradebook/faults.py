"""What a database says when it cannot, in words that a person can act on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from markbook.errors import MarkbookError

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.exc import DBAPIError

__all__ = ["explain", "place"]

_LOCKED = ("database is locked", "database table is locked", "lock timeout")
_FULL = ("database or disk is full", "no space left", "disk full")
_READ_ONLY = ("readonly database", "read-only")
_BROKEN = ("disk i/o error", "malformed", "not a database")
_GONE = ("connection", "server", "terminating")

_NOTHING_LOST = "What was stored before is safe."


def place(engine: Engine) -> str:
    """Name the gradebook as people know it: the file, or the address without its password."""
    if engine.dialect.name == "sqlite":
        return _file(engine)
    return engine.url.render_as_string(hide_password=True)


def explain(error: DBAPIError, engine: Engine, waited: float) -> MarkbookError | None:
    """Return what to raise instead of ``error``, None where it is no fault of the surroundings.

    ``waited`` are the seconds after which a lock is given up.
    """
    said = str(error.orig).lower()
    where = place(engine)
    sqlite = engine.dialect.name == "sqlite"
    if any(sign in said for sign in _LOCKED):
        return MarkbookError(
            f"The gradebook {where} is locked: {_holders(where) if sqlite else 'another program'}"
            f" did not finish writing to it within {waited:g} seconds.",
            hint=f"End that, or wait for it, and run this again. {_NOTHING_LOST}",
        )
    if any(sign in said for sign in _FULL) or (sqlite and _is_full(where, said)):
        return MarkbookError(
            f"There is no space left to store anything in the gradebook {where}.",
            hint=f"Make space on its disk and run this again. {_NOTHING_LOST}",
        )
    if any(sign in said for sign in _READ_ONLY):
        return MarkbookError(
            f"The gradebook {where} may only be read: {error.orig}.",
            hint="Get the right to write to the file and its folder, and run this again.",
        )
    if sqlite and any(sign in said for sign in _BROKEN):
        return MarkbookError(
            f"The gradebook {where} cannot be read or written: {error.orig}.",
            hint="Look after the disk; 'sqlite3 FILE \"PRAGMA integrity_check\"' checks the file.",
        )
    if not sqlite and (error.connection_invalidated or any(sign in said for sign in _GONE)):
        return MarkbookError(
            f"The gradebook's server {where} has gone: {_first_line(error)}.",
            hint=f"When it answers again, run this again. {_NOTHING_LOST}",
        )
    return None


def _file(engine: Engine) -> str:
    found = engine.url.database or ""
    return found.removeprefix("file:").partition("?")[0]


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0].rstrip(".")


def _is_full(where: str, said: str) -> bool:
    """Tell whether an I/O error is for want of space: SQLite does not say so of its log."""
    if "disk i/o error" not in said:
        return False
    try:
        space = os.statvfs(Path(where).parent)
    except OSError:
        return False
    return space.f_bavail * space.f_frsize < 1_000_000


def _holders(where: str) -> str:
    """Name the other processes that have the file open, as far as we may see them."""
    found = sorted(
        {
            f"{(process / 'comm').read_text().strip()} (process {process.name})"
            for process in _others()
            if _has_open(process, os.path.realpath(where))
        }
    )
    return " or ".join(found) or "another program"


def _others() -> list[Path]:
    try:
        return [
            path
            for path in Path("/proc").iterdir()
            if path.name.isdigit() and int(path.name) != os.getpid()
        ]
    except OSError:
        return []


def _has_open(process: Path, file: str) -> bool:
    try:
        return any(str(handle.readlink()) == file for handle in (process / "fd").iterdir())
    except OSError:
        return False  # another user's, or it has ended
