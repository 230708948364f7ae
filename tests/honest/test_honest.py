"""Forged points go to a person, honest ones stay: the catalogue, each entry run for real."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from markbook.autograde.checksum import checksum
from markbook.autograde.grade import grade
from markbook.autograde.values import Master, Settings, Submission
from markbook.model import MasterCell, MasterNotebook

STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
KERNEL = '{"name": "python3", "display_name": "Python 3", "language": "python"}'


def load_catalogue():
    name = "markbook_honest_catalogue"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / "catalogue.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


catalogue = load_catalogue()


def cell(name, source, **flags):
    made = MasterCell(
        id=name,
        cell_type="code",
        source=source,
        checksum="",
        locked=flags.get("locked", False),
        grade=flags.get("grade", False),
        solution=flags.get("solution", False),
        task=False,
        points=flags.get("points"),
    )
    return replace(made, checksum=checksum(made, source))


def released(cells):
    """The notebook of master cells, and of plain ones, which are given as texts."""
    made = []
    for number, one in enumerate(cells):
        if isinstance(one, str):
            made.append(new_code_cell(one, id=f"plain-{number}"))
            continue
        marks = {"grade_id": one.id, "grade": one.grade, "solution": one.solution, "task": False,
                 "locked": one.locked, "schema_version": 3, "checksum": one.checksum}  # fmt: skip
        if one.grade:
            marks["points"] = one.points
        made.append(new_code_cell(one.source, id=one.id, metadata={"nbgrader": marks}))
    return new_notebook(cells=made)


def bytes_of(cells, answer=None, edited=None):
    book = released(cells)
    for one in book.cells:
        one.source = (edited or {}).get(one.source, one.source)
        if answer is not None and one.id == "answer":
            one.source = answer
    return nbformat.writes(book).encode()


def exercise(test, *, setup=(), model=None, stub=STUB, points=2, helpers=None, **settings):
    """A master of an answer and its test, and the cells it is made of."""
    cells = [*setup, cell("answer", stub, solution=True),
             cell("test", test, grade=True, locked=True, points=points)]  # fmt: skip
    known = tuple(one for one in cells if not isinstance(one, str))
    return cells, Master(
        assignment="hw",
        notebooks=(MasterNotebook("part", KERNEL, known),),
        questions=(),
        released={"part": bytes_of(cells)},
        helpers=helpers or {},
        settings=Settings(cell_seconds=20.0, isolation="none", **settings),
        sources={} if model is None else {"part": bytes_of(cells, model)},
    )


def graded(made, answer, edited=None):
    cells, master = made
    result = grade(master, Submission("ada", {"part.ipynb": bytes_of(cells, answer, edited)}))
    (of_test,) = [one for one in result.grades if one.cell == "test"]
    return of_test, result


def forged(entry, **settings):
    setup = [entry.setup] if entry.setup else []
    made = exercise(entry.test, setup=setup, helpers=entry.helpers, **settings)
    return graded(made, entry.answer, {entry.setup: entry.edited} if entry.edited else None)


@pytest.mark.parametrize("entry", catalogue.FORGERIES, ids=lambda entry: entry.name)
def test_a_forgery_has_full_points_as_nbgrader_scores_it_and_none_here(entry):
    as_nbgrader, _ = forged(entry, tests="as-nbgrader")
    assert as_nbgrader.auto_score == 2.0, "it is no forgery"
    examined, result = forged(entry)
    assert (examined.auto_score, examined.needs_marking) == (None, True)
    assert any("a person has to score 'test'" in finding for finding in result.findings)
    assert result.unverified == ()


def styled(entry, **settings):
    setup = [cell("setup", entry.setup, locked=True)] if entry.setup else []
    return exercise(
        entry.test,
        setup=setup,
        model=entry.answer,
        stub=entry.stub or STUB,
        helpers=entry.helpers,
        **settings,
    )


@pytest.mark.parametrize("entry", catalogue.STYLES, ids=lambda entry: entry.name)
def test_an_honest_answer_keeps_its_points_whether_it_can_be_examined_or_not(entry):
    as_nbgrader, plain = graded(styled(entry, tests="as-nbgrader"), entry.answer)
    assert as_nbgrader.auto_score > 0
    found, result = graded(styled(entry), entry.answer)
    assert (found, result.findings) == (as_nbgrader, plain.findings)
    assert result.unverified == (() if entry.examined else ("part:test",))


WRONG = "def square(x):\n    return type('Any', (), {'__eq__': lambda *_: True})()"


def test_a_course_may_keep_such_points_and_only_be_told():
    found, result = graded(exercise(catalogue.ASSERTS, tests="flag"), WRONG)
    assert (found.auto_score, found.needs_marking) == (2.0, False)
    assert any("'test' of part.ipynb keeps the 2" in finding for finding in result.findings)


def test_a_wrong_answer_is_worth_nothing_and_is_nobodys_business():
    found, result = graded(exercise(catalogue.ASSERTS), "def square(x):\n    return x")
    assert (found.auto_score, found.needs_marking) == (0.0, False)
    assert (result.findings, result.unverified) == ((), ())


def test_a_forgery_stays_one_where_the_model_answer_can_be_examined():
    found, _ = graded(exercise(catalogue.ASSERTS, model="def square(x):\n    return x * x"), WRONG)
    assert (found.auto_score, found.needs_marking) == (None, True)


def test_an_answer_is_asked_again_from_the_start_where_the_two_runs_disagree():
    once = "left = [9]\ndef square(x):\n    return left.pop()"
    found, result = graded(exercise("assert square(3) == 9"), once)
    assert (found.auto_score, result.findings) == (2.0, ())


def test_a_test_above_all_of_the_students_code_is_not_examined():
    cells, master = exercise("assert 1 + 1 == 2")
    cells[:] = [cells[1], cells[0]]
    found, result = graded((cells, replace(master, released={"part": bytes_of(cells)})), "x = 1")
    assert (found.auto_score, result.unverified) == (2.0, ())
