"""What students were given, and what they have done with it: cells that must keep their ids."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markbook.checks.base import Check, Scope, Target
from markbook.checks.revisions import Revision
from markbook.checks.views import CellView
from markbook.errors import NotebookError, UnknownName, UsageError
from markbook.notebooks import parse_notebook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from markbook.checks.findings import Finding
    from markbook.checks.views import AssignmentView

__all__ = ["CHECKS"]


@dataclass(frozen=True, slots=True)
class _Given:
    """A notebook's cells that students were given: the place of each by its id.

    ``here`` tells that the notebook is in today's release.
    """

    cells: Mapping[str, str]
    here: bool


class IdGoneSinceRelease(Check):
    """A question that students have already been given is gone or renamed: its answers are lost.

    What they hand in has the released id; renaming it back keeps their answers. Looked at are the
    release as it is, the release as last committed to git, and the gradebook, if there is one: it
    knows how many students' work would be lost.
    """

    code = "MB203"
    name = "id-gone-since-release"
    scope = Scope.ASSIGNMENT

    def examine(self, target: Target) -> Iterator[Finding]:
        view = target.assignment
        given, students = _given(view), _students(view)
        authored = {notebook.name: notebook for notebook in view.notebooks}
        for name in sorted(given.keys() | {home for home, _ in students}):
            work = {cell: count for (home, cell), count in students.items() if home == name}
            notebook = authored.get(name)
            if notebook is None:
                if name not in given or not given[name].here:  # or else a stale release says it
                    yield self._notebook_gone(target, name, work)
            elif notebook.problem is None:
                cells = given[name].cells if name in given else {}
                now = {cell.id for cell in notebook.cells}
                for cell in (cell for cell in {**cells, **work} if cell not in now):
                    where = cells.get(cell)
                    yield self.finding(
                        Target(view, notebook),
                        f"{cell!r} was {'released' if where else 'answered'}{where or ''} and is"
                        f" not here any more{_lost(work.get(cell, 0))}.",
                        hint="Name the cell as before"
                        + (
                            "."
                            if cell in work
                            else "; if nobody has the release yet, release anew and commit."
                        ),
                    )

    def _notebook_gone(self, target: Target, name: str, work: Mapping[str, int]) -> Finding:
        return self.finding(
            target,
            f"The notebook {name}.ipynb was released and is not here any more"
            f"{_lost(max(work.values(), default=0))}.",
            hint="Name it as before" + ("." if work else "; if nobody has it yet, commit."),
        )


def _lost(students: int) -> str:
    if not students:
        return ""
    who = f"{students} students" if students > 1 else "1 student"
    return f": the work of {who} would be lost"


def _given(view: AssignmentView) -> dict[str, _Given]:
    """Return the released notebooks by name: as they are, and what only the last commit had."""
    committed = dict(_committed(view))
    found: dict[str, _Given] = {}
    for name in view.released.keys() | committed.keys():
        now = view.released.get(name)
        places = {cell.id: f" (cell {cell.number}), as last committed," for cell in
                  committed.get(name, ()) if _asks(cell)}  # fmt: skip
        if now is not None:
            places |= {cell.id: f" (cell {cell.number})" for cell in now.cells if _asks(cell)}
        found[name] = _Given(places, here=now is not None)
    return found


def _asks(cell: CellView) -> bool:
    return bool(cell.id) and (cell.grade or cell.solution or cell.task)


def _committed(view: AssignmentView) -> Iterator[tuple[str, Iterable[CellView]]]:
    """Yield the cells of the notebooks of the release as it is in git's HEAD."""
    try:
        head = Revision.of(view.course.root, "HEAD")
        paths = [path for path in head.files(view.release) if path.suffix == ".ipynb"]
        contents = {path.stem: head.read(path) for path in paths if path.parent == view.release}
    except (UsageError, UnknownName):
        return  # no git, no repository or nothing committed: nothing to compare with
    for name, content in contents.items():
        try:
            notebook = parse_notebook(content or b"")
        except NotebookError:
            continue
        yield name, [CellView(n, cell) for n, cell in enumerate(notebook.cells, start=1)]


def _students(view: AssignmentView) -> dict[tuple[str, str], int]:
    file = view.course.db_url.removeprefix("sqlite:///")
    if file != view.course.db_url and not Path(file).is_file():
        return {}  # in most checkouts; what would read it takes long to import
    from markbook.gradebook.dependents import students_by_cell  # SQLAlchemy

    return students_by_cell(view.course, view.name)


CHECKS: tuple[type[Check], ...] = (IdGoneSinceRelease,)
