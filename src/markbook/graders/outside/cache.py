"""Replies that were taken, on disk: what was asked once costs nothing again."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from markbook.text.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Cache"]


class Cache:
    """One small file for each reply under ``folder``; a damaged one counts as none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def key(self, asked: Mapping[str, Any]) -> str:
        """Return the name of what is asked: equal for equal values, whatever their order."""
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    def get(self, key: str) -> str | None:
        """Return the reply to what has that key; it is to be checked like a fresh one."""
        try:
            found = json.loads(self._path(key).read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        content = found.get("content") if isinstance(found, dict) else None
        return content if isinstance(content, str) and found.get("key") == key else None

    def put(self, key: str, content: str) -> None:
        """Keep a reply that was checked."""
        write_atomic(self._path(key), json.dumps({"key": key, "content": content}) + "\n")

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"
