"""The tiny course's words, without its code: what a fuzzer grades needs no kernel."""

from __future__ import annotations

import nbformat
import pytest

from markbook.autograde.master import read_master
from markbook.gradebook import Gradebook


@pytest.fixture(scope="session")
def words(tiny, tmp_path_factory):
    """The master of the tiny course's questions in words."""
    course = tiny.copy_of("released", tmp_path_factory.mktemp("fuzz") / "course")
    with Gradebook.open(course) as gb:
        master = read_master(course, gb, "hw")
    text = ("keys", "doors", "story")
    (notebook,) = master.notebooks
    cells = tuple(cell for cell in notebook.cells if cell.id.removesuffix("-prompt") in text)
    book = nbformat.reads(master.released["part"].decode(), as_version=4)
    book.cells = [c for c in book.cells if c.metadata.nbgrader.grade_id in {c.id for c in cells}]
    return _changed(
        master,
        notebooks=(_changed(notebook, cells=cells),),
        questions=tuple(q for q in master.questions if q.id in text),
        released={"part": nbformat.writes(book).encode()},
    )


def _changed(value, **fields):
    return type(value)(**({name: getattr(value, name) for name in value.__slots__} | fields))
