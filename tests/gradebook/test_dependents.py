"""Whose work hangs on a cell, read from real gradebooks without a change to them."""

from __future__ import annotations

import dataclasses

from markbook.gradebook import Gradebook
from markbook.gradebook.dependents import students_by_cell


def test_every_cell_counts_the_students_whose_work_hangs_on_it(course, tiny):
    with Gradebook.open(course) as gb:
        answers = {
            question: sum(a.status == "answered" for a in gb.answers("hw", question))
            for question in ("keys", "doors")
        }
        blank = next(a.student for a in gb.answers("hw", "keys") if a.status != "answered")
        gb.save_marks([tiny.mark(gb, blank, earned=())], who="tutor", what="mark")
    found = students_by_cell(course, "hw")
    assert answers["keys"] < len(tiny.STUDENTS)
    assert found[tiny.NOTEBOOK, "keys"] == answers["keys"] + 1
    assert found[tiny.NOTEBOOK, "doors"] == answers["doors"]
    assert found[tiny.NOTEBOOK, "add"] == len(tiny.STUDENTS)
    assert students_by_cell(course, "another") == {}


def test_a_gradebook_that_is_not_there_or_none_at_all_knows_of_nobody(released, tmp_path):
    missing = dataclasses.replace(released, db_url=f"sqlite:///{tmp_path / 'none.db'}")
    assert students_by_cell(missing, "hw") == {}
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "text.db").write_text("no database")
    broken = dataclasses.replace(released, db_url=f"sqlite:///{tmp_path / 'text.db'}")
    assert students_by_cell(broken, "hw") == {}
    nowhere = dataclasses.replace(released, db_url="postgresql+psycopg://127.0.0.1:1/none")
    assert students_by_cell(nowhere, "hw") == {}
    unknown = dataclasses.replace(released, db_url="nonsense")
    assert students_by_cell(unknown, "hw") == {}


def test_reading_changes_no_file_of_a_gradebook_at_rest(tiny, tmp_path):
    course = tiny.copy_of("autograded", tmp_path / "course")
    file = course.root / "gradebook.db"
    before = file.read_bytes()
    assert students_by_cell(course, "hw")
    assert file.read_bytes() == before
