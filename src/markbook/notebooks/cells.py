"""nbgrader's cells, read as questions and answers. nbgrader's words stay in here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markbook.errors import NotebookError
from markbook.model import Question, QuestionKind
from markbook.notebooks.files import read_notebook

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nbformat import NotebookNode

__all__ = [
    "BEGIN_SOLUTION",
    "END_SOLUTION",
    "answer_cells",
    "graded_cells",
    "nbgrader_metadata",
    "read_questions",
    "solution_text",
]

BEGIN_SOLUTION = "### BEGIN SOLUTION"
END_SOLUTION = "### END SOLUTION"


def nbgrader_metadata(cell: NotebookNode) -> Mapping[str, Any]:
    """Return a cell's nbgrader metadata, empty where it has none or something odd."""
    metadata = cell.get("metadata", {}).get("nbgrader")
    return metadata if isinstance(metadata, dict) else {}


def _id(cell: NotebookNode) -> str:
    grade_id = nbgrader_metadata(cell).get("grade_id")
    return grade_id if isinstance(grade_id, str) else ""


def graded_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """Return the graded cells by id, the first of duplicates, in notebook order."""
    found: dict[str, NotebookNode] = {}
    for cell in notebook.cells:
        if nbgrader_metadata(cell).get("grade") and _id(cell):
            found.setdefault(_id(cell), cell)
    return found


def answer_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """Return the cells that students fill in by id, the first of duplicates, in order."""
    found: dict[str, NotebookNode] = {}
    for cell in notebook.cells:
        if nbgrader_metadata(cell).get("solution") and _id(cell):
            found.setdefault(_id(cell), cell)
    return found


def solution_text(source: str) -> str:
    """Return what stands between the solution marks, or the whole text where there are none."""
    lines = source.splitlines()
    kept: list[str] = []
    inside = False
    seen = False
    for line in lines:
        if BEGIN_SOLUTION in line:
            inside = seen = True
        elif END_SOLUTION in line:
            inside = False
        elif inside:
            kept.append(line)
    return "\n".join(kept).strip("\n") if seen else source.strip("\n")


def read_questions(folder: Path, assignment: str) -> tuple[Question, ...]:
    """Read the questions of all notebooks in ``folder``, by notebook name, then by position.

    A text question is a cell that is both graded and an answer; a code question is a test cell.
    The prompt is the cell named ``<question>-prompt``, or else the nearest read-only Markdown
    cell above. Raises ``NotebookError`` when there is no notebook, one cannot be read, or an id
    is used twice in the assignment.
    """
    paths = sorted(folder.glob("*.ipynb"))
    if not paths:
        raise NotebookError(
            "There is no notebook in this folder.", path=folder, hint="Author one first."
        )
    questions: list[Question] = []
    seen: dict[str, Path] = {}
    for path in paths:
        for question in _questions_of(read_notebook(path), path, assignment):
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


def _questions_of(notebook: NotebookNode, path: Path, assignment: str) -> list[Question]:
    cells = notebook.cells
    return [
        _question(cells, position, path, assignment)
        for position, cell in enumerate(cells)
        if nbgrader_metadata(cell).get("grade") and _id(cell)
    ]


def _question(cells: list[NotebookNode], position: int, path: Path, assignment: str) -> Question:
    cell = cells[position]
    metadata = nbgrader_metadata(cell)
    points = metadata.get("points")
    if isinstance(points, bool) or not isinstance(points, int | float):
        raise NotebookError(
            f"question {_id(cell)!r} (cell {position + 1}) has no points.",
            path=path,
            hint="Set them in the Create Assignment bar.",
        )
    text = bool(metadata.get("solution"))
    return Question(
        assignment=assignment,
        notebook=path.stem,
        id=_id(cell),
        kind=QuestionKind.TEXT if text else QuestionKind.CODE,
        points=float(points),
        prompt=_prompt(cells, position),
        position=position,
        model_answer=solution_text(cell.source) if text else _code_above(cells, position),
        stub=cell.source if text and BEGIN_SOLUTION not in cell.source else "",
    )


def _read_only(cell: NotebookNode) -> bool:
    metadata = nbgrader_metadata(cell)
    return not metadata.get("solution") and not metadata.get("grade")


def _prompt(cells: list[NotebookNode], position: int) -> str:
    wanted = f"{_id(cells[position])}-prompt"
    for cell in cells:
        if _id(cell) == wanted:
            return str(cell.source)
    for cell in reversed(cells[:position]):
        if cell.cell_type == "markdown" and _read_only(cell):
            return str(cell.source)
    return ""


def _code_above(cells: list[NotebookNode], position: int) -> str:
    """Return the source of the nearest answer cell above a test cell."""
    for cell in reversed(cells[:position]):
        if nbgrader_metadata(cell).get("solution"):
            return str(cell.source)
    return ""
