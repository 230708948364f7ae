"""Bytes by key in one SQLite file: what a slow model computed, for the next run.

A cache may lose everything at any time: no method raises because of the file, it then simply
holds nothing. Write-ahead logging keeps it whole when a process is killed, and lets several
processes use it at once.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["LIMIT", "VectorCache"]

LIMIT = 1 << 30  # bytes: some 45,000 answers of forty words
_WAIT = 5.0  # seconds for another process that writes
_AT_ONCE = 500  # keys of one query; SQLite takes 999 in its oldest builds
_DAY = 86_400  # seconds; when a text was last wanted is kept by the day, to write seldom
_TABLE = (
    "CREATE TABLE IF NOT EXISTS vectors"
    " (key BLOB PRIMARY KEY, used INTEGER NOT NULL, data BLOB NOT NULL)"
)


class VectorCache:
    """A file of at most about ``limit`` bytes; beyond, what was not wanted for longest goes.

    Only its owner can read the file: from vectors something of a text can be guessed.
    """

    def __init__(self, path: Path, *, limit: int = LIMIT) -> None:
        self.path = path
        self.limit = limit

    def read(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return the data of those keys that are there."""
        wanted = list(keys)
        if not wanted or not self.path.is_file():
            return {}
        try:
            with closing(self._open()) as connection, connection:
                found: dict[bytes, bytes] = {}
                for start in range(0, len(wanted), _AT_ONCE):
                    found |= self._read(connection, wanted[start : start + _AT_ONCE])
                return found
        except (sqlite3.Error, OSError) as error:
            self._begin_anew(error)
            return {}

    def write(self, items: Mapping[bytes, bytes]) -> None:
        """Keep data by key, all of them or none; a key that is there keeps its data."""
        if not items:
            return
        day = int(time.time() // _DAY)
        rows = [(key, day, data) for key, data in items.items()]
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with closing(self._open()) as connection:
                with connection:
                    connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)", rows)
                self._shrink(connection)
        except (sqlite3.Error, OSError) as error:
            self._begin_anew(error)

    def _open(self) -> sqlite3.Connection:
        if not self.path.exists():
            self.path.touch(mode=0o600)
        connection = sqlite3.connect(self.path, timeout=_WAIT)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(_TABLE)
        except BaseException:
            connection.close()
            raise
        return connection

    def _read(self, connection: sqlite3.Connection, keys: list[bytes]) -> dict[bytes, bytes]:
        marks = ",".join("?" * len(keys))
        day = int(time.time() // _DAY)
        rows = connection.execute(
            f"SELECT key, used, data FROM vectors WHERE key IN ({marks})", keys
        ).fetchall()
        old = [(day, key) for key, used, _ in rows if used != day]
        if old:
            connection.executemany("UPDATE vectors SET used = ? WHERE key = ?", old)
        return {bytes(key): bytes(data) for key, _, data in rows}

    def _shrink(self, connection: sqlite3.Connection) -> None:
        """Delete a quarter of the rows, the longest unused first, until the rest fits."""
        while self._size(connection) > self.limit:
            (count,) = connection.execute("SELECT count(*) FROM vectors").fetchone()
            if not count:
                return
            with connection:
                connection.execute(
                    "DELETE FROM vectors WHERE rowid IN"
                    " (SELECT rowid FROM vectors ORDER BY used, rowid LIMIT ?)",
                    (max(1, count // 4),),
                )

    @staticmethod
    def _size(connection: sqlite3.Connection) -> int:
        def pragma(name: str) -> int:
            return int(connection.execute(f"PRAGMA {name}").fetchone()[0])

        return (pragma("page_count") - pragma("freelist_count")) * pragma("page_size")

    def _begin_anew(self, error: Exception) -> None:
        """Remove a file that is no database any more; leave one that is only busy or full."""
        name = getattr(error, "sqlite_errorname", "")
        if not name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_ERROR")):
            return
        for ending in ("", "-wal", "-shm"):
            try:
                self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
            except OSError:
                return
