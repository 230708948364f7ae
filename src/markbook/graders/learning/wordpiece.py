"""The word pieces of a text with their places in it (BERT's tokenizer, lower case).

Text is cleaned, lower-cased and stripped of accents character by character, split at white space
and around punctuation and Han characters, and each word is cut into the longest pieces of the
vocabulary (Schuster and Nakajima 2012). ``data/wordpieces.txt`` is BERT's published vocabulary.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BEGIN", "END", "Pieces", "cut", "vocabulary"]

UNKNOWN, BEGIN, END = 100, 101, 102  # their lines in the vocabulary, from 0
_LONGEST_WORD = 100  # characters; a longer one is unknown, as in the published tokenizer
_READ_LIMIT = 50_000  # characters: many times the pieces that any caller takes
_WORD = re.compile(r"[^ ]+")
_HAN = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


@dataclass(frozen=True)
class Pieces:
    """A text cut up: ``ids`` (t,) numbers in the vocabulary, ``spans`` (t, 2) of characters."""

    ids: NDArray[np.int64]
    spans: NDArray[np.int64]


@cache
def vocabulary() -> tuple[str, ...]:
    """Return the 30,522 pieces; one that goes on inside a word begins with "##"."""
    text = resources.files("markbook.graders.learning").joinpath("data/wordpieces.txt")
    return tuple(text.read_text(encoding="utf-8").removesuffix("\n").split("\n"))


@cache
def _numbers() -> dict[str, int]:
    return {piece: number for number, piece in enumerate(vocabulary())}


def cut(text: str, most: int) -> Pieces:
    """Cut a text into its first ``most`` pieces at most, marks of beginning and end left out.

    Any string is fine: control characters and lone surrogates count as nothing. Of a text beyond
    50,000 characters the rest is not read.
    """
    ids: list[int] = []
    spans: list[tuple[int, int]] = []
    plain, places = _plain(text[:_READ_LIMIT])
    for match in _WORD.finditer(plain):
        start = match.start()
        for number, first, last in _word(match.group()):
            ids.append(number)
            spans.append((places[start + first], places[start + last - 1] + 1))
        if len(ids) >= most:
            break
    return Pieces(np.array(ids[:most], np.int64), np.array(spans[:most], np.int64).reshape(-1, 2))


def _plain(text: str) -> tuple[str, list[int]]:
    """Return the text as it is looked up, and for each of its characters the place it is from."""
    parts: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        part = _character(character)
        parts.append(part)
        if len(part) == 1:
            places.append(place)
        else:
            places += [place] * len(part)
    return "".join(parts), places


@lru_cache(maxsize=20_000)
def _character(character: str) -> str:
    """Return what stands for a character: words end at the spaces in it."""
    if character in "\t\n\r":
        return " "
    if character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co"):
        return ""
    if character.isspace():
        return " "
    found = []
    for part in unicodedata.normalize("NFD", character):
        if unicodedata.category(part) == "Mn":
            continue
        for lower in part.lower():
            alone = _is_punctuation(lower) or _is_han(character)
            found.append(f" {lower} " if alone else lower)
    return "".join(found)


def _is_punctuation(character: str) -> bool:
    symbol = character.isascii() and character.isprintable() and not character.isalnum()
    return (symbol and character != " ") or unicodedata.category(character).startswith("P")


def _is_han(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _HAN)


@lru_cache(maxsize=65_536)
def _word(word: str) -> tuple[tuple[int, int, int], ...]:
    """Return the pieces of a word: number, first character, end."""
    numbers = _numbers()
    whole = ((UNKNOWN, 0, len(word)),)
    if len(word) > _LONGEST_WORD:
        return whole
    found = []
    start = 0
    while start < len(word):
        for end in range(len(word), start, -1):
            number = numbers.get(("##" if start else "") + word[start:end])
            if number is not None:
                found.append((number, start, end))
                start = end
                break
        else:
            return whole
    return tuple(found)
