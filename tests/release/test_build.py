"""Building a release through the real nbgrader."""

from __future__ import annotations

import json
import shutil

import nbformat
import pytest

from markbook.errors import InternalError, MarkbookError, NotebookError, RubricError, UnknownName
from markbook.gradebook import Gradebook, nbgrader
from markbook.model import QuestionKind
from markbook.notebooks import read_questions
from markbook.release import build, publish


def files(folder):
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def edit(course, change):
    path = course.source("hw") / "part.ipynb"
    notebook = nbformat.read(path, as_version=4)
    change({c.metadata.nbgrader.grade_id: c for c in notebook.cells}, notebook)
    nbformat.write(notebook, path)


def test_a_release_has_the_questions_and_neither_answers_nor_hidden_tests(tiny, released):
    text = (released.release("hw") / "part.ipynb").read_text()
    assert "What about keys?" in text
    assert tiny.MODEL_ANSWER not in text
    assert "the hidden test" not in text
    assert "assert add(1, 2) == 3" in text
    questions = read_questions(released.release("hw"), "hw")
    assert [q.id for q in questions if q.kind is QuestionKind.TEXT] == ["keys", "doors", "story"]
    with Gradebook.open(released) as gb:
        assert gb.released("hw")


def test_building_twice_gives_the_same_bytes_and_touches_no_file(tiny, released):
    times = tiny.file_times(released)
    result = build(released, "hw")
    assert result.changed == ()
    assert [q.id for q in result.questions][:2] == ["keys", "doors"]
    after = tiny.file_times(released)
    assert {n: t for n, t in after.items() if not n.startswith("gradebook.db")} == {
        n: t for n, t in times.items() if not n.startswith("gradebook.db")
    }
    before = files(released.release("hw"))
    shutil.rmtree(released.release("hw"))
    assert build(released, "hw").changed == ("part.ipynb",)
    assert files(released.release("hw")) == before


def test_a_dry_run_says_what_would_change_and_writes_nothing(authored):
    before = {p for p in authored.root.rglob("*")}
    result = build(authored, "hw", dry_run=True)
    assert result.changed == ("part.ipynb",)
    assert {p for p in authored.root.rglob("*")} == before


def test_a_course_folder_with_a_bracket_in_its_name_is_a_course(tiny, tmp_path):
    course = tiny.copy_of("released", tmp_path / "web [2026]")
    assert build(course, "hw").changed == ()


def test_a_file_that_left_the_source_leaves_the_release(released):
    data = released.source("hw") / "data.csv"
    data.write_text("a,b\n1,2\n")
    assert build(released, "hw").changed == ("data.csv",)
    data.unlink()
    assert build(released, "hw").changed == ("data.csv",)
    assert sorted(files(released.release("hw"))) == ["part.ipynb"]


def unbalanced(cells, _):
    cells["keys"].source = "### BEGIN SOLUTION\nnever ended"


def no_points(cells, _):
    del cells["doors"].metadata.nbgrader["points"]


def same_id_twice(cells, notebook):
    twin = dict(cells["keys"], id="twin")
    notebook.cells.append(nbformat.from_dict(twin))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (unbalanced, r"'keys' \(cell 2\).*BEGIN SOLUTION"),
        (no_points, r"'doors' \(cell 4\).*no points"),
        (same_id_twice, "'keys' is used by 2 cells"),
    ],
)
def test_an_authoring_mistake_is_named_with_its_cell_and_the_old_release_stays(
    released, change, message
):
    before = files(released.release("hw"))
    edit(released, change)
    with pytest.raises(NotebookError, match=message):
        build(released, "hw")
    assert files(released.release("hw")) == before


def test_a_text_question_without_a_rubric_is_refused_with_the_file_to_write(authored):
    path = authored.rubric("hw", "doors")
    path.unlink()
    with pytest.raises(RubricError, match=r"doors\.yaml: The text question 'doors' \(cell 4"):
        build(authored, "hw")


def test_a_question_without_points_and_without_extra_credit_is_refused(authored):
    path = authored.rubric("hw", "story")
    path.write_text(path.read_text().replace("extra_credit: 2\n", ""))
    with pytest.raises(RubricError, match="exactly one of the two"):
        build(authored, "hw")


def test_an_assignment_that_is_not_there_is_refused_with_those_that_are(authored):
    with pytest.raises(UnknownName, match="hw"):
        build(authored, "hv")


@pytest.mark.parametrize(
    "line",
    ["A key must stay secret, for whoever has it can sign in your name.", "'the hidden test'"],
)
def test_a_release_that_would_show_a_hidden_line_is_never_written(
    tiny, released, monkeypatch, line
):
    """nbgrader is made to forget, as a wrong preprocessor configuration does."""
    real = nbgrader.generate_assignment
    shown = line if "key" in line else tiny.HIDDEN_TEST

    def forgetful(*args, **kwargs):
        folder = real(*args, **kwargs)
        path = folder / "part.ipynb"
        notebook = json.loads(path.read_text())
        notebook["cells"][-1]["source"] = ["assert callable(add)\n", f"  {shown}"]
        path.write_text(json.dumps(notebook))
        return folder

    before = files(released.release("hw"))
    monkeypatch.setattr(nbgrader, "generate_assignment", forgetful)
    with pytest.raises(InternalError, match=r"part\.ipynb would show students a hidden line"):
        build(released, "hw")
    assert files(released.release("hw")) == before


def test_a_helper_file_with_a_model_answer_in_it_is_never_released(tiny, authored):
    (authored.source("hw") / "notes.txt").write_text(f"Remember:\n{tiny.MODEL_ANSWER}\n")
    with pytest.raises(InternalError, match=r"notes\.txt"):
        build(authored, "hw")
    assert not authored.release("hw").exists()


def test_a_question_cannot_be_dropped_while_there_are_submissions_and_nbgrader_says_so(course):
    before = files(course.release("hw"))

    def drop(cells, notebook):
        notebook.cells = [c for c in notebook.cells if not c.id.startswith("doors")]

    edit(course, drop)
    with pytest.raises(MarkbookError, match="Cannot add or remove cells"):
        build(course, "hw")
    assert files(course.release("hw")) == before


def test_an_assignment_that_was_never_built_is_not_published(authored):
    with pytest.raises(NotebookError, match="has no release yet"):
        publish(authored, "hw")
