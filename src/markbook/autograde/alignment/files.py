"""Which file of a submission is which notebook of its assignment."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markbook.autograde.alignment.read import anchors_of, nbgrader_of
from markbook.autograde.alignment.values import plain
from markbook.text.plainfiles import shown_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbformat import NotebookNode

    from markbook.autograde.alignment.values import Anchor
    from markbook.model import MasterNotebook

__all__ = ["Filing", "align_files"]

_ENOUGH = 0.5  # of a notebook's cells: less is a piece of it, or another one with an id in common
# "part (1)", "part-Copy1", "Copy of part", "part_copy", "part - Copy (2)", "part kopia"
_COPY = re.compile(r"(?i)\bcopy of |[\s_-]*(?:\(\d+\)|-?\s*copy\s*(?:\(\d+\)|\d*)|\.ipynb)$")


@dataclass(frozen=True, slots=True)
class Filing:
    """Which file is taken for which notebook: names without ending, by the notebook's name.

    ``others`` are files that are no notebook of the assignment, ``repairs`` and ``doubts``
    sentences as those of an alignment. A file that is a copy of one taken is in neither.
    """

    files: Mapping[str, str]
    others: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(slots=True)
class _Desk:
    repairs: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def align_files(
    files: Mapping[str, NotebookNode],
    masters: Sequence[MasterNotebook],
    released: Mapping[str, NotebookNode],
) -> Filing:
    """Find the assignment's notebooks among a submission's files, by ids, then by text.

    ``files`` and ``released`` are by name without ending. Of two copies the one with more
    answers is taken, the one with the right name when they have as many; what the other answers
    differently is a doubt.
    """
    if files.keys() == {master.name for master in masters} and (
        len(masters) == 1 or all(_has_answers(files[master.name], master) for master in masters)
    ):
        return Filing({name: name for name in files})
    anchors = {master.name: anchors_of(master, released[master.name]) for master in masters}
    candidates: dict[str, list[str]] = {name: [] for name in anchors}
    others: list[str] = []
    for file, notebook in files.items():
        likeness = {name: _likeness(notebook, found) for name, found in anchors.items()}
        best = max(likeness, key=lambda name: (likeness[name], _bare(file) == name, name == file))
        if likeness[best] >= _ENOUGH or (likeness[best] > 0 and _bare(file) == best):
            candidates[best].append(file)
        elif file in anchors:
            candidates[file].append(file)  # it has the name: whether it can be aligned is next
        else:
            others.append(file)
    desk = _Desk()
    chosen = {
        name: _choose(name, found, files, anchors[name], desk)
        for name, found in candidates.items()
        if found
    }
    return Filing(chosen, tuple(others), tuple(desk.repairs), tuple(desk.doubts))


def _has_answers(notebook: NotebookNode, master: MasterNotebook) -> bool:
    ids = {nbgrader_of(cell).get("grade_id") for cell in notebook.cells if _has_name(cell)}
    return all(cell.id in ids for cell in master.cells if cell.solution)


def _bare(file: str) -> str:
    """Return a file's name without what programs add to copies."""
    earlier = None
    while earlier != file:
        earlier, file = file, _COPY.sub("", file).strip()
    return file


def _likeness(notebook: NotebookNode, anchors: Sequence[Anchor]) -> float:
    """Return which part of a notebook's cells is in a file, by id or, of read-only ones, by text.

    Ids count in full, texts where the ids are lost.
    """
    ids = {nbgrader_of(cell).get("grade_id") for cell in notebook.cells if _has_name(cell)}
    asked = [anchor for anchor in anchors if anchor.role.answer] or anchors
    by_id = sum(anchor.id in ids for anchor in asked) / max(len(asked), 1)
    text = "\n".join(plain(str(cell["source"])) for cell in notebook.cells)
    read_only = [anchor for anchor in anchors if not anchor.role.answer and anchor.source.strip()]
    same = sum(plain(anchor.source) in text for anchor in read_only)
    return max(by_id, same / len(read_only) if read_only else 0.0)


def _has_name(cell: NotebookNode) -> bool:
    return isinstance(nbgrader_of(cell).get("grade_id"), str)


def _choose(
    name: str,
    found: Sequence[str],
    files: Mapping[str, NotebookNode],
    anchors: Sequence[Anchor],
    desk: _Desk,
) -> str:
    answers = {file: _answers(files[file], anchors) for file in found}
    chosen = max(found, key=lambda file: (len(answers[file]), file == name, file))
    if len(found) == 1:
        if chosen != name:
            desk.repairs.append(f"{name}.ipynb was handed in as {_shown(chosen)}")
        return chosen
    rest = [file for file in found if file != chosen]
    both = ", ".join(_shown(file) for file in rest)
    differing = sorted(
        {
            question
            for file in rest
            for question, text in answers[file].items()
            if answers[chosen].get(question) != text
        }
    )
    if not differing:
        desk.repairs.append(
            f"{name}.ipynb was handed in more than once: {_shown(chosen)} is taken, {both} has"
            " nothing that it does not have"
        )
        return chosen
    named = ", ".join(repr(question) for question in differing)
    desk.doubts.append(
        f"{name}.ipynb was handed in more than once: {_shown(chosen)} is taken, but {both} answers"
        f" {named} differently; a person has to look"
    )
    return chosen


def _answers(notebook: NotebookNode, anchors: Sequence[Anchor]) -> dict[str, str]:
    """Return what is answered in a file: all that is written where the ids are, and elsewhere."""
    by_id = {anchor.id: anchor for anchor in anchors if anchor.role.answer}
    known = {plain(anchor.source) for anchor in anchors}
    found: dict[str, str] = {}
    for number, cell in enumerate(notebook.cells, start=1):
        source = plain(str(cell["source"]))
        name = nbgrader_of(cell).get("grade_id") if _has_name(cell) else None
        anchor = by_id.get(name) if name is not None else None
        if anchor is not None and not anchor.blank(source):
            found[anchor.id] = f"{found.get(anchor.id, '')}\n\n{source}".strip()
        elif anchor is None and name is None and source and source not in known:
            found[f"cell {number}"] = source
    return found


def _shown(file: str) -> str:
    """Return a notebook file's name for people."""
    return f"{shown_name(file)}.ipynb"
