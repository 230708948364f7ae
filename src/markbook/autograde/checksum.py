"""nbgrader's checksum of a cell, by which it knows that an answer is as it was released."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markbook.model import MasterCell

__all__ = ["checksum"]


def checksum(cell: MasterCell, source: str) -> str:
    """Return what ``nbgrader.utils.compute_checksum`` says of the master's cell with ``source``."""
    parts = [
        source,
        cell.cell_type,
        str(cell.grade),
        str(cell.solution),
        str(cell.locked),
        cell.id,
    ]
    if cell.grade:
        parts.append(str(float(cell.points or 0)))
    return hashlib.md5(
        "".join(parts).encode("utf-8", "surrogatepass"), usedforsecurity=False
    ).hexdigest()
