"""An assignment as the checks see it: every file read once, and what cannot be read said once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from markbook.errors import NotebookError
from markbook.notebooks import nbgrader_metadata, read_notebook
from markbook.rubrics import InvalidRubric, load_rubric

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from nbformat import NotebookNode

    from markbook.course import Course
    from markbook.errors import MarkbookError
    from markbook.model import Rubric
    from markbook.release import ReleaseResult

__all__ = ["AssignmentView", "CellView", "NotebookView", "RubricView"]


@dataclass(frozen=True, slots=True)
class CellView:
    """One cell of a notebook; ``number`` counts from 1, as people do."""

    number: int
    node: NotebookNode

    @property
    def source(self) -> str:
        return str(self.node.source)

    @property
    def is_code(self) -> bool:
        return bool(self.node.cell_type == "code")

    @property
    def is_markdown(self) -> bool:
        return bool(self.node.cell_type == "markdown")

    @property
    def metadata(self) -> Mapping[str, Any]:
        """nbgrader's metadata, empty where the cell has none."""
        return nbgrader_metadata(self.node)

    @property
    def id(self) -> str:
        """nbgrader's id, or nothing."""
        found = self.metadata.get("grade_id")
        return found if isinstance(found, str) else ""

    @property
    def grade(self) -> bool:
        return self.metadata.get("grade") is True

    @property
    def solution(self) -> bool:
        return self.metadata.get("solution") is True

    @property
    def locked(self) -> bool:
        return self.metadata.get("locked") is True

    @property
    def task(self) -> bool:
        return self.metadata.get("task") is True

    @property
    def points(self) -> float | None:
        """The maximum, or None where nothing that is a number says it."""
        found = self.metadata.get("points")
        number = isinstance(found, int | float) and not isinstance(found, bool)
        return float(found) if number else None  # type: ignore[arg-type]

    @property
    def is_text_question(self) -> bool:
        return self.grade and self.solution and self.is_markdown

    @property
    def is_test(self) -> bool:
        return self.grade and not self.solution and self.is_code


class NotebookView:
    """One notebook file. ``problem`` is why it cannot be read, and then it has no cells."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        return self.path.stem

    @cached_property
    def _read(self) -> NotebookNode | NotebookError:
        try:
            return read_notebook(self.path)
        except NotebookError as error:
            return error

    @property
    def problem(self) -> NotebookError | None:
        return self._read if isinstance(self._read, NotebookError) else None

    @property
    def notebook(self) -> NotebookNode:
        """The notebook; raises ``NotebookError`` where there is a ``problem``."""
        if isinstance(self._read, NotebookError):
            raise self._read
        return self._read

    @cached_property
    def document(self) -> dict[str, Any]:
        """The notebook's JSON as it stands: nbformat mends ids while it reads."""
        document: dict[str, Any] = json.loads(self.path.read_bytes().decode("utf-8-sig"))
        return document

    @cached_property
    def cells(self) -> tuple[CellView, ...]:
        if self.problem is not None:
            return ()
        return tuple(CellView(n, cell) for n, cell in enumerate(self.notebook.cells, start=1))

    @property
    def graded(self) -> tuple[CellView, ...]:
        return tuple(cell for cell in self.cells if cell.grade and cell.id)


class RubricView:
    """One rubric file. ``problem`` is all that is wrong in it, and then there is no rubric."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def question(self) -> str:
        """The question that the file's name says."""
        return self.path.stem

    @cached_property
    def _read(self) -> Rubric | InvalidRubric:
        try:
            return load_rubric(self.path)
        except InvalidRubric as error:
            return error

    @property
    def problem(self) -> InvalidRubric | None:
        return self._read if isinstance(self._read, InvalidRubric) else None

    @property
    def rubric(self) -> Rubric:
        """The rubric; raises ``InvalidRubric`` where there is a ``problem``."""
        if isinstance(self._read, InvalidRubric):
            raise self._read
        return self._read

    @cached_property
    def lines(self) -> tuple[str, ...]:
        return tuple(self.path.read_bytes().decode("utf-8", "replace").splitlines())


class AssignmentView:
    """One assignment: its source, its release where it has one, and its rubrics.

    ``rehearsal`` gives what a release would do, if it was started beforehand.
    """

    def __init__(self, course: Course, name: str) -> None:
        self.course = course
        self.name = name
        self.rehearsal: Future[dict[str, ReleaseResult | MarkbookError]] | None = None

    @property
    def source(self) -> Path:
        return self.course.source(self.name)

    @property
    def release(self) -> Path:
        return self.course.release(self.name)

    @cached_property
    def notebooks(self) -> tuple[NotebookView, ...]:
        return _notebooks(self.source)

    @cached_property
    def released(self) -> Mapping[str, NotebookView]:
        """The released notebooks by name, none before the first release."""
        return {view.name: view for view in _notebooks(self.release)}

    @cached_property
    def rubrics(self) -> Mapping[str, RubricView]:
        """The rubric files by the question that their name says."""
        folder = self.course.rubrics(self.name)
        if not folder.is_dir():
            return {}
        paths = sorted(p for p in folder.iterdir() if p.suffix in (".yaml", ".yml"))
        return {path.stem: RubricView(path) for path in paths if not path.name.startswith(".")}

    @property
    def sound(self) -> bool:
        """Tell whether every file can be read, so that checks across files mean something."""
        notebooks = (*self.notebooks, *self.released.values())
        return all(view.problem is None for view in notebooks) and all(
            view.problem is None for view in self.rubrics.values()
        )


def _notebooks(folder: Path) -> tuple[NotebookView, ...]:
    if not folder.is_dir():
        return ()
    paths = sorted(p for p in folder.glob("*.ipynb") if not p.name.startswith("."))
    return tuple(NotebookView(path) for path in paths)
