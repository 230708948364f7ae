"""Alembic migrations of Markbook's own tables, run by ``markbook.gradebook.database``."""
