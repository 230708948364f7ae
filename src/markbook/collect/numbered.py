"""Answers that stand apart from their questions, below a list of them, by number alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markbook.collect.blocks import Line
    from markbook.collect.candidates import Candidate

__all__ = ["NumberedAnswers", "numbered_answers"]

_ANSWERS = re.compile(
    r"^(?:(?:my|the|here are my)\s+)?(?:answers?|responses?|solutions?)\W*$", re.I
)
_FEWEST = 2
_FEWEST_UNNAMED = 3


@dataclass(frozen=True, slots=True)
class NumberedAnswers:
    """Where the questions' part of a paper ends, and each question's text of the part below."""

    start: int
    heading: str
    answers: Mapping[str, str]


def numbered_answers(lines: Sequence[Line], chosen: Sequence[Candidate]) -> NumberedAnswers | None:
    """Return the answers of a paper that lists its questions first, or ``None``.

    The questions carry numbers and have nothing between them; below them a list begins again at
    the first number, after a heading ("Answers") or else with one item per question.
    """
    numbers = {lines[c.first].ordinal: c.question for c in chosen}
    listed = len(numbers) == len(chosen) >= _FEWEST and all(map(str.isdigit, numbers))
    if not listed or not _nothing_between(lines, chosen):
        return None
    start = chosen[-1].last + 1
    named = next((n for n in range(start, len(lines)) if not lines[n].blank), len(lines))
    heading = named < len(lines) and bool(_ANSWERS.match(lines[named].content.strip("*_#: ")))
    items = _items(lines, named + 1 if heading else named, list(numbers))
    fewest = _FEWEST if heading else max(_FEWEST_UNNAMED, len(numbers))
    apart = heading or any(line.blank or line.rule for line in lines[start : start + 1])
    if len(items) < fewest or not apart:
        return None
    ends = [*(items[number] for number in list(items)[1:]), len(lines)]
    texts = {
        numbers[number]: _text(lines[first:end])
        for (number, first), end in zip(items.items(), ends, strict=True)
    }
    return NumberedAnswers(start, lines[named].raw.strip() if heading else "", texts)


def _nothing_between(lines: Sequence[Line], chosen: Sequence[Candidate]) -> bool:
    return all(
        lines[n].blank or lines[n].rule
        for one, other in pairwise(chosen)
        for n in range(one.last + 1, other.first)
    ) and not any(c.inline for c in chosen)


def _items(lines: Sequence[Line], start: int, numbers: list[str]) -> dict[str, int]:
    """Return the line at which each number's answer begins; empty if other text comes first."""
    found: dict[str, int] = {}
    for line in lines[start:]:
        if line.blank or line.rule or line.code:
            continue
        follows = line.ordinal in numbers[numbers.index(list(found)[-1]) + 1 :] if found else True
        if not found and line.ordinal != numbers[0]:
            return {}
        first = lines[next(iter(found.values()))] if found else line
        if line.ordinal in numbers and follows and line.indent == first.indent:
            found[line.ordinal] = line.number
    return found


def _text(part: Sequence[Line]) -> str:
    """Join an item's lines without its number; indentation below the first line stays."""
    raws = [part[0].raw[part[0].start :], *(line.raw for line in part[1:])]
    return "\n".join(raws).strip("\n").rstrip()
