"""What aligning a submission's notebook with its master gives, and what it works on."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from markbook.text.controls import visible_plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbformat import NotebookNode

__all__ = [
    "Alignment",
    "Anchor",
    "CannotAlign",
    "How",
    "Loose",
    "Piece",
    "Place",
    "Role",
    "defined",
    "plain",
    "quoted",
    "shown_cells",
]


class CannotAlign(Exception):  # noqa: N818  (the name already says what happened)
    """The notebook cannot be brought in line with its master; the message is a sentence."""


class How(StrEnum):
    """How a master cell was found in a submission."""

    ID = "id"
    ORDER = "order"
    TEXT = "text"
    COPY = "copy"
    SPLIT = "split"
    MERGED = "merged"
    NEW_CELL = "new cell"
    PUT_BACK = "put back"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one master cell was found: ``cells`` are numbers (from 1) in the student's notebook.

    ``note`` says what was done with it, empty when it was where it belongs. ``doubtful``: a
    person has to look.
    """

    id: str
    cells: tuple[int, ...]
    how: How
    note: str = ""
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Loose:
    """Text of the student's that is in no answer: in cell ``cell`` (from 1) of their notebook.

    ``told``: a finding quotes it. Code of their own in a cell of their own is not told of.
    """

    cell: int
    text: str
    told: bool


@dataclass(frozen=True, slots=True)
class Alignment:
    """A notebook that has every master cell exactly once, and how it came about.

    ``notebook`` is the very notebook that was given when nothing had to be done; otherwise a new
    one: the given one is never changed. ``repairs`` are sentences on what was put right,
    ``doubts`` on what a person has to look at. ``missing`` are the ids of answer cells that are
    nowhere in the submission and were put back as released. ``beside`` is the text of code answers,
    by id, where it is not (only) in their cell but in cells beside it, which run where they stand.
    """

    notebook: NotebookNode
    places: tuple[Place, ...]
    repairs: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()
    beside: Mapping[str, str] = field(default_factory=dict)
    loose: tuple[Loose, ...] = ()

    @property
    def findings(self) -> tuple[str, ...]:
        """Everything to be said about the submission: what was repaired, then the doubts."""
        return (*self.repairs, *self.doubts)


class Role(StrEnum):
    """What a master cell is for."""

    TEXT = "written answer"
    CODE = "code answer"
    TEST = "test"
    PROMPT = "prompt"
    SETUP = "read-only code"
    TASK = "task"

    @property
    def answer(self) -> bool:
        return self in (Role.TEXT, Role.CODE)


@dataclass(frozen=True, slots=True, eq=False)
class Anchor:
    """A master cell as released: ``order`` is its rank among the master cells, from 0.

    ``source`` is the text students got, ``tests`` the ids of the code answers that a test tests.
    """

    id: str
    order: int
    role: Role
    cell: NotebookNode
    source: str
    tests: tuple[str, ...] = ()
    locked: bool = False

    @property
    def kind(self) -> str:
        return str(self.cell["cell_type"])

    @property
    def node_id(self) -> str:
        """The cell's own id in the file, where it is one that no program made up by counting."""
        return _node_id(self.cell)

    def blank(self, text: str) -> bool:
        """Tell whether a text is no answer: empty, or as released."""
        return not text.strip() or plain(text) == plain(self.source)


@dataclass(slots=True, eq=False)
class Piece:
    """A cell of the submission, or a part of one; ``number`` is the cell's, from 1."""

    number: int
    cell: NotebookNode
    kind: str
    source: str
    grade_id: str = ""
    owner: Anchor | None = None
    how: How = How.ID
    cut: bool = False
    more: tuple[int, ...] = ()
    edited: str = ""  # lines of a read-only cell that the student changed
    given: bool = False  # a cell of the release that nbgrader does not keep
    kept: dict[str, Any] | None = None  # the nbgrader metadata that such a cell has there
    attachments: dict[str, Any] = field(default_factory=dict)

    @property
    def node_id(self) -> str:
        return "" if self.cut else _node_id(self.cell)

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(sorted({self.number, *self.more}))


_COUNTED = re.compile(r"cell-\d+")  # what read_notebook calls the cells of files without ids


def _node_id(cell: NotebookNode) -> str:
    node_id = cell.get("id")
    known = isinstance(node_id, str) and not _COUNTED.fullmatch(node_id)
    return str(node_id) if known else ""


_DEFINED = re.compile(r"(?m)^(?:async +)?(?:def|class) +(\w+)")
_LONG = 20_000  # characters of code that are looked at for its names


def defined(code: str) -> frozenset[str]:
    """Return the functions and classes that a code cell defines."""
    return frozenset(_DEFINED.findall(code[:_LONG]))


def plain(text: str) -> str:
    """Return a text without what editors change by themselves: space at line ends and around."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def quoted(text: str, limit: int = 160) -> str:
    """Return a text in quotes on one line, cut at ``limit`` characters, safe for a terminal."""
    flat = visible_plain(" ".join(text[: 20 * limit].split()))
    return f"'{flat}'" if len(flat) <= limit else f"'{flat[: limit - 1].rstrip()}…'"


def shown_cells(numbers: tuple[int, ...]) -> str:
    """Return "cell 4", "cells 4 and 7", "cells 2, 4 and 7"."""
    if len(numbers) == 1:
        return f"cell {numbers[0]}"
    return f"cells {', '.join(str(n) for n in numbers[:-1])} and {numbers[-1]}"
