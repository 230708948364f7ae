"""Reading a release and a submission into what alignment works on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markbook.autograde.alignment.values import Anchor, Piece, Role, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbformat import NotebookNode

    from markbook.model import MasterCell, MasterNotebook

__all__ = ["anchors_of", "as_released", "located", "nbgrader_of", "pieces_of"]


def nbgrader_of(cell: NotebookNode) -> dict[str, Any]:
    """Return a cell's nbgrader metadata; empty where there is none, or anything but a dict."""
    metadata = cell.get("metadata")
    found = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def as_released(notebook: NotebookNode, master: MasterNotebook, released: NotebookNode) -> bool:
    """Tell whether a notebook has the release's cells, in order, with only answers changed."""
    if len(notebook.cells) != len(released.cells):
        return False
    wanted = {cell.id for cell in master.cells}
    for cell, model in zip(notebook.cells, released.cells, strict=True):
        theirs = model["metadata"].get("nbgrader")
        metadata = cell["metadata"]
        if not isinstance(metadata, dict) or metadata.get("nbgrader") != theirs:
            return False
        if cell["cell_type"] != model["cell_type"]:
            return False
        if theirs is None or not theirs.get("solution"):
            if cell["source"] != model["source"]:
                return False
        if theirs is not None:
            wanted.discard(theirs.get("grade_id"))
    return not wanted


def anchors_of(master: MasterNotebook, released: NotebookNode) -> tuple[Anchor, ...]:
    """Return the master's cells as released, in the order of the release.

    A cell that the release no longer has comes last, with the master's own text.
    """
    cells = {cell.id: cell for cell in master.cells}
    found: list[tuple[MasterCell, NotebookNode]] = []
    for model in released.cells:
        known = cells.pop(str(nbgrader_of(model).get("grade_id")), None)
        if known is not None:
            found.append((known, model))
    found += [(cell, _from_master(cell)) for cell in cells.values()]
    anchors: list[Anchor] = []
    group: list[str] = []
    tested = False
    for order, (cell, model) in enumerate(found):
        role = _role(cell)
        if role is Role.CODE:
            group, tested = [cell.id] if tested else [*group, cell.id], False
        tested = tested or role is Role.TEST
        tests = tuple(group) if role is Role.TEST else ()
        anchors.append(
            Anchor(cell.id, order, role, model, str(model["source"]), tests, cell.locked)
        )
    return tuple(anchors)


def _role(cell: MasterCell) -> Role:
    if cell.task:
        return Role.TASK
    if cell.solution:
        return Role.CODE if cell.cell_type == "code" else Role.TEXT
    if cell.grade:
        return Role.TEST
    return Role.SETUP if cell.cell_type == "code" else Role.PROMPT


def _from_master(cell: MasterCell) -> NotebookNode:
    from nbformat import v4

    nbgrader = {
        "schema_version": 3,
        "grade_id": cell.id,
        "grade": cell.grade,
        "solution": cell.solution,
        "locked": cell.locked,
        "task": cell.task,
        "cell_type": cell.cell_type,
        "checksum": cell.checksum,
    }
    if cell.points is not None:
        nbgrader["points"] = cell.points
    make = v4.new_code_cell if cell.cell_type == "code" else v4.new_markdown_cell
    made: NotebookNode = make(  # type: ignore[no-untyped-call]
        cell.source, metadata={"nbgrader": nbgrader}
    )
    return made


def pieces_of(
    notebook: NotebookNode, released: NotebookNode, anchors: Sequence[Anchor]
) -> list[Piece]:
    """Return the submission's cells in order; those of the release that are nobody's are given."""
    known = {anchor.id for anchor in anchors}
    theirs = {
        plain(str(cell["source"])): nbgrader_of(cell) or None
        for cell in released.cells
        if nbgrader_of(cell).get("grade_id") not in known
    }
    return [_piece(cell, number, theirs) for number, cell in enumerate(notebook.cells, start=1)]


def _piece(cell: NotebookNode, number: int, given: Mapping[str, dict[str, Any] | None]) -> Piece:
    grade_id = nbgrader_of(cell).get("grade_id")
    source = str(cell.get("source", ""))
    return Piece(
        number=number,
        cell=cell,
        kind=str(cell["cell_type"]),
        source=source,
        grade_id=grade_id if isinstance(grade_id, str) else "",
        given=plain(source) in given,
        kept=given.get(plain(source)),
        attachments=dict(cell.get("attachments") or {}),
    )


def located(pieces: Sequence[Piece]) -> dict[str, list[Piece]]:
    """Return the pieces of each master cell that has any, by id, in notebook order."""
    found: dict[str, list[Piece]] = {}
    for piece in pieces:
        if piece.owner is not None:
            found.setdefault(piece.owner.id, []).append(piece)
    return found
