"""nbgrader's tables, as far as Markbook reads and writes them.

Importing nbgrader costs over a second, so its tables are described here a second time; a test
compares every table and column with nbgrader's own.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Float,
    Interval,
    MetaData,
    String,
    Table,
    Text,
)

__all__ = [
    "assignment",
    "base_cell",
    "comment",
    "grade",
    "grade_cells",
    "metadata",
    "notebook",
    "source_cell",
    "student",
    "submitted_assignment",
    "submitted_notebook",
    "task_cells",
]

metadata = MetaData()

_ID = String(32)
_NAME = String(128)

assignment = Table(
    "assignment",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", _NAME),
    Column("duedate", DateTime),
    Column("course_id", _NAME),
)
notebook = Table(
    "notebook",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", _NAME),
    Column("assignment_id", _ID),
    Column("kernelspec", String(1024)),
)
base_cell = Table(
    "base_cell",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", _NAME),
    Column("notebook_id", _ID),
    Column("type", String(50)),
)
grade_cells = Table(
    "grade_cells", metadata, Column("id", _ID, primary_key=True), Column("max_score", Float)
)
task_cells = Table(
    "task_cells", metadata, Column("id", _ID, primary_key=True), Column("max_score", Float)
)
source_cell = Table(
    "source_cell",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", _NAME),
    Column("notebook_id", _ID),
    Column("cell_type", String(8)),
    Column("locked", Boolean),
    Column("source", Text),
    Column("checksum", _NAME),
)
student = Table("student", metadata, Column("id", _NAME, primary_key=True))
submitted_assignment = Table(
    "submitted_assignment",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("assignment_id", _ID),
    Column("student_id", _NAME),
    Column("timestamp", DateTime),
    Column("extension", Interval),
)
submitted_notebook = Table(
    "submitted_notebook",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("assignment_id", _ID),
    Column("notebook_id", _ID),
    Column("flagged", Boolean),
    Column("late_submission_penalty", Float),
)
grade = Table(
    "grade",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("notebook_id", _ID),
    Column("cell_id", _ID),
    Column("auto_score", Float),
    Column("manual_score", Float),
    Column("extra_credit", Float),
    Column("needs_manual_grade", Boolean),
)
comment = Table(
    "comment",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("notebook_id", _ID),
    Column("cell_id", _ID),
    Column("auto_comment", Text),
    Column("manual_comment", Text),
)
