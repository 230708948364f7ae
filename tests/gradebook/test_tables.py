"""The tables of our own, and those of nbgrader as we describe them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from markbook.errors import CourseError
from markbook.gradebook import Gradebook, nbgrader_schema, tables
from markbook.gradebook.database import make_engine


def test_the_migrations_make_exactly_the_tables_that_the_code_describes(released):
    Gradebook.open(released).close()
    engine = make_engine(released.db_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": tables.VERSION_TABLE,
                "compare_type": True,
                "include_name": lambda name, kind, _: (
                    kind != "table" or name.startswith("markbook_")
                ),
            },
        )
        assert compare_metadata(context, tables.metadata) == []
    engine.dispose()


def test_the_code_names_the_newest_migration_as_the_one_it_needs():
    config = Config()
    config.set_main_option("script_location", "markbook.gradebook:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [tables.HEAD]


def test_names_are_short_enough_for_postgresql():
    for table in tables.metadata.tables.values():
        for item in (*table.constraints, *table.indexes):
            assert len(str(item.name)) <= 63


def test_nbgraders_tables_are_described_as_nbgrader_has_them():
    from nbgrader.api import Base

    for name, table in nbgrader_schema.metadata.tables.items():
        theirs = Base.metadata.tables[name]
        assert [c.name for c in table.primary_key] == [c.name for c in theirs.primary_key]
        for column in table.columns:
            ours, real = column.type, theirs.columns[column.name].type
            assert ours.python_type is real.python_type, f"{name}.{column.name}"


def test_opening_a_gradebook_that_is_current_imports_neither_nbgrader_nor_alembic(course):
    code = (
        "import sys; from pathlib import Path;"
        "from markbook.course import Course; from markbook.gradebook import Gradebook;"
        f"gb = Gradebook.open(Course.open(Path({str(course.root)!r})));"
        "assert len(gb.students('hw')) == 3; gb.close();"
        "print([m for m in ('nbgrader', 'alembic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_new_course_gets_nbgraders_tables_from_nbgrader_itself(authored):
    Gradebook.open(authored).close()
    engine = make_engine(authored.db_url)
    names = set(inspect(engine).get_table_names())
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
        assert connection.scalar(text("SELECT id FROM course")) == "tiny"
    engine.dispose()
    assert {"grade", "markbook_mark", tables.VERSION_TABLE} <= names


def test_two_processes_that_open_a_new_course_at_once_both_succeed(authored):
    code = (
        "from pathlib import Path;"
        "from markbook.course import Course; from markbook.gradebook import Gradebook;"
        f"gb = Gradebook.open(Course.open(Path({str(authored.root)!r})));"
        "print(gb.marks('hw')); gb.close()"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    ends = [process.communicate(timeout=60) for process in both]
    assert [out.strip() for out, _ in ends] == ["()", "()"], ends
    engine = make_engine(authored.db_url)
    with engine.connect() as connection:
        for table in ("alembic_version", tables.VERSION_TABLE):
            assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 1
    engine.dispose()


def test_a_gradebook_of_a_newer_markbook_is_refused_by_name(course):
    engine = make_engine(course.db_url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {tables.VERSION_TABLE} SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(CourseError, match="newer Markbook"):
        Gradebook.open(course)


def test_a_gradebook_in_a_folder_that_is_not_there_is_a_clear_error(authored):
    (authored.root / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.db_url = "sqlite:////nowhere/at/all/g.db"\n'
    )
    from markbook.course import Course

    with pytest.raises(CourseError, match="cannot be opened"):
        Gradebook.open(Course.open(authored.root))
