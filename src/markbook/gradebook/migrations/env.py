"""Alembic wants this file; Markbook runs migrations by a library call and never executes it."""
