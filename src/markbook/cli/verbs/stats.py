"""``markbook stats``: the class report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from markbook.cli import options, show
from markbook.cli.exits import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from markbook.course import Course
    from markbook.statistics import StatsReport

__all__ = ["command", "tell"]


@click.command("stats")
@options.assignment_argument
@options.common
@options.dry_run
def command(assignment: str, course_path: Path | None, as_json: bool, dry_run: bool) -> int:
    """Write the class report of ASSIGNMENT: scores, criteria earned, what waits for a person.

    reports/<ASSIGNMENT>/report.html is for reading, report.json beside it has the same figures.
    """
    from markbook.gradebook import Gradebook
    from markbook.statistics import write_report
    from markbook.statistics.write import as_json as figures_as_json

    course = options.open_course(course_path)
    course.require(assignment)
    with Gradebook.open(course) as gb:
        report = write_report(course, gb, assignment, dry_run=dry_run)
    if as_json:
        show.json_out(figures_as_json(report.figures) | {"page": course.relative(report.page)})
    else:
        tell(course, report)
    return ExitCode.DONE


def tell(course: Course, report: StatsReport) -> None:
    show.line(f"report      {course.relative(report.page)}")
