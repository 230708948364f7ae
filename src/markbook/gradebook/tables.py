"""Markbook's own tables, with a metadata, a prefix and a version table of their own.

Nothing here refers to nbgrader's tables: its commands create and alter those as they like.
The migrations in ``markbook.gradebook.migrations`` make exactly these tables; a test compares.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = [
    "HEAD",
    "VERSION_TABLE",
    "answer",
    "event",
    "expectation",
    "flag",
    "lease",
    "mark",
    "metadata",
    "rubric",
    "stamp",
    "submission",
    "suggestion",
]

HEAD = "0004"
"""The migration that this code needs; a test compares it with the migrations folder."""

VERSION_TABLE = "markbook_alembic_version"

# nbgrader limits its names to 128 characters; a hash is 64 hexadecimal digits.
_NAME = String(128)
_HASH = String(64)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

submission = Table(
    "markbook_submission",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assignment", _NAME, nullable=False),
    Column("student", _NAME, nullable=False),
    Column("content_hash", _HASH, nullable=False),
    Column("master_hash", _HASH, nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("findings", Text, nullable=False),
    UniqueConstraint("assignment", "student"),
)

# mark_version counts the marks ever saved for this answer, so that a version never comes twice;
# text_version counts how often its text was replaced.
answer = Table(
    "markbook_answer",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assignment", _NAME, nullable=False),
    Column("notebook", _NAME, nullable=False),
    Column("question", _NAME, nullable=False),
    Column("student", _NAME, nullable=False),
    Column("text", Text, nullable=False),
    Column("hash", _HASH, nullable=False),
    Column("status", String(32), nullable=False),
    Column("mark_version", Integer, nullable=False, server_default="0"),
    Column("text_version", Integer, nullable=False, server_default="0"),
    UniqueConstraint("assignment", "question", "student"),
    Index("ix_markbook_answer_student", "assignment", "student"),
)

rubric = Table(
    "markbook_rubric",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assignment", _NAME, nullable=False),
    Column("question", _NAME, nullable=False),
    Column("version", _HASH, nullable=False),
    Column("document", Text, nullable=False),
    UniqueConstraint("assignment", "version"),
)

suggestion = Table(
    "markbook_suggestion",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assignment", _NAME, nullable=False),
    Column("question", _NAME, nullable=False),
    Column("answer_hash", _HASH, nullable=False),
    Column("criterion", _NAME, nullable=False),
    Column("awarded", Boolean, nullable=True),
    Column("confidence", Float, nullable=False),
    Column("grader", Text, nullable=False),
    Column("rubric_version", _HASH, nullable=False),
    Column("span", Text, nullable=True),
    Column("span_start", Integer, nullable=True),
    Column("span_end", Integer, nullable=True),
    Column("note", Text, nullable=False),
    UniqueConstraint("assignment", "question", "answer_hash", "criterion"),
)

# One row per text, made with its suggestions; flags is a JSON list.
expectation = Table(
    "markbook_expectation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assignment", _NAME, nullable=False),
    Column("question", _NAME, nullable=False),
    Column("answer_hash", _HASH, nullable=False),
    Column("mean", Float, nullable=False),
    Column("sd", Float, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("flags", Text, nullable=False),
    Column("refused", Text, nullable=True),
    Column("suggested", Float, nullable=True),
    UniqueConstraint("assignment", "question", "answer_hash"),
)

# One row per marker; of one answer's rows at most one counts.
mark = Table(
    "markbook_mark",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assignment", _NAME, nullable=False),
    Column("notebook", _NAME, nullable=False),
    Column("question", _NAME, nullable=False),
    Column("student", _NAME, nullable=False),
    Column("marker", _NAME, nullable=False),
    Column("counts", Boolean, nullable=False),
    Column("answer_hash", _HASH, nullable=False),
    Column("earned", Text, nullable=False),
    Column("rubric_version", _HASH, nullable=False),
    Column("score", Float, nullable=False),
    Column("adjustment", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("marked_at", String(32), nullable=False),
    Column("row_version", Integer, nullable=False),
    UniqueConstraint("assignment", "question", "student", "marker"),
    Index("ix_markbook_mark_student", "assignment", "student"),
)

# question, student and batch repeat what the subject says, so that one answer's history is found
# without reading everybody's.
event = Table(
    "markbook_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", String(32), nullable=False),
    Column("assignment", _NAME, nullable=False),
    Column("who", _NAME, nullable=False),
    Column("what", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("before", Text, nullable=True),
    Column("after", Text, nullable=True),
    Column("question", _NAME, nullable=True),
    Column("student", _NAME, nullable=True),
    Column("batch", _NAME, nullable=True),
    Index(None, "assignment"),
    Index("ix_markbook_event_answer", "assignment", "question", "student"),
    Index(None, "batch"),
)

# Who has an answer open; until is in seconds since 1970, as time.time() has it.
lease = Table(
    "markbook_lease",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assignment", _NAME, nullable=False),
    Column("question", _NAME, nullable=False),
    Column("student", _NAME, nullable=False),
    Column("marker", _NAME, nullable=False),
    Column("until", Float, nullable=False),
    UniqueConstraint("assignment", "question", "student"),
)

flag = Table(
    "markbook_flag",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assignment", _NAME, nullable=False),
    Column("question", _NAME, nullable=False),
    Column("student", _NAME, nullable=False),
    Column("marker", _NAME, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", String(32), nullable=False),
    UniqueConstraint("assignment", "question", "student"),
)

# version grows whenever answers or suggestions of the assignment change by a step: whoever keeps
# them in memory reads again. Marks and flags show in the events.
stamp = Table(
    "markbook_stamp",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assignment", _NAME, nullable=False),
    Column("version", Integer, nullable=False),
    UniqueConstraint("assignment"),
)
