"""Building ``release/<assignment>`` from ``source/<assignment>`` through nbgrader."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markbook.errors import NotebookError, RubricError
from markbook.gradebook import nbgrader
from markbook.model import Question, QuestionKind
from markbook.notebooks import nbgrader_metadata, read_notebook, read_questions
from markbook.release.leaks import check_leaks
from markbook.release.regions import check_marks
from markbook.text.files import write_atomic

if TYPE_CHECKING:
    from markbook.course import Course
    from markbook.model import Rubric

__all__ = ["ReleaseResult", "build", "publish"]


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """What a release holds; ``changed`` are the files written or removed, by name in the release.

    After a dry run they are those that would be.
    """

    assignment: str
    folder: Path
    changed: tuple[str, ...]
    questions: tuple[Question, ...]


def build(course: Course, assignment: str, *, dry_run: bool = False) -> ReleaseResult:
    """Make the student version of an assignment and save its questions in the gradebook.

    Files that would be the same are left alone. The old release stays until the new one is
    proved fine. Raises ``NotebookError`` for unbalanced solution marks, an id used twice or
    points missing, ``RubricError`` for a text question without rubric or a rubric that does not
    fit, ``InternalError`` if something hidden would be shown. A dry run writes nothing.
    """
    course.require(assignment)
    source = course.source(assignment)
    questions = _check_source(source, assignment)
    rubrics = _check_rubrics(course, assignment, questions)
    with tempfile.TemporaryDirectory(prefix="markbook-release-") as name:
        temporary = Path(name)
        db_url = f"sqlite:///{temporary / 'dry-run.db'}" if dry_run else None
        built = nbgrader.generate_assignment(
            course, assignment, temporary / "release", db_url=db_url
        )
        check_leaks(source, built, [rubric.model_answer for rubric in rubrics.values()])
        changed = _replace(built, course.release(assignment), dry_run=dry_run)
    return ReleaseResult(assignment, course.release(assignment), changed, questions)


def publish(course: Course, assignment: str) -> None:
    """Put the built release into the nbgrader exchange, replacing an earlier one.

    Raises ``NotebookError`` when it has not been built, ``CourseError`` without an exchange.
    """
    course.require(assignment)
    if not any(course.release(assignment).glob("*.ipynb")):
        raise NotebookError(
            f"The assignment {assignment!r} has no release yet.",
            path=course.release(assignment),
            hint=f"Run 'markbook release {assignment}' first.",
        )
    nbgrader.publish_assignment(course, assignment)


def _check_source(source: Path, assignment: str) -> tuple[Question, ...]:
    for path in sorted(source.glob("*.ipynb")):
        notebook = read_notebook(path)
        ids = Counter(
            str(nbgrader_metadata(cell).get("grade_id"))
            for cell in notebook.cells
            if nbgrader_metadata(cell).get("grade_id")
        )
        for name, times in ids.items():
            if times > 1:
                raise NotebookError(
                    f"The id {name!r} is used by {times} cells.",
                    path=path,
                    hint="Give each nbgrader cell its own id in the Create Assignment bar.",
                )
        check_marks(notebook, path)
    return read_questions(source, assignment)


def _check_rubrics(
    course: Course, assignment: str, questions: tuple[Question, ...]
) -> dict[str, Rubric]:
    from markbook.rubrics import load_rubrics  # pydantic and ruamel, which publish() needs not

    folder = course.rubrics(assignment)
    rubrics: dict[str, Rubric] = load_rubrics(folder) if folder.is_dir() else {}
    for question in questions:
        if question.kind is not QuestionKind.TEXT:
            continue
        path = course.rubric(assignment, question.id)
        rubric = rubrics.get(question.id)
        if rubric is None:
            raise RubricError(
                f"The text question {question.id!r} (cell {question.position + 1} of"
                f" {question.notebook}.ipynb) has no rubric.",
                path=path,
                hint="Add this file; every text question is marked by one.",
            )
        if rubric.bonus == (question.points > 0):
            raise RubricError(
                f"The question {question.id!r} has {question.points:g} points, and its rubric has"
                f" extra_credit: {rubric.extra_credit:g}; exactly one of the two must be above 0.",
                path=path,
                hint="A bonus question has 0 points in its cell and extra_credit in its rubric.",
            )
    return rubrics


def _replace(built: Path, release: Path, *, dry_run: bool) -> tuple[str, ...]:
    """Make ``release`` hold the files of ``built``; return the names of those that differed."""
    new = {_name(path, built): path for path in built.rglob("*") if path.is_file()}
    old = {_name(path, release): path for path in release.rglob("*") if path.is_file()}
    gone = [name for name in sorted(old.keys() - new.keys()) if not _of_jupyter(name)]
    changed = [
        name
        for name, path in sorted(new.items())
        if name not in old or old[name].read_bytes() != path.read_bytes()
    ]
    if not dry_run:
        for name in changed:
            write_atomic(release / name, new[name].read_bytes())
        for name in gone:
            old[name].unlink()
    return tuple(sorted([*changed, *gone]))


def _of_jupyter(name: str) -> bool:
    return ".ipynb_checkpoints" in Path(name).parts


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
