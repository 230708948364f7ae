"""Collecting from nbgrader's exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markbook.course import Course
    from markbook.gradebook.nbgrader import Exchanged

__all__ = ["collect_exchange"]


def collect_exchange(course: Course, assignment: str) -> Exchanged:
    """Collect the newest submissions from the exchange: whose there were, and which were refused.

    Raises ``UnknownName`` for the assignment, ``CourseError`` without an exchange, and
    ``NothingMatched`` when nobody has submitted.
    """
    course.require(assignment)
    from markbook.gradebook.nbgrader import collect

    return collect(course, assignment)
