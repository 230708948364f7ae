"""A master made ready for grading: parsed and sorted once, used for every submission."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markbook.autograde.answers import answer_texts
from markbook.autograde.honest import read_released
from markbook.errors import NotebookError
from markbook.notebooks import nbgrader_metadata, parse_notebook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbformat import NotebookNode

    from markbook.autograde.honest import ReleasedCode
    from markbook.autograde.values import Master
    from markbook.model import MasterCell, MasterNotebook

__all__ = ["Prepared", "PreparedCell", "PreparedNotebook", "prepare"]

_KEPT = 4  # assignments a worker may meet in turns


@dataclass(frozen=True, slots=True)
class PreparedCell:
    """One cell of the master, with what a submission's cell of that id has to be like.

    ``metadata`` is nbgrader's, as in the release, with the master's checksum; ``skipped`` tells
    whether the release has a tag that keeps the cell from running.
    """

    master: MasterCell
    metadata: Mapping[str, Any]
    skipped: bool


@dataclass(frozen=True, slots=True)
class PreparedNotebook:
    """One notebook: ``cells`` by id in the order of the release, ``texts`` the stubs by question.

    ``code`` is what its code says. ``runs`` tells whether it is run: where a code cell carries
    points or an answer.
    """

    master: MasterNotebook
    released: NotebookNode
    cells: Mapping[str, PreparedCell]
    kernelspec: Mapping[str, Any] | None
    texts: Mapping[str, str]
    runs: bool
    code: ReleasedCode

    def find(self, cell: NotebookNode) -> PreparedCell | None:
        """Return the master's cell that a submission's cell says it is."""
        name = nbgrader_metadata(cell).get("grade_id")
        return self.cells.get(name) if isinstance(name, str) else None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A master's notebooks by name."""

    master: Master
    notebooks: Mapping[str, PreparedNotebook]


_recent: OrderedDict[int, Prepared] = OrderedDict()


def prepare(master: Master) -> Prepared:
    """Return the master made ready; the last few are kept.

    Raises ``NotebookError`` for a release that does not fit the gradebook.
    """
    found = _recent.get(id(master))
    if found is None or found.master is not master:
        found = next((p for p in _recent.values() if p.master == master), None) or _prepare(master)
        _recent[id(master)] = found
        while len(_recent) > _KEPT:
            _recent.popitem(last=False)
    return found


def _prepare(master: Master) -> Prepared:
    return Prepared(
        master,
        {
            notebook.name: _notebook(notebook, master.released, run_all=master.settings.run_all)
            for notebook in master.notebooks
        },
    )


def _notebook(
    master: MasterNotebook, released: Mapping[str, bytes], *, run_all: bool
) -> PreparedNotebook:
    if master.name not in released:
        raise _unfit(f"The release has no notebook {master.name}.ipynb, but the gradebook does.")
    notebook = parse_notebook(released[master.name])
    kernelspec = json.loads(master.kernelspec) if master.kernelspec else None
    cells = _cells(master, notebook)
    return PreparedNotebook(
        master=master,
        released=notebook,
        cells=cells,
        code=read_released(notebook, cells),
        kernelspec=kernelspec or None,
        texts=answer_texts(notebook),
        runs=_runs(master, notebook, run_all=run_all),
    )


def _cells(master: MasterNotebook, released: NotebookNode) -> dict[str, PreparedCell]:
    wanted = {cell.id: cell for cell in master.cells}
    found: dict[str, PreparedCell] = {}
    for cell in released.cells:
        metadata = nbgrader_metadata(cell)
        name = metadata.get("grade_id")
        if name in wanted and name not in found:
            expected = wanted[name]
            found[name] = PreparedCell(
                master=expected,
                metadata=_with_checksum(metadata, expected.checksum),
                skipped="skip-execution" in cell.metadata.get("tags", ()),
            )
            if not _fits(expected, cell.cell_type, metadata):
                raise _unfit(
                    f"The cell {name!r} of the release's {master.name}.ipynb is not as in the"
                    " gradebook."
                )
    gone = [name for name in wanted if name not in found]
    if gone:
        raise _unfit(f"The release's {master.name}.ipynb has no cell {gone[0]!r}.")
    return found


def _with_checksum(metadata: Mapping[str, Any], checksum: str) -> Mapping[str, Any]:
    """Return metadata as autograded; nbgrader has no checksum of a task that is not locked."""
    return {**metadata, "checksum": checksum} if checksum else metadata


def _fits(master: MasterCell, cell_type: str, metadata: Mapping[str, Any]) -> bool:
    flags = [bool(metadata.get(name, False)) for name in ("grade", "solution", "task")]
    points = metadata.get("points") if master.grade else master.points
    return (
        cell_type == master.cell_type
        and flags == [master.grade, master.solution, master.task]
        and points == master.points
    )


def _unfit(problem: str) -> NotebookError:
    return NotebookError(problem, hint="Build it again with 'markbook release ASSIGNMENT'.")


def _runs(master: MasterNotebook, released: NotebookNode, *, run_all: bool) -> bool:
    if run_all:
        return any(cell.cell_type == "code" for cell in released.cells)
    return any(cell.cell_type == "code" and (cell.grade or cell.solution) for cell in master.cells)
