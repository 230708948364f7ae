"""Reading what an assignment's submissions are graded against, once for all of them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from markbook.autograde.prepared import prepare
from markbook.autograde.settings import file_rules, read_settings
from markbook.autograde.values import Master
from markbook.errors import CourseError, NotebookError
from markbook.kernels.specs import other_python
from markbook.notebooks import read_questions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.model import MasterNotebook

__all__ = ["read_master"]

_HINT = "To let nbgrader itself run it: --engine nbgrader."


def read_master(course: Course, gb: Gradebook, assignment: str) -> Master:
    """Read an assignment's master.

    Raises ``NotebookError`` before the assignment is released and for a release that does not fit
    the gradebook, ``CourseError`` for settings that cannot be followed.
    """
    release = course.release(assignment)
    paths = sorted(release.glob("*.ipynb"))
    if not paths or not gb.released(assignment):
        raise NotebookError(
            f"The assignment {assignment!r} has not been released from this course folder.",
            path=release,
            hint=f"Run 'markbook release {assignment}' first.",
        )
    notebooks = gb.master(assignment)
    for notebook in notebooks:
        _require_python(course, notebook)
    unknown = {path.stem for path in paths} - {notebook.name for notebook in notebooks}
    if unknown:
        raise NotebookError(
            f"The gradebook does not know the notebook {min(unknown)}.ipynb of the release.",
            path=release,
            hint=f"Build it again with 'markbook release {assignment}'.",
        )
    master = Master(
        assignment=assignment,
        notebooks=notebooks,
        questions=read_questions(release, assignment),
        released={path.stem: path.read_bytes() for path in paths},
        sources=_sources(course, assignment, notebooks),
        helpers=_helpers(course, assignment),
        settings=read_settings(course),
    )
    prepare(master)  # now, so that a release that does not fit is said once and not per student
    return master


def _sources(
    course: Course, assignment: str, notebooks: Sequence[MasterNotebook]
) -> dict[str, bytes]:
    folder = course.source(assignment)
    paths = {notebook.name: folder / f"{notebook.name}.ipynb" for notebook in notebooks}
    return {name: path.read_bytes() for name, path in paths.items() if path.is_file()}


def _helpers(course: Course, assignment: str) -> dict[str, bytes]:
    rules = file_rules(course, assignment)
    source = course.source(assignment)
    return {
        name: path.read_bytes()
        for path in sorted(source.rglob("*"))
        if path.is_file()
        and (name := path.relative_to(source).as_posix()) not in rules.keep
        and not rules.leaves_behind(name)
    }


def _require_python(course: Course, notebook: MasterNotebook) -> None:
    """Refuse what would run otherwise here than where the notebook says."""
    if not any(cell.cell_type == "code" for cell in notebook.cells):
        return
    kernelspec = json.loads(notebook.kernelspec or "{}") or {}
    language = str(kernelspec.get("language", "python"))
    if language != "python":
        raise CourseError(
            f"{notebook.name}.ipynb of {course.root} is written in {language}; Markbook's own"
            " autograding runs Python only.",
            hint=_HINT,
        )
    kernel = str(kernelspec.get("name", ""))
    other = other_python(kernel)
    if other is not None:
        raise CourseError(
            f"{notebook.name}.ipynb of {course.root} wants the kernel {kernel!r}, which is"
            f" {other}; Markbook runs code with the Python that it is installed in,"
            f" {sys.executable}.",
            hint=f"Install Markbook there, or choose the kernel python3. {_HINT}",
        )
