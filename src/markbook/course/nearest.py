"""Which folder above a place is its course, found without running a student's configuration."""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING

from markbook.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["CONFIG_NAME", "STUDENT_FOLDERS", "nearest_course"]

CONFIG_NAME = "nbgrader_config.py"

STUDENT_FOLDERS = ("submitted", "autograded", "feedback")
"""The steps whose folders hold what students wrote, by nbgrader's own names."""


def nearest_course(here: Path) -> Path | None:
    """Return the nearest folder at or above ``here`` with a configuration, or None.

    One below the students' folders of a course above is not taken. Raises ``CourseError`` where
    the course above is somebody else's: its configuration is not run unasked either.
    """
    found = [folder for folder in (here, *here.parents) if (folder / CONFIG_NAME).is_file()]
    for number, folder in enumerate(found):
        above = [outer for outer in found[number + 1 :] if _is_students(folder, outer)]
        if not above:
            return folder
        if (above[0] / CONFIG_NAME).stat().st_uid != os.geteuid():
            raise CourseError(
                f"{folder / CONFIG_NAME} lies among the submissions of {above[0]}, and is not"
                " read.",
                hint="Name the course with --course.",
            )
    return None


def _is_students(folder: Path, course: Path) -> bool:
    """Tell whether ``folder`` lies where ``course`` keeps what students wrote."""
    inside = folder.relative_to(course)
    return any(inside.is_relative_to(name) for name in (*STUDENT_FOLDERS, *_renamed(course)))


def _renamed(course: Path) -> Iterator[str]:
    """Yield the students' folders that a configuration names, by reading it without running it."""
    try:
        tree = ast.parse((course / CONFIG_NAME).read_bytes())
    except (OSError, ValueError, SyntaxError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            names = [target.attr for target in node.targets if isinstance(target, ast.Attribute)]
            if any(name == f"{step}_directory" for name in names for step in STUDENT_FOLDERS):
                yield os.path.normpath(str(node.value.value))
