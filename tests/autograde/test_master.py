from __future__ import annotations

import json
import sys

import nbformat
import pytest

from markbook.autograde.master import read_master
from markbook.autograde.prepared import prepare
from markbook.autograde.values import Master
from markbook.errors import CourseError, NotebookError
from markbook.gradebook import Gradebook


def read(course):
    with Gradebook.open(course) as gb:
        return read_master(course, gb, "hw")


@pytest.fixture
def release(released):
    return released.release("hw") / "part.ipynb"


def edit(path, change):
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


def test_a_master_has_what_students_got_and_what_nbgrader_kept(tiny, released):
    master = read(released)
    (notebook,) = master.notebooks
    hidden = next(cell for cell in notebook.cells if cell.id == "add-hidden")
    assert tiny.HIDDEN_TEST in hidden.source
    assert tiny.HIDDEN_TEST.encode() not in master.released["part"]
    assert (hidden.points, hidden.locked, hidden.grade, hidden.solution) == (2, True, True, False)
    assert master.settings.cell_seconds == 20
    assert [question.id for question in master.questions][:2] == ["keys", "doors"]


def test_helper_files_are_those_of_the_source_that_nbgrader_would_lay_over(released):
    source = released.source("hw")
    (source / "data").mkdir()
    (source / "data" / "table.csv").write_text("a,b\n")
    (source / "theirs.py").write_text("x = 1\n")
    (source / "junk.pyc").write_text("x")
    (source / ".ipynb_checkpoints").mkdir()
    (source / ".ipynb_checkpoints" / "old.txt").write_text("x")
    config = released.root / "nbgrader_config.py"
    config.write_text(
        config.read_text() + "c.Autograde.exclude_overwriting = {'hw': ['theirs.py']}\n"
    )
    assert read(type(released).open(released.root)).helpers == {"data/table.csv": b"a,b\n"}


def test_an_assignment_that_was_not_released_is_said(authored):
    with pytest.raises(NotebookError, match="has not been released"):
        read(authored)


def remove_cell(notebook):
    del notebook.cells[0]


def change_points(notebook):
    notebook.cells[1].metadata.nbgrader["points"] = 17


def change_type(notebook):
    notebook.cells[0].cell_type = "raw"


@pytest.mark.parametrize("change", [remove_cell, change_points, change_type])
def test_a_release_that_does_not_fit_the_gradebook_is_said_once_and_for_all(
    released, release, change
):
    edit(release, change)
    with pytest.raises(NotebookError, match="markbook release ASSIGNMENT"):
        read(released)


def test_a_notebook_that_nbgrader_does_not_know_is_said(released, release):
    (release.parent / "more.ipynb").write_bytes(release.read_bytes().replace(b"keys", b"locks"))
    with pytest.raises(NotebookError, match=r"does not know the notebook more\.ipynb"):
        read(released)


def test_a_notebook_that_is_gone_from_the_release_is_said(released, release):
    master = read(released)
    fields = {name: getattr(master, name) for name in Master.__slots__}
    with pytest.raises(NotebookError, match=r"has no notebook part\.ipynb"):
        prepare(Master(**(fields | {"released": {}})))


class Kernel:
    """A gradebook in which the notebook has another kernel."""

    def __init__(self, course, **kernelspec):
        self.course = course
        self.kernelspec = json.dumps(kernelspec)

    def released(self, assignment):
        return True

    def master(self, assignment):
        with Gradebook.open(self.course) as gb:
            (notebook,) = gb.master(assignment)
        fields = {name: getattr(notebook, name) for name in notebook.__slots__}
        return (type(notebook)(**(fields | {"kernelspec": self.kernelspec})),)


def test_code_that_is_not_python_is_refused_and_not_run_as_python(released):
    with pytest.raises(CourseError, match=r"written in R; .*--engine nbgrader"):
        read_master(released, Kernel(released, name="ir", language="R"), "hw")


@pytest.mark.parametrize(
    ("program", "refused"), [("/bin/sh", True), (sys.executable, False), ("/no/such/file", False)]
)
def test_a_kernel_of_another_python_is_refused(released, tmp_path, monkeypatch, program, refused):
    folder = tmp_path / "kernels" / "mine"
    folder.mkdir(parents=True)
    spec = {"argv": [program, "-f", "{connection_file}"], "display_name": "Mine"}
    (folder / "kernel.json").write_text(json.dumps(spec | {"language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    gradebook = Kernel(released, name="mine", language="python")
    if refused:
        with pytest.raises(CourseError, match=r"wants the kernel 'mine', which is /bin/sh; "):
            read_master(released, gradebook, "hw")
    else:
        assert read_master(released, gradebook, "hw").assignment == "hw"


@pytest.mark.parametrize("kernelspec", [{}, {"name": "nobody-has-it", "language": "python"}])
def test_a_kernel_that_is_not_here_is_ours(released, kernelspec):
    assert read_master(released, Kernel(released, **kernelspec), "hw").assignment == "hw"


def test_a_master_is_made_ready_once_also_after_a_journey(released):
    master = read(released)
    fields = {name: getattr(master, name) for name in Master.__slots__}
    assert prepare(master) is prepare(Master(**fields))
