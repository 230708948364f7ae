"""Student code is locked up, or not run; what is stored is the same. Real sandboxes."""

from __future__ import annotations

import os
import shutil

import nbformat
import pytest

from markbook.autograde import Options, autograde
from markbook.autograde.files import read_submission
from markbook.autograde.grade import grade
from markbook.autograde.master import read_master
from markbook.autograde.settings import read_settings
from markbook.course import Course
from markbook.errors import CourseError, IsolationError
from markbook.gradebook import Gradebook
from markbook.model import Outcome
from markbook.release import build


@pytest.fixture
def nothing_can_be_locked_up(tmp_path_factory, monkeypatch):
    """A machine without bubblewrap."""
    from markbook.kernels.sandbox import probe, room

    def forget():
        probe._trouble.cache_clear()
        room.wrap_of.cache_clear()

    forget()
    nowhere = str(tmp_path_factory.mktemp("nowhere"))
    monkeypatch.setenv("PATH", nowhere)
    monkeypatch.setattr(os, "defpath", nowhere)
    yield
    forget()


def test_where_isolation_is_not_to_be_had_no_code_is_run_unless_told(
    tiny, released, nothing_can_be_locked_up
):
    tiny.submit(released, "ada", {"add": "def add(a, b):\n    return a + b"})
    with Gradebook.open(released) as gb:
        with pytest.raises(IsolationError, match=r"bubblewrap .*not installed.*--isolation none"):
            autograde(released, gb, "hw")
        assert gb.records("hw") == ()
        report = autograde(released, gb, "hw", options=Options(isolation="none"))
        assert report.totals["graded"] == 1


def test_a_clusters_worker_that_cannot_lock_up_code_says_so_in_the_result(
    tiny, released, nothing_can_be_locked_up
):
    folder = tiny.submit(released, "ada", {"add": "def add(a, b):\n    return a + b"})
    with Gradebook.open(released) as gb:
        master = read_master(released, gb, "hw")
    result = grade(master, read_submission(folder, "ada").submission)
    assert result.outcome is Outcome.FAILED
    assert "bubblewrap (the program bwrap) is not installed" in result.findings[0]


def test_without_isolation_text_is_graded_all_the_same(tiny, authored, nothing_can_be_locked_up):
    path = authored.source("hw") / "part.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    nbformat.write(notebook, path)
    build(authored, "hw")
    tiny.submit(authored, "ada", {"keys": "A key is secret."})
    with Gradebook.open(authored) as gb:
        assert autograde(authored, gb, "hw").totals["graded"] == 1


def test_isolation_makes_no_difference_to_what_is_stored(tiny, released, tmp_path):
    tiny.submit_class(released)
    open_ = tmp_path / "open"
    shutil.copytree(released.root, open_)
    stored = []
    for course, isolation in ((released, "bwrap"), (Course.open(open_), "none")):
        with Gradebook.open(course) as gb:
            autograde(course, gb, "hw", options=Options(isolation=isolation))
        stored.append(tiny.by_value(tiny.dump(course, without=("course", "markbook_stamp"))))
    assert stored[0] == stored[1]


def test_a_course_may_say_how_code_is_locked_up(tiny, released):
    config = released.root / "nbgrader_config.py"
    config.write_text(config.read_text() + "c.Markbook.isolation = 'none'\nc.Markbook.disk = 5\n")
    settings = read_settings(Course.open(released.root))
    assert (settings.isolation, settings.disk) == ("none", 5)
    config.write_text(config.read_text() + "c.Markbook.isolation = 'sometimes'\n")
    with pytest.raises(CourseError, match=r"isolation.*'auto', 'bwrap' or 'none'"):
        read_settings(Course.open(released.root))


@pytest.mark.parametrize("isolation", ["bwrap", "none"])
def test_what_one_notebook_writes_the_next_reads(tiny, authored, isolation):
    first, second = (authored.source("hw") / f"{name}.ipynb" for name in ("part", "zlast"))
    notebook = nbformat.read(first, as_version=4)
    notebook.cells = [tiny.cell("code", "reads", "assert open('written').read() == 'by part'",
                                grade=True, locked=True, points=1)]  # fmt: skip
    nbformat.write(notebook, second)
    build(authored, "hw")
    folder = tiny.submit(authored, "ada", {"add": "open('written', 'w').write('by part')"})
    shutil.copy(authored.release("hw") / "zlast.ipynb", folder)
    with Gradebook.open(authored) as gb:
        autograde(authored, gb, "hw", options=Options(isolation=isolation))
        assert {g.score for g in gb.grades("hw", "reads")} == {1.0}
