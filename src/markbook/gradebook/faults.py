"""What a database says when it cannot, in words that a person can act on."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError

from markbook.errors import MarkbookError

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.exc import DBAPIError

__all__ = ["explain", "place"]

# https://www.sqlite.org/rescode.html
_SQLITE = {
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_IOERR: "broken",
    sqlite3.SQLITE_CORRUPT: "broken",
    sqlite3.SQLITE_NOTADB: "broken",
}
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL = {
    "55P03": "locked",
    "53100": "full",
    "25006": "read-only",
    "53300": "gone",
    "57P01": "gone",
    "57P02": "gone",
    "57P03": "gone",
}

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
    where = place(engine)
    sqlite = engine.dialect.name == "sqlite"
    fault = _sqlite_fault(error, where) if sqlite else _server_fault(error)
    if fault == "locked":
        return MarkbookError(
            f"The gradebook {where} is locked: {_holders(where) if sqlite else 'another program'}"
            f" did not finish writing to it within {waited:g} seconds.",
            hint=f"End that, or wait for it, and run this again. {_NOTHING_LOST}",
        )
    if fault == "full":
        return MarkbookError(
            f"There is no space left to store anything in the gradebook {where}.",
            hint=f"Make space on its disk and run this again. {_NOTHING_LOST}",
        )
    if fault == "read-only":
        return MarkbookError(
            f"The gradebook {where} may only be read: {_first_line(error)}.",
            hint="Get the right to write to it, for a file to its folder too, and run this again.",
        )
    if fault == "broken":
        return MarkbookError(
            f"The gradebook {where} cannot be read or written: {_first_line(error)}.",
            hint="Look after the disk; 'sqlite3 FILE \"PRAGMA integrity_check\"' checks the file.",
        )
    if fault == "gone":
        return MarkbookError(
            f"The gradebook's server {where} has gone: {_first_line(error)}.",
            hint=f"When it answers again, run this again. {_NOTHING_LOST}",
        )
    return None


def _sqlite_fault(error: DBAPIError, where: str) -> str | None:
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    fault = _SQLITE.get(code)
    # of its log SQLite says only that it cannot be written
    return "full" if code == sqlite3.SQLITE_IOERR and _is_full(where) else fault


def _server_fault(error: DBAPIError) -> str | None:
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # no answer: it never came to an error of the server's
        return (
            "gone" if error.connection_invalidated or isinstance(error, OperationalError) else None
        )
    return "gone" if state.startswith("08") else _POSTGRESQL.get(state)


def _file(engine: Engine) -> str:
    found = engine.url.database or ""
    return found.removeprefix("file:").partition("?")[0]


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0].rstrip(".")


def _is_full(where: str) -> bool:
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
