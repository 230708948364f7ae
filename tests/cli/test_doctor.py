"""``markbook doctor``: what it shows is what autograding does, and it writes nothing."""

from __future__ import annotations

import json
import shutil

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from markbook.autograde.examine import master_as_released
from markbook.autograde.grade import grade
from markbook.autograde.master import read_master
from markbook.autograde.values import Submission
from markbook.cli.exits import ExitCode
from markbook.cli.main import main
from markbook.gradebook import Gradebook
from markbook.notebooks import read_notebook


@pytest.fixture
def doctor(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["doctor", *map(str, arguments)])
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    return run


def at(notebook, name):
    return next(i for i, c in enumerate(notebook.cells) if c.metadata.nbgrader.grade_id == name)


def hand_in(tiny, course, student, change=lambda notebook: None, *, name="part.ipynb"):
    folder = tiny.submit(course, student, {"keys": "A key is secret.", "doors": "For privacy."})
    notebook = nbformat.read(folder / "part.ipynb", as_version=4)
    change(notebook)
    (folder / "part.ipynb").unlink()
    nbformat.write(notebook, folder / name)
    return folder


def copied(notebook):
    made = nbformat.from_dict(notebook.cells[at(notebook, "keys")])
    made["id"], made["source"] = "pasted", "A key is a long number that opens doors."
    notebook.cells.insert(at(notebook, "keys") + 1, made)


def deleted(notebook):
    for name in ("doors", "add-visible"):
        del notebook.cells[at(notebook, name)]


def in_a_new_cell(notebook):
    notebook.cells[at(notebook, "doors")].source = "YOUR ANSWER HERE"
    notebook.cells.insert(at(notebook, "doors") + 1, new_markdown_cell("So that rooms are rooms."))


def stripped(notebook):
    for number, cell in enumerate(notebook.cells):
        cell.metadata.pop("nbgrader")
        cell["id"] = f"new-{number}"


def of_another_course(notebook):
    notebook.cells = [new_markdown_cell("Shopping: milk, bread.")]


def tampered(notebook):
    notebook.cells[at(notebook, "keys")].metadata.nbgrader["points"] = 300
    notebook.cells[at(notebook, "add-visible")].source = "pass"
    notebook.cells[at(notebook, "doors-prompt")].source += "\n\nWhich doors do you mean?"
    notebook.cells.append(new_markdown_cell("Thanks!"))


def test_a_submission_in_order_needs_one_line(tiny, released, doctor):
    hand_in(tiny, released, "dan")
    code, out, _ = doctor("dan/hw", "--course", released.root)
    assert code == ExitCode.DONE
    assert "cells as they should be" in out
    assert "in order" in out


def test_all_shows_every_cell(tiny, released, doctor):
    hand_in(tiny, released, "dan")
    _, out, _ = doctor("dan/hw", "--all", "--course", released.root)
    for name in ("keys-prompt", "keys", "add-hidden"):
        assert f"  {name} " in out


def test_damage_is_shown_where_it_is(tiny, released, doctor):
    hand_in(tiny, released, "dan", copied)
    code, out, _ = doctor("dan/hw", "--course", released.root)
    assert code == ExitCode.ATTENTION
    assert "! 2, 3  keys" in out
    flat = " ".join(out.split())
    assert "both are kept, one below the other; a person has to look" in flat
    assert "would be graded, with 1 thing for a person to look at" in flat


def test_what_cannot_be_aligned_would_be_quarantined_with_its_reason(tiny, released, doctor):
    hand_in(tiny, released, "dan", of_another_course)
    code, out, _ = doctor("dan/hw", "--course", released.root)
    assert code == ExitCode.ATTENTION
    assert "would be quarantined: no cell of part.ipynb is recognised" in out


def test_a_file_that_cannot_be_read_is_named_once(tiny, released, doctor):
    folder = hand_in(tiny, released, "dan")
    (folder / "part.ipynb").write_text("{")
    code, out, _ = doctor("dan/hw", "--course", released.root)
    assert code == ExitCode.ATTENTION
    assert "would be quarantined: part.ipynb cannot be read: Not JSON" in out
    assert out.count("cannot be read") == 1


@pytest.mark.parametrize("form", ["dan/hw", "submitted/dan/hw", "submitted/dan", "notebook"])
def test_every_way_to_name_a_submission_finds_it(form, tiny, released, doctor, monkeypatch):
    folder = hand_in(tiny, released, "dan", deleted)
    monkeypatch.chdir(released.root)
    named = folder / "part.ipynb" if form == "notebook" else form
    code, out, _ = doctor(named, "--json")
    told = json.loads(out)
    assert code == ExitCode.ATTENTION
    assert (told["student"], told["assignment"]) == ("dan", "hw")
    found = {cell["id"]: cell for cell in told["notebooks"][0]["cells"]}
    assert found["doors"]["found"] == "missing"
    assert found["doors"]["cells"] == []
    assert found["doors"]["needs_person"] is True
    assert found["add-visible"]["found"] == "put back"
    assert found["keys"]["words"] == 4


def test_the_path_of_a_submission_finds_its_course_from_anywhere(
    tiny, released, doctor, monkeypatch, tmp_path
):
    folder = hand_in(tiny, released, "dan")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert doctor(folder)[0] == ExitCode.DONE


def test_a_notebook_from_outside_the_course_needs_its_assignment_named(
    tiny, released, doctor, tmp_path
):
    folder = hand_in(tiny, released, "dan", in_a_new_cell)
    mailed = shutil.copy(folder / "part.ipynb", tmp_path / "mailed (1).ipynb")
    code, _, err = doctor(mailed, "--course", released.root)
    assert code == ExitCode.USAGE
    assert "--assignment" in err
    assert "hw" in err
    code, out, _ = doctor(mailed, "--assignment", "hw", "--course", released.root)
    assert code == ExitCode.ATTENTION
    assert "handed in as 'mailed (1).ipynb'" in out
    assert "So that rooms" not in out


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("nobody/hw", "There is no submission 'nobody/hw'"),
        ("nobody", "STUDENT/ASSIGNMENT"),
        ("nbgrader_config.py", "is not a notebook"),
        ("source", "--assignment"),
    ],
)
def test_what_is_no_submission_is_a_usage_error(named, says, released, doctor, monkeypatch):
    monkeypatch.chdir(released.root)
    code, _, err = doctor(named)
    assert code == ExitCode.USAGE
    assert says in err


def test_before_the_release_it_says_what_to_do(tiny, released, doctor):
    hand_in(tiny, released, "dan")
    shutil.rmtree(released.release("hw"))
    code, _, err = doctor("dan/hw", "--course", released.root)
    assert code == ExitCode.ATTENTION
    assert "markbook release hw" in err


def test_nothing_is_written(tiny, released, doctor):
    hand_in(tiny, released, "dan", tampered)
    before = tiny.file_times(released)
    doctor("dan/hw", "--course", released.root)
    doctor("dan/hw", "--json", "--course", released.root)
    assert tiny.file_times(released) == before


def test_control_characters_of_a_student_do_not_reach_the_terminal(tiny, released, doctor):
    def hostile(notebook):
        notebook.cells.append(new_markdown_cell("\x1b[2J\x1b]0;owned\x07 gone [red]x[/red]"))

    hand_in(tiny, released, "dan", hostile)
    _, out, _ = doctor("dan/hw", "--course", released.root)
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "[red]x[/red]" in out


def test_the_master_read_from_the_release_is_the_gradebooks(released):
    notebook = read_notebook(released.release("hw") / "part.ipynb")
    with Gradebook.open(released) as gb:
        (master,) = gb.master("hw")

    def facts(found):
        cells = {c.id: (c.cell_type, c.locked, c.grade, c.solution, c.task) for c in found.cells}
        return cells, {c.id: c.points for c in found.cells if c.grade}

    assert facts(master_as_released("part", notebook)) == facts(master)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda notebook: None, "part.ipynb"),
        (copied, "part.ipynb"),
        (deleted, "part (1).ipynb"),
        (in_a_new_cell, "Copy of part.ipynb"),
        (stripped, "final.ipynb"),
        (of_another_course, "part.ipynb"),
        (of_another_course, "other.ipynb"),
        (tampered, "part.ipynb"),
    ],
)
def test_what_the_doctor_says_is_what_autograding_says(change, name, tiny, released, doctor):
    folder = hand_in(tiny, released, "dan", change, name=name)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    with Gradebook.open(released) as gb:
        master = read_master(released, gb, "hw")
    result = grade(master, Submission("dan", files))
    code, out, _ = doctor("dan/hw", "--json", "--course", released.root)
    told = json.loads(out)
    assert told["outcome"] == str(result.outcome)
    assert sorted(told["findings"]) == sorted(result.findings)
    assert (code == ExitCode.DONE) == (not result.findings)


def test_extra_files_and_an_empty_folder_are_told(tiny, released, doctor):
    folder = hand_in(tiny, released, "dan")
    nbformat.write(new_notebook(), folder / "scratch.ipynb")
    _, out, _ = doctor("dan/hw", "--course", released.root)
    assert "scratch.ipynb is not of this assignment" in out
    for path in folder.iterdir():
        path.unlink()
    _, out, _ = doctor("dan/hw", "--course", released.root)
    assert "it has none of the assignment's notebooks (part); handed in: none" in out


def test_what_a_machine_can_do_to_lock_up_code_is_told(doctor, bubblewrap):
    code, out, _ = doctor("--isolation")
    assert code == ExitCode.DONE
    assert out.splitlines()[-1] == "Student code is locked up on this machine."
    code, out, _ = doctor("--isolation", "--json")
    told = json.loads(out)
    assert (code, told["works"]) == (ExitCode.DONE, True)
    assert {a["name"] for a in told["abilities"] if a["needed"] and not a["there"]} == set()


def test_a_machine_that_cannot_lock_up_code_says_how_it_could(doctor, tmp_path, monkeypatch):
    from markbook.kernels.sandbox import probe, room

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.defpath", str(tmp_path))
    room.wrap_of.cache_clear()
    code, out, _ = doctor("--isolation")
    room.wrap_of.cache_clear()
    probe._trouble.cache_clear()
    assert code == ExitCode.ATTENTION
    assert "bubblewrap          no\n" in out
    assert "sudo apt-get install bubblewrap" in out
    assert out.splitlines()[-1].endswith("but with '--isolation none'.")


@pytest.mark.parametrize("arguments", [[], ["ada/hw", "--isolation"]])
def test_doctor_wants_a_submission_or_isolation_and_not_both(doctor, arguments):
    code, _, err = doctor(*arguments)
    assert code == ExitCode.USAGE
    assert "--isolation" in err
