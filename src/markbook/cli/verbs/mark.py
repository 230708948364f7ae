"""``markbook mark``: people decide, on the page, in the terminal or in bulk by a stated rule."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from markbook.cli import options, show
from markbook.cli.exits import ExitCode
from markbook.errors import UsageError

if TYPE_CHECKING:
    from markbook.course import Course
    from markbook.marking import AcceptReport, ImportReport

__all__ = ["as_json_value", "command", "tell"]


@click.command("mark")
@options.assignment_argument
@click.option("--accept", "rule", help="Turn the suggestions this rule covers into marks.")
@click.option(
    "--from",
    "decisions",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Take in marks that a person made elsewhere (JSON lines).",
)
@click.option("--replace", is_flag=True, help="With --from: replace what other people marked.")
@click.option("--marker", help="Who marks (default: the user of this machine).")
@click.option("--question", "questions", multiple=True, help="Only this question (repeatable).")
@click.option("--terminal", is_flag=True, help="Mark here in the terminal, without a browser.")
@click.option("--again", is_flag=True, help="With --terminal: also show what is marked already.")
@click.option("--no-browser", is_flag=True, help="Only print the page's address.")
@click.option("--progress", "only_progress", is_flag=True, help="Only tell how far marking is.")
@options.common
@options.dry_run
def command(  # noqa: PLR0913  (a verb's options)
    assignment: str,
    rule: str | None,
    decisions: Path | None,
    replace: bool,
    marker: str | None,
    questions: tuple[str, ...],
    terminal: bool,
    again: bool,
    no_browser: bool,
    only_progress: bool,
    course_path: Path | None,
    as_json: bool,
    dry_run: bool,
) -> int:
    """Mark what waits for a person in ASSIGNMENT, on a page in the browser.

    The page is served by this machine, for this machine, until Ctrl-C. With --accept, suggestions
    become marks by a rule instead, such as "confidence >= 0.9": it covers an answer when it holds
    for the least sure of its criteria. What a person decided is never touched. Names are hidden
    until you ask for one.
    """
    from markbook.gradebook import Gradebook

    course = options.open_course(course_path)
    course.require(assignment)
    with Gradebook.open(course) as gb:
        if decisions is not None:
            from markbook.marking import import_marks

            imported = import_marks(
                course,
                gb,
                assignment,
                decisions,
                marker=marker,
                replace_others=replace,
                dry_run=dry_run,
            )
            _show_import(imported, decisions, as_json=as_json)
            return ExitCode.ATTENTION if imported.problems else ExitCode.DONE
        if rule is not None:
            from markbook.marking import accept

            report = accept(
                course,
                gb,
                assignment,
                rule,
                marker=marker,
                questions=questions or None,
                dry_run=dry_run,
            )
            _show(course, report, as_json=as_json)
            return ExitCode.ATTENTION if sum(report.waiting.values()) else ExitCode.DONE
        if only_progress or as_json or dry_run:
            return _progress(course, gb, assignment, questions, as_json=as_json)
        if terminal:
            from markbook.cli.marking import mark_in_terminal
            from markbook.marking import MarkingQueue

            queue = MarkingQueue(
                course, gb, assignment, marker=marker, questions=questions or None, again=again
            )
            return mark_in_terminal(queue)
        if again:
            raise UsageError(
                "--again is for the terminal.",
                hint="Add --terminal; the page shows marked answers when asked for all.",
            )
        return _on_the_page(
            course, gb, assignment, questions, marker=marker, browser=not no_browser
        )


def _on_the_page(
    course: Course,
    gb: Any,
    assignment: str,
    questions: tuple[str, ...],
    *,
    marker: str | None,
    browser: bool,
) -> int:
    from markbook.cli.serve import serve_page
    from markbook.marking import marker_name, progress
    from markbook.marking.cases import select_questions, text_questions

    select_questions(text_questions(course, assignment), questions or None, assignment)
    serve_page(
        course,
        assignment,
        question=questions[0] if len(questions) == 1 else None,
        marker=marker_name(marker),
        browser=browser and sys.stdout.isatty(),
    )
    left = sum(row.open for row in progress(course, gb, assignment, questions or None))
    show.line(f"{show.count(left, 'answer')} left. What you stored is stored.")
    return ExitCode.ATTENTION if left else ExitCode.DONE


def _show_import(report: ImportReport, path: Path, *, as_json: bool) -> None:
    if as_json:
        show.json_out(
            {
                "assignment": report.assignment,
                "marker": report.marker,
                "saved": len(report.saved),
                "unchanged": report.unchanged,
                "problems": list(report.problems),
                "dry_run": report.dry_run,
            }
        )
        return
    verb = "would be taken" if report.dry_run else "taken"
    show.line(
        f"marked      {show.count(len(report.saved), 'mark')} {verb} from {path},"
        f" marker {report.marker}; {report.unchanged} alike already"
    )
    for problem in report.problems:
        show.line(f"  {problem}")


def _show(course: Course, report: AcceptReport, *, as_json: bool) -> None:
    if as_json:
        show.json_out(as_json_value(report))
    else:
        tell(report)


def as_json_value(report: AcceptReport) -> dict[str, Any]:
    return {
        "assignment": report.assignment,
        "rule": report.rule,
        "marker": report.marker,
        "accepted": len(report.accepted),
        "by_question": report.by_question,
        "waiting": {str(reason): number for reason, number in report.waiting.items()},
        "dry_run": report.dry_run,
    }


def tell(report: AcceptReport) -> None:
    verb = "would be accepted" if report.dry_run else "accepted"
    show.line(
        f"marked      {show.count(len(report.accepted), 'answer')} {verb} by the rule"
        f" {report.rule!r}, marker {report.marker}"
    )
    waiting = sum(report.waiting.values())
    if waiting:
        reasons = ", ".join(f"{number} {reason}" for reason, number in report.waiting.items())
        show.line(f"            {show.count(waiting, 'answer')} wait for a person: {reasons}")


def _progress(
    course: Course, gb: Any, assignment: str, questions: tuple[str, ...], *, as_json: bool
) -> int:
    from markbook.marking import progress

    rows = progress(course, gb, assignment, questions or None)
    if as_json:
        show.json_out(
            {
                "assignment": assignment,
                "questions": [
                    {
                        "question": row.question,
                        "marked": row.marked,
                        "suggested": row.suggested,
                        "waiting": row.waiting,
                        "stale": row.stale,
                        "blank": row.blank,
                        "not_asked": row.not_asked,
                        "missing": row.missing,
                    }
                    for row in rows
                ],
            }
        )
    else:
        head = ("question", "marked", "suggested", "waiting", "stale", "blank", "not asked")
        table = [
            (r.question, r.marked, r.suggested, r.waiting, r.stale, r.blank, r.not_asked)
            for r in rows
        ]
        show.listing([head, *(tuple(str(cell) for cell in row) for row in table)])
    return ExitCode.ATTENTION if any(row.open for row in rows) else ExitCode.DONE
