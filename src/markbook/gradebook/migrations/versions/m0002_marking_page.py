"""What the marking page needs: leases, flags, stamps, and each answer's events found at once."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COPIED = ("question", "student")
_PAGE = 1000


def upgrade() -> None:
    op.add_column(
        "markbook_answer",
        sa.Column("text_version", sa.Integer(), server_default="0", nullable=False),
    )
    for name in (*_COPIED, "batch"):
        op.add_column("markbook_event", sa.Column(name, sa.String(length=128), nullable=True))
    _fill()
    op.create_index(
        op.f("ix_markbook_event_answer"),
        "markbook_event",
        ["assignment", "question", "student"],
        unique=False,
    )
    op.create_index(op.f("ix_markbook_event_batch"), "markbook_event", ["batch"], unique=False)
    op.create_table(
        "markbook_lease",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment", sa.String(length=128), nullable=False),
        sa.Column("question", sa.String(length=128), nullable=False),
        sa.Column("student", sa.String(length=128), nullable=False),
        sa.Column("marker", sa.String(length=128), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_markbook_lease")),
        sa.UniqueConstraint("assignment", "question", "student", name=op.f("uq_markbook_lease")),
    )
    op.create_table(
        "markbook_flag",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment", sa.String(length=128), nullable=False),
        sa.Column("question", sa.String(length=128), nullable=False),
        sa.Column("student", sa.String(length=128), nullable=False),
        sa.Column("marker", sa.String(length=128), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_markbook_flag")),
        sa.UniqueConstraint("assignment", "question", "student", name=op.f("uq_markbook_flag")),
    )
    op.create_table(
        "markbook_stamp",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment", sa.String(length=128), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_markbook_stamp")),
        sa.UniqueConstraint("assignment", name=op.f("uq_markbook_stamp")),
    )


def _fill() -> None:
    """Copy question and student out of the subjects of the events there are."""
    event = sa.table(
        "markbook_event",
        sa.column("id", sa.Integer),
        sa.column("subject", sa.Text),
        *(sa.column(name, sa.String) for name in _COPIED),
    )
    connection = op.get_bind()
    last = 0
    while True:
        query = sa.select(event.c.id, event.c.subject).where(event.c.id > last)
        rows = connection.execute(query.order_by(event.c.id).limit(_PAGE)).all()
        for row in rows:
            subject = json.loads(row.subject)
            values = {name: subject.get(name) for name in _COPIED}
            connection.execute(sa.update(event).where(event.c.id == row.id).values(values))
        if len(rows) < _PAGE:
            return
        last = rows[-1].id


def downgrade() -> None:
    for name in ("stamp", "flag", "lease"):
        op.drop_table(f"markbook_{name}")
    for name in ("answer", "batch"):
        op.drop_index(f"ix_markbook_event_{name}", "markbook_event")
    for name in (*_COPIED, "batch"):
        op.drop_column("markbook_event", name)
    op.drop_column("markbook_answer", "text_version")
