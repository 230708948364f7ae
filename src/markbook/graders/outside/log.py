"""What was sent and what came back: JSON lines, one for each request, no secrets in them."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["Log"]

_SHORTEST_SECRET = 4  # a shorter "key" is a word that a local server wants to see, no secret
_HIDDEN = "[secret]"


class Log:
    """Appends to ``folder/QUESTION.jsonl``; threads may share it."""

    def __init__(self, folder: Path, secrets: Iterable[str] = ()) -> None:
        self._folder = folder
        self._secrets = tuple(s for s in secrets if len(s) >= _SHORTEST_SECRET)
        self._lock = threading.Lock()

    def write(self, question: str, record: Mapping[str, Any]) -> None:
        """Add a line with the time (UTC) and ``record``; secrets in any text are replaced."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"at": at, **self._clean(dict(record))}) + "\n"
        with self._lock:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / f"{question}.jsonl").open("a", encoding="utf-8") as stream:
                stream.write(line)

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            for secret in self._secrets:
                # A reply that is kept as text may hold the secret as JSON writes it.
                for form in (secret, json.dumps(secret)[1:-1]):
                    value = value.replace(form, _HIDDEN)
            return value
        if isinstance(value, dict):
            return {self._clean(key): self._clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean(item) for item in value]
        return value
