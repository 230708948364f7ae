"""Putting an aligned notebook together, and telling what became of each cell."""

from __future__ import annotations

import copy
from collections import Counter
from typing import TYPE_CHECKING, Any

from nbformat import NotebookNode

from markbook.autograde.alignment.claims import compare
from markbook.autograde.alignment.claims import missing as missing_of
from markbook.autograde.alignment.read import located, nbgrader_of
from markbook.autograde.alignment.values import (
    Alignment,
    How,
    Loose,
    Piece,
    Place,
    Role,
    plain,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markbook.autograde.alignment.story import Story, Told
    from markbook.autograde.alignment.values import Anchor

__all__ = ["build", "in_order", "put_back"]

_SETTINGS = ("grade", "solution", "locked", "task", "points", "cell_type")
_MANY = 4  # cells with the same lot are told of in one sentence
_WITH_IDS = 5  # nbformat 4.5 gives cells ids


def _node(content: dict[str, Any]) -> NotebookNode:
    node: NotebookNode = NotebookNode(content)  # type: ignore[no-untyped-call]
    return node


def build(
    notebook: NotebookNode,
    pieces: list[Piece],
    anchors: Sequence[Anchor],
    story: Story,
    *,
    name: str,
) -> Alignment:
    """Return the alignment, with all that was done told.

    ``name`` is the notebook's in sentences.
    """
    loose, lost = _loose(pieces)
    missing = _tell_put_back(pieces, anchors, story)
    _tell_changes(pieces, story)
    loose += _edited(pieces, story)
    cells = _cells(pieces, notebook)
    same = len(cells) == len(notebook.cells) and all(
        new is old for new, old in zip(cells, notebook.cells, strict=True)
    )
    aligned = notebook if same else _node(notebook | {"cells": cells})
    places = tuple(_place(anchor, pieces, story, missing) for anchor in anchors)
    told = [entry for anchor in anchors for entry in story.told.get(anchor.id, ())]
    doubts = [*(said.sentence for said in told if said.doubtful), *lost]
    return Alignment(
        notebook=aligned,
        places=places,
        repairs=tuple(f"{name}: {sentence}" for sentence in _summed(told)),
        doubts=tuple(f"{name}: {sentence}" for sentence in doubts),
        missing=missing,
        beside=dict(story.beside),
        loose=tuple(sorted(loose, key=lambda entry: entry.cell)),
    )


def _place(anchor: Anchor, pieces: Sequence[Piece], story: Story, missing: frozenset[str]) -> Place:
    piece = next(piece for piece in pieces if piece.owner is anchor)
    told = story.told.get(anchor.id, [])
    back = How.MISSING if anchor.id in missing else How.PUT_BACK
    return Place(
        id=anchor.id,
        cells=piece.numbers if piece.number else (),
        how=piece.how if piece.number else back,
        note="; ".join(said.sentence for said in told),
        doubtful=any(said.doubtful for said in told),
    )


def _summed(told: Sequence[Told]) -> tuple[str, ...]:
    """Return the repairs, those that many cells have in common as one sentence."""
    counts = Counter(said.summary for said in told if said.summary)
    sentences = [
        said.summary.replace("{}", f"{counts[said.summary]} cells", 1)
        if counts[said.summary] >= _MANY
        else said.sentence
        for said in told
        if not said.doubtful
    ]
    return tuple(dict.fromkeys(sentences))


def put_back(pieces: list[Piece], anchors: Sequence[Anchor]) -> None:
    """Put cells in that are nowhere, as released; their number is 0."""
    for anchor in missing_of(pieces, anchors):
        piece = Piece(0, anchor.cell, anchor.kind, anchor.source, owner=anchor, how=How.PUT_BACK)
        pieces.insert(_place_of(anchor, pieces), piece)


def _tell_put_back(
    pieces: Sequence[Piece], anchors: Sequence[Anchor], story: Story
) -> frozenset[str]:
    """Tell of the cells that were nowhere; return the ids of the answers among them."""
    missing: set[str] = set()
    found = located([piece for piece in pieces if piece.number])
    for anchor in anchors:
        if anchor.id in found:
            continue
        if anchor.role.answer:
            missing.add(anchor.id)
            told = f"the cell of {anchor.id!r} is missing and is put back as released: a person has"
            story.doubt(anchor, f"{told} to look{_perhaps(anchor, anchors, found)}")
        else:
            what = "test" if anchor.role is Role.TEST else "read-only cell"
            sentence = f"the {what} {anchor.id!r} was deleted and is put back"
            story.repair(anchor, sentence, "{} that are read-only were deleted and are put back")
    return frozenset(missing)


def _perhaps(
    anchor: Anchor, anchors: Sequence[Anchor], found: Mapping[str, Sequence[Piece]]
) -> str:
    """Name the answer that the missing one was perhaps merged with: nothing is left between."""
    for way in (anchors[anchor.order + 1 :], anchors[: anchor.order][::-1]):
        near = next((other for other in way if other.id in found), None)
        if near is not None and near.role is anchor.role:
            piece = found[near.id][0]
            if not near.blank(piece.source):
                return f"; it may be in the cell of {near.id!r} (cell {piece.number})"
    return ""


def _place_of(anchor: Anchor, pieces: Sequence[Piece]) -> int:
    """An answer goes right below the cell before it, any other right above the one after it."""
    before = after = -1
    for index, piece in enumerate(pieces):
        if piece.owner is not None and piece.owner.order < anchor.order:
            if before < 0 or piece.owner.order > _order(pieces[before]):
                before = index
        elif piece.owner is not None and (after < 0 or piece.owner.order < _order(pieces[after])):
            after = index
    if anchor.role.answer or after <= before:
        return before + 1 if before >= 0 or after < 0 else after
    return after


def _order(piece: Piece) -> int:
    return piece.owner.order if piece.owner is not None else -1


def in_order(pieces: list[Piece], anchors: Sequence[Anchor], story: Story) -> list[Piece]:
    """Return the pieces in the release's order if code stands above what it needs.

    That is a test above the answer that it tests, and any code above the read-only code that the
    release has before it. Other moves change no score, and stay.
    """
    place = {piece.owner.id: i for i, piece in enumerate(pieces) if piece.owner is not None}
    high = len(pieces)
    low: list[Anchor] = []
    for anchor in reversed(anchors):
        if anchor.role is Role.SETUP and place[anchor.id] > high:
            low.append(anchor)
        elif anchor.kind == "code":
            high = min(high, place[anchor.id])
    tests = [a for a in anchors if any(place[name] > place[a.id] for name in a.tests)]
    if not low and not tests:
        return pieces
    became = "the cells are put in the order of the release"
    for anchor in tests:
        stood = "stood above the answer that it tests"
        story.repair(anchor, f"the test {anchor.id!r} {stood}: {became}")
    for anchor in low:
        stood = "stood below code that comes after it"
        story.repair(anchor, f"the read-only code {anchor.id!r} {stood}: {became}")
    order = -1
    keys = []
    for index, piece in enumerate(pieces):
        order = _order(piece) if piece.owner is not None else order
        keys.append((order, index))
    return [pieces[index] for _, index in sorted(keys)]


def _tell_changes(pieces: Sequence[Piece], story: Story) -> None:
    for piece in pieces:
        anchor = piece.owner
        if anchor is not None and piece.cut and anchor.role.answer:
            _tell_merged(piece, anchor, story)
        if anchor is None or not piece.number or piece.cut:
            continue
        name = f"{anchor.id!r} (cell {piece.number})"
        if piece.how is How.TEXT and not anchor.role.answer:
            sentence = f"the read-only cell {name} had no id and is recognised by its text"
            story.repair(anchor, sentence, "{} had no id and are recognised by their text")
        if piece.kind != anchor.kind and piece.how is not How.NEW_CELL:
            story.repair(
                anchor,
                f"the cell of {name} was made a {piece.kind} cell: it is {anchor.kind} again",
            )
        if piece.grade_id == anchor.id and piece.how in (How.ID, How.COPY, How.SPLIT):
            _tell_settings(piece, anchor, name, story)
        elif piece.how is How.ID:
            had = f"the id {piece.grade_id!r}" if piece.grade_id else "no usable nbgrader id"
            sentence = f"the cell of {name} had {had}: it is recognised by its id in the file"
            many = "{} had no usable nbgrader id and are recognised by their id in the file"
            story.repair(anchor, sentence, "" if piece.grade_id else many)


def _tell_merged(piece: Piece, anchor: Anchor, story: Story) -> None:
    if not story.told.get(anchor.id):
        story.repair(
            anchor,
            f"the answer to {anchor.id!r} stood in cell {piece.number} together with another"
            " cell's text: they are taken apart",
        )


def _tell_settings(piece: Piece, anchor: Anchor, name: str, story: Story) -> None:
    theirs, ours = nbgrader_of(piece.cell), nbgrader_of(anchor.cell)
    version = theirs.get("schema_version")
    if version != ours.get("schema_version"):
        story.repair(
            anchor,
            f"the nbgrader metadata of {name} had version {_short(version)}: restored",
            f"{{}} had nbgrader metadata of version {_short(version)}: restored",
        )
        return
    changed = [
        f"{key} {_short(theirs.get(key))} instead of {_short(ours.get(key))}"
        for key in _SETTINGS
        if theirs.get(key) != ours.get(key)
    ]
    if changed:
        story.repair(
            anchor, f"the settings of {name} were changed ({', '.join(changed)}): restored"
        )


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _edited(pieces: Sequence[Piece], story: Story) -> list[Loose]:
    """Tell of read-only cells that the student changed, with what they typed there."""
    found: list[Loose] = []
    for piece in pieces:
        anchor = piece.owner
        if anchor is None or anchor.role.answer or not piece.number:
            continue
        typed = piece.edited
        if not piece.cut and anchor.locked and plain(piece.source) != plain(anchor.source):
            typed = "\n".join(filter(None, compare(anchor.source, piece.source)))
            piece.source = anchor.source
        elif not typed:
            continue
        said = f": {quoted(typed)}" if typed.strip() else ""
        story.repair(
            anchor,
            f"the read-only cell {anchor.id!r} (cell {piece.number}) was edited and is restored"
            f"{said}",
        )
        if typed.strip():
            found.append(Loose(piece.number, typed, told=True))
    return found


def _loose(pieces: Sequence[Piece]) -> tuple[list[Loose], list[str]]:
    """Find the student's text that is in no answer, and say where it is a person's business."""
    found: list[Loose] = []
    told: list[str] = []
    task = False
    for piece in pieces:
        if piece.owner is not None:
            task = piece.owner.role is Role.TASK
            continue
        if piece.given or not piece.source.strip():
            continue
        worth = piece.kind != "code" and any(letter.isalnum() for letter in piece.source)
        found.append(Loose(piece.number, piece.source, told=worth and not task))
        if worth and not task:
            told.append(f"{_whence(piece, pieces)} is in no answer: {quoted(piece.source)}")
    return found, told


def _whence(piece: Piece, pieces: Sequence[Piece]) -> str:
    if not piece.cut:
        return f"cell {piece.number} was added by the student and"
    names = [p.owner.id for p in pieces if p.owner is not None and p.number == piece.number]
    return f"text in the cell of {' and '.join(map(repr, names))} (cell {piece.number})"


def _cells(pieces: Sequence[Piece], notebook: NotebookNode) -> list[NotebookNode]:
    with_ids = notebook.get("nbformat_minor", 0) >= _WITH_IDS
    used: set[str] = set()
    cells = []
    for number, piece in enumerate(pieces, start=1):
        made = _cell(piece)
        if with_ids:
            made = _named(made, piece, used, number)
        elif "id" in made and not piece.number:
            made = _node({key: value for key, value in made.items() if key != "id"})
        cells.append(made)
    return cells


def _named(cell: NotebookNode, piece: Piece, used: set[str], number: int) -> NotebookNode:
    """Give a cell an id of its own, its earlier one if that is free."""
    wanted = cell.get("id")
    if piece.cut or not isinstance(wanted, str) or wanted in used:
        theirs = piece.owner.cell.get("id") if piece.owner is not None else None
        wanted = str(theirs or f"cell-{number}")
        while wanted in used:
            wanted = f"{wanted[:50]}-{number}"
    used.add(wanted)
    if cell.get("id") != wanted:
        cell = _node(cell | {"id": wanted})
    return cell


def _cell(piece: Piece) -> NotebookNode:
    """Return the piece as a cell: the very cell of the submission if it is as it should be."""
    anchor, old = piece.owner, piece.cell
    wanted = nbgrader_of(anchor.cell) if anchor is not None else piece.kept
    metadata = old.get("metadata")
    kind = anchor.kind if anchor is not None else piece.kind
    if piece.number and not piece.cut and not piece.more and isinstance(metadata, dict):
        mine = metadata.get("nbgrader")
        if mine == wanted and kind == old["cell_type"] and piece.source == old["source"]:
            return old
    return _made(piece, kind, wanted)


def _made(piece: Piece, kind: str, wanted: dict[str, Any] | None) -> NotebookNode:
    old = piece.cell
    metadata = old.get("metadata")
    kept = dict(metadata) if isinstance(metadata, dict) and not piece.cut else {}
    kept.pop("nbgrader", None)
    if wanted is not None:
        kept["nbgrader"] = _node(copy.deepcopy(wanted))
    cell: dict[str, Any] = {"cell_type": kind, "metadata": _node(kept)}
    if "id" in old:
        cell["id"] = old["id"]
    cell["source"] = piece.source
    if kind == "code":
        whole = old["cell_type"] == "code" and not piece.cut and not piece.more
        cell["execution_count"] = old.get("execution_count") if whole else None
        cell["outputs"] = copy.deepcopy(old.get("outputs", [])) if whole else []
    elif piece.attachments:
        cell["attachments"] = _node(copy.deepcopy(piece.attachments))
    return _node(cell)
