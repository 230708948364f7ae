"""``markbook feedback``: a page for every student."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from markbook.cli import options, show
from markbook.cli.exits import ExitCode
from markbook.cli.progress import progress

if TYPE_CHECKING:
    from pathlib import Path

    from markbook.course import Course
    from markbook.feedback import FeedbackReport

__all__ = ["as_json_value", "command", "tell"]


@click.command("feedback")
@options.assignment_argument
@click.option("--student", "students", multiple=True, help="Only this student (repeatable).")
@click.option("--model-answers", is_flag=True, help="Show the model answers to students.")
@click.option("--publish", is_flag=True, help="Also put the pages into the nbgrader exchange.")
@options.common
@options.dry_run
def command(  # noqa: PLR0913  (a verb's options)
    assignment: str,
    students: tuple[str, ...],
    model_answers: bool,
    publish: bool,
    course_path: Path | None,
    as_json: bool,
    dry_run: bool,
) -> int:
    """Write each student's feedback for ASSIGNMENT, where nbgrader expects it.

    One self-contained page a student and notebook: what was asked, what was answered, which
    criteria were earned on what evidence, and the score. What is not marked yet says so.
    """
    from markbook.feedback import write_feedback
    from markbook.gradebook import Gradebook, nbgrader

    course = options.open_course(course_path)
    course.require(assignment)
    with Gradebook.open(course) as gb, progress("writing feedback", quiet=as_json) as on_event:
        report = write_feedback(
            course,
            gb,
            assignment,
            students=students or None,
            show_model_answers=model_answers,
            dry_run=dry_run,
            on_event=on_event,
        )
    published = nbgrader.publish_feedback(course, assignment) if publish and not dry_run else ()
    if as_json:
        show.json_out(as_json_value(course, report) | {"published": list(published)})
    else:
        tell(course, report)
        if published:
            show.line(f"published   the feedback of {show.count(len(published), 'student')}")
    return ExitCode.ATTENTION if report.problems or report.waiting else ExitCode.DONE


def as_json_value(course: Course, report: FeedbackReport) -> dict[str, Any]:
    return {
        "assignment": report.assignment,
        "pages": [course.relative(path) for path in report.pages],
        "changed": [course.relative(path) for path in report.changed],
        "waiting": report.waiting,
        "problems": list(report.problems),
    }


def tell(course: Course, report: FeedbackReport) -> None:
    fresh = [path for path in report.changed if path.suffix == ".html"]
    show.line(
        f"feedback    {show.count(len(report.pages), 'page')}, {len(fresh)} written anew;"
        f" {show.count(report.waiting, 'answer')} not marked yet"
    )
    for problem in report.problems:
        show.line(f"  {problem}")
    if report.pages:
        show.line(f"            {course.relative(report.pages[0])} and its neighbours")
