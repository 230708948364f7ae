"""What submissions are graded against, and what grading one of them gives nbgrader's record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from markbook.model.marks import SubmissionRecord
    from markbook.model.questions import Answer

__all__ = ["CellComment", "CellGrade", "GradedSubmission", "MasterCell", "MasterNotebook"]

CellType = Literal["code", "markdown"]


@dataclass(frozen=True, slots=True)
class MasterCell:
    """A cell that nbgrader keeps at release, as a submission's cell of that id has to be.

    ``source`` and ``checksum`` are the master's: with the hidden tests. ``points`` is the maximum
    of a graded cell or a task, None for any other.
    """

    id: str
    cell_type: CellType
    source: str
    checksum: str
    locked: bool
    grade: bool
    solution: bool
    task: bool
    points: float | None


@dataclass(frozen=True, slots=True)
class MasterNotebook:
    """One notebook of an assignment; ``kernelspec`` is JSON, empty where nbgrader has none."""

    name: str
    kernelspec: str
    cells: tuple[MasterCell, ...]


@dataclass(frozen=True, slots=True)
class CellGrade:
    """What autograding says of one graded cell; ``auto_score`` None: a person has to score it."""

    notebook: str
    cell: str
    auto_score: float | None
    needs_marking: bool


@dataclass(frozen=True, slots=True)
class CellComment:
    """What autograding remarks on one answer: "No response." on one left as it was, or None."""

    notebook: str
    cell: str
    auto_comment: str | None


@dataclass(frozen=True, slots=True)
class GradedSubmission:
    """Everything that the gradebook stores of one graded submission, in one transaction.

    ``timestamp`` is UTC in ISO 8601 without a zone, or None when nothing tells when it was handed
    in. A FAILED record comes without answers, grades and comments, and leaves earlier ones alone.
    ``absent`` are the names of the assignment's notebooks that were not handed in: their grades
    come with the rest, their comments and late penalties stay as they were, as nbgrader does it.
    """

    record: SubmissionRecord
    answers: tuple[Answer, ...] = ()
    grades: tuple[CellGrade, ...] = ()
    comments: tuple[CellComment, ...] = ()
    timestamp: str | None = None
    absent: tuple[str, ...] = ()
