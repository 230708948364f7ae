"""Which cell of a submission is which master cell: by id, then by text."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from rapidfuzz import fuzz

from markbook.autograde.alignment.read import located
from markbook.autograde.alignment.values import How, Role, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markbook.autograde.alignment.values import Anchor, Piece

__all__ = ["claim_by_id", "claim_by_text", "compare", "cut_merged", "missing", "recognised"]

_ALIKE = 88  # of 100: a prompt with a typo mended; two prompts on one subject reach about 70
_RELATED = 80  # enough where the id says the same; two introductions reach 60
_SAME_LINE = 60  # a line that was changed, not replaced
_COMPARED = 2000  # lines of a prompt: what a student adds beyond is added
_TELLING = 20  # characters; a shorter text may stand in an answer by chance


def missing(pieces: Sequence[Piece], anchors: Iterable[Anchor]) -> list[Anchor]:
    """Return the master cells that no piece is taken for yet."""
    found = located(pieces)
    return [anchor for anchor in anchors if anchor.id not in found]


def claim_by_id(pieces: Sequence[Piece], anchors: Sequence[Anchor]) -> None:
    """Take cells for what their ids say: nbgrader's, then the file's, then a misspelt one."""
    by_id = {anchor.id: anchor for anchor in anchors}
    for piece in pieces:
        piece.owner = by_id.get(piece.grade_id)
    by_node = {anchor.node_id: anchor for anchor in anchors if anchor.node_id}
    groups = {name: len(found) for name, found in located(pieces).items()}
    for piece in pieces:
        mine = by_node.get(piece.node_id)
        if mine is None or mine is piece.owner or groups.get(mine.id):
            continue
        if piece.owner is None or groups[piece.owner.id] > 1:
            if piece.owner is not None:
                groups[piece.owner.id] -= 1
            piece.owner = mine
            groups[mine.id] = 1
    spelt = {_key(anchor.id): anchor for anchor in missing(pieces, anchors)}
    for piece in pieces:
        if piece.owner is None and piece.grade_id:
            piece.owner = spelt.pop(_key(piece.grade_id), None)


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def claim_by_text(pieces: Sequence[Piece], anchors: Sequence[Anchor]) -> None:
    """Take cells without metadata for the read-only cells whose text they have."""
    for anchor in missing(pieces, anchors):
        if anchor.role.answer or not anchor.source.strip():
            continue
        free = [piece for piece in pieces if piece.owner is None and not piece.given]
        same = [piece for piece in free if plain(piece.source) == plain(anchor.source)]
        if not same and len(anchor.source) >= _TELLING:
            same = [piece for piece in free if _alike(piece.source, anchor.source)]
        if same:
            chosen = min(same, key=lambda piece: _distance(piece, anchor, pieces))
            chosen.owner, chosen.how = anchor, How.TEXT


def _alike(one: str, other: str) -> bool:
    return fuzz.ratio(one, other, score_cutoff=_ALIKE) > 0


def _distance(piece: Piece, anchor: Anchor, pieces: Sequence[Piece]) -> tuple[int, int]:
    """Return how many read-only cells would be out of order with it, then its place."""
    here = pieces.index(piece)
    wrong = sum(
        (place < here) != (other.owner.order < anchor.order)
        for place, other in enumerate(pieces)
        if other.owner is not None
    )
    return wrong, here


def recognised(pieces: Sequence[Piece]) -> bool:
    """Tell whether this is the notebook at all: a question's id, or a read-only cell's text."""
    return any(_evident(piece) for piece in pieces)


def _evident(piece: Piece) -> bool:
    owner = piece.owner
    if owner is None:
        return False
    if owner.role in (Role.TEXT, Role.CODE, Role.TEST, Role.TASK):
        return True
    if piece.cut:
        return piece.how is How.MERGED  # its text stood there word for word
    return fuzz.ratio(piece.source, owner.source, score_cutoff=_RELATED) > 0


def cut_merged(pieces: Sequence[Piece], anchors: Sequence[Anchor]) -> list[Piece]:
    """Cut cells at the read-only texts in them: merged cells, answers typed into a prompt.

    A text is cut at when its cell is nowhere else, or when it is the cell's own.
    """
    gone = missing(pieces, anchors)
    lost = {anchor.id for anchor in gone}
    result: list[Piece] = []
    for piece in pieces:
        at = [anchor for anchor in gone if not anchor.role.answer]
        if piece.owner is not None and _may_be_cut(piece.owner, lost):
            at.append(piece.owner)
        parts = [piece] if piece.given else _cut(piece, at)
        found = {part.owner for part in parts if part is not piece}
        gone = [anchor for anchor in gone if anchor not in found]
        result += parts
    return result


def _may_be_cut(owner: Anchor, lost: set[str]) -> bool:
    """A prompt may always be; code would run that the test's own text replaces otherwise."""
    if owner.role is Role.TEST:
        return any(name in lost for name in owner.tests)
    return owner.role in (Role.PROMPT, Role.TASK)


def _cut(piece: Piece, at: Sequence[Anchor]) -> list[Piece]:
    wanted = [anchor for anchor in at if plain(anchor.source)]
    if any(plain(piece.source) == plain(anchor.source) for anchor in wanted):
        return [piece]
    parts: list[tuple[Anchor | None, str]] = []
    rest = piece.source
    while found := _first(rest, wanted):
        anchor, start, end = found
        parts += [(None, rest[:start]), (anchor, anchor.source)]
        rest = rest[end:]
        wanted.remove(anchor)
    if not parts:
        return _typed_between(piece)
    parts.append((None, rest))
    return _pieces(piece, parts)


def _first(text: str, wanted: Sequence[Anchor]) -> tuple[Anchor, int, int] | None:
    """Return the earliest read-only text in ``text``, with where it begins and ends."""
    found = [
        (match.start(), anchor.order, anchor, match.end())
        for anchor in wanted
        if (match := _pattern(anchor.source).search(text))
    ]
    if not found:
        return None
    start, _, anchor, end = min(found, key=lambda entry: entry[:2])
    return anchor, start, end


def _pattern(source: str) -> re.Pattern[str]:
    lines = [re.escape(line) for line in plain(source).splitlines()]
    ending = "" if len(source) >= _TELLING else r"[ \t]*$"
    return re.compile(r"(?m)^[ \t]*" + r"[ \t]*\r?\n".join(lines) + ending)


def _pieces(piece: Piece, parts: Sequence[tuple[Anchor | None, str]]) -> list[Piece]:
    """Make pieces of the parts; what is not read-only goes to the cell's own master cell."""
    texts = [index for index, (anchor, text) in enumerate(parts) if not anchor and text.strip()]
    mine = _own(piece.owner, parts, texts)
    return [
        type(piece)(
            number=piece.number,
            cell=piece.cell,
            kind=piece.kind,
            source=text if anchor else text.strip("\n"),
            owner=anchor or (piece.owner if index == mine else None),
            how=How.MERGED,
            cut=True,
            attachments={} if anchor else _attached(piece, text),
        )
        for index, (anchor, text) in enumerate(parts)
        if anchor or index in texts
    ]


def _attached(piece: Piece, text: str) -> dict[str, Any]:
    return {name: kept for name, kept in piece.attachments.items() if f"attachment:{name}" in text}


def _own(
    owner: Anchor | None, parts: Sequence[tuple[Anchor | None, str]], texts: Sequence[int]
) -> int | None:
    """Return which part belongs to the cell's own id: the one in its place in the release."""
    if owner is None or not owner.role.answer:
        return None
    before = [i for i, (anchor, _) in enumerate(parts) if anchor and anchor.order < owner.order]
    after_all = max(before, default=-1)
    place = next((index for index in texts if index > after_all), None)
    return place if place is not None else (texts[0] if len(texts) == 1 else None)


def _typed_between(piece: Piece) -> list[Piece]:
    """Cut an answer out of a prompt that was changed besides; code is left as it is."""
    owner = piece.owner
    if owner is None or owner.role not in (Role.PROMPT, Role.TASK):
        return [piece]
    added, edited = compare(owner.source, piece.source)
    if not added:
        return [piece]
    made = _pieces(piece, [(owner, owner.source), (None, added)])
    made[0].how, made[0].edited = How.ID, edited
    return made


def compare(released: str, text: str) -> tuple[str, str]:
    """Return the lines that ``text`` adds to ``released``, and its changed lines."""
    old, lines = released.splitlines(), text.splitlines()
    new, beyond = lines[:_COMPARED], lines[_COMPARED:]
    added: list[str] = []
    edited: list[str] = []
    matcher = SequenceMatcher(
        None, [line.strip() for line in old], [line.strip() for line in new], autojunk=False
    )
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            continue
        for line in new[j1:j2]:
            begun = next((o for o in old[i1:i2] if o.strip() and line.startswith(o)), None)
            if begun is not None:
                added.append(line[len(begun) :])
            elif any(fuzz.ratio(line, o) >= _SAME_LINE for o in old[i1:i2]):
                edited.append(line)
            else:
                added.append(line)
    return "\n".join([*added, *beyond]).strip("\n"), "\n".join(edited).strip()
