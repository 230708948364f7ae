"""``markbook release``: source to release, and into the exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from markbook.cli import options, show
from markbook.cli.exits import ExitCode
from markbook.errors import MarkbookError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command("release")
@click.argument("assignments", nargs=-1, metavar="[ASSIGNMENT]...")
@click.option("--all", "everything", is_flag=True, help="Every assignment of the course.")
@click.option("--check", is_flag=True, help="Only tell whether release/ equals a fresh build.")
@click.option("--publish", is_flag=True, help="Also put the release into the nbgrader exchange.")
@options.common
@options.dry_run
def command(  # noqa: PLR0913  (a verb's options)
    assignments: tuple[str, ...],
    everything: bool,
    check: bool,
    publish: bool,
    course_path: Path | None,
    as_json: bool,
    dry_run: bool,
) -> int:
    """Build what students get from source/<ASSIGNMENT>, into release/<ASSIGNMENT>.

    Model answers, hidden tests and their marks are taken out; the build stops if any of it would
    still be seen. With --check nothing is written, and the exit code is 1 when release/ differs
    from a fresh build.
    """
    from markbook import release

    course = options.open_course(course_path)
    names = course.assignments() if everything else assignments
    if not names:
        raise UsageError(
            "Name an assignment to release, or use --all.",
            hint=f"The course has: {', '.join(course.assignments()) or 'none yet'}.",
        )
    results = []
    only_tell = dry_run or check
    told = release.rehearse(course, names) if only_tell else {}
    for name in names:
        result = told[name] if only_tell else release.build(course, name)
        if isinstance(result, MarkbookError):
            raise result
        results.append(
            {
                "assignment": name,
                "changed": list(result.changed),
                "questions": len(result.questions),
            }
        )
        if publish and not only_tell:
            release.publish(course, name)
    if as_json:
        show.json_out({"releases": results, "published": publish and not dry_run})
    else:
        for entry in results:
            _tell(entry, check=check, dry_run=dry_run, published=publish and not dry_run)
    differs = any(entry["changed"] for entry in results)
    return ExitCode.ATTENTION if check and differs else ExitCode.DONE


def _tell(entry: dict[str, object], *, check: bool, dry_run: bool, published: bool) -> None:
    name, changed = entry["assignment"], entry["changed"]
    assert isinstance(changed, list)
    what = f"{name}: {entry['questions']} questions, "
    if not changed:
        show.line(what + f"release/{name} equals a fresh build.")
    elif check or dry_run:
        show.line(what + f"release/{name} differs from a fresh build: {', '.join(changed)}.")
        if check:
            show.warn(f"Run 'markbook release {name}' and commit the result.")
    else:
        show.line(what + f"written to release/{name}: {', '.join(changed)}.")
    if published and not check:
        show.line(f"{name}: published to the exchange.")
