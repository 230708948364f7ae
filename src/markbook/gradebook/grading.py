"""What autograding leaves: nbgrader's rows as ``nbgrader autograde`` leaves them, and ours.

A batch of submissions is one transaction; its rows are read once and written with one statement
for each table. Nothing that a person entered is changed.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from uuid import uuid4

from sqlalchemy import bindparam, insert, select, update

from markbook.errors import InternalError, MarkbookError
from markbook.gradebook import nbgrader_schema as schema
from markbook.gradebook.marks import nbgrader_comment
from markbook.gradebook.nbgrader_master import read_layout
from markbook.gradebook.queries import all_in, many
from markbook.gradebook.resync import Held, Present, Settler
from markbook.gradebook.submissions import store_submissions
from markbook.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import BindParameter, Connection

    from markbook.gradebook.nbgrader_master import Layout, NotebookLayout
    from markbook.model import CellComment, CellGrade, GradedSubmission

__all__ = ["LatePenalty", "save_graded"]

LatePenalty = Literal["none", "zero"]

_T = TypeVar("_T", "CellGrade", "CellComment")

_SOME: BindParameter[Any] = bindparam("some", expanding=True)


def _update(table: Any, *names: str) -> Any:
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    return update(table).where(table.c.id == bindparam("_id")).values(values)


_STUDENTS = select(schema.student.c.id).where(schema.student.c.id.in_(_SOME))
_SUBMISSIONS = select(schema.submitted_assignment).where(
    schema.submitted_assignment.c.assignment_id == bindparam("assignment"),
    schema.submitted_assignment.c.student_id.in_(_SOME),
)
_NOTEBOOKS = select(schema.submitted_notebook).where(
    schema.submitted_notebook.c.notebook_id == bindparam("notebook"),
    schema.submitted_notebook.c.assignment_id.in_(_SOME),
)


def _of_cells(table: Any) -> Any:
    # By cell first: the only index that both tables have is on cell and notebook.
    cells: BindParameter[Any] = bindparam("cells", expanding=True)
    return select(table).where(table.c.cell_id.in_(cells), table.c.notebook_id.in_(_SOME))


_GRADES = _of_cells(schema.grade)
_COMMENTS = _of_cells(schema.comment)
_SET_TIMESTAMP = _update(schema.submitted_assignment, "timestamp")
_SET_PENALTY = _update(schema.submitted_notebook, "late_submission_penalty")
_SCORES = ("auto_score", "manual_score", "extra_credit", "needs_manual_grade")
_SET_GRADE = _update(schema.grade, *_SCORES)
_SET_COMMENT = _update(schema.comment, "auto_comment", "manual_comment")

_NEW_GRADE = Held(None, None, None, True)


@dataclass(slots=True)
class _Paper:
    """One submission on its way into nbgrader's tables."""

    graded: GradedSubmission
    id: str = ""
    seconds_late: float = 0.0
    notebooks: dict[str, tuple[str, float | None]] = field(default_factory=dict)
    """By name: the id of the row of the submitted notebook, and its penalty as stored."""

    @property
    def student(self) -> str:
        return self.graded.record.student


class _Ids:
    """New ids for grades and comments: 32 hexadecimal digits as nbgrader's, growing with time.

    With random ones each row would change a page of its own in an index of thousands.
    """

    def __init__(self) -> None:
        self._start = f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(6)}"
        self._count = 0

    def new(self) -> str:
        self._count += 1
        return f"{self._start}{self._count:08x}"


@dataclass(slots=True)
class _Writes:
    """Rows to insert and to update, by table."""

    new_grades: list[dict[str, Any]] = field(default_factory=list)
    grades: list[dict[str, Any]] = field(default_factory=list)
    new_comments: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    penalties: list[dict[str, Any]] = field(default_factory=list)
    ids: _Ids = field(default_factory=_Ids)

    def write(self, connection: Connection) -> None:
        many(connection, insert(schema.grade), self.new_grades)
        many(connection, _SET_GRADE, self.grades)
        many(connection, insert(schema.comment), self.new_comments)
        many(connection, _SET_COMMENT, self.comments)
        many(connection, _SET_PENALTY, self.penalties)


def save_graded(
    connection: Connection,
    assignment: str,
    batch: Sequence[GradedSubmission],
    *,
    late_penalty: LatePenalty = "none",
) -> int:
    """Store what grading the submissions gave; return how many grades were set by the marks.

    Raises ``UnknownName`` when nbgrader does not know the assignment, ``MarkbookError`` when it
    was released with other cells since the submissions were graded.
    """
    _check(assignment, batch)
    store_submissions(connection, assignment, [(one.record, one.answers) for one in batch])
    papers = [_Paper(one) for one in batch if one.record.outcome is not Outcome.FAILED]
    if not papers:
        return 0
    layout = read_layout(connection, assignment)
    _store_students(connection, [paper.student for paper in papers])
    _store_papers(connection, layout, papers)
    settler = Settler(connection, assignment, [paper.student for paper in papers])
    writes = _Writes()
    settled = 0
    for name, cells in layout.notebooks.items():
        _store_notebooks(connection, name, cells, papers)
        rows = _Rows.read(connection, cells, [paper.notebooks[name][0] for paper in papers])
        for paper in papers:
            sheet = _Sheet(paper, name, cells, rows, settler)
            settled += sheet.write(writes, late_penalty)
    writes.write(connection)
    return settled


def _check(assignment: str, batch: Sequence[GradedSubmission]) -> None:
    students = [one.record.student for one in batch]
    if len(set(students)) != len(students):
        raise InternalError(f"A batch of {assignment!r} holds two submissions of one student.")


def _store_students(connection: Connection, students: Sequence[str]) -> None:
    known = {row.id for row in all_in(connection, _STUDENTS, students)}
    new = [{"id": student} for student in students if student not in known]
    many(connection, insert(schema.student), new)


def _store_papers(connection: Connection, layout: Layout, papers: Sequence[_Paper]) -> None:
    """Find or make each submission; as nbgrader does, no timestamp leaves an earlier one."""
    students = [paper.student for paper in papers]
    rows = all_in(connection, _SUBMISSIONS, students, assignment=layout.id)
    kept = {row.student_id: row for row in rows}
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for paper in papers:
        row = kept.get(paper.student)
        at = _utc(paper.graded.timestamp)
        if row is None:
            paper.id = uuid4().hex
            values = {"id": paper.id, "assignment_id": layout.id, "student_id": paper.student}
            new.append(values | {"timestamp": at})
        else:
            paper.id = row.id
            at = at or row.timestamp
            if at != row.timestamp:
                changed.append({"_id": row.id, "timestamp": at})
        due = layout.duedate
        if due is not None and row is not None and row.extension is not None:
            due += row.extension
        if at is not None and due is not None:
            paper.seconds_late = max(0.0, (at - due).total_seconds())
    many(connection, insert(schema.submitted_assignment), new)
    many(connection, _SET_TIMESTAMP, changed)


def _store_notebooks(
    connection: Connection, name: str, cells: NotebookLayout, papers: Sequence[_Paper]
) -> None:
    ids = [paper.id for paper in papers]
    rows = all_in(connection, _NOTEBOOKS, ids, notebook=cells.id)
    kept = {row.assignment_id: row for row in rows}
    new: list[dict[str, Any]] = []
    for paper in papers:
        row = kept.get(paper.id)
        if row is not None:
            paper.notebooks[name] = (row.id, row.late_submission_penalty)
            continue
        # formgrader numbers submissions by this id to hide the students: it must be random
        row_id = uuid4().hex
        paper.notebooks[name] = (row_id, None)
        values = {"id": row_id, "assignment_id": paper.id, "notebook_id": cells.id}
        new.append(values | {"flagged": False})
    many(connection, insert(schema.submitted_notebook), new)


class _Rows:
    """The grades and comments that nbgrader has of one notebook, by (submitted notebook, cell)."""

    def __init__(self) -> None:
        self.grades: dict[tuple[str, str], tuple[str, Held]] = {}
        self.comments: dict[tuple[str, str], tuple[str, str | None, str | None]] = {}

    @classmethod
    def read(cls, connection: Connection, cells: NotebookLayout, ids: Sequence[str]) -> _Rows:
        rows = cls()
        graded, commented = list(cells.graded.values()), list(cells.commented.values())
        for row in all_in(connection, _GRADES, ids, cells=graded):
            held = Held(
                row.auto_score, row.manual_score, row.extra_credit, bool(row.needs_manual_grade)
            )
            rows.grades[row.notebook_id, row.cell_id] = (row.id, held)
        for row in all_in(connection, _COMMENTS, ids, cells=commented):
            comment = (row.id, row.auto_comment, row.manual_comment)
            rows.comments[row.notebook_id, row.cell_id] = comment
        return rows


class _Sheet:
    """One notebook of one submission: what its rows say, and what they have to say."""

    def __init__(
        self, paper: _Paper, name: str, cells: NotebookLayout, rows: _Rows, settler: Settler
    ) -> None:
        self.paper = paper
        self.name = name
        self.cells = cells
        self.rows = rows
        self.settler = settler
        self.id, self.penalty = paper.notebooks[name]
        self.absent = name in paper.graded.absent
        self.manual_comments: dict[str, str | None] = {}
        self.score = 0.0

    def write(self, writes: _Writes, late_penalty: LatePenalty) -> int:
        """Add to ``writes`` what has to change; return how many grades were set by marks."""
        settled = self._grades(writes)
        self._comments(writes)
        if not self.absent:
            late = late_penalty == "zero" and self.paper.seconds_late > 0
            penalty = max(0.0, self.score) if late else None
            if penalty != self.penalty:
                writes.penalties.append({"_id": self.id, "late_submission_penalty": penalty})
        return settled

    def _grades(self, writes: _Writes) -> int:
        present = {
            answer.question: Present(answer.status.value, answer.hash)
            for answer in self.paper.graded.answers
            if answer.notebook == self.name
        }
        given = _by_cell(self.paper.graded.grades, self.name, self.cells.graded)
        settled = 0
        for cell, cell_id in self.cells.graded.items():
            row_id, kept = self.rows.grades.get((self.id, cell_id), (None, None))
            held = self._graded(kept or _NEW_GRADE, given.get(cell))
            if cell in present:
                key = (self.paper.student, cell)
                written = cell in self.cells.written
                put = self.settler.settle(key, held, present[cell], written=written)
                if put is not None:
                    settled += 1
                    held, mark = put
                    if mark is not None:
                        self.manual_comments[cell] = nbgrader_comment(mark)
            self.score += _score(held)
            values = dict(zip(_SCORES, held, strict=True))
            if row_id is None:
                ids = {"id": writes.ids.new(), "notebook_id": self.id, "cell_id": cell_id}
                writes.new_grades.append(ids | values)
            elif held != kept:
                writes.grades.append(values | {"_id": row_id})
        return settled

    def _graded(self, held: Held, given: CellGrade | None) -> Held:
        """Score as SaveAutoGrades does: a person looks again at what one scored by hand."""
        if given is None:
            return held
        again = held.manual_score is not None and not self.absent
        return held._replace(
            auto_score=given.auto_score, needs_marking=given.needs_marking or again
        )

    def _comments(self, writes: _Writes) -> None:
        given = _by_cell(self.paper.graded.comments, self.name, self.cells.commented)
        for cell, cell_id in self.cells.commented.items():
            kept = self.rows.comments.get((self.id, cell_id))
            row_id, auto, manual = kept or ("", None, None)
            if cell in given:
                auto = given[cell].auto_comment
            manual = self.manual_comments.get(cell, manual)
            values = {"auto_comment": auto, "manual_comment": manual}
            if kept is None:
                ids = {"id": writes.ids.new(), "notebook_id": self.id, "cell_id": cell_id}
                writes.new_comments.append(ids | values)
            elif (auto, manual) != kept[1:]:
                writes.comments.append(values | {"_id": row_id})


def _by_cell(items: Sequence[_T], notebook: str, cells: Mapping[str, str]) -> dict[str, _T]:
    found = {item.cell: item for item in items if item.notebook == notebook}
    unknown = found.keys() - cells.keys()
    if unknown:
        raise MarkbookError(
            f"The gradebook has no cell {min(unknown)!r} in the notebook {notebook!r}: the"
            " assignment was released anew while its submissions were graded.",
            hint="Nothing of this batch was stored. Run it again.",
        )
    return found


def _score(held: Held) -> float:
    """Score as ``nbgrader.api.Grade.score`` does."""
    base = held.manual_score if held.manual_score is not None else held.auto_score
    return 0.0 if base is None else base + (held.extra_credit or 0.0)


def _utc(timestamp: str | None) -> datetime | None:
    if timestamp is None:
        return None
    at = datetime.fromisoformat(timestamp)
    return at if at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)
