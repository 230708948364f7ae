"""``markbook check``: whether an assignment can go to students."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from markbook.cli import options, show
from markbook.cli.exits import ExitCode
from markbook.errors import NothingMatched, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markbook.checks import Report
    from markbook.course import Course

__all__ = ["command"]

FORMATS = ("text", "github", "sarif")


@click.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--select", multiple=True, metavar="CODE", help="Only these checks (repeatable).")
@click.option("--ignore", multiple=True, metavar="CODE", help="Not these checks (repeatable).")
@click.option("--quick", is_flag=True, help="Only checks that run no code.")
@click.option("--mutate", is_flag=True, help="Try graders on wrong answers, too (MB61).")
@click.option("--since", metavar="REV", help="What changes since a git revision do to marks.")
@click.option(
    "--record",
    is_flag=False,
    flag_value=3,
    type=click.IntRange(min=1),
    metavar="[N]",
    help="Make exemplars of marked answers, at most N (3) for each question.",
)
@click.option("--fix", "fixing", is_flag=True, help="Apply the fixes that are safe.")
@click.option("--format", "style", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option(
    "--sarif",
    "sarif_path",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write a SARIF log to FILE.",
)
@click.option("--list", "listing", is_flag=True, help="List the checks.")
@options.common
@options.dry_run
def command(  # noqa: PLR0913  (one argument for each option)
    paths: tuple[Path, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    quick: bool,
    mutate: bool,
    since: str | None,
    record: int | None,
    fixing: bool,
    style: str,
    sarif_path: Path | None,
    listing: bool,
    course_path: Path | None,
    as_json: bool,
    dry_run: bool,
) -> int:
    """Check the assignments that PATHS lie in; without PATHS all of the course.

    PATHS are files or folders of source/, release/ or graders/. CODE is a check's code (MB101),
    the beginning of one (MB1), or its name. Exit code 1 when there is an error, with --since when
    a mark would change.
    """
    from markbook import checks

    if since is not None or record is not None:
        others = (select, ignore, quick, mutate, fixing, listing, sarif_path, style != "text")
        if any(others) or (since is not None and record is not None):
            raise UsageError(
                "--since and --record go alone, with PATHS and --json.",
                hint="Leave out the other options.",
            )
        course = options.open_course(course_path)
        if since is not None:
            return _since(course, since, paths, as_json=as_json)
        return _record(course, record or 1, paths, as_json=as_json, dry_run=dry_run)
    some = checks.choose(select, ignore, optional=mutate or listing)
    chosen = [c for c in some if not (quick and c.slow)]
    if listing:
        _list(chosen, as_json=as_json)
        return ExitCode.DONE
    course = options.open_course(course_path)
    report = checks.run_checks(course, chosen, paths)
    if fixing and not dry_run:
        mended = checks.apply_fixes(report.findings)
        if mended:
            named = ", ".join(course.relative(path) for path in mended)
            click.echo(f"mended  {named}", err=True)
            report = checks.run_checks(course, chosen, paths)
    if sarif_path is not None and not dry_run:
        _write_sarif(course, report, sarif_path)
    _tell(course, report, style, as_json=as_json)
    return ExitCode.ATTENTION if report.of(checks.Severity.ERROR) else ExitCode.DONE


def _since(course: Course, name: str, paths: Sequence[Path], *, as_json: bool) -> int:
    from markbook.checks.engine import assignments_of
    from markbook.checks.revisions import Revision
    from markbook.checks.since import compare
    from markbook.gradebook import Gradebook

    wanted = assignments_of(course, paths)
    revision = Revision.of(course.root, name)
    _require_gradebook(course)
    with Gradebook.open(course) as gb:
        report = compare(course, gb, revision, wanted)
    if as_json:
        show.json_out(report.as_dict())
    else:
        show.line(report.as_text())
    return ExitCode.ATTENTION if report.needs_attention else ExitCode.DONE


def _record(
    course: Course, most: int, paths: Sequence[Path], *, as_json: bool, dry_run: bool
) -> int:
    from markbook.checks.engine import assignments_of
    from markbook.checks.recording import record
    from markbook.gradebook import Gradebook

    wanted = assignments_of(course, paths)
    _require_gradebook(course)
    with Gradebook.open(course) as gb:
        report = record(course, gb, wanted, most=most, dry_run=dry_run)
    if not report.questions:
        raise NothingMatched(
            f"No answer of {', '.join(wanted)} is marked yet.", hint="Mark some first."
        )
    if as_json:
        show.json_out(report.as_dict())
    else:
        show.line(report.as_text())
    problems = any(question.problem for question in report.questions)
    return ExitCode.ATTENTION if problems else ExitCode.DONE


def _require_gradebook(course: Course) -> None:
    """Refuse to make an empty gradebook where there is none to read."""
    file = course.db_url.removeprefix("sqlite:///")
    if file != course.db_url and not Path(file).is_file():
        raise NothingMatched(
            f"The course has no gradebook yet: there is no {course.relative(Path(file))}.",
            hint="Marks and answers are in it: run this where the course is marked.",
        )


def _write_sarif(course: Course, report: Report, path: Path) -> None:
    from markbook.checks import formats
    from markbook.text.files import write_atomic

    try:
        write_atomic(path, formats.as_sarif(course, report.findings, _top(course)) + "\n")
    except OSError as error:
        raise UsageError(
            f"The SARIF log {path} cannot be written: {error.strerror or error}.",
            hint="Name another file with --sarif.",
        ) from error


def _top(course: Course) -> Path:
    """Return the repository's folder: GitHub names files as seen from there."""
    folders = (course.root, *course.root.parents)
    return next((each for each in folders if (each / ".git").exists()), course.root)


def _list(chosen: Sequence[Any], *, as_json: bool) -> None:
    rows = [
        {
            "code": check.code,
            "name": check.name,
            "severity": str(check.severity),
            "slow": check.slow,
            "optional": check.optional,
            "fixable": check.fixable,
            "summary": (check.__doc__ or "").strip().partition("\n")[0],
        }
        for check in sorted(chosen, key=lambda check: str(check.code))
    ]
    if as_json:
        show.json_out(rows)
        return
    for row in rows:
        mark = "*" if row["fixable"] else " "
        show.line(f"{row['code']}{mark} {row['severity']:<8} {row['name']:<28} {row['summary']}")


def _tell(course: Course, report: Report, style: str, *, as_json: bool) -> None:
    from markbook.checks import Severity, formats

    if as_json:
        show.json_out(formats.as_json_value(course, report))
    elif style == "sarif":
        show.line(formats.as_sarif(course, report.findings, _top(course)))
    elif not report.assignments:
        home = course.relative(course.source("x").parent)
        show.line(f"There is no assignment to check yet: author one in {home}/ASSIGNMENT/.")
    elif style == "github":
        if report.findings:
            show.line(formats.as_github(course, report.findings, _top(course)))
    else:
        if report.findings:
            show.line(formats.as_text(course, report.findings) + "\n")
        counts = ", ".join(
            show.count(len(report.of(severity)), str(severity)) for severity in Severity
        )
        show.line(
            f"checked  {', '.join(report.assignments)}: {counts}"
            f"  ({show.count(report.examined, 'examination')}, {report.seconds:.1f} s)"
        )
