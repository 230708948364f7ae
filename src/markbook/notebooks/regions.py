"""The marks in authored notebooks between which stands what students must not see.

A mark is a line that holds nbgrader's delimiter, whatever else stands on it: ``### BEGIN SOLUTION``
and ``# BEGIN SOLUTION`` are the same to nbgrader.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from markbook.notebooks.metadata import nbgrader_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbformat import NotebookNode

__all__ = ["NBGRADERS", "REGIONS", "Delimiters", "Hidden", "Mark", "odd_mark", "split"]

REGIONS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")

# nbgrader's class for each region, and the middle of its two options' names (spelled as there).
_OPTIONS = {
    "SOLUTION": ("ClearSolutions", "solution"),
    "HIDDEN TESTS": ("ClearHiddenTests", "test"),
    "MARK SCHEME": ("ClearMarkScheme", "mark_scheme"),
}
_BASES = ("NbGraderPreprocessor", "Preprocessor", "NbConvertBase")


@dataclass(frozen=True, slots=True)
class Mark:
    """A line (from 1) that begins or ends a region; ``delimiter`` is what makes it a mark."""

    line: int
    kind: str
    begins: bool
    delimiter: str


@dataclass(frozen=True, slots=True)
class Hidden:
    """The lines of a cell that stay in the course, and those that students get."""

    hidden: tuple[str, ...]
    visible: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The texts that begin and end each kind of region; nbgrader's own unless configured."""

    pairs: Mapping[str, tuple[str, str]] = field(
        default_factory=lambda: {kind: (f"BEGIN {kind}", f"END {kind}") for kind in REGIONS}
    )

    @classmethod
    def of(cls, setting: Callable[..., Any]) -> Delimiters:
        """Read them from a course's configuration; ``setting`` is ``Course.setting``."""

        def read(kind: str, side: int) -> str:
            section, name = _OPTIONS[kind]
            option = f"{('begin', 'end')[side]}_{name}_delimeter"
            return str(setting(option, section, *_BASES, default=NBGRADERS.pairs[kind][side]))

        return cls({kind: (read(kind, 0), read(kind, 1)) for kind in REGIONS})

    def mark(self, line: str, number: int = 1) -> Mark | None:
        """Return the mark that a line is, None where it is none."""
        for kind, (begin, end) in self.pairs.items():
            if begin in line:
                return Mark(number, kind, True, begin)
            if end in line:
                return Mark(number, kind, False, end)
        return None

    def marks(self, source: str) -> tuple[Mark, ...]:
        """Return the marks in a cell's source, in order."""
        found = (self.mark(line, n) for n, line in enumerate(source.split("\n"), start=1))
        return tuple(mark for mark in found if mark is not None)

    def marks_solution(self, source: str) -> bool:
        """Tell whether a part of a cell is marked as its solution."""
        return self.pairs["SOLUTION"][0] in source

    def solution_text(self, source: str) -> str:
        """Return what stands between the solution marks, or the whole text where there are none."""
        begin, end = self.pairs["SOLUTION"]
        kept: list[str] = []
        inside = False
        for line in source.splitlines():
            if begin in line:
                inside = True
            elif end in line:
                inside = False
            elif inside:
                kept.append(line)
        return "\n".join(kept if begin in source else source.splitlines()).strip("\n")


NBGRADERS = Delimiters()
"""The delimiters of a course that configures none."""


def odd_mark(marks: tuple[Mark, ...]) -> Mark | None:
    """Return the first mark without a partner, None where all are balanced and none overlap."""
    opened: Mark | None = None
    for mark in marks:
        if mark.begins:
            if opened is not None:
                return opened
            opened = mark
        elif opened is None or opened.kind != mark.kind:
            return mark
        else:
            opened = None
    return opened


def split(cell: NotebookNode, delimiters: Delimiters = NBGRADERS) -> Hidden:
    """Part a cell's lines by its marks; an answer cell without solution marks is all hidden."""
    hidden: list[str] = []
    visible: list[str] = []
    inside = False
    for line in cell.source.splitlines():
        mark = delimiters.mark(line)
        if mark is not None:
            inside = mark.begins
        else:
            (hidden if inside else visible).append(line)
    solution = nbgrader_metadata(cell).get("solution")
    if solution and not delimiters.marks_solution(cell.source):
        return Hidden((*hidden, *visible), ())
    return Hidden(tuple(hidden), tuple(visible))
