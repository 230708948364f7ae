"""The kept run of a question's grader, and what is known of it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from markbook.text.files import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["fingerprint", "keep", "kept_metadata"]


def fingerprint(document: dict[str, Any]) -> str:
    """Return a hash of JSON-able values."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def kept_metadata(path: Path) -> dict[str, Any]:
    """Return what is known of the kept run, nothing when there is none that can be read."""
    try:
        found = json.loads(path.read_bytes())["metadata"]["markbook"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def keep(path: Path, notebook: bytes, metadata: dict[str, Any]) -> bool:
    """Keep a run notebook with what is known of it; False when there is none."""
    if not notebook:
        return False
    document = json.loads(notebook)
    document["metadata"]["markbook"] = metadata
    # The layout that Jupyter itself writes, so that opening and saving shows no difference.
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)
    write_atomic(path, text + "\n")
    return True
