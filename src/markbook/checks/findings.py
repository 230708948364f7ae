"""What a check says: where, what, how bad, and what would mend it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Finding", "Fix", "Severity"]


class Severity(StrEnum):
    """How bad a finding is: an ERROR keeps an assignment from students, the others do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that is safe to make without asking: ``says`` what it does, to the file ``path``.

    ``edit`` gets the file's content and returns the new one: a notebook's parsed JSON, which it
    may change in place, or any other file's text. Several fixes of one file follow each other.
    """

    says: str
    path: Path
    edit: Callable[[Any], Any] = field(compare=False)

    @classmethod
    def of_cell(
        cls, says: str, path: Path, number: int, change: Callable[[dict[str, Any]], object]
    ) -> Fix:
        """Make a fix of a notebook's cell (from 1): ``change`` changes its JSON in place."""

        def edit(document: dict[str, Any]) -> None:
            change(document["cells"][number - 1])

        return cls(says, path, edit)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong at one place.

    ``code`` and ``check`` name the check; ``message`` is a sentence, ``hint`` what to do next.
    ``cell`` is the cell's number from 1, ``line`` the line from 1: of that cell's source, or of
    the file where there is no cell. ``excerpt`` is the line itself. ``question`` is the id of the
    question or cell that it is about, empty where it is about all of the file.
    """

    code: str
    check: str
    severity: Severity
    message: str
    path: Path
    hint: str = ""
    cell: int | None = None
    line: int | None = None
    excerpt: str = ""
    question: str = ""
    fix: Fix | None = None
