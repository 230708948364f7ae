"""Texts that no database stores as they are, made storable and back."""

from __future__ import annotations

import json

__all__ = ["plain", "restored", "storable"]

_MARK = "\x01"


def storable(text: str) -> str:
    """Return ``text``, or its JSON form between two marks if it has a NUL or a lone surrogate.

    PostgreSQL refuses NUL and no driver encodes a lone surrogate; both come in JSON notebooks.
    """
    if text.startswith(_MARK) or "\0" in text or _has_surrogate(text):
        return f"{_MARK}{json.dumps(text)}{_MARK}"
    return text


def restored(text: str) -> str:
    """Return what ``storable`` was given."""
    return str(json.loads(text[1:-1])) if text.startswith(_MARK) else text


def plain(text: str) -> str:
    """Return ``text`` with U+FFFD for what no database holds, as nbgrader knows no escapes."""
    return "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
