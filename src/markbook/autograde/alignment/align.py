"""Bringing a submission's notebook in line with its master, whatever was done to its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markbook.autograde.alignment.answers import follow_order, take_new_cells
from markbook.autograde.alignment.build import build, in_order, put_back
from markbook.autograde.alignment.claims import claim_by_id, claim_by_text, cut_merged, recognised
from markbook.autograde.alignment.copies import resolve_copies
from markbook.autograde.alignment.read import anchors_of, as_released, nbgrader_of, pieces_of
from markbook.autograde.alignment.story import Story
from markbook.autograde.alignment.values import Alignment, CannotAlign, How, Loose, Place

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from markbook.model import MasterNotebook

# A person writes no more; comparing all with all takes the square of their number.
MOST_CELLS = 2000

__all__ = ["Alignment", "CannotAlign", "How", "Loose", "Place", "align"]


def align(notebook: NotebookNode, master: MasterNotebook, released: NotebookNode) -> Alignment:
    """Return the notebook with each cell of ``master`` exactly once, and what had to be done.

    ``released`` is the notebook as students got it. Cells are recognised by id, then by where
    they stand, then by their text. Each master cell's type and ``metadata.nbgrader`` are the
    release's; an answer's source is the student's, a read-only cell's the release's. The order is
    the student's, unless a test would stand above an answer that it tests. Text of the student's
    that is in no answer stays in the notebook as ordinary cells, or is quoted in a finding if it
    was typed into a read-only text. Raises ``CannotAlign`` when nothing is recognised.
    """
    if as_released(notebook, master, released):
        known = {cell.id for cell in master.cells}
        names = (nbgrader_of(cell).get("grade_id") for cell in notebook.cells)
        places = tuple(
            Place(str(name), (number,), How.ID)
            for number, name in enumerate(names, start=1)
            if name in known
        )
        return Alignment(notebook, places)
    if not notebook.cells:
        raise CannotAlign(f"{master.name}.ipynb has no cells")
    if len(notebook.cells) > MOST_CELLS:
        raise CannotAlign(f"{master.name}.ipynb has {len(notebook.cells)} cells")
    anchors = anchors_of(master, released)
    pieces = pieces_of(notebook, released, anchors)
    claim_by_id(pieces, anchors)
    claim_by_text(pieces, anchors)
    pieces = cut_merged(pieces, anchors)
    if anchors and not recognised(pieces):
        raise CannotAlign(
            f"no cell of {master.name}.ipynb is recognised: neither an id nor a text is one of the"
            " assignment's"
        )
    story = Story()
    pieces = resolve_copies(pieces, anchors, story)
    pieces = follow_order(pieces, anchors, story)
    put_back(pieces, anchors)
    pieces = in_order(pieces, anchors, story)
    pieces = take_new_cells(pieces, anchors, story)
    return build(notebook, pieces, anchors, story, name=f"{master.name}.ipynb")
