"""The first tables: submissions, answers, rubrics, suggestions, marks and the audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "markbook_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment", sa.String(length=128), nullable=False),
        sa.Column("notebook", sa.String(length=128), nullable=False),
        sa.Column("question", sa.String(length=128), nullable=False),
        sa.Column("student", sa.String(length=128), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("mark_version", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_markbook_answer")),
        sa.UniqueConstraint("assignment", "question", "student", name=op.f("uq_markbook_answer")),
    )
    op.create_table(
        "markbook_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("assignment", sa.String(length=128), nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_markbook_event")),
    )
    op.create_index(
        op.f("ix_markbook_event_assignment"), "markbook_event", ["assignment"], unique=False
    )
    op.create_table(
        "markbook_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment", sa.String(length=128), nullable=False),
        sa.Column("notebook", sa.String(length=128), nullable=False),
        sa.Column("question", sa.String(length=128), nullable=False),
        sa.Column("student", sa.String(length=128), nullable=False),
        sa.Column("marker", sa.String(length=128), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("answer_hash", sa.String(length=64), nullable=False),
        sa.Column("earned", sa.Text(), nullable=False),
        sa.Column("rubric_version", sa.String(length=64), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("adjustment", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("marked_at", sa.String(length=32), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_markbook_mark")),
        sa.UniqueConstraint(
            "assignment", "question", "student", "marker", name=op.f("uq_markbook_mark")
        ),
    )
    op.create_table(
        "markbook_rubric",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment", sa.String(length=128), nullable=False),
        sa.Column("question", sa.String(length=128), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_markbook_rubric")),
        sa.UniqueConstraint("assignment", "version", name=op.f("uq_markbook_rubric")),
    )
    op.create_table(
        "markbook_submission",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment", sa.String(length=128), nullable=False),
        sa.Column("student", sa.String(length=128), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("master_hash", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_markbook_submission")),
        sa.UniqueConstraint("assignment", "student", name=op.f("uq_markbook_submission")),
    )
    op.create_table(
        "markbook_suggestion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment", sa.String(length=128), nullable=False),
        sa.Column("question", sa.String(length=128), nullable=False),
        sa.Column("answer_hash", sa.String(length=64), nullable=False),
        sa.Column("criterion", sa.String(length=128), nullable=False),
        sa.Column("awarded", sa.Boolean(), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("grader", sa.Text(), nullable=False),
        sa.Column("rubric_version", sa.String(length=64), nullable=False),
        sa.Column("span", sa.Text(), nullable=True),
        sa.Column("span_start", sa.Integer(), nullable=True),
        sa.Column("span_end", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_markbook_suggestion")),
        sa.UniqueConstraint(
            "assignment",
            "question",
            "answer_hash",
            "criterion",
            name=op.f("uq_markbook_suggestion"),
        ),
    )


def downgrade() -> None:
    for name in ("suggestion", "submission", "rubric", "mark", "event", "answer"):
        op.drop_table(f"markbook_{name}")
