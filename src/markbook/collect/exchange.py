"""Collecting from nbgrader's exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markbook.course import Course

__all__ = ["collect_exchange"]


def collect_exchange(course: Course, assignment: str) -> tuple[str, ...]:
    """Collect the newest submissions from the exchange; return the students that have one.

    Raises ``UnknownName`` for the assignment, ``CourseError`` without an exchange, and
    ``NothingMatched`` when nobody has submitted.
    """
    course.require(assignment)
    from markbook.gradebook.nbgrader import collect

    return collect(course, assignment)
