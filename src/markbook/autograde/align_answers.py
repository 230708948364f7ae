"""Which text is the answer: copies, split cells, answers typed beside their cell."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from rapidfuzz import fuzz

from markbook.autograde.align_claims import missing
from markbook.autograde.align_read import located
from markbook.autograde.align_values import How, Role, plain, quoted, shown_cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markbook.autograde.align_values import Anchor, Piece

__all__ = ["Story", "Told", "follow_order", "resolve_copies", "take_new_cells"]

_ONE_TEXT = 60  # of 100: two versions of a text are more alike, two parts of one are less
_BETWEEN = "\n\n---\n\n"  # a rule, in Markdown, between two versions of an answer


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence on one master cell."""

    sentence: str
    doubtful: bool = False
    summary: str = ""


@dataclass(slots=True)
class Story:
    """What was done, to be told: sentences by master cell, and code beside its cell."""

    told: dict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))
    beside: dict[str, str] = field(default_factory=dict)

    def repair(self, anchor: Anchor, sentence: str, summary: str = "") -> None:
        """Tell of something put right; ``summary`` says it of many cells ("{} lost their id")."""
        self.told[anchor.id].append(Told(sentence, summary=summary))

    def doubt(self, anchor: Anchor, sentence: str) -> None:
        self.told[anchor.id].append(Told(sentence, doubtful=True))


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
        before = _before(anchor, anchors)
        if not anchor.role.answer or before is None:
            continue
        groups = located(pieces)
        for first, piece in pairwise(_claimed(pieces)):
            owner = piece.owner
            if first.owner is not before or owner is None or owner.role is not anchor.role:
                continue
            if len(groups[owner.id]) > 1 and _before(owner, anchors) is not before:
                piece.owner, piece.how = anchor, How.ORDER
                story.doubt(
                    anchor,
                    f"cell {piece.number} has the id of {owner.id!r}, but stands where the answer"
                    f" to {anchor.id!r} belongs: it is taken for that, and a person has to look",
                )
                break


def _before(anchor: Anchor, anchors: Sequence[Anchor]) -> Anchor | None:
    return anchors[anchor.order - 1] if anchor.order else None


def _claimed(pieces: Iterable[Piece]) -> list[Piece]:
    return [piece for piece in pieces if piece.owner is not None]


def _one_read_only(anchor: Anchor, group: Sequence[Piece], story: Story) -> list[Piece]:
    """Keep the first unchanged copy; a changed one becomes an ordinary cell."""
    same = [piece for piece in group if plain(piece.source) == plain(anchor.source)]
    kept = (same or group)[0]
    for piece in group:
        if piece is not kept:
            piece.owner = None
    numbers = shown_cells(_numbers(group))
    story.repair(anchor, f"the read-only cell {anchor.id!r} was copied ({numbers}): one is kept")
    return [piece for piece in same if piece is not kept]


def _numbers(group: Iterable[Piece]) -> tuple[int, ...]:
    return tuple(sorted({number for piece in group for number in piece.numbers}))


def _one_answer(
    anchor: Anchor, group: Sequence[Piece], pieces: Sequence[Piece], story: Story
) -> list[Piece]:
    live = [piece for piece in group if not anchor.blank(piece.source)]
    texts = {plain(piece.source) for piece in live}
    where = shown_cells(_numbers(group))
    if len(texts) > 1:
        if _is_split(anchor, live, pieces):
            _join(live, "\n" if anchor.role is Role.CODE else "\n\n")
            live[0].how = How.SPLIT
            parts = shown_cells(_numbers(live))
            story.repair(
                anchor, f"the answer to {anchor.id!r} was split over {parts}: put together in order"
            )
            return [piece for piece in group if piece is not live[0]]
        return _both(anchor, group, live, story)
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


def _both(
    anchor: Anchor, group: Sequence[Piece], live: Sequence[Piece], story: Story
) -> list[Piece]:
    """Keep all texts: written answers below each other, code as the student ran it."""
    where = shown_cells(_numbers(live))
    if anchor.role is Role.TEXT:
        for piece in live[1:]:
            piece.source = piece.source.strip("\n")
        unique = _first_of_each(live)
        _join(unique, _BETWEEN)
        unique[0].how = How.COPY
        story.doubt(
            anchor,
            f"the answer to {anchor.id!r} was in a copied cell ({where}) and the copies hold"
            " different texts: both are kept, one below the other; a person has to look",
        )
        return [piece for piece in group if piece is not unique[0]]
    kept = live[-1]
    kept.how = How.COPY
    others = [piece for piece in live if piece is not kept]
    for piece in others:
        piece.owner = None
    story.beside[anchor.id] = "\n\n".join(piece.source for piece in live)
    story.doubt(
        anchor,
        f"the code of {anchor.id!r} was in a copied cell ({where}) and the copies differ: the last"
        f" one (cell {kept.number}) is scored, the others run where they stand; a person has to"
        " look",
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
    return not any(_versions(a.source, b.source) for a in live for b in live if a is not b)


def _versions(one: str, other: str) -> bool:
    one, other = plain(one), plain(other)
    return one in other or fuzz.ratio(one, other, score_cutoff=_ONE_TEXT) > 0


def _join(pieces: Sequence[Piece], between: str) -> None:
    """Put the texts of pieces into the first of them."""
    first, *others = pieces
    for piece in others:
        text = piece.source
        for name, content in piece.attachments.items():
            new = name
            while first.attachments.get(new, content) != content:
                new = f"{piece.number}-{new}"
            first.attachments[new] = content
            text = text.replace(f"attachment:{name}", f"attachment:{new}")
        first.source = f"{first.source}{between}{text}"
        first.more = (*first.more, *piece.numbers)


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
        _join(found, "\n\n")
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
    code = code or [p for p in free if _like_stub(p, anchor) >= _ONE_TEXT]
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
    return float(fuzz.token_set_ratio(piece.source[:20_000], anchor.source[:20_000]))


def _region(anchor: Anchor, pieces: Sequence[Piece], anchors: Sequence[Anchor]) -> list[Piece]:
    """Return the pieces between the cells that the missing one stood between."""
    places = {p.owner.id: i for i, p in enumerate(pieces) if p.owner is not None}
    before = _before(anchor, anchors)
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
        code = [p for p in free if p.kind == "code" and _like_stub(p, anchor) >= 88]
        return [max(code, key=lambda piece: _like_stub(piece, anchor))] if code else []
    before = _before(anchor, anchors)
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
    for own in _claimed(pieces):
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
    above, below = _around(own, pieces, _before(anchor, anchors))
    found = [*_leading(above[::-1])[::-1], *_leading(below)]
    if not found:
        if above or below:
            where = shown_cells(_numbers([*above, *below]))
            story.doubt(
                anchor,
                f"the answer to {anchor.id!r} is not written, {_state(own)}, and code stands beside"
                f" it ({where}): a person has to look",
            )
        return []
    where = shown_cells(_numbers(found))
    merged = found[0].how is How.MERGED
    _join(found, "\n\n")
    found[0].owner, found[0].how = anchor, How.MERGED if merged else How.NEW_CELL
    kind = "the prompt's cell" if merged else "a new cell" if len(found) == 1 else "new cells"
    story.repair(
        anchor,
        f"the answer to {anchor.id!r} was typed into {kind} ({where}), {_state(own)}: it is taken"
        " from there",
    )
    return [own, *found[1:]]


def _state(own: Piece) -> str:
    return f"its own (cell {own.number}) was left as released" if own.number else "its own is gone"


def _leading(found: Sequence[Piece]) -> list[Piece]:
    """Return the written cells that come first."""
    run: list[Piece] = []
    for piece in found:
        if piece.kind == "code":
            break
        run.append(piece)
    return run


def _note_code(
    own: Piece,
    anchor: Anchor,
    pieces: Sequence[Piece],
    anchors: Sequence[Anchor],
    story: Story,
) -> None:
    above, below = _around(own, pieces, _before(anchor, anchors))
    code = [piece for piece in (*above, *below) if piece.kind == "code"]
    if not code:
        return
    story.beside[anchor.id] = "\n\n".join(piece.source for piece in code)
    story.repair(
        anchor,
        f"the code of {anchor.id!r} is in the new {shown_cells(_numbers(code))}, {_state(own)}: it"
        f" counts as the answer: {quoted(code[0].source)}",
    )
