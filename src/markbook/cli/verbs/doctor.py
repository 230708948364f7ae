"""``markbook doctor``: how a damaged submission would be put right."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from markbook.cli import options, show
from markbook.cli.exits import ExitCode
from markbook.cli.isolation import tell_isolation
from markbook.text.controls import visible_plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nbformat import NotebookNode
    from rich.console import Console

    from markbook.autograde.examine import Cell, Examination, Notebook
    from markbook.course import Course

__all__ = ["command"]

_HOW = {
    "id": "by its id",
    "order": "by its place",
    "text": "by its text",
    "copy": "in a copy",
    "split": "in parts",
    "merged": "in one cell with others",
    "new cell": "in a new cell",
    "put back": "put back",
    "missing": "missing",
}
_QUIET = 3  # cells in a row with nothing to say become one line
_WIDTH = 110  # columns where the output is no terminal


@dataclass(frozen=True, slots=True)
class _Target:
    """What to examine: the files of ``path``, which is a folder or one notebook."""

    path: Path
    assignment: str
    student: str


@click.command("doctor")
@click.argument("submission", required=False)
@click.option("--assignment", help="Whose notebooks these are, where the path does not tell.")
@click.option("--all", "everything", is_flag=True, help="Show undamaged cells one by one, too.")
@click.option("--isolation", is_flag=True, help="Tell how this machine can lock up student code.")
@options.common
def command(
    submission: str | None,
    assignment: str | None,
    everything: bool,
    isolation: bool,
    course_path: Path | None,
    as_json: bool,
) -> int:
    """Show how SUBMISSION is brought in line with its assignment: where each cell was found, what
    autograding repairs, what a person has to look at, and whether it would be quarantined.

    SUBMISSION is STUDENT/ASSIGNMENT, or the path of a submission's folder or of one notebook.
    Nothing is written. Exit code 1 when there is anything to say. With --isolation instead of a
    SUBMISSION, it tells what this machine can do to lock up student code, and how to get the rest.
    """
    if isolation and submission is None:
        return tell_isolation(as_json=as_json)
    if isolation or submission is None:
        raise click.UsageError("Name a SUBMISSION to examine, or say --isolation: one of the two.")
    return _examine(submission, assignment, everything, course_path, as_json)


def _examine(
    submission: str,
    assignment: str | None,
    everything: bool,
    course_path: Path | None,
    as_json: bool,
) -> int:
    from markbook.autograde.examine import examine
    from markbook.autograde.files import MOST, read_submission, shown
    from markbook.autograde.values import Submission
    from markbook.text.plainfiles import read_plain

    course = _course(course_path, Path(submission))
    target = _target(course, submission, assignment)
    released = _released(course, target.assignment)
    whole = target.path.is_dir()
    failure = None
    if whole:
        handed_in = read_submission(target.path, target.student)
        given, failure = handed_in.submission, handed_in.failure
    else:
        files = {}
        try:
            files[target.path.name] = read_plain(target.path, MOST)
        except OSError as error:
            failure = f"{shown(target.path.name)} cannot be read: {error.strerror}"
        given = Submission(target.student, files)
    found = examine(given.files, released, whole=whole, failure=failure)
    if as_json:
        show.json_out(_as_json_value(course, target, found))
    else:
        _tell(course, target, found, everything=everything)
    return ExitCode.ATTENTION if found.findings else ExitCode.DONE


def _course(given: Path | None, submission: Path) -> Course:
    """Open the named course, or the one the submission lies in, or the nearest."""
    from markbook.course import Course
    from markbook.errors import CourseError

    if given is None and submission.exists():
        folder = submission if submission.is_dir() else submission.parent
        try:
            return Course.find(folder)
        except CourseError:
            pass
    found: Course = options.open_course(given)
    return found


def _target(course: Course, submission: str, assignment: str | None) -> _Target:
    """Find what SUBMISSION names; raises ``UnknownName`` or ``UsageError`` if that is unclear."""
    from markbook.errors import UnknownName, UsageError

    path = Path(submission)
    if not path.exists():
        student, _, named = submission.strip("/").rpartition("/")
        inside = course.submitted(named, student) if student else None
        if inside is None or not inside.is_dir():
            raise UnknownName(
                f"There is no submission {submission!r}: neither a file or folder of that name,"
                f" nor one in {course.relative(course.submitted('ASSIGNMENT', 'STUDENT'))}.",
                hint="Name it as STUDENT/ASSIGNMENT, or by the path of its folder or notebook.",
            )
        return _Target(inside, course.require(assignment or named), student)
    path = path.resolve()
    if path.is_file() and path.suffix != ".ipynb":
        raise UsageError(
            f"{submission} is not a notebook.", hint="Name a notebook, or a submission's folder."
        )
    return _placed(course, path, assignment)


def _placed(course: Course, path: Path, assignment: str | None) -> _Target:
    """Read student and assignment from where a path lies: STUDENT/ASSIGNMENT[/NOTEBOOK]."""
    from markbook.errors import UsageError

    folder = path if path.is_dir() else path.parent
    known = course.assignments()
    handed_in = _is_handed_in(course, path)
    if handed_in and path.is_dir() and folder.name not in known and not any(folder.glob("*.ipynb")):
        below = [name for name in known if (folder / name).is_dir()]
        if assignment is not None or len(below) == 1:
            named = assignment or below[0]
            return (
                _placed(course, folder / named, named)
                if named in below
                else _Target(path, course.require(named), folder.name)
            )
    if assignment is not None:
        loose = path.is_file() and not course.holds(path)
        student = folder.parent.name if folder.name == assignment else folder.name
        student = "" if loose and folder.name != assignment else student
        return _Target(path, course.require(assignment), student)
    if folder.name in known and handed_in:
        return _Target(path, folder.name, folder.parent.name)
    raise UsageError(
        f"{course.relative(path)} does not tell which assignment it is of.",
        hint=f"Name it with --assignment. The course has these: {', '.join(known) or 'none'}.",
    )


def _is_handed_in(course: Course, path: Path) -> bool:
    """Tell whether a path can be a submission: outside the course, or where they lie in it."""
    steps = (course.submitted("-", "-"), course.autograded("-", "-"))
    folders = [step.parent.parent for step in steps]
    return not course.holds(path) or any(path.is_relative_to(folder) for folder in folders)


def _released(course: Course, assignment: str) -> Mapping[str, NotebookNode]:
    from markbook.errors import NotebookError
    from markbook.notebooks import read_notebook

    folder = course.release(assignment)
    found = {path.stem: read_notebook(path) for path in sorted(folder.glob("*.ipynb"))}
    if not found:
        raise NotebookError(
            f"The assignment {assignment!r} has not been released from this course folder.",
            path=folder,
            hint=f"Run 'markbook release {assignment}' first.",
        )
    return found


def _verdict(found: Examination) -> str:
    if found.failure is not None:
        return "failed"
    return "needs-attention" if found.findings else "graded"


def _as_json_value(course: Course, target: _Target, found: Examination) -> dict[str, Any]:
    return {
        "submission": course.relative(target.path),
        "student": target.student,
        "assignment": target.assignment,
        "outcome": _verdict(found),
        "reason": found.failure,
        "findings": list(found.findings),
        "notebooks": [
            {
                "notebook": notebook.name,
                "file": notebook.file,
                "cells": [
                    {
                        "id": cell.id,
                        "role": cell.role,
                        "cells": list(cell.cells),
                        "found": cell.how,
                        "words": cell.words,
                        "note": cell.note,
                        "needs_person": cell.needs_person,
                    }
                    for cell in notebook.cells
                ],
                "repairs": list(notebook.repairs),
                "doubts": list(notebook.doubts),
                "loose": [{"cell": number, "text": text} for number, text in notebook.loose],
            }
            for notebook in found.notebooks
        ],
    }


def _tell(course: Course, target: _Target, found: Examination, *, everything: bool) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    with console.capture() as captured:
        _draw(console, course, target, found, everything=everything)
    for line in captured.get().splitlines():
        show.line(line.rstrip())


def _draw(
    console: Console, course: Course, target: _Target, found: Examination, *, everything: bool
) -> None:

    place = _shown(course.relative(target.path))
    named = " · ".join(filter(None, (target.student, target.assignment)))
    console.print(f"[bold]{_shown(named)}[/]  [dim]{place}[/]", soft_wrap=True)
    for notebook in found.notebooks:
        console.print()
        if notebook.file is None:
            console.print(f"[bold]{_shown(notebook.name)}.ipynb[/]  [yellow]not handed in[/]")
            continue
        named = f"{notebook.name}.ipynb"
        handed = "" if notebook.file == named else f"  [yellow]handed in as {notebook.file!r}[/]"
        console.print(f"[bold]{_shown(named)}[/]{handed}")
        if notebook.cells:
            for line in _lines(notebook, everything=everything, width=console.width):
                console.print(line, soft_wrap=True)
    for sign, line in _other_findings(found):
        first, *more = textwrap.wrap(line, max(console.width - 2, 40))
        console.print(f"{sign} {_shown(first)}", soft_wrap=True)
        for rest in more:
            console.print(f"  {_shown(rest)}", soft_wrap=True)
    console.print()
    console.print(_summary(found), soft_wrap=True)


def _lines(notebook: Notebook, *, everything: bool, width: int) -> Iterator[str]:
    """Yield a table of the notebook's cells, with what was done below each, in rich's markup."""

    rows = list(_rows(notebook.cells, everything=everything))
    table = [_quiet(row) if isinstance(row, list) else _columns(row) for row in rows]
    head = ("cell", "question or text", "found", "answered")
    widths = [max(len(entry[i]) for entry in [head, *table]) for i in range(len(head))]
    yield f"[dim]    {_aligned(head, widths)}[/]"
    for row, entry in zip(rows, table, strict=True):
        sign, style = ("", "dim") if isinstance(row, list) else _sign(row)
        yield f"  [{style}]{sign or ' '} {_shown(_aligned(entry, widths))}[/]"
        if not isinstance(row, list) and row.note:
            indent = " " * (widths[0] + 6)
            room = max(width - len(indent), 40)
            yield from (f"{indent}{_shown(line)}" for line in textwrap.wrap(row.note, room))


def _aligned(entry: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = entry
    padded = [text.ljust(width) for text, width in zip(others, widths[1:], strict=True)]
    return "  ".join([first.rjust(widths[0]), *padded]).rstrip()


def _columns(cell: Cell) -> tuple[str, ...]:
    where = ", ".join(str(number) for number in cell.cells) or "-"
    return where, cell.id, _HOW[cell.how], _words(cell)


def _sign(cell: Cell) -> tuple[str, str]:
    if cell.needs_person:
        return "!", "yellow"
    return ("+", "cyan") if cell.note else ("", "default")


def _words(cell: Cell) -> str:
    if cell.words is None or not cell.cells:
        return ""
    return show.count(cell.words, "word") if cell.words else "blank"


def _rows(cells: Sequence[Cell], *, everything: bool) -> Iterator[Cell | list[Cell]]:
    """Yield the cells, those in a row of which there is nothing to say together."""
    quiet: list[Cell] = []
    for cell in [*cells, None]:
        if cell is not None and not cell.note and not everything:
            quiet.append(cell)
            continue
        if len(quiet) >= _QUIET:
            yield quiet
        else:
            yield from quiet
        quiet = []
        if cell is not None:
            yield cell


def _quiet(cells: Sequence[Cell]) -> tuple[str, ...]:
    numbers = sorted(number for cell in cells for number in cell.cells)
    span = f"{numbers[0]}-{numbers[-1]}" if numbers else ""
    answers = [cell for cell in cells if cell.words is not None]
    filled = sum(bool(cell.words) for cell in answers)
    counts = f"{filled} of {len(answers)}" if answers else ""
    return span, f"{len(cells)} cells as they should be", "by their ids", counts


def _other_findings(found: Examination) -> list[tuple[str, str]]:
    """Return the findings that no row of a table shows, with a sign each."""
    shown = {note for each in found.notebooks for cell in each.cells for note in [cell.note]}
    notes = " ".join(shown)
    rest: list[str] = []
    for notebook in found.notebooks:
        prefix = f"{notebook.name}.ipynb: "
        rest += [said for said in notebook.doubts if said.removeprefix(prefix) not in notes]
    repairs = [("[cyan]+[/]", said) for said in found.repairs]
    return [*repairs, *(("[yellow]![/]", said) for said in [*rest, *found.doubts])]


def _summary(found: Examination) -> str:

    if found.failure is not None:
        return f"[bold red]would be quarantined:[/] {_shown(found.failure)}"
    if not found.findings:
        return "[bold green]in order[/]  autograding takes it as it is"
    doubts = sum(len(notebook.doubts) for notebook in found.notebooks) + len(found.doubts)
    repairs = len(found.findings) - doubts
    parts = [
        show.count(repairs, "repair") if repairs else "",
        f"{show.count(doubts, 'thing')} for a person to look at" if doubts else "",
    ]
    style = "yellow" if doubts else "cyan"
    return f"[bold {style}]would be graded[/], with {' and '.join(filter(None, parts))}"


def _shown(text: str) -> str:
    """Return text for rich: no markup of its own, and nothing that a terminal obeys."""
    from rich.markup import escape

    return escape(visible_plain(text))
