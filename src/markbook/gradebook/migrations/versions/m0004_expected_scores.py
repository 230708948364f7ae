"""The score that is expected of each text, made with its suggestions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "markbook_expectation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment", sa.String(length=128), nullable=False),
        sa.Column("question", sa.String(length=128), nullable=False),
        sa.Column("answer_hash", sa.String(length=64), nullable=False),
        sa.Column("mean", sa.Float(), nullable=False),
        sa.Column("sd", sa.Float(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("flags", sa.Text(), nullable=False),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.Column("suggested", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_markbook_expectation")),
        sa.UniqueConstraint(
            "assignment", "question", "answer_hash", name=op.f("uq_markbook_expectation")
        ),
    )


def downgrade() -> None:
    op.drop_table("markbook_expectation")
