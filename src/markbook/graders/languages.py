"""Whether a text is in English, which is all that is read: told by its words, however few.

Letters tell other scripts. Among Latin letters three things tell another language: words that
join others there ("nicht", "dla", "degil"), letters that English lacks, and words that neither
English nor the question knows. What English joins words with speaks against it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Literal

from markbook.graders.foreign_words import ENGLISH, FOREIGN, FOREIGN_OR_NOT, ROMANISED, TERMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Known", "Language", "language", "other_letters"]

Kind = Literal["english", "sign", "half", "known", "unknown"]
Language = Literal["", "part", "unknown", "other"]

_READ = 4_000  # characters that tell a language
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
# What is in no language: code, links, names of files and fields, formulas, markup.
_NO_WORDS = re.compile(
    r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]{1,200}`|https?://\S{1,200}|\$[^$\n]{1,200}\$"
    r"|</?[a-zA-Z][^<>]{0,200}>|&[a-z]{1,8};|\S{0,60}\w[._/\\@=(){}\[\]<>]\w\S{0,60}|\\[a-zA-Z]{1,20}",
    re.DOTALL,
)
_ELIDED = re.compile(r"(?:[lndcj]|qu|dell|nell|all|un)['\u2019][^\W\d_]{2,}")
_SENTENCE = re.compile(r"[.!?;]+(?=\s|$)|\n")
_SIGNS, _SHARE = (
    2,
    0.2,
)  # of a text's words that are signs of another language: a sentence has 0.3 to 0.5
_STRANGE, _FEW_SHARE = 1.5, 0.3  # and of signs and unknown words, where nothing is English
_UNKNOWN, _UNKNOWN_SHARE = 2, 0.6  # unknown words, where there is no sign of a language
_LONG = 4  # words of a sentence; in fewer a name or a quotation looks like another language
_ENGLISH = 2  # of which join the others in English, where a sentence is in it
_COMMON = 3  # answers in English that use a word: then it belongs to the question
_DENSE = 2  # a letter that is a syllable or a word counts for so many others
_OTHER = 1 / 3  # share of letters from which a text is in another script
_TYPO = 6  # letters from which a word may be a known one mistyped, or in another form
_BEGINNING, _LONGER = 5, 2  # letters that are the same then, and by which it may be longer
_NOISE = 30  # letters; a longer word is no word


@dataclass(frozen=True)
class Known:
    """Words that say nothing of the language, because the question or its answers use them."""

    words: frozenset[str] = frozenset()

    @classmethod
    def of(cls, texts: Iterable[str], answers: Iterable[str] = ()) -> Known:
        """Take the words of the question's texts, and those that several answers share.

        Only answers with words that join others in English count: a class may answer in another
        language with one accord.
        """
        asked = {word for text in texts for word in _words(text)}
        count: dict[str, int] = {}
        for answer in answers:
            words = set(_words(answer[:_READ]))
            if len(words & ENGLISH) >= 2:
                for word in words:
                    count[word] = count.get(word, 0) + 1
        return cls(frozenset(asked | {word for word, n in count.items() if n >= _COMMON}))


def language(text: str, known: Known) -> Language:
    """Tell whether a text is in another language, as a whole or a sentence of it.

    ``unknown``: hardly a word of it is known, and none tells which language it is.
    """
    plain = _NO_WORDS.sub(" ", unicodedata.normalize("NFKC", text[:_READ]))
    words = _words(plain)
    kinds = Counter(map(_plain_kind, words))
    if kinds["english"] and kinds["sign"] + kinds["half"] < _SIGNS:
        return ""  # most answers, at once
    found = _of_words(words, known)
    sentences = [own for part in _SENTENCE.split(plain) if len(own := _words(part)) >= _LONG]
    if found:
        english = (sum(_plain_kind(w) == "english" for w in own) for own in sentences)
        mixed = any(count >= _ENGLISH for count in english) and len(sentences) > 1
        return "part" if mixed and found == "other" else found
    return "part" if any(_of_words(own, known) == "other" for own in sentences) else ""


def _of_words(words: Sequence[str], known: Known) -> Language:
    kinds = Counter(_kind(word, known) for word in words)
    signs = kinds["sign"] + 0.5 * kinds["half"]
    strange = signs + kinds["unknown"]
    if signs >= _SIGNS and signs > kinds["english"] and signs >= _SHARE * len(words):
        return "other"
    if kinds["english"]:
        return ""
    if signs and strange >= _STRANGE and strange >= _FEW_SHARE * len(words):
        return "other"
    told = kinds["unknown"] >= _UNKNOWN and strange >= _UNKNOWN_SHARE * len(words)
    return "unknown" if told else ""


def _kind(word: str, known: Known) -> Kind:
    found = _plain_kind(word)
    if found == "unknown" and (word in known.words or _like(word, known)):
        return "known"
    if found == "half" and word in known.words:
        return "known"
    return found


@lru_cache(maxsize=65_536)
def _plain_kind(word: str) -> Kind:
    folded = _folded(word)
    if word in ENGLISH:
        return "english"
    if folded in FOREIGN or folded in ROMANISED or _ELIDED.fullmatch(word):
        return "sign"
    if folded in FOREIGN_OR_NOT:
        return "half"
    if not word.isascii() and len(word) <= _NOISE and not _english(folded):
        return "sign" if all(_script(c) == "LATIN" for c in word if c.isalpha()) else "known"
    if not 2 < len(word) <= _NOISE or len(set(word)) == 1 or _english(folded):
        return "known"
    return "unknown"


def _folded(word: str) -> str:
    """Return a word without what stands on or below its letters."""
    if word.isascii():
        return word
    parts = unicodedata.normalize("NFKD", word.replace("\u0131", "i").replace("\u0142", "l"))
    return "".join(c for c in parts if not unicodedata.combining(c))


def _like(word: str, known: Known) -> bool:
    """Tell whether a word is a known one in another form, or mistyped."""
    if len(word) < _TYPO:
        return False
    near = _beginnings(known).get(word[:_BEGINNING], ())
    return any(abs(len(word) - length) <= _LONGER for length in near)


@lru_cache(maxsize=8)
def _beginnings(known: Known) -> dict[str, set[int]]:
    """Return how long the known words are that begin with the same letters."""
    found: dict[str, set[int]] = {}
    for word in known.words:
        if len(word) >= _TYPO:
            found.setdefault(word[:_BEGINNING], set()).add(len(word))
    return found


@cache
def _lexicon() -> frozenset[str]:
    """Return the whole words of the English word pieces that ship, without foreign ones."""
    file = resources.files("markbook.graders.learning") / "data" / "wordpieces.txt"
    lines = file.read_text(encoding="utf-8").split()
    found = {line for line in lines if len(line) >= 3 and line.isascii() and line.isalpha()}
    return frozenset(found | TERMS)


_ENDINGS = ("s", "es", "ed", "d", "ing", "er", "ers", "ly", "able", "ness", "ation", "ment", "al")


def _english(word: str) -> bool:
    """Tell whether English knows a word, an inflection of one, or a compound of two."""
    lexicon = _lexicon()
    word = word.split("'")[0].split("\u2019")[0]
    if word in lexicon:
        return True
    for ending in _ENDINGS:
        base = word.removesuffix(ending)
        if base != word and len(base) >= 3:
            if base in lexicon or base + "e" in lexicon:
                return True
            if base[-1] == base[-2] and base[:-1] in lexicon:
                return True
            if base[-1] == "i" and base[:-1] + "y" in lexicon:
                return True
    return any(word[:n] in lexicon and word[n:] in lexicon for n in range(3, len(word) - 2))


def _words(text: str) -> list[str]:
    """Return the words of a text; those in capitals among others are names or abbreviations."""
    found = _WORD.findall(text)
    capitals = sum(word.isupper() for word in found)
    shouted = capitals > 0.5 * len(found) and capitals > 3
    return [
        word.casefold().replace("\u2019", "'")
        for word in found
        if shouted or len(word) == 1 or not any(c.isupper() for c in word[1:])
    ]


# -- letters -----------------------------------------------------------------------------------


def other_letters(text: str, known: frozenset[str]) -> bool:
    """Tell whether many letters are of scripts in which the ``known`` words are not written."""
    ours = _scripts(known)
    own = others = 0
    for letter in unicodedata.normalize("NFKC", text[:_READ]):
        if letter.isascii():
            own += letter.isalpha()
        elif letter.isalpha():
            script = _script(letter)
            worth = _DENSE if script in {"CJK", "HANGUL", "HIRAGANA", "KATAKANA"} else 1
            if script in ours:
                own += worth
            else:
                others += worth
    return bool(ours) and others > _OTHER * (own + others)


@lru_cache(maxsize=64)
def _scripts(words: frozenset[str]) -> frozenset[str]:
    return frozenset(_script(c) for word in words for c in word if c.isalpha())


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    """Return the first word of a letter's name, such as LATIN, CJK or CYRILLIC."""
    return unicodedata.name(letter, "?").partition(" ")[0]
