"""Building ``release/<assignment>`` from ``source/<assignment>`` through nbgrader."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markbook.errors import MarkbookError, NotebookError, RubricError
from markbook.gradebook import nbgrader
from markbook.model import Question, QuestionKind
from markbook.notebooks import Delimiters, nbgrader_metadata, read_notebook, read_questions
from markbook.release.leaks import check_leaks
from markbook.release.regions import check_marks
from markbook.text.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markbook.course import Course
    from markbook.model import Rubric

__all__ = ["ReleaseResult", "build", "publish", "rehearse"]


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """What a release holds; ``changed`` are the files written or removed, by name in the release.

    After a dry run or a rehearsal they are those that would be.
    """

    assignment: str
    folder: Path
    changed: tuple[str, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    """An assignment that may be built: what was read of it before."""

    course: Course
    assignment: str
    questions: tuple[Question, ...]
    model_answers: tuple[str, ...]


def build(course: Course, assignment: str, *, dry_run: bool = False) -> ReleaseResult:
    """Make the student version of an assignment and save its questions in the gradebook.

    Files that would be the same are left alone. The old release stays until the new one is
    proved fine. Raises ``NotebookError`` for unbalanced solution marks, an id used twice or
    points missing, ``RubricError`` for a text question without rubric or a rubric that does not
    fit, ``InternalError`` if something hidden would be shown. A dry run writes nothing, and asks
    nothing of the gradebook.
    """
    if dry_run:
        result = rehearse(course, [assignment])[assignment]
        if isinstance(result, MarkbookError):
            raise result
        return result
    plan = _plan(course, assignment)
    with tempfile.TemporaryDirectory(prefix="markbook-release-") as name:
        built = nbgrader.generate_assignment(course, assignment, Path(name) / "release")
        return _finish(plan, built, dry_run=False)


def rehearse(
    course: Course, assignments: Sequence[str]
) -> dict[str, ReleaseResult | MarkbookError]:
    """Tell for each assignment what ``build`` would change, or why it would refuse.

    nbgrader builds all of them in one process, in a temporary folder and without a gradebook.
    Raises ``InternalError`` when that process ends before it is done.
    """
    results: dict[str, ReleaseResult | MarkbookError] = {}
    plans: dict[str, _Plan] = {}
    for name in assignments:
        try:
            plans[name] = _plan(course, name)
        except MarkbookError as error:
            results[name] = error
    if not plans:
        return results
    with tempfile.TemporaryDirectory(prefix="markbook-release-") as folder:
        for name, built in nbgrader.generate_unsaved(course, list(plans), Path(folder)):
            results[name] = _compared(plans[name], built)
    return results


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


def _plan(course: Course, assignment: str) -> _Plan:
    """Read what is to be built. Raises what ``build`` raises for a wrong source or rubric."""
    course.require(assignment)
    questions = _check_source(course, assignment)
    rubrics = _check_rubrics(course, assignment, questions)
    answers = tuple(rubric.model_answer for rubric in rubrics.values())
    return _Plan(course, assignment, questions, answers)


def _compared(plan: _Plan, built: Path | MarkbookError) -> ReleaseResult | MarkbookError:
    if isinstance(built, MarkbookError):
        return built
    try:
        return _finish(plan, built, dry_run=True)
    except MarkbookError as error:
        return error


def _finish(plan: _Plan, built: Path, *, dry_run: bool) -> ReleaseResult:
    """Prove that what was built hides what it should, and put it in the release's place."""
    course, name = plan.course, plan.assignment
    delimiters = Delimiters.of(course.setting)
    check_leaks(course.source(name), built, plan.model_answers, delimiters)
    changed = _replace(built, course.release(name), dry_run=dry_run)
    return ReleaseResult(name, course.release(name), changed, plan.questions)


def _check_source(course: Course, assignment: str) -> tuple[Question, ...]:
    source, delimiters = course.source(assignment), Delimiters.of(course.setting)
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
        check_marks(notebook, path, delimiters)
    return read_questions(source, assignment, delimiters)


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
