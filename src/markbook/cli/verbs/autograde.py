"""``markbook autograde``: submitted to autograded, scores and answers into the gradebook."""

from __future__ import annotations

import functools
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

import click

from markbook.cli import options, show
from markbook.cli.exits import ExitCode
from markbook.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from markbook.autograde import AutogradeReport, Options
    from markbook.autograde.values import Isolation

__all__ = ["as_json_value", "command", "grading_options", "open_workers", "options_of", "tell"]

F = TypeVar("F", bound="Callable[..., Any]")


def grading_options(function: F) -> F:
    """Add the options that say how and where submissions are graded."""
    found = (
        click.option(
            "--executor",
            "executor_name",
            metavar="NAME",
            help="Where: processes (a worker for each core, the default), serial, or dask.",
        ),
        click.option("--workers", type=click.IntRange(min=1), help="How many submissions at once."),
        click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler: its workers grade."),
        click.option(
            "--engine",
            type=click.Choice(["markbook", "nbgrader"]),
            default="markbook",
            help="Let nbgrader's own autograder do it.",
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0),
            metavar="SECONDS",
            help="For each cell, instead of the course's (0: none).",
        ),
        click.option("--run-all", is_flag=True, help="Run code also where none is scored."),
        click.option(
            "--isolation",
            type=click.Choice(["auto", "bwrap", "none"]),
            help="How students' code is locked up (default: the course's, auto); none: not at all.",
        ),
    )
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(found), function)


def options_of(
    engine: str, timeout: float | None, run_all: bool, isolation: Isolation | None
) -> Options:
    from markbook.autograde import Options

    return Options(
        engine="nbgrader" if engine == "nbgrader" else "markbook",
        timeout=timeout,
        run_all=run_all,
        isolation=isolation,
    )


def open_workers(
    name: str | None, workers: int | None, scheduler: str | None, engine: str, *, idle: bool
) -> AbstractContextManager[Any]:
    """Open the executor that the options ask for; none of them where nothing is graded by one."""
    from markbook.errors import UsageError
    from markbook.executors import open_executor

    if engine == "nbgrader" and (name or workers or scheduler):
        raise UsageError(
            "nbgrader's own autograder runs one submission after another, in a process of its own.",
            hint="Leave --executor, --workers and --scheduler away, or --engine.",
        )
    if idle or engine == "nbgrader":
        return open_executor("serial")
    return open_executor(name, workers=workers, address=scheduler)


@click.command("autograde")
@options.assignment_argument
@click.option("--student", "students", multiple=True, help="Only this student (repeatable).")
@click.option("--force", is_flag=True, help="Run submissions again that did not change.")
@grading_options
@options.common
@options.dry_run
def command(  # noqa: PLR0913  (a verb's options)
    assignment: str,
    students: tuple[str, ...],
    force: bool,
    executor_name: str | None,
    workers: int | None,
    scheduler: str | None,
    engine: str,
    timeout: float | None,
    run_all: bool,
    isolation: Isolation | None,
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
    with (
        Gradebook.open(course) as gb,
        open_workers(executor_name, workers, scheduler, engine, idle=dry_run) as executor,
        progress("autograding", quiet=as_json) as on_event,
    ):
        report = autograde(
            course,
            gb,
            assignment,
            students or None,
            force=force,
            dry_run=dry_run,
            options=options_of(engine, timeout, run_all, isolation),
            executor=executor,
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
                "repairs": list(record.repairs),
                "unverified": list(record.unverified),
                "seconds": {phase: round(took, 6) for phase, took in record.seconds.items()},
            }
            for record in report.records
        ],
        "unchanged": list(report.unchanged),
        "planned": list(report.planned),
        "totals": report.totals,
        "seconds": round(report.seconds, 3),
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
    unverified = Counter(name for record in report.records for name in record.unverified)
    for name, count in sorted(unverified.items()):
        show.line(f"  not verified: the points of {name}, in {show.count(count, 'submission')}")
