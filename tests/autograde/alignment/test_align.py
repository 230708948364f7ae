"""Damaged notebooks: nothing that a student wrote is lost, and what was done is said."""

from __future__ import annotations

import copy
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from markbook.autograde.alignment import CannotAlign, How, align, align_files
from markbook.model import MasterCell, MasterNotebook

STUB = "YOUR ANSWER HERE"
CODE_STUB = "def {0}(a, b):\n    # YOUR CODE HERE\n    raise NotImplementedError()"


def nbgrader(kind, name, **fields):
    values = {"grade": False, "solution": False, "locked": False, "task": False}
    return values | {"grade_id": name, "schema_version": 3, "cell_type": kind} | fields


def cell(kind, name, source, **fields):
    make = new_code_cell if kind == "code" else new_markdown_cell
    made = make(source, metadata={"nbgrader": nbgrader(kind, name, **fields)})
    made["id"] = f"id-{name}"
    return made


def text(name):
    prompt = f"## About {name}\n\nExplain in your own words what {name} are for.\n\n*2 points.*"
    return [
        cell("markdown", f"{name}-prompt", prompt, locked=True),
        cell("markdown", name, STUB, grade=True, solution=True, points=2),
    ]


def code(name):
    return [
        cell("markdown", f"{name}-prompt", f"Now write the function `{name}`.", locked=True),
        cell("code", name, CODE_STUB.format(name), solution=True),
        cell(
            "code", f"{name}-test", f"assert {name}(1, 2) == 3", grade=True, locked=True, points=1
        ),
        cell("code", f"{name}-hidden", "# More tests run here.", grade=True, locked=True, points=1),
    ]


def released_notebook():
    cells = [
        cell("markdown", "introduction", "# The first homework\n\nTake your time.", locked=True),
        cell("code", "setup", "import math\nTAU = 2 * math.pi", locked=True),
        *text("keys"),
        *text("doors"),
        *code("add"),
        *code("multiply"),
        new_markdown_cell("That was the code. Now the last question.", id="id-plain"),
        *text("windows"),
    ]
    return new_notebook(cells=cells)


RELEASED = released_notebook()


def master_of(notebook, name="part"):
    return MasterNotebook(
        name=name,
        kernelspec="",
        cells=tuple(
            MasterCell(
                id=found["grade_id"],
                cell_type=c.cell_type,
                source=c.source + "\nassert True, 'hidden'" * found["grade"],
                checksum="0",
                locked=found["locked"],
                grade=found["grade"],
                solution=found["solution"],
                task=found["task"],
                points=found.get("points"),
            )
            for c in notebook.cells
            if (found := c.metadata.get("nbgrader"))
        ),
    )


MASTER = master_of(RELEASED)
TEXTS = ("keys", "doors", "windows")
CODES = ("add", "multiply")


def at(notebook, name):
    return next(i for i, c in enumerate(notebook.cells) if name_of(c) == name)


def name_of(c):
    found = c.metadata.get("nbgrader")
    return found.get("grade_id") if isinstance(found, dict) else None


def filled(**answers):
    """The release with every question answered, or as ``answers`` say."""
    notebook = copy.deepcopy(RELEASED)
    for name in TEXTS:
        given_by = {
            "keys": "A key opens.",
            "doors": "Doors shut.",
            "windows": "Glass lets light in.",
        }
        notebook.cells[at(notebook, name)].source = answers.get(name, given_by[name])
    for name, sign in zip(CODES, "+*", strict=True):
        source = f"def {name}(a, b):\n    return a {sign} b"
        notebook.cells[at(notebook, name)].source = answers.get(name, source)
    return notebook


def aligned(notebook):
    """Align, and check what holds of every alignment."""
    before = copy.deepcopy(notebook)
    found = align(notebook, MASTER, RELEASED)
    assert notebook == before, "the given notebook was changed"
    nbformat.validate(found.notebook)
    known = {c.id for c in MASTER.cells}
    names = [name_of(c) for c in found.notebook.cells if name_of(c) in known]
    assert sorted(names) == sorted(known)
    for name in CODES:
        order = [names.index(n) for n in (name, f"{name}-test", f"{name}-hidden")]
        assert order[0] < min(order[1:])
    for c in found.notebook.cells:
        if name_of(c):
            model = RELEASED.cells[at(RELEASED, name_of(c))]
            assert c.metadata.nbgrader == model.metadata.nbgrader
            assert c.cell_type == model.cell_type
    again = align(found.notebook, MASTER, RELEASED)
    assert again.notebook is found.notebook, "aligning twice changed something"
    assert [place.id for place in found.places] == [c.id for c in MASTER.cells]
    return found


def answer(found, name):
    return found.beside.get(name) or found.notebook.cells[at(found.notebook, name)].source


def place(found, name):
    return next(place for place in found.places if place.id == name)


def paste(notebook, name, where, source=None):
    """JupyterLab's copy and paste: the metadata stays, the id in the file is a new one."""
    made = copy.deepcopy(notebook.cells[at(notebook, name)])
    made["id"] = f"pasted-{len(notebook.cells)}"
    if source is not None:
        made.source = source
    notebook.cells.insert(where, made)


def split(notebook, name, *parts):
    """JupyterLab's split: new cells above with the same metadata; the last part keeps its id."""
    here = at(notebook, name)
    own = notebook.cells[here]
    for number, part in enumerate(parts[:-1]):
        made = copy.deepcopy(own)
        made.source, made["id"] = part, f"split-{len(notebook.cells)}-{number}"
        notebook.cells.insert(here + number, made)
    own.source = parts[-1]


def merge(notebook, first, count, *, keep=0):
    """JupyterLab's merge: texts joined, the active cell's metadata and type, a new id."""
    cells = notebook.cells[first : first + count]
    made = copy.deepcopy(cells[keep])
    made.source = "\n\n".join(c.source for c in cells)
    made["id"] = f"merged-{len(notebook.cells)}-{first}"
    notebook.cells[first : first + count] = [made]


def test_a_well_formed_notebook_is_returned_as_it_is():
    notebook = filled()
    found = aligned(notebook)
    assert found.notebook is notebook
    assert found.findings == ()
    assert all(place.how is How.ID and len(place.cells) == 1 for place in found.places)


def test_own_code_cells_are_no_damage():
    notebook = filled()
    notebook.cells.insert(at(notebook, "add") + 1, new_code_cell("add(3, 4)"))
    notebook.cells.append(new_code_cell(""))
    found = aligned(notebook)
    assert found.notebook is notebook
    assert found.findings == ()


def test_fifty_cells_take_less_than_a_third_of_a_millisecond():
    cells = [c for number in range(25) for c in text(f"q{number}")]
    released = new_notebook(cells=cells)
    master, notebook = master_of(released), copy.deepcopy(released)
    times = []
    for _ in range(200):
        start = time.perf_counter()
        align(notebook, master, released)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.000_3


# Copies


def test_of_two_copies_the_filled_in_one_is_the_answer():
    notebook = filled(keys=STUB)
    paste(notebook, "keys", 6, "A key opens.")
    found = aligned(notebook)
    assert answer(found, "keys") == "A key opens."
    assert found.repairs == ("part.ipynb: the answer to 'keys' was in a copied cell (cell 7)",)
    assert place(found, "keys").cells == (7,)
    assert place(found, "keys").how is How.COPY
    assert len(found.notebook.cells) == len(RELEASED.cells)


def test_copies_that_are_alike_are_one_answer():
    notebook = filled()
    paste(notebook, "keys", 4)
    found = aligned(notebook)
    assert answer(found, "keys") == "A key opens."
    assert found.doubts == ()


def test_of_two_different_copies_both_texts_are_kept_and_a_person_asked():
    notebook = filled(keys="A key opens doors and is secret.")
    paste(notebook, "keys", 4, "A key opens doors and is not secret at all.")
    found = aligned(notebook)
    assert answer(found, "keys") == (
        "A key opens doors and is secret.\n\n---\n\nA key opens doors and is not secret at all."
    )
    (doubt,) = found.doubts
    assert "the answer to 'keys' was in a copied cell (cells 4 and 5)" in doubt
    assert "a person has to look" in doubt
    assert place(found, "keys").doubtful


def test_a_second_text_pasted_below_is_a_copy_even_if_it_is_about_something_else():
    notebook = filled(keys="A key opens.")
    paste(notebook, "keys", 4, "Locksmiths earn well.")
    assert aligned(notebook).doubts


def test_of_two_different_copies_of_code_the_last_is_scored_and_both_run():
    notebook = filled()
    paste(notebook, "add", at(notebook, "add") + 1, "def add(a, b):\n    return b + a")
    found = aligned(notebook)
    sources = [c.source for c in found.notebook.cells]
    first = sources.index("def add(a, b):\n    return a + b")
    assert sources[first + 1] == "def add(a, b):\n    return b + a"
    assert name_of(found.notebook.cells[first + 1]) == "add"
    assert found.beside["add"].count("def add") == 2
    assert found.doubts


def test_two_versions_of_a_function_are_no_parts_of_one():
    notebook = filled()
    paste(notebook, "add", at(notebook, "add"), "def add(a, b):\n    return sum([a, b, 0, 0])")
    found = aligned(notebook)
    assert place(found, "add").how is How.COPY
    assert found.doubts


def test_code_copied_below_its_test_stays_above_it_in_the_result():
    notebook = filled(add=CODE_STUB.format("add"))
    paste(notebook, "add", at(notebook, "add-hidden") + 1, "def add(a, b):\n    return a + b")
    found = aligned(notebook)
    assert "return a + b" in answer(found, "add")


def test_a_copied_test_runs_once():
    notebook = filled()
    paste(notebook, "add-test", at(notebook, "add-test") + 1)
    found = aligned(notebook)
    assert len(found.notebook.cells) == len(RELEASED.cells)
    assert "the read-only cell 'add-test' was copied (cells 9 and 10)" in found.repairs[0]


def test_a_copy_at_the_place_of_a_deleted_answer_is_that_answer():
    notebook = filled()
    del notebook.cells[at(notebook, "doors")]
    paste(notebook, "keys", at(notebook, "doors-prompt") + 1, "Doors shut, I wrote here.")
    found = aligned(notebook)
    assert answer(found, "keys") == "A key opens."
    assert answer(found, "doors") == "Doors shut, I wrote here."
    assert "has the id of 'keys'" in found.doubts[0]


# Split and merged cells


def test_a_split_answer_is_put_together_in_order():
    notebook = filled()
    split(notebook, "keys", "First I thought of locks.", "Then of secrets;", "and of signatures.")
    found = aligned(notebook)
    assert answer(found, "keys") == (
        "First I thought of locks.\n\nThen of secrets;\n\nand of signatures."
    )
    assert found.doubts == ()
    assert place(found, "keys").how is How.SPLIT
    assert place(found, "keys").cells == (4, 5, 6)


def test_a_split_function_is_still_a_function():
    notebook = filled()
    split(notebook, "add", "def add(a, b):", "    total = a + b\n    return total")
    found = aligned(notebook)
    compile(answer(found, "add"), "add", "exec")
    assert found.doubts == ()


@pytest.mark.parametrize("keep", [0, 1])
def test_a_prompt_merged_with_its_answer_is_taken_apart(keep):
    notebook = filled()
    merge(notebook, at(notebook, "doors-prompt"), 2, keep=keep)
    found = aligned(notebook)
    assert answer(found, "doors") == "Doors shut."
    assert found.doubts == ()
    assert any("'doors' stood in cell 5" in sentence for sentence in found.repairs)


@pytest.mark.parametrize("keep", [0, 1, 2])
def test_two_answers_in_one_cell_are_taken_apart_at_the_prompt_between(keep):
    notebook = filled()
    merge(notebook, at(notebook, "keys"), 3, keep=keep)
    found = aligned(notebook)
    assert answer(found, "keys") == "A key opens."
    assert answer(found, "doors") == "Doors shut."


@pytest.mark.parametrize("keep", [0, 1])
def test_code_merged_with_its_test_is_taken_apart(keep):
    notebook = filled()
    merge(notebook, at(notebook, "add"), 2, keep=keep)
    found = aligned(notebook)
    assert answer(found, "add") == "def add(a, b):\n    return a + b"


def test_a_whole_notebook_in_one_cell_is_taken_apart():
    notebook = filled()
    merge(notebook, 0, len(notebook.cells))
    found = aligned(notebook)
    for name in TEXTS + CODES:
        whole = filled()
        assert answer(found, name) == whole.cells[at(whole, name)].source


def test_two_answers_merged_without_a_prompt_between_stay_together_and_a_person_is_asked():
    notebook = filled()
    del notebook.cells[at(notebook, "doors-prompt")]
    merge(notebook, at(notebook, "keys"), 2)
    found = aligned(notebook)
    assert answer(found, "keys") == "A key opens.\n\nDoors shut."
    assert found.missing == {"doors"}
    assert any("'doors'" in doubt and "'keys'" in doubt for doubt in found.doubts)


def test_what_a_real_jupyterlab_did_to_a_notebook_is_undone():
    """JupyterLab 4.6, by keyboard: copy and paste, split, new cell, retype, merge."""
    folder = Path(__file__).parent / "jupyterlab"
    released, damaged = (
        nbformat.reads((folder / f"{name}.json").read_text(), as_version=4)
        for name in ("released", "damaged")
    )
    found = align(damaged, master_of(released), released)
    texts = {name_of(c): c.source for c in found.notebook.cells if c.metadata.nbgrader.solution}
    assert texts == {
        "jwt-purpose-and-encoding": (
            "First answer about tokens.\n\n---\n\nSecond version, quite other words entirely."
        ),
        "drf-jwt-components": "Part one of it.\n\nPart two of it.",
        "runserver-in-production": "It is slow and not secure, they say.",
        "why-auth-and-servers-matter": "Because users matter.",
        "funny-story-bonus": "Once upon a time.\n\nThe end.",
    }
    assert [place.id for place in found.places if place.doubtful] == ["jwt-purpose-and-encoding"]
    assert len(found.repairs) == 3
    assert found.loose == ()


# Lost cells, ids and metadata


def test_a_deleted_prompt_and_a_deleted_test_are_put_back():
    notebook = filled()
    for name in ("keys-prompt", "add-test", "setup"):
        del notebook.cells[at(notebook, name)]
    found = aligned(notebook)
    assert [name_of(c) for c in found.notebook.cells] == [name_of(c) for c in RELEASED.cells]
    assert "part.ipynb: the test 'add-test' was deleted and is put back" in found.repairs
    assert found.doubts == ()


def test_a_deleted_answer_is_missing_and_said():
    notebook = filled()
    del notebook.cells[at(notebook, "doors")]
    found = aligned(notebook)
    assert found.missing == {"doors"}
    assert answer(found, "doors") == STUB
    assert "the cell of 'doors' is missing" in found.doubts[0]
    assert place(found, "doors").how is How.MISSING
    assert place(found, "doors").cells == ()


@pytest.mark.parametrize("file_ids", [True, False])
def test_a_notebook_that_lost_all_metadata_is_aligned(file_ids):
    notebook = filled()
    for number, c in enumerate(notebook.cells):
        c.metadata = nbformat.NotebookNode()
        if not file_ids:
            c["id"] = f"new-{number}"
    found = aligned(notebook)
    for name in TEXTS + CODES:
        whole = filled()
        assert answer(found, name) == whole.cells[at(whole, name)].source
    assert found.doubts == ()
    assert len(found.repairs) <= 3


@pytest.mark.parametrize("garbage", [["keys"], 7, None, {"a": 1}, "kyes", "", "KEYS", "keys "])
def test_a_changed_id_is_no_loss(garbage):
    notebook = filled()
    notebook.cells[at(notebook, "keys")]["id"] = "other"
    notebook.cells[at(notebook, "keys")].metadata.nbgrader["grade_id"] = garbage
    found = aligned(notebook)
    assert answer(found, "keys") == "A key opens."
    assert found.missing == frozenset()
    assert found.repairs


@pytest.mark.parametrize("garbage", [["x"], "text", 3, None, True])
def test_nbgrader_metadata_of_any_kind_is_no_loss(garbage):
    notebook = filled()
    notebook.cells[at(notebook, "keys")].metadata["nbgrader"] = garbage
    assert answer(aligned(notebook), "keys") == "A key opens."


@pytest.mark.parametrize("garbage", [[], "text", 3, None])
def test_metadata_that_is_no_object_is_no_loss(garbage):
    notebook = filled()
    notebook.cells[at(notebook, "keys")]["metadata"] = garbage
    assert align(notebook, MASTER, RELEASED).missing == frozenset()


@pytest.mark.parametrize("version", [0, 1, 2, 99, "3", None, [3]])
def test_another_schema_version_is_restored_and_said(version):
    notebook = filled()
    notebook.cells[at(notebook, "keys")].metadata.nbgrader["schema_version"] = version
    found = aligned(notebook)
    assert answer(found, "keys") == "A key opens."
    assert repr(version) in found.repairs[0]


def test_changed_points_are_restored_and_said():
    notebook = filled()
    notebook.cells[at(notebook, "keys")].metadata.nbgrader["points"] = 2000
    assert "points 2000 instead of 2" in aligned(notebook).repairs[0]


def test_an_id_that_was_changed_to_anothers_is_seen_by_the_files_own_id():
    notebook = filled()
    notebook.cells[at(notebook, "doors")].metadata.nbgrader["grade_id"] = "keys"
    found = aligned(notebook)
    assert answer(found, "keys") == "A key opens."
    assert answer(found, "doors") == "Doors shut."


@pytest.mark.parametrize("make", [new_code_cell, new_raw_cell])
def test_a_retyped_answer_is_made_what_it_was(make):
    notebook = filled()
    old = notebook.cells[at(notebook, "keys")]
    notebook.cells[at(notebook, "keys")] = make(old.source, metadata=old.metadata, id=old.id)
    found = aligned(notebook)
    assert answer(found, "keys") == "A key opens."
    assert "it is markdown again" in found.repairs[0]


def test_code_made_markdown_is_code_again():
    notebook = filled()
    old = notebook.cells[at(notebook, "add")]
    notebook.cells[at(notebook, "add")] = new_markdown_cell(
        old.source, metadata=old.metadata, id=old.id
    )
    found = aligned(notebook)
    assert found.notebook.cells[at(found.notebook, "add")].outputs == []


@pytest.mark.parametrize("title", ["## About keys", "Keys:", "**about keys**"])
def test_an_answer_somewhere_else_is_recognised_by_its_title(title):
    notebook = filled()
    del notebook.cells[at(notebook, "keys")]
    notebook.cells.append(new_markdown_cell(f"{title}\n\nA key opens."))
    found = aligned(notebook)
    assert answer(found, "keys") == f"{title}\n\nA key opens."
    assert "is recognised by its text" in found.repairs[0]
    assert place(found, "keys").how is How.TEXT


def test_code_somewhere_else_is_recognised_by_its_stub_and_goes_above_its_test():
    notebook = filled()
    own = notebook.cells.pop(at(notebook, "add"))
    source = own.source.replace("return a", "# YOUR CODE HERE\n    return a")
    notebook.cells.append(new_code_cell(source))
    found = aligned(notebook)
    assert answer(found, "add") == source
    assert found.missing == frozenset()


# Order


def test_a_test_above_its_answer_goes_below_it():
    notebook = filled()
    here = at(notebook, "add")
    notebook.cells[here], notebook.cells[here + 1] = notebook.cells[here + 1], notebook.cells[here]
    found = aligned(notebook)
    assert "stood above the answer that it tests" in found.repairs[0]
    assert [name_of(c) for c in found.notebook.cells] == [name_of(c) for c in RELEASED.cells]


def test_given_code_below_the_code_that_needs_it_goes_above():
    notebook = filled()
    notebook.cells.append(notebook.cells.pop(at(notebook, "setup")))
    found = aligned(notebook)
    assert "'setup' stood below code that comes after it" in found.repairs[0]
    assert at(found.notebook, "setup") == 1


def test_questions_in_another_order_stay_so():
    notebook = filled()
    moved = notebook.cells[2:4]
    notebook.cells[2:4] = []
    notebook.cells += moved
    found = aligned(notebook)
    assert found.notebook is notebook
    assert found.findings == ()


# Answers beside their cell


@pytest.mark.parametrize("own", [STUB, "", "  \n", STUB + "\n"])
def test_an_answer_in_a_new_cell_below_the_untouched_one_is_taken(own):
    notebook = filled(doors=own)
    notebook.cells.insert(at(notebook, "doors") + 1, new_markdown_cell("Doors let you in."))
    found = aligned(notebook)
    assert answer(found, "doors") == "Doors let you in."
    assert "typed into a new cell (cell 7)" in found.repairs[0]
    assert len(found.notebook.cells) == len(RELEASED.cells)


def test_an_answer_in_a_new_cell_above_the_untouched_one_is_taken():
    notebook = filled(doors=STUB)
    notebook.cells.insert(at(notebook, "doors"), new_markdown_cell("Doors let you in."))
    assert answer(aligned(notebook), "doors") == "Doors let you in."


def test_new_cells_in_a_row_are_one_answer():
    notebook = filled(doors=STUB)
    here = at(notebook, "doors") + 1
    notebook.cells[here:here] = [new_markdown_cell("Doors let you in."), new_markdown_cell("- out")]
    assert answer(aligned(notebook), "doors") == "Doors let you in.\n\n- out"


def test_a_note_below_an_answer_stays_a_note_and_is_shown_to_a_person():
    notebook = filled()
    notebook.cells.insert(at(notebook, "doors") + 1, new_markdown_cell("Ask about hinges!"))
    found = aligned(notebook)
    assert found.notebook is notebook
    assert answer(found, "doors") == "Doors shut."
    assert found.doubts == (
        "part.ipynb: cell 7 was added by the student and is in no answer: 'Ask about hinges!'",
    )


def test_cells_below_a_task_are_what_the_task_asks_for():
    task = cell("markdown", "plot", "Draw a plot below.", locked=True, task=True, points=3)
    released = new_notebook(cells=[*text("keys"), task, *text("doors")])
    notebook = copy.deepcopy(released)
    here = at(notebook, "plot") + 1
    notebook.cells[here:here] = [new_code_cell("plot()"), new_markdown_cell("It goes up.")]
    found = align(notebook, master_of(released), released)
    assert found.notebook is notebook
    assert found.findings == ()
    notebook.cells[at(notebook, "plot")].source += "\n\nI drew it."
    found = align(notebook, master_of(released), released)
    assert [c.source for c in found.notebook.cells][3:5] == ["I drew it.", "plot()"]


def test_a_cell_that_only_the_master_has_comes_last():
    released = new_notebook(cells=text("keys"))
    both = new_notebook(cells=[*text("keys"), *text("doors")])
    found = align(copy.deepcopy(released), master_of(both), released)
    assert [name_of(c) for c in found.notebook.cells][2:] == ["doors-prompt", "doors"]
    assert found.missing == {"doors"}


def test_code_below_an_untouched_written_question_is_left_and_said():
    notebook = filled(doors=STUB)
    notebook.cells.insert(at(notebook, "doors") + 1, new_code_cell("print('a door')"))
    found = aligned(notebook)
    assert answer(found, "doors") == STUB
    assert "code stands beside it (cell 7)" in found.doubts[0]


def test_code_between_a_written_question_and_an_exercise_belongs_to_the_exercise():
    notebook = filled(doors=STUB)
    del notebook.cells[at(notebook, "add-prompt")]
    notebook.cells.insert(at(notebook, "doors") + 1, new_code_cell("helper = max"))
    assert align(notebook, MASTER, RELEASED).doubts
    released = copy.deepcopy(RELEASED)
    del released.cells[at(released, "add-prompt")]
    assert align(notebook, master_of(released), released).doubts == ()


@pytest.mark.parametrize(
    "prose", ["Doors let you in.", "# Doors let you in.", '"""Doors let you in."""', "It's a door"]
)
def test_prose_in_a_new_code_cell_is_taken_for_a_written_answer(prose):
    notebook = filled(doors=STUB)
    notebook.cells.insert(at(notebook, "doors") + 1, new_code_cell(prose))
    found = aligned(notebook)
    assert answer(found, "doors") == prose
    assert found.doubts == ()


@pytest.mark.parametrize("joint", ["\n\n", "\n", " ", ""])
def test_an_answer_typed_into_the_prompt_is_taken(joint):
    notebook = filled(doors=STUB)
    notebook.cells[at(notebook, "doors-prompt")].source += f"{joint}Doors let you in."
    found = aligned(notebook)
    assert answer(found, "doors").strip() == "Doors let you in."
    assert found.doubts == ()


def test_an_answer_typed_into_a_prompt_that_was_changed_too_is_taken():
    notebook = filled(doors=STUB)
    prompt = notebook.cells[at(notebook, "doors-prompt")]
    prompt.source = prompt.source.replace("own words", "own wrods") + "\n\nDoors let you in."
    found = aligned(notebook)
    assert answer(found, "doors") == "Doors let you in."
    assert any("own wrods" in sentence for sentence in found.repairs)


def test_text_in_the_prompt_of_an_answered_question_is_shown_to_a_person():
    notebook = filled()
    notebook.cells[at(notebook, "doors-prompt")].source += "\n\nHelp!"
    found = aligned(notebook)
    assert answer(found, "doors") == "Doors shut."
    assert "in the cell of 'doors-prompt' (cell 5) is in no answer: 'Help!'" in found.doubts[0]


def test_code_in_a_new_cell_above_the_test_is_the_answer_where_it_stands():
    notebook = filled(add=CODE_STUB.format("add"))
    own = new_code_cell("def add(a, b):\n    return a + b")
    notebook.cells.insert(at(notebook, "add") + 1, own)
    found = aligned(notebook)
    assert found.notebook is notebook
    assert found.beside == {"add": own.source}
    assert "counts as the answer" in found.repairs[0]


def test_an_edited_test_is_restored_and_what_was_typed_told():
    notebook = filled()
    notebook.cells[at(notebook, "add-test")].source = "assert True  # sorry"
    found = aligned(notebook)
    restored = found.notebook.cells[at(found.notebook, "add-test")]
    assert restored.source == "assert add(1, 2) == 3"
    assert "'assert True # sorry'" in found.repairs[0]


def test_pasted_images_go_with_their_text():
    image = {"image.png": {"image/png": "AAAA"}}
    notebook = filled(doors=STUB)
    new = new_markdown_cell("![i](attachment:image.png)", attachments=image)
    other = new_markdown_cell("![i](attachment:image.png)")
    other["attachments"] = {"image.png": {"image/png": "BBBB"}}
    here = at(notebook, "doors") + 1
    notebook.cells[here:here] = [new, other]
    found = aligned(notebook)
    made = found.notebook.cells[at(found.notebook, "doors")]
    assert sorted(value["image/png"] for value in made.attachments.values()) == ["AAAA", "BBBB"]
    assert all(f"attachment:{name})" in made.source for name in made.attachments)


def test_images_of_merged_cells_go_with_the_text_that_shows_them():
    notebook = filled(doors="![d](attachment:door.png)", keys="![k](attachment:key.png)")
    here = at(notebook, "keys")
    merge(notebook, here, 3)
    bundle = {"image/png": "AAAA"}
    notebook.cells[here]["attachments"] = {"door.png": bundle, "key.png": bundle}
    found = aligned(notebook).notebook
    assert list(found.cells[at(found, "doors")].attachments) == ["door.png"]
    assert list(found.cells[at(found, "keys")].attachments) == ["key.png"]


def test_a_notebook_of_a_format_without_cell_ids_gets_none():
    notebook = filled()
    notebook.nbformat_minor = 4
    for c in notebook.cells:
        del c["id"]
    split(notebook, "keys", "First of all, locks.", "Then secrets.")
    del notebook.cells[at(notebook, "doors-prompt")]
    for c in notebook.cells:
        c.pop("id", None)
    found = aligned(notebook)
    assert answer(found, "keys") == "First of all, locks.\n\nThen secrets."
    assert not any("id" in c for c in found.notebook.cells)


def test_a_release_without_cell_ids_is_enough():
    released = copy.deepcopy(RELEASED)
    released.nbformat_minor = 4
    for c in released.cells:
        del c["id"]
    notebook = filled()
    del notebook.cells[at(notebook, "add-test")]
    found = align(notebook, MASTER, released)
    nbformat.validate(found.notebook)


# What cannot be aligned


def test_a_notebook_of_something_else_is_quarantined():
    notebook = new_notebook(cells=[new_markdown_cell("Shopping list"), new_code_cell("1 + 1")])
    with pytest.raises(CannotAlign, match=r"no cell of part\.ipynb is recognised"):
        align(notebook, MASTER, RELEASED)


def test_another_assignment_with_an_introduction_too_is_quarantined():
    other = cell("markdown", "introduction", "# Homework 7\n\nBe quick about it.", locked=True)
    other["id"] = "other"
    notebook = new_notebook(cells=[other, new_markdown_cell("Some answer.")])
    with pytest.raises(CannotAlign):
        align(notebook, MASTER, RELEASED)


def test_a_notebook_without_cells_is_quarantined():
    with pytest.raises(CannotAlign, match="has no cells"):
        align(new_notebook(), MASTER, RELEASED)


@pytest.mark.parametrize("name", ["keys-prompt", "add-test"])
def test_a_million_lines_in_a_read_only_cell_cost_a_second(name):
    notebook = filled()
    changed = notebook.cells[at(notebook, name)]
    changed.source = changed.source.replace("own", "new") + "x" + "\n" * 1_000_000 + "y"
    start = time.process_time()
    align(notebook, MASTER, RELEASED)
    assert time.process_time() - start < 3


@pytest.mark.parametrize("copies", [1, 200])
def test_two_thousand_cells_are_aligned_in_seconds_and_more_are_refused(copies):
    notebook = filled()
    for number in range(2000 - len(notebook.cells)):
        if number % 200 < copies:
            paste(notebook, "keys", 4, f"Text {number}. " + "abcdefgh " * 20)
        else:
            notebook.cells.append(new_markdown_cell(f"Note {number}"))
    for number, c in enumerate(notebook.cells):
        c["id"] = f"c{number}"
    start = time.process_time()
    aligned(notebook)
    assert time.process_time() - start < 20
    notebook.cells.append(new_markdown_cell("One more"))
    with pytest.raises(CannotAlign, match="2001 cells"):
        align(notebook, MASTER, RELEASED)


# Files


RELEASES = {"part": RELEASED}


def filed(**files):
    return align_files(files, [MASTER], RELEASES)


@pytest.mark.parametrize(
    "name", ["part (1)", "part-Copy1", "Copy of part", "final", "part - Copy (2)", "hw1_ada"]
)
def test_a_renamed_notebook_is_found(name):
    found = filed(**{name: filled()})
    assert found.files == {"part": name}
    assert found.repairs == (f"part.ipynb was handed in as {name}.ipynb",)


def test_a_renamed_notebook_without_ids_is_found_by_its_texts():
    notebook = filled()
    for c in notebook.cells:
        c.metadata = nbformat.NotebookNode()
    assert filed(other=new_notebook(), mine=notebook).files == {"part": "mine"}


def test_a_renamed_notebook_in_one_cell_is_found_by_its_texts():
    notebook = filled()
    merge(notebook, 0, len(notebook.cells))
    assert filed(mine=notebook).files == {"part": "mine"}


def test_a_file_that_is_none_of_the_notebooks_is_left():
    found = filed(part=filled(), notes=new_notebook(cells=[new_markdown_cell("My notes.")]))
    assert found.files == {"part": "part"}
    assert found.others == ("notes",)


def test_of_two_copies_the_one_that_is_further_along_is_taken():
    found = filed(**{"part": copy.deepcopy(RELEASED), "part (1)": filled()})
    assert found.files == {"part": "part (1)"}
    assert "nothing that it does not have" in found.repairs[0]
    assert found.doubts == ()


def test_two_copies_with_different_answers_are_a_doubt():
    copies = {"part": filled(), "part-Copy1": filled(keys="Keys are made of brass.")}
    found = filed(**copies)
    assert found.files == {"part": "part"}
    assert "part-Copy1.ipynb answers 'keys' differently; a person has to look" in found.doubts[0]


def test_two_notebooks_whose_names_were_swapped_are_told_by_their_ids():
    second = new_notebook(cells=[c for name in ("moons", "suns") for c in text(name)])
    masters = [MASTER, master_of(second, "second")]
    found = align_files(
        {"part": copy.deepcopy(second), "second": filled()},
        masters,
        {"part": RELEASED, "second": second},
    )
    assert found.files == {"part": "second", "second": "part"}


# Whatever happens: every word is in an answer, or told of


@dataclass
class Writing:
    """What a student wrote: a word of its own in each text, by the question it is meant for."""

    words: dict[str, str] = field(default_factory=dict)

    def write(self, question: str, length: int = 3) -> str:
        fresh = [f"w{len(self.words) + number}x" for number in range(length)]
        self.words |= dict.fromkeys(fresh, question)
        return " ".join(fresh)


def any_cell(draw, notebook):
    return draw(st.integers(0, len(notebook.cells) - 1))


def damage_copy(draw, notebook, writing):
    """Copy any cell somewhere, and perhaps write another text into the copy."""
    made = copy.deepcopy(notebook.cells[any_cell(draw, notebook)])
    made["id"] = f"copy-{len(notebook.cells)}-{len(writing.words)}"
    if draw(st.booleans()):
        made.source = writing.write("?")
    notebook.cells.insert(draw(st.integers(0, len(notebook.cells))), made)


def damage_delete(draw, notebook, writing):
    """Delete a cell; its words are the student's own loss."""
    gone = notebook.cells.pop(any_cell(draw, notebook))
    rest = " ".join(c.source for c in notebook.cells)
    for word in re.findall(r"w\d+x", gone.source):
        if word not in rest:
            writing.words.pop(word, None)


def damage_metadata(draw, notebook, writing):
    chosen = notebook.cells[any_cell(draw, notebook)]
    garbage = st.sampled_from([None, [], "x", {"grade_id": 7}, {"grade_id": "keys"}, {"a": 1}])
    chosen.metadata["nbgrader"] = draw(garbage)
    if draw(st.booleans()):
        chosen["id"] = f"lost-{len(notebook.cells)}-{len(writing.words)}-{draw(st.uuids())}"[:60]


def damage_merge(draw, notebook, writing):
    first = any_cell(draw, notebook)
    count = min(draw(st.integers(2, 4)), len(notebook.cells) - first)
    made = copy.deepcopy(notebook.cells[first + draw(st.integers(0, count - 1))])
    made.source = "\n\n".join(c.source for c in notebook.cells[first : first + count])
    made["id"] = f"merged-{draw(st.uuids())}"
    notebook.cells[first : first + count] = [made]
    writing.words |= dict.fromkeys(words_in(made.source), "?")  # the student moved them together


def damage_split(draw, notebook, writing):
    here = any_cell(draw, notebook)
    own = notebook.cells[here]
    spaces = [match.start() for match in re.finditer(r"\s", own.source)]
    if spaces:
        cut = draw(st.sampled_from(spaces))
        made = copy.deepcopy(own)
        made.source, own.source = own.source[:cut].strip("\n"), own.source[cut:].strip("\n")
        made["id"] = f"split-{draw(st.uuids())}"
        notebook.cells.insert(here, made)


def damage_move(draw, notebook, writing):
    moved = notebook.cells.pop(any_cell(draw, notebook))
    notebook.cells.insert(draw(st.integers(0, len(notebook.cells))), moved)


def damage_retype(draw, notebook, writing):
    here = any_cell(draw, notebook)
    old = notebook.cells[here]
    make = draw(st.sampled_from([new_markdown_cell, new_code_cell, new_raw_cell]))
    notebook.cells[here] = make(old.source, metadata=old.metadata, id=old.id)


def damage_type_into(draw, notebook, writing):
    """Type somewhere: at the end of a cell, instead of its text, or between its lines."""
    chosen = notebook.cells[any_cell(draw, notebook)]
    new = writing.write("?")
    how = draw(st.sampled_from(["end", "line", "start"]))
    if how == "end":
        chosen.source += draw(st.sampled_from(["\n\n", "\n", " ", ""])) + new
    else:
        lines = chosen.source.splitlines()
        lines.insert(0 if how == "start" else len(lines) // 2, new)
        chosen.source = "\n".join(lines)


def damage_new_cell(draw, notebook, writing):
    make = draw(st.sampled_from([new_markdown_cell, new_markdown_cell, new_code_cell]))
    made = make(writing.write("?"), id=f"new-{draw(st.uuids())}")
    notebook.cells.insert(draw(st.integers(0, len(notebook.cells))), made)


DAMAGES = [
    damage_copy,
    damage_delete,
    damage_metadata,
    damage_merge,
    damage_split,
    damage_move,
    damage_retype,
    damage_type_into,
    damage_new_cell,
]


@st.composite
def damaged(draw, damages=tuple(DAMAGES), at_most=5):
    writing = Writing()
    answered = draw(st.sets(st.sampled_from(TEXTS + CODES)))
    notebook = copy.deepcopy(RELEASED)
    for name in sorted(answered):
        own = notebook.cells[at(notebook, name)]
        own.source = (
            f"{name}_code = '{writing.write(name)}'" if name in CODES else writing.write(name)
        )
    for damage in draw(st.lists(st.sampled_from(damages), max_size=at_most)):
        if notebook.cells:
            damage(draw, notebook, writing)
    return notebook, writing


def words_in(source):
    return set(re.findall(r"w\d+x", source))


@settings(deadline=None, max_examples=400)
@given(damaged())
def test_every_word_is_in_an_answer_or_told_of(case):
    notebook, writing = case
    try:
        found = aligned(notebook)
    except CannotAlign:
        return  # quarantined, with all it holds
    answers = {name: words_in(answer(found, name)) for name in TEXTS + CODES}
    loose = set().union(*(words_in(entry.text) for entry in found.loose))
    lost = set(writing.words) - set().union(*answers.values()) - loose
    assert lost == set()
    told = " ".join(found.findings)
    for entry in found.loose:
        if entry.told:
            assert " ".join(entry.text.split())[:100] in told
    by_id = {c["id"]: c for c in notebook.cells}
    for name, words in answers.items():
        foreign = {word for word in words if writing.words.get(word) not in (name, "?")}
        if foreign:
            assert repr(name) in told, f"{foreign} moved to {name} unsaid ({len(by_id)} cells)"
