"""Reading a student's answers out of the autograded notebooks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from markbook.model import Answer, AnswerStatus, Question, QuestionKind
from markbook.notebooks import answer_cells, graded_cells, nbgrader_metadata, read_notebook

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nbformat import NotebookNode

__all__ = ["SIDECAR", "answer_texts", "find_answers", "read_answers", "read_sidecar"]

SIDECAR = "collected.json"
"""What the collector of papers says about each question, beside the submission."""


def read_answers(
    questions: Sequence[Question], release: Path, autograded: Path, student: str
) -> tuple[Answer, ...]:
    """Return the student's answer to every question, in the order of the questions.

    ``release`` and ``autograded`` are folders of notebooks. An answer is blank if it is as
    released or empty; not asked if the student's paper did not hold the question (it never holds
    an exercise in code); missing if the notebook or the cell is gone. A code answer is the text of
    the answer cells above its test. Raises ``NotebookError`` for a notebook that cannot be read.
    """
    names = sorted({question.notebook for question in questions})
    released = {name: answer_texts(read_notebook(release / f"{name}.ipynb")) for name in names}
    written = {
        name: answer_texts(read_notebook(autograded / f"{name}.ipynb"))
        for name in names
        if (autograded / f"{name}.ipynb").is_file()
    }
    sidecar = autograded / SIDECAR
    told = read_sidecar(sidecar.read_bytes() if sidecar.is_file() else None)
    return find_answers(questions, released, written, told, student)


def find_answers(
    questions: Sequence[Question],
    released: Mapping[str, Mapping[str, str]],
    written: Mapping[str, Mapping[str, str]],
    told: Mapping[str, str],
    student: str,
) -> tuple[Answer, ...]:
    """Do as ``read_answers`` with values: of each notebook its ``answer_texts``, and the sidecar.

    A notebook that was not handed in is not in ``written``, a cell that is gone not in its texts.
    """
    return tuple(
        _answer(
            question,
            student,
            released[question.notebook].get(question.id),
            written.get(question.notebook, {}).get(question.id),
            not_asked=_not_asked(question, told),
        )
        for question in questions
    )


def _answer(
    question: Question,
    student: str,
    stub: str | None,
    text: str | None,
    *,
    not_asked: bool,
) -> Answer:
    if text is None:
        status = AnswerStatus.MISSING
    elif text.strip() and text.strip() != (stub or "").strip():
        status = AnswerStatus.ANSWERED
    else:
        status = AnswerStatus.NOT_ASKED if not_asked else AnswerStatus.BLANK
    blank_text = status is not AnswerStatus.ANSWERED and question.kind is QuestionKind.TEXT
    return Answer(
        assignment=question.assignment,
        notebook=question.notebook,
        question=question.id,
        student=student,
        text="" if text is None or blank_text else text,
        status=status,
    )


def answer_texts(notebook: NotebookNode) -> dict[str, str]:
    """Return the text of each question in a notebook; a question without its cells is not in."""
    answers = answer_cells(notebook)
    texts = {name: str(cell.source) for name, cell in graded_cells(notebook).items()}
    code = _code_texts(notebook)
    return {
        name: text if name in answers else code[name]
        for name, text in texts.items()
        if name in answers or name in code
    }


def _code_texts(notebook: NotebookNode) -> dict[str, str]:
    """Return for each test cell the answer cells above it; tests in a row share theirs."""
    found: dict[str, str] = {}
    group: list[str] = []
    tested = False
    for cell in notebook.cells:
        metadata = nbgrader_metadata(cell)
        if metadata.get("solution") and not metadata.get("grade"):
            group = [str(cell.source)] if tested else [*group, str(cell.source)]
            tested = False
        elif metadata.get("grade") and not metadata.get("solution"):
            tested = True
            if group:
                found.setdefault(str(metadata.get("grade_id")), "\n\n".join(group))
    return found


def _not_asked(question: Question, told: Mapping[str, str]) -> bool:
    """Tell whether the paper did not hold the question; papers hold no exercises in code."""
    if question.kind is QuestionKind.CODE:
        return bool(told)
    return told.get(question.id) == AnswerStatus.NOT_ASKED


def read_sidecar(data: bytes | None) -> Mapping[str, str]:
    """Return what the collector's sidecar tells of each question; nothing where it is no paper."""
    if data is None:
        return {}
    try:
        answers = json.loads(data)["answers"]
        return {str(name): str(said["status"]) for name, said in answers.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}  # a submission from the exchange has none, or a file that merely looks alike
