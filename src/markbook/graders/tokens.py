"""Words of an answer with their places, and clauses made of them.

Everything here keeps character offsets into the student's own text, so that evidence can be
quoted verbatim.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import snowballstemmer

from markbook.graders.vocabulary import FUNCTION_WORDS, NEGATORS, SYNONYMS

__all__ = ["Clause", "Token", "clauses", "stem", "stems", "tokens"]

_WORD = re.compile(r"[^\W_]+(?:['\u2019](?:t|s|re|ve|ll|d|m)\b)?", re.UNICODE)
# A clause ends at the end of a sentence or line, a semicolon, a colon before a space, a dash
# between spaces, and at the conjunctions that usually begin a new statement. "And" begins one
# when three words follow; "header and payload" is one thing. Runs of white space are bounded:
# a page of blanks would otherwise be tried from each of its places.
_BREAK = re.compile(
    r"[.!?]+(?=\s|$)|[;\n\r]+|:(?=\s)|\s[-\u2013\u2014]{1,4}\s"
    r"|(?<=[^\s,]),?\s{1,4}(?=(?:but|whereas|while|however|although)\b)"
    r"|,\s{1,4}(?=(?:and|so|or|which|because|it|they|you)\b)"
    r"|(?<=\w)\s(?=and\s{1,4}(?:[^\s.;:!?]{1,40}\s{1,4}){3})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word: plain and stemmed, its place in the text, what it does in a sentence."""

    word: str
    stem: str
    start: int
    end: int
    content: bool
    negates: bool


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of text that states one thing; the tokens are never empty."""

    start: int
    end: int
    tokens: tuple[Token, ...]


_STEMMER = snowballstemmer.stemmer("english")


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Return what a word is compared by: stemmed, and joined with its plain synonyms."""
    plain = word.casefold().replace("\u2019", "'")
    plain = plain.removesuffix("'s")
    stemmed = str(_STEMMER.stemWord(plain))
    return SYNONYMS.get(plain, SYNONYMS.get(stemmed, stemmed))


@lru_cache(maxsize=65_536)
def _token(word: str, start: int) -> Token:
    plain = word.casefold().replace("\u2019", "'")
    negates = plain in NEGATORS or plain.endswith("n't")
    content = plain not in FUNCTION_WORDS and not negates
    return Token(plain, stem(word), start, start + len(word), content, negates)


def tokens(text: str, offset: int = 0) -> tuple[Token, ...]:
    """Split a text into words; ``offset`` is added to their places."""
    return tuple(_token(m.group(), m.start() + offset) for m in _WORD.finditer(text))


def stems(text: str) -> tuple[str, ...]:
    """Return the stems of the content words, in order."""
    return tuple(token.stem for token in tokens(text) if token.content)


def clauses(text: str) -> tuple[Clause, ...]:
    """Split a text into clauses, without those that have no word."""
    found: list[Clause] = []
    start = 0
    for match in _BREAK.finditer(text):
        _add(found, text, start, match.start())
        start = match.end()
    _add(found, text, start, len(text))
    return tuple(found)


def _add(found: list[Clause], text: str, start: int, end: int) -> None:
    words = tokens(text[start:end], start)
    if words:
        found.append(Clause(words[0].start, words[-1].end, words))
