"""``markbook init``: a new course folder."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from markbook.cli import options, show
from markbook.cli.exits import ExitCode
from markbook.errors import UsageError

if TYPE_CHECKING:
    from markbook.course.skeleton import Skeleton

__all__ = ["command"]


@click.command("init")
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path(path_type=Path))
@click.option("--no-example", is_flag=True, help="Leave out the example assignment.")
@options.common
@options.dry_run
def command(
    folder: Path | None,
    no_example: bool,
    course_path: Path | None,
    as_json: bool,
    dry_run: bool,
) -> int:
    """Make DIR (default: the working folder) a course folder, with an example assignment.

    What exists is never overwritten: in a course folder only what is missing is added, and a
    course that has assignments gets no example. The course's id comes from the folder's name and
    stands in nbgrader_config.py.
    """
    from markbook.course.skeleton import make_course

    if folder is not None and course_path is not None and folder.resolve() != course_path.resolve():
        raise UsageError(
            f"Two folders are named: {folder} and --course {course_path}.", hint="Name one."
        )
    made = make_course(folder or course_path or Path.cwd(), example=not no_example, dry_run=dry_run)
    if as_json:
        show.json_out(_as_json(made, dry_run=dry_run))
    else:
        _tell(made, dry_run=dry_run)
    return ExitCode.DONE


def _as_json(made: Skeleton, *, dry_run: bool) -> dict[str, object]:
    return {
        "course": str(made.root),
        "course_id": made.course_id,
        "written": list(made.written),
        "kept": list(made.kept),
        "example": made.example,
        "requirement": made.requirement,
        "unignored": list(made.unignored),
        "dry_run": dry_run,
    }


def _tell(made: Skeleton, *, dry_run: bool) -> None:
    from markbook.course import Course

    for path in made.written:
        show.line(f"{'would write' if dry_run else 'written'}  {path}")
    for path in made.kept:
        show.line(f"{'would keep ' if dry_run else 'kept   '}  {path}")
    if made.unignored:
        show.warn(
            f"The .gitignore that is there does not name {', '.join(made.unignored)}:"
            " what a run makes of students' work could be committed."
        )
    if dry_run:
        return
    if not made.written:
        show.line(f"{made.root} has all that a course folder needs.")
        return
    show.line(f"{made.root} is the course {made.course_id!r}.")
    if made.indexed:
        show.warn(
            f"requirements.txt says {made.requirement!r}, for this Markbook was installed from a"
            " folder of this machine: say there where CI gets it from."
        )
    go = "" if made.root == Path.cwd().resolve() else f"cd {shlex.quote(str(made.root))} && "
    if not Course.open(made.root).assignments():
        show.line("Author an assignment in source/: without one there is nothing to check.")
    show.line(f"Next: {go}markbook release --all && markbook check")
