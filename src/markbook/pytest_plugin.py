"""Assignments as tests: ``pytest source graders`` runs every check, an item for each.

Loaded by pytest wherever Markbook is installed, so nothing of it is imported before a course's
own notebook or rubric is collected.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from markbook.checks import AssignmentView, Check, Examination
    from markbook.course import Course

__all__ = [
    "CheckFile",
    "CheckItem",
    "pytest_collect_file",
    "pytest_collection_modifyitems",
    "pytest_ignore_collect",
]

_ENDINGS = (".ipynb", ".yaml", ".yml")
_STUDENT_FOLDERS = ("submitted", "autograded", "feedback")  # a course could rename them: few do


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("markbook")
    group.addoption("--markbook-select", action="append", default=[], metavar="CODE",
                    help="of Markbook's checks, only these")  # fmt: skip
    group.addoption("--markbook-ignore", action="append", default=[], metavar="CODE",
                    help="of Markbook's checks, not these")  # fmt: skip


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Keep pytest out of a course's folders of submissions: a ``conftest.py`` there is code."""
    if collection_path.name not in _STUDENT_FOLDERS:
        return None
    from markbook.course import CONFIG_NAME

    return True if (collection_path.parent / CONFIG_NAME).is_file() else None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> CheckFile | None:
    """Collect the notebooks below a course's source folder and the rubrics below its graders."""
    if file_path.suffix not in _ENDINGS:
        return None
    root = _course_root(file_path.parent)
    if root is None or ".ipynb_checkpoints" in file_path.parts:
        return None
    assignment = _assignment_of(root, file_path)
    if assignment is None:
        return None
    file: CheckFile = CheckFile.from_parent(parent, path=file_path)
    file.root, file.assignment = root, assignment
    return file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what runs code behind what only reads; everything else keeps its place."""
    slow: list[pytest.Item] = [
        item for item in items if isinstance(item, CheckItem) and item.examination.check.slow
    ]
    if slow:
        behind = set(map(id, slow))
        items[:] = [item for item in items if id(item) not in behind] + slow


class CheckFile(pytest.File):
    """A notebook or a rubric, and the checks that look at it."""

    root: Path
    assignment: str

    def collect(self) -> Iterator[CheckItem]:
        from markbook.checks import choose, examinations

        view = _view(self.root, self.assignment)
        checks = choose(
            self.config.getoption("--markbook-select"), self.config.getoption("--markbook-ignore")
        )
        for examination in examinations(view, _of_this_file(checks, view, self.path)):
            if not _belongs(examination, view, self.path):
                continue
            check = examination.check
            name = f"{check.code}-{check.name}"
            if examination.target.name:
                name = f"{name}[{examination.target.name}]"
            # Said as text: pytest 9.2 tells a name's brackets from the name only then, and --lf
            # would not find again what it remembers.
            item: CheckItem = CheckItem.from_parent(
                self, name=name, nodeid=f"{self.nodeid}::{name}"
            )
            item.examination = examination
            yield item


class CheckItem(pytest.Item):
    """One check on one notebook, question or rubric."""

    examination: Examination

    def runtest(self) -> None:
        from markbook.checks import Severity

        found = self.examination.run()
        errors = [each for each in found if each.severity is Severity.ERROR]
        for each in found:
            if each.severity is not Severity.ERROR:
                self.add_report_section("call", str(each.severity), self._told([each]))
        if errors:
            raise CheckFailed(self._told(errors))

    def _told(self, findings: list[Any]) -> str:
        from markbook.checks.formats import as_text

        return as_text(self.examination.target.assignment.course, findings)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        if isinstance(excinfo.value, CheckFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{self.path.name}: {self.name}"


class CheckFailed(Exception):  # noqa: N818  (the check did its work)
    """What the check found, as text."""


def _of_this_file(checks: tuple[Check, ...], view: AssignmentView, path: Path) -> tuple[Check, ...]:
    """Leave the checks of the whole assignment to its first file: each is to run once."""
    from markbook.checks import Scope

    if path == _first(view):
        return checks
    return tuple(check for check in checks if check.scope is not Scope.ASSIGNMENT)


def _first(view: AssignmentView) -> Path | None:
    return next((notebook.path for notebook in view.notebooks), None)


def _belongs(examination: Examination, view: AssignmentView, path: Path) -> bool:
    from markbook.checks import Scope

    if examination.check.scope is Scope.ASSIGNMENT:
        return path == _first(view)
    return examination.target.path == path


@cache
def _view(root: Path, assignment: str) -> AssignmentView:
    from markbook.checks import AssignmentView

    return AssignmentView(_course(root), assignment)


@cache
def _course(root: Path) -> Course:
    from markbook.course import Course

    return Course.open(root)


@cache
def _course_root(folder: Path) -> Path | None:
    if not any((each / "nbgrader_config.py").is_file() for each in (folder, *folder.parents)):
        return None
    from markbook.course.nearest import nearest_course
    from markbook.errors import CourseError

    try:
        return nearest_course(folder)
    except CourseError:  # it lies among somebody's submissions
        return None


def _assignment_of(root: Path, path: Path) -> str | None:
    """Return the assignment whose source or graders folder holds ``path`` directly."""
    try:
        course = _course(root)
    except Exception:  # noqa: BLE001  (a foreign folder's configuration is not ours to judge here)
        return None
    notebook = path.suffix == ".ipynb"
    for name in course.assignments():
        home = course.source(name) if notebook else course.rubrics(name)
        if path.parent == home:
            return name
    return None
