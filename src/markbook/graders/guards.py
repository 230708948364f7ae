"""What makes an answer unfit for a confident suggestion: reasons, each a sentence for a person."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rapidfuzz import fuzz

from markbook.graders.tokens import stems, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markbook.graders.phrases import Reading

__all__ = ["READ_LIMIT", "Guard", "copied_clauses", "guard"]

READ_LIMIT = 20_000  # characters: forty times a long answer, and a second of work at most

_INSTRUCTIONS = re.compile(
    r"\b(?:ignore|disregard|forget)\b.{0,40}\b(?:instruction|rubric|criteri|prompt|above)"
    r"|\b(?:give|award|grant|assign)\b.{0,30}\b(?:full|maximum|all|top)\b.{0,12}"
    r"\b(?:marks?|points?|credit|score)"
    r"|\b(?:dear|note to the|attention) (?:grader|marker|ai)\b",
    re.IGNORECASE,
)
_HIDDEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_FENCED = re.compile(
    r"^[ \t]{0,8}(```|~~~).*?(?:^[ \t]{0,8}\1[ \t]*$|\Z)", re.DOTALL | re.MULTILINE
)
_CODE = re.compile(
    r"^[ \t]*(?:import |from \S+ import|def |class \w+[(:]|const |let |return\b|@\w|[{}<]|#)"
    r"|[;{]\s*$|\):\s*$"
)
_PROSE_FROM = 3  # words outside code from which an answer is more than code

_KEYWORDS_FROM = 6  # words: below that, terse answers and keyword lists look the same
_KEYWORDS_SHARE = 0.12  # of function words; sentences have 0.3 to 0.6, telegram style 0.15
_COPIED = 0.8  # share of a clause's words that stand in the question's own wording


@dataclass(frozen=True, slots=True)
class Guard:
    """``blind``: nothing can be suggested. ``cautious``: nothing with confidence."""

    blind: str = ""
    cautious: str = ""
    partial: str = ""  # only a part was read, so what is missing may stand in the rest


def guard(text: str, reading: Reading, known: frozenset[str]) -> Guard:
    """Judge an answer before its meaning; ``known`` are the rubric's own words (stems)."""
    partial = f"Only the first {READ_LIMIT} characters were read." * (len(text) > READ_LIMIT)
    blind = (
        "There are no words to read." * (not reading.tokens)
        or "The text seems to instruct the grader." * bool(_INSTRUCTIONS.search(reading.text))
        or "The text has invisible characters." * bool(_HIDDEN.search(reading.text))
        or "The answer is code only." * _all_code(reading.text)
    )
    if blind or not _is_list(reading):
        return Guard(blind=blind, partial=partial)
    if len(reading.stems & known) < 2:
        return Guard(blind="The words are not of the rubric's language.", partial=partial)
    return Guard(cautious="This is a list of words, not a statement.", partial=partial)


def _is_list(reading: Reading) -> bool:
    """Tell whether there are hardly any words that join others into statements."""
    words = reading.tokens
    joining = sum(1 for word in words if not word.content)
    return len(words) >= _KEYWORDS_FROM and joining < _KEYWORDS_SHARE * len(words)


def _all_code(text: str) -> bool:
    """Tell whether nothing is left of an answer without its fenced blocks and lines of code."""
    outside = [line for line in _FENCED.sub("", text).splitlines() if not _CODE.search(line)]
    coded = "\n".join(outside).strip() != text.strip()
    return coded and len(tokens("\n".join(outside))) < _PROSE_FROM


def copied_clauses(reading: Reading, questions: Sequence[str]) -> frozenset[int]:
    """Return the clauses of an answer that only repeat the question."""
    found: set[int] = set()
    asked = [(" ".join(t.stem for t in tokens(q)), frozenset(stems(q))) for q in questions]
    for number, clause in enumerate(reading.clauses):
        content = [t.stem for t in clause.tokens if t.content]
        said = " ".join(t.stem for t in clause.tokens)
        for text, words in asked:
            # A term of the question is not a copy of it: "JSON Web Token" may be an answer.
            if len(content) < 2 or len(clause.tokens) < min(5, 0.6 * len(text.split())):
                continue
            share = sum(1 for stem in content if stem in words) / len(content)
            if share >= _COPIED and fuzz.partial_ratio(said, text) >= 85:
                found.add(number)
                break
    return frozenset(found)
