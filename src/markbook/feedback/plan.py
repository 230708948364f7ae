"""What an assignment asks, in the order of the page: the same for every student."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markbook.feedback.secrets import Secrets, find_secrets
from markbook.model import QuestionKind
from markbook.notebooks import (
    NBGRADERS,
    Delimiters,
    answer_cells,
    nbgrader_metadata,
    read_notebook,
    read_questions,
)
from markbook.text.titles import humanise, split_title

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode

    from markbook.model import Question

__all__ = ["Item", "Notebook", "read_plan"]


@dataclass(frozen=True, slots=True)
class Item:
    """One numbered part of a page: a text question, or an exercise with its test cells.

    ``answer`` is the id of the cell that the student filled in, ``in_code`` whether that is a
    code cell: always for an exercise, and for a text question that people mark code by.
    """

    number: int
    answer: str
    title: str
    prompt: str
    questions: tuple[Question, ...]
    in_code: bool = False

    @property
    def is_code(self) -> bool:
        return self.questions[0].kind is QuestionKind.CODE

    @property
    def points(self) -> float:
        return sum(question.points for question in self.questions)


@dataclass(frozen=True, slots=True)
class Notebook:
    """One notebook of the assignment, and the title that it gives itself.

    ``secrets`` are what no output may tell.
    """

    name: str
    title: str
    items: tuple[Item, ...]
    secrets: Secrets = field(default_factory=Secrets)


def read_plan(
    folder: Path, assignment: str, delimiters: Delimiters = NBGRADERS
) -> tuple[Notebook, ...]:
    """Read the authored notebooks in ``folder``; raises ``NotebookError``."""
    questions = read_questions(folder, assignment, delimiters)
    names = dict.fromkeys(question.notebook for question in questions)
    return tuple(
        _notebook(
            folder / f"{name}.ipynb", [q for q in questions if q.notebook == name], delimiters
        )
        for name in names
    )


def _notebook(path: Path, questions: list[Question], delimiters: Delimiters) -> Notebook:
    notebook = read_notebook(path)
    groups: dict[str, list[Question]] = {}
    for question in questions:
        groups.setdefault(_answer_id(notebook, question), []).append(question)
    code = {name for name, cell in answer_cells(notebook).items() if cell.cell_type == "code"}
    items = tuple(
        _item(number, answer, tuple(group), in_code=answer in code)
        for number, (answer, group) in enumerate(groups.items(), start=1)
    )
    secrets = find_secrets((str(cell.source) for cell in notebook.cells), delimiters)
    return Notebook(path.stem, _title(notebook, questions[0].assignment), items, secrets)


def _item(number: int, answer: str, questions: tuple[Question, ...], *, in_code: bool) -> Item:
    title, prompt = split_title(questions[0].prompt)
    return Item(number, answer, title or humanise(answer), prompt, questions, in_code)


def _answer_id(notebook: NotebookNode, question: Question) -> str:
    """Return the id of the cell that a question grades: itself, or the answer above its tests."""
    if question.kind is QuestionKind.TEXT:
        return question.id
    for cell in reversed(notebook.cells[: question.position]):
        metadata = nbgrader_metadata(cell)
        if metadata.get("solution") and metadata.get("grade_id"):
            return str(metadata["grade_id"])
    return question.id


def _title(notebook: NotebookNode, assignment: str) -> str:
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.lstrip().startswith("# "):
            return split_title(str(cell.source))[0] or humanise(assignment)
    return humanise(assignment)
