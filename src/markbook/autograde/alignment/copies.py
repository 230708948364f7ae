"""Cells that are in a submission more than once: copies, and the parts of split cells."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from rapidfuzz import fuzz

from markbook.autograde.alignment.claims import missing
from markbook.autograde.alignment.read import located
from markbook.autograde.alignment.story import claimed, join, numbers, predecessor
from markbook.autograde.alignment.values import How, Role, defined, plain, shown_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markbook.autograde.alignment.story import Story
    from markbook.autograde.alignment.values import Anchor, Piece

__all__ = ["resolve_copies"]

_ONE_TEXT = 60  # of 100: two versions of a text are more alike, two parts of one are less
_SAME_TEXT = 90  # the same where the ids in the file speak for parts; two short ones reach 87
_COMPARED = 10_000  # characters: comparing takes the square of their number
_BETWEEN = "\n\n---\n\n"  # a rule, in Markdown, between two versions of an answer


def resolve_copies(pieces: list[Piece], anchors: Sequence[Anchor], story: Story) -> list[Piece]:
    """Leave one piece to each master cell; what the others say is kept."""
    _give_copies_away(pieces, anchors, story)
    dropped: list[Piece] = []
    for anchor in anchors:
        group = located(pieces).get(anchor.id, [])
        if len(group) < 2:
            continue
        if anchor.role.answer:
            dropped += _one_answer(anchor, group, pieces, story)
        else:
            dropped += _one_read_only(anchor, group, story)
    return [piece for piece in pieces if not any(piece is other for other in dropped)]


def _give_copies_away(pieces: list[Piece], anchors: Sequence[Anchor], story: Story) -> None:
    """A copy that stands where another answer's cell is missing is that answer's cell."""
    for anchor in missing(pieces, anchors):
        before = predecessor(anchor, anchors)
        if not anchor.role.answer or before is None:
            continue
        groups = located(pieces)
        for first, piece in pairwise(claimed(pieces)):
            owner = piece.owner
            if first.owner is not before or owner is None or owner.role is not anchor.role:
                continue
            if len(groups[owner.id]) > 1 and predecessor(owner, anchors) is not before:
                piece.owner, piece.how = anchor, How.ORDER
                story.doubt(
                    anchor,
                    f"cell {piece.number} has the id of {owner.id!r}, but stands where the answer"
                    f" to {anchor.id!r} belongs: it is taken for that, and a person has to look",
                )
                break


def _one_read_only(anchor: Anchor, group: Sequence[Piece], story: Story) -> list[Piece]:
    """Keep the first unchanged copy; a changed one becomes an ordinary cell."""
    same = [piece for piece in group if plain(piece.source) == plain(anchor.source)]
    kept = (same or group)[0]
    for piece in group:
        if piece is not kept:
            piece.owner = None
    where = shown_cells(numbers(group))
    story.repair(anchor, f"the read-only cell {anchor.id!r} was copied ({where}): one is kept")
    return [piece for piece in same if piece is not kept]


def _one_answer(
    anchor: Anchor, group: Sequence[Piece], pieces: Sequence[Piece], story: Story
) -> list[Piece]:
    live = [piece for piece in group if not anchor.blank(piece.source)]
    texts = {plain(piece.source) for piece in live}
    where = shown_cells(numbers(group))
    if len(texts) > 1:
        if _is_split(anchor, live, pieces):
            join(live, "\n" if anchor.role is Role.CODE else "\n\n")
            live[0].how = How.SPLIT
            parts = shown_cells(numbers(live))
            story.repair(
                anchor, f"the answer to {anchor.id!r} was split over {parts}: put together in order"
            )
            return [piece for piece in group if piece is not live[0]]
        if anchor.role is Role.TEXT:
            return _both_texts(anchor, group, live, story)
        return _both_codes(anchor, group, live, pieces, story)
    kept = (live or group)[0]
    if kept is not group[0]:
        kept.how = How.COPY
        sentence = f"the answer to {anchor.id!r} was in a copied cell (cell {kept.number})"
    elif not live:
        sentence = f"the cell of {anchor.id!r} was copied ({where}); none is filled in"
    else:
        same = "with the same answer" if len(live) > 1 else f"answered in cell {kept.number}"
        sentence = f"the cell of {anchor.id!r} was copied ({where}), {same}"
    story.repair(anchor, sentence)
    return [piece for piece in group if piece is not kept]


def _both_texts(
    anchor: Anchor, group: Sequence[Piece], live: Sequence[Piece], story: Story
) -> list[Piece]:
    """Keep all texts, one below the other."""
    unique = _first_of_each(live)
    join(unique, _BETWEEN)
    unique[0].how = How.COPY
    story.doubt(
        anchor,
        f"the answer to {anchor.id!r} was in a copied cell ({shown_cells(numbers(live))}) and the"
        " copies hold different texts: both are kept, one below the other; a person has to look",
    )
    return [piece for piece in group if piece is not unique[0]]


def _both_codes(
    anchor: Anchor,
    group: Sequence[Piece],
    live: Sequence[Piece],
    pieces: Sequence[Piece],
    story: Story,
) -> list[Piece]:
    """Score the last copy above the test; the others run as the student ran them."""
    above: list[Piece] = []
    for piece in pieces:
        if piece.owner is not None and anchor.id in piece.owner.tests:
            break
        above += [piece] if any(piece is other for other in live) else []
    kept = (above or live)[-1]
    kept.how = How.COPY
    for piece in live:
        if piece is not kept:
            piece.owner = None
    story.beside[anchor.id] = "\n\n".join(piece.source for piece in live)
    story.doubt(
        anchor,
        f"the code of {anchor.id!r} was in a copied cell ({shown_cells(numbers(live))}) and the"
        f" copies differ: cell {kept.number} is scored, the others run where they stand; a person"
        " has to look",
    )
    return [piece for piece in group if piece not in live]


def _first_of_each(live: Sequence[Piece]) -> list[Piece]:
    seen: dict[str, Piece] = {}
    for piece in live:
        seen.setdefault(plain(piece.source), piece)
    return list(seen.values())


def _is_split(anchor: Anchor, live: Sequence[Piece], pieces: Sequence[Piece]) -> bool:
    """Tell whether these are parts of one text, not versions of it.

    JupyterLab's split leaves the cell's own id in the file to the last part, its paste to the
    original.
    """
    places = [next(i for i, p in enumerate(pieces) if p is piece) for piece in live]
    for one, other in pairwise(places):
        if any(piece.source.strip() for piece in pieces[one + 1 : other] if piece not in live):
            return False
    originals = [piece for piece in live if anchor.node_id and piece.node_id == anchor.node_id]
    if originals and originals[-1] is not live[-1]:
        return False
    alike = _SAME_TEXT if originals else _ONE_TEXT
    return not any(_versions(a.source, b.source, alike) for a in live for b in live if a is not b)


def _versions(one: str, other: str, alike: int) -> bool:
    if defined(one) & defined(other):
        return True
    one, other = plain(one)[:_COMPARED], plain(other)[:_COMPARED]
    return one in other or fuzz.ratio(one, other, score_cutoff=alike) > 0
