"""How a writer stands to their own words: taken back, crossed out, quoted, asked, contradicted.

Nobody is accused of any of it. What is said so is not suggested with confidence: a person looks.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markbook.graders.tokens import Clause

__all__ = ["CONTRADICTED", "contradicts", "held_off"]

CONTRADICTED = "It says one thing and its opposite."

_BEFORE = 200  # characters of a sentence before its evidence that are read for who says it
_SENTENCE = re.compile(r"[.!?]+(?=\s|$)|\n")
# Before the words, in their sentence: whoever says it does not mean it.
_NOT_MEANT = re.compile(
    r"\b(?:false|wrong|untrue|incorrect|a myth|a lie|a misconception|not true|not the case"
    r"|not correct|isn't true|isn't the case|no truth|not so|no way|never happens|not mean"
    r"|n't mean)\b.{0,12}\bthat\b|\bopposite of\b"
    r"|\b(?:people|some|many|others|students?|i used to|i first|i once)\b.{0,15}"
    r"\b(?:think|thought|believe|believed|assume|assumed|claim|claimed)\b",
    re.IGNORECASE,
)
_WERE = re.compile(r"\bif (?:it|they|this|that|the \w{1,20}) were\b", re.IGNORECASE)
_THAT = re.compile(r"^\s{0,2},\s{0,2}(?=that\b)")
_TURN = re.compile(r"\b(?:but|however|yet|whereas|actually|in fact|instead)\b", re.IGNORECASE)
# Behind them, in the same sentence or at the beginning of the next one.
_TAKEN_BACK = re.compile(
    r"^\W{0,4}(?:(?:but|and|which|so|well|no|actually|of course|all of)\W{1,3}){0,2}"
    r"(?:that|this|it|these|those)?(?:\W?s |\s?is |\s?are |\s?was |\s?were )?"
    r"(?:all |just |simply |completely |totally |probably )?"
    r"(?:wrong|false|untrue|incorrect|nonsense|not true|not the case|not correct|not right"
    r"|a lie|a myth|a misconception)\W{0,2}(?:$|[.!,;:]|because\b|since\b|as\b)"
    r"|^\W{0,4}(?:none|nothing) of (?:this|that|it|these)\b.{0,12}\b(?:true|right|correct)\b"
    r"|^.{0,20}\b(?:they|people|both) (?:are|were) (?:all )?(?:wrong|mistaken)\b"
    r"|^.{0,20}\bi (?:do not|don't|dont) (?:agree|think so|believe)|^.{0,20}\bi disagree\b",
    re.IGNORECASE,
)
_PARTED = re.compile(r"\s{0,3}[,;:(\u2013-]|\s{1,3}(?:but|which)\b", re.IGNORECASE)
_QUOTED = re.compile(r"^[ \t]{0,3}>", re.MULTILINE)
_STRUCK = re.compile(r"~~.{1,400}?~~|<(del|s|strike)>.{1,400}?</\1>", re.DOTALL | re.IGNORECASE)

_CLAUSES = 40  # of an answer are compared with each other
_ALIKE = 0.75  # of the words of two clauses that say the same
_ANYONE = frozenset({"anyon", "anybodi", "everyon", "everybodi", "someon", "somebodi", "yes"})
_AT_ONCE = frozenset({"yes", "no"})  # "no, nobody can": it denies once


def held_off(text: str, start: int, end: int, *, misconception: bool = False) -> str:
    """Return why the words at ``start`` to ``end`` may not be meant, a sentence; or nothing.

    ``misconception``: they are sought as what is wrong, so that "if it were" holds them off, too.
    """
    if any(m.start() < end and start < m.end() for m in _STRUCK.finditer(text)):
        return "The words are crossed out."
    if _QUOTED.match(text, text.rfind("\n", 0, start) + 1):
        return "The words are quoted."
    stop = _SENTENCE.search(text, max(start, end - 1))
    rest = text[end : stop.start() if stop else len(text)]
    if stop and "?" in stop.group() and not {",", ";"} & set(rest):
        return "The words are a question."
    window = text[max(0, start - _BEFORE) : start]
    sentence = max((m.end() for m in _SENTENCE.finditer(window)), default=0)
    # Evidence is widened to its clause: who says it may stand inside.
    said = window[sentence:] + text[start:end]
    patterns = (_NOT_MEANT, _WERE) if misconception else (_NOT_MEANT,)
    place = len(window) - sentence
    meant = [m for p in patterns if (m := p.search(said)) and not _parted(said, m.end(), place)]
    following = text[stop.end() : stop.end() + _BEFORE] if stop else ""
    # "If the signature is wrong" takes nothing back: what follows has to be parted from it.
    rest = rest.lstrip(" ,:;") if _PARTED.match(rest) else ""
    if meant or _TAKEN_BACK.search(rest) or _TAKEN_BACK.search(following):
        return "It may be said of what is wrong."
    return ""


def _parted(said: str, behind: int, start: int) -> bool:
    """Tell whether a new statement begins between what is not meant and the words sought."""
    between = _THAT.sub("", said[behind:start])
    return bool(_TURN.search(said, behind)) or "," in between or ";" in between


def contradicts(parts: Sequence[Clause]) -> bool:
    """Tell whether two clauses say the same, and one of them denies it."""
    read = []
    for part in parts:
        stems = frozenset(t.stem for t in part.tokens if t.content) - _ANYONE
        words = part.tokens[1:] if part.tokens[0].word in _AT_ONCE else part.tokens
        denies = sum(t.negates for t in words) % 2 == 1
        if len(part.tokens) >= 3 and stems:
            read.append((stems, denies))
    return any(
        one[1] is not other[1] and _same(one[0], other[0])
        for one, other in itertools.combinations(read[:_CLAUSES], 2)
    )


def _same(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= _ALIKE * len(one | other)
