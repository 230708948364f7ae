"""The tiny course's words, without its code: what a fuzzer grades needs no kernel."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import nbformat
import pytest

from markbook.autograde.master import read_master
from markbook.gradebook import Gradebook


def _load():
    # One module for all folders, so that nbgrader makes the course once a session.
    if "markbook_tiny_course" not in sys.modules:
        path = Path(__file__).parent.parent / "tiny_course.py"
        spec = importlib.util.spec_from_file_location("markbook_tiny_course", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules["markbook_tiny_course"] = module
        spec.loader.exec_module(module)
    return sys.modules["markbook_tiny_course"]


@pytest.fixture(scope="session")
def words(tmp_path_factory):
    """The master of the tiny course's questions in words."""
    course = _load().copy_of("released", tmp_path_factory.mktemp("fuzz") / "course")
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
