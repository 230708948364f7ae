"""The only door to nbgrader and to the database: what students earned, and why.

``Gradebook`` holds Markbook's own tables beside nbgrader's in one database;
``markbook.gradebook.nbgrader`` runs nbgrader's own steps in a process of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markbook.gradebook.book import Gradebook

__all__ = ["Gradebook"]


def __getattr__(name: str) -> Any:
    # Importing SQLAlchemy takes 0.3 s: nbgrader's steps alone need none of it in this process.
    if name != "Gradebook":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from markbook.gradebook.book import Gradebook

    return Gradebook
