"""nbgrader's cells, read as questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from markbook.errors import NotebookError
from markbook.model import QuestionKind
from markbook.notebooks import NBGRADERS, read_questions, write_notebook

if TYPE_CHECKING:
    from pathlib import Path


def cell(kind: str, source: str, grade_id: str = "", **flags: Any) -> Any:
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    new = make(source)  # type: ignore[no-untyped-call]
    if grade_id:
        new.metadata["nbgrader"] = {
            "grade": False, "solution": False, "locked": False, "schema_version": 3,
            "grade_id": grade_id, **flags,
        }  # fmt: skip
    return new


def author(folder: Path, *cells: Any, name: str = "a") -> None:
    notebook = nbformat.v4.new_notebook(cells=list(cells))  # type: ignore[no-untyped-call]
    write_notebook(notebook, folder / f"{name}.ipynb")


def test_a_text_question_takes_the_prompt_that_bears_its_name(tmp_path: Path) -> None:
    author(
        tmp_path,
        cell("markdown", "What is it?", "q1-prompt", locked=True),
        cell("markdown", "A remark in between."),
        cell("markdown", "x", "q1", grade=True, solution=True, points=2),
    )
    (question,) = read_questions(tmp_path, "hw")
    assert question.prompt == "What is it?"
    assert question.kind is QuestionKind.TEXT
    assert question.points == 2


def test_without_a_named_prompt_the_nearest_read_only_text_above_asks(tmp_path: Path) -> None:
    author(
        tmp_path,
        cell("markdown", "Introduction"),
        cell("markdown", "Why?"),
        cell("code", "pass"),
        cell("markdown", "x", "q1", grade=True, solution=True, points=1),
    )
    assert read_questions(tmp_path, "hw")[0].prompt == "Why?"


def test_a_test_cell_is_a_code_question_whose_model_answer_is_the_cell_above(
    tmp_path: Path,
) -> None:
    author(
        tmp_path,
        cell("code", "def f(): return 1", "f", solution=True),
        cell("code", "assert f() == 1", "f-tests", grade=True, locked=True, points=1),
    )
    (question,) = read_questions(tmp_path, "hw")
    assert question.kind is QuestionKind.CODE
    assert question.model_answer == "def f(): return 1"


def test_an_id_used_in_two_notebooks_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        author(
            tmp_path, cell("markdown", "x", "q1", grade=True, solution=True, points=1), name=name
        )
    with pytest.raises(NotebookError, match="used twice"):
        read_questions(tmp_path, "hw")


def test_a_question_without_points_is_refused(tmp_path: Path) -> None:
    author(tmp_path, cell("markdown", "x", "q1", grade=True, solution=True))
    with pytest.raises(NotebookError, match=r"'q1' .* has no points"):
        read_questions(tmp_path, "hw")


def test_a_folder_without_notebooks_has_no_questions_to_read(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match="no notebook"):
        read_questions(tmp_path, "hw")


def test_the_model_answer_is_what_stands_between_the_marks() -> None:
    source = "before\n### BEGIN SOLUTION\nthe answer\n### END SOLUTION\nafter"
    assert NBGRADERS.solution_text(source) == "the answer"
    assert NBGRADERS.solution_text("no marks") == "no marks"
