"""Opening a gradebook that was left half made, or made by something else."""

from __future__ import annotations

import sqlite3

import pytest

from markbook.errors import MarkbookError
from markbook.gradebook import Gradebook


def tables(path):
    with sqlite3.connect(path) as db:
        return {row[0] for row in db.execute("select name from sqlite_master")}


def execute(path, *statements):
    with sqlite3.connect(path) as db:
        for statement in statements:
            db.execute(statement)


@pytest.fixture
def path(released):
    return released.root / "gradebook.db"


def forget_ours(path):
    with sqlite3.connect(path) as db:
        ours = [
            r[0]
            for r in db.execute(
                "select name from sqlite_master where type = 'table' and name like 'markbook_%'"
            )
        ]
    execute(path, *(f"drop table {name}" for name in ours))


@pytest.mark.parametrize("left", ["drop table alembic_version", "delete from alembic_version"])
def test_a_kill_between_nbgraders_tables_and_their_version_is_made_up_for(released, path, left):
    forget_ours(path)
    execute(path, left)
    with Gradebook.open(released) as gb:
        assert gb.released("hw")
    with sqlite3.connect(path) as db:
        assert len(db.execute("select version_num from alembic_version").fetchall()) == 1


def test_an_old_nbgraders_tables_are_not_stamped_as_new_ones(released, path):
    forget_ours(path)
    execute(path, "drop table alembic_version", "alter table grade drop column extra_credit")
    with pytest.raises(MarkbookError, match="nbgrader db upgrade"):
        Gradebook.open(released)
    assert "alembic_version" not in tables(path)
