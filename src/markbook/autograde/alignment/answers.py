"""Answers that are not in their own cell: recognised by their place, or typed beside it."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING

from rapidfuzz import fuzz

from markbook.autograde.alignment.claims import missing
from markbook.autograde.alignment.story import claimed, join, numbers, predecessor
from markbook.autograde.alignment.values import How, Role, defined, quoted, shown_cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markbook.autograde.alignment.story import Story
    from markbook.autograde.alignment.values import Anchor, Piece

__all__ = ["follow_order", "take_new_cells"]

_LIKE_STUB = 60  # of 100: code that has most of its stub's words
_LONGEST = 20_000  # characters that are compared with a stub, or parsed to see if they are code
_SURELY = 88  # the same where not even the place speaks for it


def follow_order(pieces: list[Piece], anchors: Sequence[Anchor], story: Story) -> list[Piece]:
    """Find the answers whose cell is not recognised by where they stand, then by their text."""
    gone: list[Piece] = []
    for anchor in missing(pieces, anchors):
        if not anchor.role.answer:
            continue
        found, how = _in_place(anchor, pieces, anchors), How.ORDER
        if not found:
            found, how = _by_text(anchor, pieces, anchors), How.TEXT
        if not found:
            continue
        merged = found[0].how is How.MERGED
        join(found, "\n\n")
        found[0].owner, found[0].how = anchor, How.MERGED if merged else how
        gone += found[1:]
        _tell_found(anchor, found[0], how, story, merged=merged)
    return [piece for piece in pieces if not any(piece is other for other in gone)]


def _tell_found(anchor: Anchor, piece: Piece, how: How, story: Story, *, merged: bool) -> None:
    where = shown_cells(piece.numbers)
    if merged:
        text = f"the answer to {anchor.id!r} stood in {where} together with another cell's text"
        story.repair(anchor, f"{text}: it is taken from there")
        return
    named = f"it had the id {piece.grade_id!r}" if piece.grade_id else "it had no id"
    by = "its place" if how is How.ORDER else "its text"
    story.repair(
        anchor,
        f"the answer to {anchor.id!r} ({where}) is recognised by {by}: {named}",
        "" if piece.grade_id else f"{{}} had no id and are recognised by their {by[4:]}",
    )


def _in_place(anchor: Anchor, pieces: Sequence[Piece], anchors: Sequence[Anchor]) -> list[Piece]:
    region = _region(anchor, pieces, anchors)
    free = [piece for piece in region if _usable(piece)] or [p for p in region if not p.given][:1]
    named = [piece for piece in free if piece.grade_id]  # it was a cell of the assignment once
    if anchor.role is Role.TEXT:
        written = [piece for piece in free if piece.kind != "code"]
        return named[:1] if named else _run(written, pieces) or free[:1]
    code = named or [piece for piece in free if piece.kind == "code"]
    code = code or [p for p in free if _like_stub(p, anchor) >= _LIKE_STUB]
    return [max(code, key=lambda piece: _like_stub(piece, anchor))] if code else []


def _usable(piece: Piece) -> bool:
    return piece.owner is None and not piece.given and bool(piece.source.strip())


def _run(found: Sequence[Piece], pieces: Sequence[Piece]) -> list[Piece]:
    """Return the first of ``found`` with those that follow it at once."""
    if not found:
        return []
    start = next(i for i, piece in enumerate(pieces) if piece is found[0])
    run: list[Piece] = []
    for piece in pieces[start:]:
        if any(piece is other for other in found):
            run.append(piece)
        elif piece.owner is not None or piece.source.strip():
            break
    return run


def _like_stub(piece: Piece, anchor: Anchor) -> float:
    """Return how surely a text is what became of a stub, from 0 to 100."""
    names = defined(anchor.source)
    if names and names <= defined(piece.source):
        return 100.0
    return float(fuzz.token_set_ratio(piece.source[:_LONGEST], anchor.source[:_LONGEST]))


def _region(anchor: Anchor, pieces: Sequence[Piece], anchors: Sequence[Anchor]) -> list[Piece]:
    """Return the pieces between the cells that the missing one stood between."""
    places = {p.owner.id: i for i, p in enumerate(pieces) if p.owner is not None}
    before = predecessor(anchor, anchors)
    if before is None or before.id in places:
        start = 0 if before is None else places[before.id] + 1
        return _until_claimed(pieces[start:])
    after = next((a for a in anchors[anchor.order + 1 :] if a.id in places), None)
    region = _until_claimed(reversed(pieces[: places[after.id]] if after else pieces))
    last = pieces.index(region[-1]) - 1 if region else -1
    limit = pieces[last].owner if last >= 0 else None
    return region[::-1] if limit is None or limit.order < anchor.order else []


def _until_claimed(pieces: Iterable[Piece]) -> list[Piece]:
    found: list[Piece] = []
    for piece in pieces:
        if piece.owner is not None:
            break
        found.append(piece)
    return found


def _by_text(anchor: Anchor, pieces: Sequence[Piece], anchors: Sequence[Anchor]) -> list[Piece]:
    """Find a code answer by its stub, a written one by a first line that names the question."""
    free = [piece for piece in pieces if _usable(piece)]
    if anchor.role is Role.CODE:
        code = [p for p in free if p.kind == "code" and _like_stub(p, anchor) >= _SURELY]
        return [max(code, key=lambda piece: _like_stub(piece, anchor))] if code else []
    before = predecessor(anchor, anchors)
    title = _title(before.source) if before is not None and before.role is Role.PROMPT else ""
    names = {name for name in (title, _title(anchor.id.replace("-", " "))) if name}
    titled = [p for p in free if p.kind != "code" and _title(p.source) in names]
    return titled[:1]


def _title(source: str) -> str:
    from markbook.text.words import normalise

    lines = source.strip().splitlines()
    return normalise(lines[0]) if lines else ""


def take_new_cells(pieces: list[Piece], anchors: Sequence[Anchor], story: Story) -> list[Piece]:
    """Take answers out of new cells beside a cell that was left as released."""
    gone: list[Piece] = []
    for own in claimed(pieces):
        anchor = own.owner
        if anchor is None or not anchor.role.answer or not anchor.blank(own.source):
            continue
        if anchor.role is Role.TEXT:
            gone += _take_written(own, anchor, pieces, anchors, story)
        else:
            _note_code(own, anchor, pieces, anchors, story)
    return [piece for piece in pieces if not any(piece is other for other in gone)]


def _around(
    own: Piece, pieces: Sequence[Piece], before: Anchor | None
) -> tuple[list[Piece], list[Piece]]:
    """Return the free pieces above a cell, as far as its prompt, and below, to the next cell."""
    here = next(i for i, piece in enumerate(pieces) if piece is own)
    above = _until_claimed(reversed(pieces[:here]))[::-1]
    top = here - len(above) - 1
    owner = pieces[top].owner if top >= 0 else None
    above = above if owner is before else []
    below = _until_claimed(pieces[here + 1 :])
    return [p for p in above if _usable(p)], [p for p in below if _usable(p)]


def _take_written(
    own: Piece,
    anchor: Anchor,
    pieces: list[Piece],
    anchors: Sequence[Anchor],
    story: Story,
) -> list[Piece]:
    above, below = _around(own, pieces, predecessor(anchor, anchors))
    foreign = _code_follows(own, pieces)
    found = [*_leading(above[::-1])[::-1], *_leading(below, code=not foreign)]
    if not found:
        if (above or below) and not foreign:
            where = shown_cells(numbers([*above, *below]))
            story.doubt(
                anchor,
                f"the answer to {anchor.id!r} is not written, {_state(own)}, and code stands beside"
                f" it ({where}): a person has to look",
            )
        return []
    where = shown_cells(numbers(found))
    merged = found[0].how is How.MERGED
    join(found, "\n\n")
    found[0].owner, found[0].how = anchor, How.MERGED if merged else How.NEW_CELL
    kind = "the prompt's cell" if merged else "a new cell" if len(found) == 1 else "new cells"
    story.repair(
        anchor,
        f"the answer to {anchor.id!r} was typed into {kind} ({where}), {_state(own)}: it is taken"
        " from there",
    )
    return [own, *found[1:]]


def _code_follows(own: Piece, pieces: Sequence[Piece]) -> bool:
    """Tell whether an exercise in code comes next, without a prompt between: code is its."""
    here = next(i for i, piece in enumerate(pieces) if piece is own)
    after = claimed(pieces[here + 1 :])
    return bool(after) and after[0].owner is not None and after[0].owner.kind == "code"


def _state(own: Piece) -> str:
    return f"its own (cell {own.number}) was left as released" if own.number else "its own is gone"


def _leading(found: Sequence[Piece], *, code: bool = True) -> list[Piece]:
    """Return the written cells that come first; with ``code`` a cell of code that does nothing is.

    JupyterLab's new cells are code cells, and prose is typed into them.
    """
    run: list[Piece] = []
    for piece in found:
        if piece.kind == "code" and not (code and _is_prose(piece.source)):
            break
        run.append(piece)
    return run


def _is_prose(source: str) -> bool:
    """Tell whether a code cell holds no code: it is no Python, or comments and texts only."""
    if len(source) > _LONGEST or any(
        line.lstrip().startswith(("%", "!", "?")) for line in source.splitlines()
    ):
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            body = ast.parse(source).body
        except SyntaxError:
            return True
        except (ValueError, RecursionError, MemoryError):
            return False
    return all(isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) for part in body)


def _note_code(
    own: Piece,
    anchor: Anchor,
    pieces: Sequence[Piece],
    anchors: Sequence[Anchor],
    story: Story,
) -> None:
    above, below = _around(own, pieces, predecessor(anchor, anchors))
    code = [piece for piece in (*above, *below) if piece.kind == "code"]
    if not code:
        return
    story.beside[anchor.id] = "\n\n".join(piece.source for piece in code)
    story.repair(
        anchor,
        f"the code of {anchor.id!r} is in the new {shown_cells(numbers(code))}, {_state(own)}: it"
        f" counts as the answer: {quoted(code[0].source)}",
    )
