"""Paragraphs of no question, and which of them only frame a paper: a title, a name, a date."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.collect.blocks import front_matter_end
from markbook.collect.similarity import interrogative

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markbook.collect.blocks import Line
    from markbook.collect.similarity import Phrasebook

__all__ = ["Block", "join_lines", "read_blocks"]

_KNOWN = 0.8
_TITLE_WORDS = 8
_LABELLED = re.compile(
    r"^(?:name|student|author|by|date|course|class|cohort|assignment|homework|group|team|id|"
    r"e-?mail|section|week|instructor|teacher|subject|lesson|unit|module)\b[^.?!]{0,80}$",
    re.IGNORECASE,
)
_TABLE_HEAD = re.compile(
    r"^(?:[\s|*#]|no\.?|nr\.?|number|my|the|questions?|answers?|prompts?|responses?)+$",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"^[\w.,/ -]{0,12}\b(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d{2}-\d{2})\b.{0,20}$"
)
_INSTRUCTION = re.compile(
    r"^(?:please\s+)?(?:answer|respond to|complete|write your answers|reply to|solve)\b"
    r".{0,80}\b(?:questions?|below|following|exercises?|prompts?)\b.{0,40}$",
    re.IGNORECASE,
)
_FRAMES = (_LABELLED, _TABLE_HEAD, _DATE, _INSTRUCTION)


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive text of no question; ``framing`` is a title, a name, a date, an instruction."""

    text: str
    framing: bool
    like_a_question: str = ""


def read_blocks(
    lines: Sequence[Line], start: int, end: int, book: Phrasebook, *, front: bool
) -> list[Block]:
    """Return the paragraphs of some lines, those that only frame a paper marked as such."""
    found: list[Block] = []
    position = front_matter_end(list(lines[:40])) if start == 0 else start
    if start == 0 and position:
        position = min(position, end)
        text = join_lines([line.raw for line in lines[:position]])
        found.append(Block(text, framing=front))
    while position < end:
        if lines[position].blank:
            position += 1
            continue
        stop = position
        while stop < end and not lines[stop].blank:
            stop += 1
        for framing, part in _by_framing(lines[position:stop], book, front=front):
            if not all(line.rule for line in part):
                found.append(Block(join_lines([line.raw for line in part]), framing))
        position = stop
    return found


def _by_framing(
    part: Sequence[Line], book: Phrasebook, *, front: bool
) -> list[tuple[bool, list[Line]]]:
    groups: list[tuple[bool, list[Line]]] = []
    for line in part:
        framing = line.rule or (front and _frames(line, book))
        if groups and (line.rule or groups[-1][0] == framing):
            groups[-1][1].append(line)
        else:
            groups.append((framing, [line]))
    return groups


def _frames(line: Line, book: Phrasebook) -> bool:
    """Tell whether a line before the first question only frames the paper. When in doubt: no."""
    content = line.raw[line.start :].strip().strip("*_#:| ")
    if line.code or line.label_only or book.likeness(content[:700], least=_KNOWN):
        return not line.code
    if interrogative(content):
        return False
    if line.level or any(known.match(content) for known in _FRAMES):
        return True
    short = len(content.split()) <= _TITLE_WORDS and not content.endswith((".", "!", ":", ","))
    return short and line.style.marker == "plain" and line.indent < 4


def join_lines(raws: Sequence[str]) -> str:
    """Join lines, without blank ones at either end; indentation stays."""
    kept = list(raws)
    while kept and not kept[0].strip():
        kept.pop(0)
    while kept and not kept[-1].strip():
        kept.pop()
    return "\n".join(kept)
