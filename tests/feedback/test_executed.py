"""A run notebook is sorted into tests, answers and the student's own cells, or refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from markbook.errors import NotebookError
from markbook.feedback.executed import parse_executed

PATH = Path("autograded/ada/hw/part.ipynb")


def cell(source, name="", *, kind="code", outputs=(), **flags):
    marks = {"nbgrader": {"grade_id": name, "grade": False, "solution": False} | flags}
    return {
        "cell_type": kind,
        "source": source,
        "metadata": marks if name else {},
        "outputs": list(outputs),
    }


def notebook(*cells, **fields):
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}
    return json.dumps(document | fields).encode()


def test_own_cells_belong_to_the_answer_above_until_the_next_question_begins():
    run = parse_executed(
        notebook(
            cell("setup"),
            cell("prompt", "f-prompt", kind="markdown", locked=True),
            cell(["def f():\n", "  1"], "f", solution=True),
            cell("f()"),
            cell("a note", kind="markdown"),
            cell("assert f()", "f-test", grade=True, locked=True),
            cell("f(2)"),
            cell("# Part two", kind="markdown"),
            cell("elsewhere"),
            cell("words", "q", kind="markdown", grade=True, solution=True),
            cell("after words"),
        ),
        PATH,
    )
    assert run.answers["f"].source == "def f():\n  1"
    assert [own.source for own in run.further["f"]] == ["f()", "f(2)"]
    assert list(run.further) == ["f"]
    assert run.tests["f-test"].source == "assert f()"
    assert "assert f()" not in run.sources
    assert "words" not in run.answers


def test_of_a_duplicated_cell_the_first_counts():
    run = parse_executed(notebook(*(cell(n, "f", solution=True) for n in "12")), PATH)
    assert run.answers["f"].source == "1"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "Expecting value"),
        (b"{", "Not a notebook"),
        (b"\xff\xfe", "utf-8"),
        (b"[]", "format 4"),
        (notebook(nbformat=3), "format 4"),
        (notebook(cells={}), "format 4"),
        (b'{"cells": [], "cells": [], "nbformat": 4}', "twice"),
        (b"[" * 200_000, "Nested too deeply"),
        (b'{"nbformat": 4, "cells": [' + b"1" * 5000 + b"]}", "Not a notebook"),
    ],
)
def test_a_damaged_file_is_refused_with_its_name(data, says):
    with pytest.raises(NotebookError, match=says) as caught:
        parse_executed(data, PATH)
    assert str(PATH) in str(caught.value)


@pytest.mark.parametrize(
    "damage",
    [
        None, 3, {}, {"cell_type": "code"}, {"cell_type": "code", "source": 3, "outputs": "x"},
        {"cell_type": "code", "metadata": []}, {"metadata": {"nbgrader": 3}},
        {"metadata": {"nbgrader": {"grade": True, "grade_id": ["a"]}}, "source": [1, None]},
    ],
)  # fmt: skip
def test_a_damaged_cell_leaves_the_others_alone(damage):
    run = parse_executed(notebook(damage, cell("1", "f", solution=True), damage), PATH)
    assert run.answers["f"].source == "1"
