"""``markbook export``: scores or the audit as a file."""

from __future__ import annotations

from pathlib import Path

import click

from markbook.cli import options, show
from markbook.cli.exits import ExitCode

__all__ = ["command"]

_NAMES = {"audit": "audit.jsonl"}


@click.command("export")
@options.assignment_argument
@click.option("--format", "fmt", default="csv", show_default=True, help="csv, json or audit.")
@click.option(
    "--to",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write (default: in reports/<ASSIGNMENT>/).",
)
@options.common
@options.dry_run
def command(
    assignment: str,
    fmt: str,
    path: Path | None,
    course_path: Path | None,
    as_json: bool,
    dry_run: bool,
) -> int:
    """Write the scores of ASSIGNMENT (csv, json) or its audit (one event a line) as a file.

    'nbgrader export' works too, and has nbgrader's columns.
    """
    from markbook.export import export_scores
    from markbook.gradebook import Gradebook

    course = options.open_course(course_path)
    course.require(assignment)
    target = path or course.reports(assignment) / _NAMES.get(fmt, f"scores.{fmt}")
    if dry_run:
        show.line(f"would write {course.relative(target)}")
        return ExitCode.DONE
    with Gradebook.open(course) as gb:
        report = export_scores(course, gb, assignment, fmt, target)
    name = course.relative(report.path)
    if as_json:
        show.json_out({"path": name, "format": fmt, "changed": report.changed})
    else:
        show.line(f"exported    {name}" + ("" if report.changed else " (unchanged)"))
    return ExitCode.DONE
