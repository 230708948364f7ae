"""When a submission was handed in: ``timestamp.txt``, read as nbgrader reads it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

__all__ = ["NAME", "read_timestamp"]

NAME = "timestamp.txt"

# "Thursday, 01 January 2026 03:04:05.000000 +0100 (Central European Time)" has 71; dateutil takes
# a minute and a half for a million digits.
_MOST = 200  # characters
_WITH_ZONE = 3  # parts of "2026-01-02 03:04:05 UTC"


def read_timestamp(data: bytes | None) -> str | None:
    """Return the time in UTC, ISO 8601 without a zone; None if there is no file or it is empty.

    Raises ``ValueError`` with a sentence when it holds no time.
    """
    if data is None:
        return None
    text = data.decode("utf-8", "replace").strip()
    if not text:
        return None
    if len(text) > _MOST:
        raise ValueError(f"its {NAME} holds no time: {text[:60]!r}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an unknown zone is left out, as nbgrader does
            return _utc(text).isoformat()
    except Exception as error:  # dateutil raises many kinds
        raise ValueError(f"its {NAME} holds no time: {text[:60]!r}") from error


def _utc(text: str) -> datetime:
    """Do as ``nbgrader.utils.parse_utc`` does."""
    import dateutil.parser
    import dateutil.tz

    found: datetime
    parts = text.split(" ")
    if len(parts) == _WITH_ZONE:
        zone: int | tzinfo | None
        try:
            zone = int(parts[2])
        except ValueError:
            zone = dateutil.tz.gettz(parts[2])
        found = dateutil.parser.parse(" ".join([*parts[:2], "TZ"]), tzinfos={"TZ": zone})
    else:
        found = dateutil.parser.parse(text)
    offset = found.utcoffset()
    return found if offset is None else (found - offset).replace(tzinfo=None)
