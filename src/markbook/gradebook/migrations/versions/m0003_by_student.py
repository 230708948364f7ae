"""A student's answers and marks, found without reading everybody's."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = ("answer", "mark")


def upgrade() -> None:
    for name in _TABLES:
        table = f"markbook_{name}"
        op.create_index(f"ix_{table}_student", table, ["assignment", "student"], unique=False)


def downgrade() -> None:
    for name in _TABLES:
        op.drop_index(f"ix_markbook_{name}_student", f"markbook_{name}")
