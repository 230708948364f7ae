"""What autograding would make of one submission, without running or storing anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.autograde.alignment import CannotAlign, align, align_files
from markbook.autograde.alignment.read import anchors_of
from markbook.autograde.timestamps import NAME as TIMESTAMP
from markbook.autograde.timestamps import read_timestamp
from markbook.errors import NotebookError
from markbook.model import MasterCell, MasterNotebook
from markbook.notebooks import nbgrader_metadata, parse_notebook
from markbook.text import plainfiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbformat import NotebookNode

    from markbook.autograde.alignment.values import Alignment

__all__ = ["Cell", "Examination", "Notebook", "examine", "master_as_released"]

_SUFFIX = ".ipynb"


@dataclass(frozen=True, slots=True)
class Cell:
    """One master cell: where it was found in the submission, and what is in it.

    ``cells`` are numbers from 1 in the student's notebook. ``words`` counts what an answer says:
    0 for one left as released, None for a cell that is no answer.
    """

    id: str
    role: str
    cells: tuple[int, ...]
    how: str
    note: str
    needs_person: bool
    words: int | None


@dataclass(frozen=True, slots=True)
class Notebook:
    """One notebook of the assignment; ``file`` is the handed-in file's name, None without one.

    ``loose`` are the student's own texts that are in no answer, by cell number.
    """

    name: str
    file: str | None
    cells: tuple[Cell, ...] = ()
    repairs: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    loose: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Examination:
    """What would become of a submission: ``failure`` says why it would be quarantined, if so.

    ``repairs`` and ``doubts`` are on its files; those on cells are with the notebooks.
    """

    notebooks: tuple[Notebook, ...]
    repairs: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    failure: str | None = None

    @property
    def findings(self) -> tuple[str, ...]:
        """All that would be said of the submission: why it fails, or repairs, then doubts."""
        if self.failure is not None:
            return (self.failure,)
        repairs = [*self.repairs, *(said for each in self.notebooks for said in each.repairs)]
        doubts = [*(said for each in self.notebooks for said in each.doubts), *self.doubts]
        return (*repairs, *doubts)


def master_as_released(name: str, released: NotebookNode) -> MasterNotebook:
    """Return a notebook's master as far as its release tells: without the hidden tests."""
    cells = []
    for cell in released.cells:
        found = nbgrader_metadata(cell)
        flags = [bool(found.get(key)) for key in ("grade", "solution", "task", "locked")]
        grade, solution, task, locked = flags
        if isinstance(found.get("grade_id"), str) and any(flags):
            cells.append(
                MasterCell(
                    id=found["grade_id"],
                    cell_type=cell.cell_type,
                    source=cell.source,
                    checksum=str(found.get("checksum", "")),
                    locked=not solution and (grade or locked),
                    grade=grade,
                    solution=solution,
                    task=task,
                    points=found.get("points"),
                )
            )
    return MasterNotebook(name=name, kernelspec="", cells=tuple(cells))


def examine(
    files: Mapping[str, bytes],
    released: Mapping[str, NotebookNode],
    *,
    whole: bool = True,
    failure: str | None = None,
) -> Examination:
    """Look at a submission's files, by path relative to it, as autograding would.

    ``released`` are the assignment's notebooks by name. Without ``whole`` the files are a part of
    a submission: what is not among them is not missed. ``failure`` is why the files could not
    even be read.
    """
    if failure is not None:
        return Examination((), failure=failure)
    masters = [master_as_released(name, notebook) for name, notebook in released.items()]
    read, unreadable = _read(files)
    filing = align_files(read, masters, released)
    failure = _failure(files, unreadable, {m.name for m in masters}, filing.files)
    doubts = list(filing.doubts)
    notebooks = []
    for master in masters:
        file = filing.files.get(master.name)
        if file is None:
            if master.name in unreadable:
                notebooks.append(Notebook(master.name, shown_name(master.name)))
            elif whole:
                doubts.append(f"{master.name}{_SUFFIX} was not handed in")
                notebooks.append(Notebook(master.name, None))
            continue
        try:
            found = align(read[file], master, released[master.name])
        except CannotAlign as error:
            failure = failure or str(error)
            notebooks.append(Notebook(master.name, shown_name(file)))
        else:
            shown = _cells(found, master, released[master.name])
            notebooks.append(_notebook(master.name, file, found, shown))
    doubts += [
        f"{shown_name(name)} cannot be read: {reason}"
        for name, reason in unreadable.items()
        if name in released and (failure is None or name in filing.files)
    ]
    strangers = [*filing.others, *(name for name in unreadable if name not in released)]
    doubts += [f"{shown_name(name)} is not of this assignment" for name in strangers]
    return Examination(tuple(notebooks), filing.repairs, tuple(doubts), failure)


def _read(files: Mapping[str, bytes]) -> tuple[dict[str, NotebookNode], dict[str, str]]:
    read: dict[str, NotebookNode] = {}
    unreadable: dict[str, str] = {}
    for path, data in sorted(files.items()):
        if path.endswith(_SUFFIX) and "/" not in path:
            try:
                read[path.removesuffix(_SUFFIX)] = parse_notebook(data, clear_outputs=True)
            except NotebookError as error:
                unreadable[path.removesuffix(_SUFFIX)] = error.placed
    return read, unreadable


def _failure(
    files: Mapping[str, bytes],
    unreadable: Mapping[str, str],
    wanted: set[str],
    found: Mapping[str, str],
) -> str | None:
    try:
        read_timestamp(files.get(TIMESTAMP))
    except ValueError as error:
        return str(error)
    for name in sorted(wanted):
        if name not in found and name in unreadable:
            return f"{name}{_SUFFIX} cannot be read: {unreadable[name]}"
    if found:
        return None
    handed_in = [shown_name(path.removesuffix(_SUFFIX)) for path in sorted(files) if _flat(path)]
    return (
        f"it has none of the assignment's notebooks ({', '.join(sorted(wanted))});"
        f" handed in: {', '.join(handed_in) or 'none'}"
    )


def _flat(path: str) -> bool:
    return path.endswith(_SUFFIX) and "/" not in path


def shown_name(name: str) -> str:
    """Return a notebook's file name for people."""
    return f"{plainfiles.shown_name(name)}{_SUFFIX}"


def _notebook(name: str, file: str, found: Alignment, cells: tuple[Cell, ...]) -> Notebook:
    return Notebook(
        name=name,
        file=shown_name(file),
        cells=cells,
        repairs=found.repairs,
        doubts=found.doubts,
        loose=tuple((entry.cell, entry.text) for entry in found.loose),
    )


def _cells(found: Alignment, master: MasterNotebook, released: NotebookNode) -> tuple[Cell, ...]:
    sources = {
        nbgrader_metadata(cell).get("grade_id"): str(cell.source) for cell in found.notebook.cells
    }
    anchors = {anchor.id: anchor for anchor in anchors_of(master, released)}
    shown = []
    for place in found.places:
        anchor = anchors[place.id]
        text = found.beside.get(place.id, sources[place.id])
        words = 0 if anchor.blank(text) else len(text.split())
        shown.append(
            Cell(
                id=place.id,
                role=str(anchor.role),
                cells=place.cells,
                how=str(place.how),
                note=place.note,
                needs_person=place.doubtful,
                words=words if anchor.role.answer else None,
            )
        )
    return tuple(shown)
