"""Restoring single cells; whole submissions are in test_grade and test_against_nbgrader."""

from __future__ import annotations

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from markbook.autograde.master import read_master
from markbook.autograde.prepared import prepare
from markbook.autograde.restore import restore
from markbook.gradebook import Gradebook


@pytest.fixture(scope="module")
def prepared(tiny, tmp_path_factory):
    course = tiny.copy_of("released", tmp_path_factory.mktemp("restore") / "course")
    with Gradebook.open(course) as gb:
        return prepare(read_master(course, gb, "hw")).notebooks["part"]


@pytest.fixture
def book(prepared):
    return nbformat.from_dict(prepared.released)


def find(book, name):
    return next(c for c in book.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def test_a_release_gets_the_hidden_tests_and_the_masters_checksums(tiny, prepared, book):
    assert restore(book, prepared) == []
    assert tiny.HIDDEN_TEST in find(book, "add-hidden").source
    for cell in prepared.master.cells:
        assert find(book, cell.id).metadata.nbgrader.checksum == cell.checksum
        assert find(book, cell.id).source == cell.source


@pytest.mark.parametrize(
    ("kind", "name"), [("markdown", "add-hidden"), ("raw", "keys"), ("code", "keys-prompt")]
)
def test_a_cells_type_is_the_masters_and_the_cell_is_valid(prepared, book, kind, name):
    cell = find(book, name)
    cell.cell_type = kind
    for key in ("outputs", "execution_count"):
        cell.pop(key, None)
    if kind == "markdown":
        cell["attachments"] = {"x.png": {"image/png": "eA=="}}
    elif kind == "code":
        cell.update(outputs=[], execution_count=None)
    restore(book, prepared)
    assert cell.cell_type == ("code" if name == "add-hidden" else "markdown")
    nbformat.validate(book)


def test_a_read_only_cell_is_restored_and_an_answer_is_left(prepared, book):
    find(book, "keys-prompt").source = "Anything?"
    find(book, "keys").source = "A key is secret."
    restore(book, prepared)
    assert find(book, "keys-prompt").source == "What about keys?"
    assert find(book, "keys").source == "A key is secret."


@pytest.mark.parametrize(
    "nbgrader",
    [
        {"grade": True, "solution": True, "locked": False, "grade_id": "theirs", "points": 5,
         "schema_version": 3},
        {"grade": True, "points": 5, "schema_version": 3},
        {"grade_id": ["keys"], "schema_version": 3},
        {"schema_version": 99, "grade": False, "solution": False, "locked": False},
        {"schema_version": 3, "mine": 1},
        {},
        "odd",
    ],
)  # fmt: skip
def test_a_mark_that_is_not_the_masters_is_taken_off(prepared, book, nbgrader):
    book.cells.append(new_markdown_cell("Mine.", metadata={"nbgrader": nbgrader, "own": 1}))
    restore(book, prepared)
    assert book.cells[-1].metadata == {"own": 1}


def test_the_mark_of_a_cell_that_is_nothing_loses_its_id_as_in_nbgrader(prepared, book):
    nothing = {"grade": False, "solution": False, "locked": False, "schema_version": 3}
    metadata = {"nbgrader": nothing | {"grade_id": "cell-1"}}
    book.cells.append(new_code_cell("x = 1", metadata=metadata))
    restore(book, prepared)
    assert book.cells[-1].metadata.nbgrader == nothing


@pytest.mark.parametrize("tags", [["skip-execution"], ["a", "skip-execution"]])
def test_a_test_cannot_be_kept_from_running(prepared, book, tags):
    find(book, "add-hidden").metadata["tags"] = tags
    (told,) = restore(book, prepared)
    assert "'add-hidden'" in told
    assert find(book, "add-hidden").metadata.tags == tags[:-1]


def test_other_tags_are_the_students_business(prepared, book):
    find(book, "add-hidden").metadata["tags"] = ["a"]
    find(book, "add").metadata["tags"] = ["skip-execution"]
    assert restore(book, prepared) == []
    assert find(book, "add").metadata.tags == ["skip-execution"]


def test_the_kernel_is_the_masters(prepared, book):
    book.metadata["kernelspec"] = {"name": "ir", "display_name": "R"}
    restore(book, prepared)
    assert book.metadata.kernelspec == prepared.kernelspec
