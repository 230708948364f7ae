"""A gradebook that an earlier Markbook made goes on being used, with all that is in it."""

from __future__ import annotations

import json

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from markbook.gradebook import Gradebook, tables
from markbook.gradebook.database import make_engine, writing

MARK = {
    "marker": "tutor",
    "answer_hash": "h",
    "earned": ["right"],
    "rubric_version": "v1",
    "score": 2.0,
    "adjustment": 0.0,
    "reason": "",
    "comment": "Äh \U0001f600",
    "marked_at": "2026-01-01T00:00:00+00:00",
    "row_version": 1,
}


@pytest.fixture
def engine(course):
    made = make_engine(course.db_url)
    yield made
    made.dispose()


@pytest.fixture
def first(course, engine, monkeypatch):
    """The course with a gradebook of migration 0001, in which ada has a mark."""
    with writing(engine) as connection:
        for name in inspect(connection).get_table_names():
            if name.startswith("markbook_"):
                connection.execute(text(f"DROP TABLE {name}"))
    with monkeypatch.context() as then:
        then.setattr(tables, "HEAD", "0001")
        Gradebook.open(course).close()
    subject = {"assignment": "hw", "notebook": "part", "question": "keys", "student": "ada"}
    key = "assignment, notebook, question, student"
    with writing(engine) as connection:
        connection.execute(
            text(
                f"INSERT INTO markbook_answer ({key}, text, hash, status, mark_version)"
                " VALUES ('hw', 'part', 'keys', 'ada', 'A key.', 'h', 'answered', 1)"
            )
        )
        connection.execute(
            text(
                f"INSERT INTO markbook_mark ({key}, marker, counts, answer_hash, earned,"
                " rubric_version, score, adjustment, reason, comment, marked_at, row_version)"
                " VALUES ('hw', 'part', 'keys', 'ada', 'tutor', :yes, 'h', '[\"right\"]', 'v1',"
                " 2.0, 0.0, '', 'Good.', '2026-01-01T00:00:00+00:00', 1)"
            ),
            {"yes": True},
        )
        for number in range(1100):  # more than the migration reads at once
            connection.execute(
                text(
                    "INSERT INTO markbook_event (at, assignment, who, what, subject, after)"
                    " VALUES ('2026-01-01T00:00:00+00:00', 'hw', 'tutor', 'mark', :subject, :after)"
                ),
                {
                    "subject": json.dumps(subject | ({"student": f"s{number}"} if number else {})),
                    "after": json.dumps(MARK),
                },
            )
    return course


def test_a_gradebook_of_the_first_migration_is_upgraded_and_keeps_everything(first, engine):
    assert not inspect(engine).has_table("markbook_lease")
    with Gradebook.open(first) as gb:
        (mark,) = gb.marks("hw")
        assert (mark.student, mark.score, mark.comment) == ("ada", 2.0, "Good.")
        assert len(list(gb.events("hw"))) == 1100
        found = gb.histories("hw", "keys", ["ada", "s1099", "nobody"])
        assert {name: len(events) for name, events in found.items()} == {
            "ada": 1,
            "s1099": 1,
            "nobody": 0,
        }
        assert found["ada"][0].after["comment"] == MARK["comment"]
        assert gb.versions("hw", "keys") == {"ada": 1}
        assert gb.lease("hw", "keys", ["ada"], marker="grace") == "ada"
    Gradebook.open(first).close()


def test_an_upgraded_gradebook_has_exactly_the_tables_of_a_new_one(first, engine):
    Gradebook.open(first).close()
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
