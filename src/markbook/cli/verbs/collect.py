"""``markbook collect``: papers and the exchange become submissions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from markbook.cli import options, show
from markbook.cli.exits import ExitCode
from markbook.cli.progress import progress
from markbook.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markbook.collect import CollectedPaper, CollectReport
    from markbook.gradebook.nbgrader import Exchanged

__all__ = ["command", "paper_options", "papers_of", "refused_as_json", "tell"]


def paper_options(function: click.decorators.FC) -> click.decorators.FC:
    """Add ``--from PATH...`` (several values) and ``--student-from``."""
    function = click.option(
        "--student-from",
        default="filename",
        show_default=True,
        metavar="filename|front-matter|TABLE.csv",
        help="Where the student's name stands.",
    )(function)
    function = click.option(
        "--from",
        "first_papers",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="PATH...",
        help="Papers, or folders of papers.",
    )(function)
    return click.argument("more_papers", nargs=-1, type=click.Path(path_type=Path), metavar="")(
        function
    )


def papers_of(first: Sequence[Path], more: Sequence[Path]) -> tuple[Path, ...]:
    """Return all values of ``--from``: click hands over the second and later ones apart."""
    if more and not first:
        raise UsageError(
            f"It is not clear what {str(more[0])!r} is.",
            hint="Name the assignment first, then papers after --from.",
        )
    return (*first, *more)


@click.command("collect")
@options.assignment_argument
@paper_options
@click.option("--replace", is_flag=True, help="Let a paper replace one that came another way.")
@options.common
@options.dry_run
def command(  # noqa: PLR0913  (a verb's options)
    assignment: str,
    first_papers: tuple[Path, ...],
    more_papers: tuple[Path, ...],
    student_from: str,
    replace: bool,
    course_path: Path | None,
    as_json: bool,
    dry_run: bool,
) -> int:
    """Take in papers for ASSIGNMENT (--from), or what students submitted to the nbgrader exchange.

    Papers are Markdown or text in any shape: each answer is put at its question in a submission
    notebook, in the student's own words. Text of no question is kept and listed. A paper that
    cannot be read is named, and the others go on.
    """
    from markbook.collect import collect_exchange, collect_papers

    course = options.open_course(course_path)
    course.require(assignment)
    papers = papers_of(first_papers, more_papers)
    if not papers:
        if dry_run:
            raise UsageError("--dry-run needs papers.", hint="Name them after --from.")
        found = collect_exchange(course, assignment)
        if as_json:
            students, refused = list(found.students), refused_as_json(found)
            show.json_out({"assignment": assignment, "students": students, "refused": refused})
        else:
            tell_exchange(found)
        return ExitCode.ATTENTION if found.needs_attention else ExitCode.DONE
    with progress("collecting", quiet=as_json) as on_event:
        report = collect_papers(
            course,
            assignment,
            papers,
            student_from=student_from,
            dry_run=dry_run,
            replace=replace,
            on_event=on_event,
        )
    if as_json:
        show.json_out(report.as_json())
    else:
        tell(report)
    return ExitCode.ATTENTION if report.needs_attention else ExitCode.DONE


def tell_exchange(found: Exchanged) -> None:
    show.line(f"collected   {show.count(len(found.students), 'submission')} from the exchange")
    for whose, reason in found.refused:
        show.line(f"  {whose}: not taken: {reason}.")


def refused_as_json(found: Exchanged) -> list[dict[str, str]]:
    return [{"student": whose, "reason": reason} for whose, reason in found.refused]


def tell(report: CollectReport) -> None:
    """Print a line a paper, and under it what a person should look at."""
    verb = "would be collected" if report.dry_run else "collected"
    changed = sum(paper.changed for paper in report.papers)
    show.line(
        f"{verb:<11} {show.count(len(report.papers), 'paper')}"
        + (f", {changed} new or changed" if changed != len(report.papers) else "")
        + (f", {len(report.errors)} not taken" if report.errors else "")
    )
    for paper in report.papers:
        _tell_paper(paper)
    for problem in report.errors:
        show.line(f"  {problem.path}: not taken: {problem.error} {problem.hint}".rstrip())


def _tell_paper(paper: CollectedPaper) -> None:
    if paper.error:
        show.line(f"  {paper.path}: not taken: {paper.error}")
    if paper.match is None:
        return
    for note in paper.notes:
        show.line(f"  {paper.student}: {note}")
    framing = set(paper.match.preamble)
    for text in paper.match.unmatched:
        if text not in framing:
            show.line(f"  {paper.student}: belongs to no question: {_short(text)}")
    for doubt in paper.match.doubtful:
        where = f"taken for {doubt.question!r}" if doubt.question else "not taken for a question"
        show.line(
            f"  {paper.student}: please confirm: {_short(doubt.matched_as)} {where}"
            f" ({doubt.confidence:.2f}). {doubt.why}"
        )


def _short(text: str, width: int = 60) -> str:
    flat = " ".join(text.split())
    return f"“{flat if len(flat) <= width else flat[: width - 1] + '…'}”"
