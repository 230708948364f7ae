"""``markbook autograde``: submitted to autograded, answers into the gradebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from markbook.cli import options, show
from markbook.cli.exits import ExitCode
from markbook.cli.progress import progress

if TYPE_CHECKING:
    from pathlib import Path

    from markbook.autograde import AutogradeReport

__all__ = ["as_json_value", "command", "tell"]


@click.command("autograde")
@options.assignment_argument
@click.option("--student", "students", multiple=True, help="Only this student (repeatable).")
@click.option("--force", is_flag=True, help="Run submissions again that did not change.")
@options.common
@options.dry_run
def command(
    assignment: str,
    students: tuple[str, ...],
    force: bool,
    course_path: Path | None,
    as_json: bool,
    dry_run: bool,
) -> int:
    """Run the submissions of ASSIGNMENT, score the test cells, and read the answers.

    A submission that did not change since it was last run is skipped, so an interrupted batch is
    finished by running it again. One that fails is named with its reason; the others go on.
    """
    from markbook.autograde import autograde
    from markbook.gradebook import Gradebook

    course = options.open_course(course_path)
    course.require(assignment)
    with Gradebook.open(course) as gb, progress("autograding", quiet=as_json) as on_event:
        report = autograde(
            course,
            gb,
            assignment,
            students or None,
            force=force,
            dry_run=dry_run,
            on_event=on_event,
        )
    if as_json:
        show.json_out(as_json_value(report))
    else:
        tell(report)
    return ExitCode.ATTENTION if needs_attention(report) else ExitCode.DONE


def needs_attention(report: AutogradeReport) -> bool:
    return any(record.findings for record in report.records)


def as_json_value(report: AutogradeReport) -> dict[str, Any]:
    return {
        "assignment": report.assignment,
        "submissions": [
            {
                "student": record.student,
                "outcome": str(record.outcome),
                "findings": list(record.findings),
            }
            for record in report.records
        ],
        "unchanged": list(report.unchanged),
        "planned": list(report.planned),
    }


def tell(report: AutogradeReport) -> None:
    if report.planned:
        show.line(f"would autograde  {', '.join(report.planned)}")
        return
    done = len(report.records) - len(report.failed)
    show.line(
        f"autograded  {show.count(done, 'submission')}"
        + (f", {len(report.unchanged)} unchanged" if report.unchanged else "")
        + (f", {len(report.failed)} failed" if report.failed else "")
    )
    for record in report.records:
        for finding in record.findings:
            show.line(f"  {record.student}: {record.outcome}: {finding}")
