"""nbgrader's cells, read as questions and answers. nbgrader's words stay in here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markbook.errors import NotebookError
from markbook.model import Question, QuestionKind
from markbook.notebooks.files import read_notebook
from markbook.notebooks.metadata import nbgrader_id, nbgrader_metadata
from markbook.notebooks.regions import NBGRADERS, Delimiters

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nbformat import NotebookNode

__all__ = ["answer_cells", "graded_cells", "prompt_cell", "read_questions"]


def graded_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """Return the graded cells by id, the first of duplicates, in notebook order."""
    found: dict[str, NotebookNode] = {}
    for cell in notebook.cells:
        if nbgrader_metadata(cell).get("grade") and nbgrader_id(cell):
            found.setdefault(nbgrader_id(cell), cell)
    return found


def answer_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """Return the cells that students fill in by id, the first of duplicates, in order."""
    found: dict[str, NotebookNode] = {}
    for cell in notebook.cells:
        if nbgrader_metadata(cell).get("solution") and nbgrader_id(cell):
            found.setdefault(nbgrader_id(cell), cell)
    return found


def read_questions(
    folder: Path, assignment: str, delimiters: Delimiters = NBGRADERS
) -> tuple[Question, ...]:
    """Read the questions of all notebooks in ``folder``, by notebook name, then by position.

    A text question is a cell that is both graded and an answer; a code question is a test cell.
    What asks it is ``prompt_cell``; ``delimiters`` mark what of a cell is its model answer. Raises
    ``NotebookError`` when there is no notebook, one cannot be read, or an id is used twice in the
    assignment.
    """
    paths = sorted(folder.glob("*.ipynb"))
    if not paths:
        raise NotebookError(
            "There is no notebook in this folder.", path=folder, hint="Author one first."
        )
    questions: list[Question] = []
    seen: dict[str, Path] = {}
    for path in paths:
        for question in _questions_of(path, assignment, delimiters):
            if question.id in seen:
                raise NotebookError(
                    f"The question id {question.id!r} is used twice"
                    f" (also in {seen[question.id].name}).",
                    path=path,
                    hint="Give each graded cell its own id.",
                )
            seen[question.id] = path
            questions.append(question)
    return tuple(questions)


def _questions_of(path: Path, assignment: str, delimiters: Delimiters) -> list[Question]:
    cells = read_notebook(path).cells
    return [
        _question(cells, position, path, assignment, delimiters)
        for position, cell in enumerate(cells)
        if nbgrader_metadata(cell).get("grade") and nbgrader_id(cell)
    ]


def _question(
    cells: list[NotebookNode], position: int, path: Path, assignment: str, delimiters: Delimiters
) -> Question:
    cell = cells[position]
    metadata = nbgrader_metadata(cell)
    points = metadata.get("points")
    if isinstance(points, bool) or not isinstance(points, int | float):
        raise NotebookError(
            f"question {nbgrader_id(cell)!r} (cell {position + 1}) has no points.",
            path=path,
            hint="Set them in the Create Assignment bar.",
        )
    text = bool(metadata.get("solution"))
    model = delimiters.solution_text(cell.source) if text else _code_above(cells, position)
    prompt = prompt_cell(cells, position)
    return Question(
        assignment=assignment,
        notebook=path.stem,
        id=nbgrader_id(cell),
        kind=QuestionKind.TEXT if text else QuestionKind.CODE,
        points=float(points),
        prompt=str(cells[prompt].source) if prompt is not None else "",
        position=position,
        model_answer=model,
        stub=cell.source if text and not delimiters.marks_solution(cell.source) else "",
    )


def _read_only(cell: NotebookNode) -> bool:
    metadata = nbgrader_metadata(cell)
    return not metadata.get("solution") and not metadata.get("grade")


def prompt_cell(cells: Sequence[NotebookNode], position: int) -> int | None:
    """Return the position of the cell that asks the question at ``position``, if one does.

    It is the cell named ``<question>-prompt``, or else the nearest read-only Markdown cell above.
    """
    wanted = f"{nbgrader_id(cells[position])}-prompt"
    for number, cell in enumerate(cells):
        if nbgrader_id(cell) == wanted:
            return number
    for number in reversed(range(position)):
        if cells[number].cell_type == "markdown" and _read_only(cells[number]):
            return number
    return None


def _code_above(cells: list[NotebookNode], position: int) -> str:
    """Return the source of the nearest answer cell above a test cell."""
    for cell in reversed(cells[:position]):
        if nbgrader_metadata(cell).get("solution"):
            return str(cell.source)
    return ""
