"""Answers without their author: names, addresses, greetings and signatures taken out."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from markbook.graders.vocabulary import FUNCTION_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["NAME", "Names"]

NAME = "[name]"
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+")
_WHO = r"(?:[ ,]+(?:(?:[Pp]rof|[Dd]r|[Mm]rs?|[Mm]s)\.?|[^\W\d_][^\W\d_.'-]*|\[name\])){0,4}"
_GREETING = re.compile(
    rf"\A\s*(?:dear|hi|hello|hey|hallo|bonjour|hola|good (?:morning|afternoon|evening)){_WHO}"
    r"\s*[,!:.]\s*(?=\S)|\A\s*(?:dear|hi|hello|hey|hallo|bonjour|hola)\b[^\n.!?]{0,40}\n",
    re.IGNORECASE,
)
_SIGNED = r"(?:(?-i:[^\W\d_a-z][^\s\d]*|\[name\]|\[e-mail\])[ \t]*){0,3}"
_FAREWELL = re.compile(
    r"\n[ \t]*(?:(?:best|kind|warm|many)\s+)?(?:regards|greetings|wishes|cheers|sincerely|yours"
    r"(?: (?:sincerely|truly|faithfully))?|thanks?(?: you)?(?: a lot| in advance)?|best|lg|mfg)"
    rf"[ \t]*[,!.]*[ \t]*{_SIGNED}(?:\n[-\u2013\u2014~ \t]*{_SIGNED}){{0,3}}\s*\Z",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^[ \t]*(?:my )?(?:name|student(?: id| number)?|matriculation(?: number)?|matr\.? ?nr|e-?mail)"
    r"[ \t]*[:=][^\n]*\n?",
    re.IGNORECASE | re.MULTILINE,
)
_ONLY_NAMES = re.compile(
    r"^[ \t]*[-\u2013\u2014~ \t]{0,4}(?:\[(?:name|e-mail)\][ \t,.]*)+$\n?", re.M
)
_TWICE = re.compile(r"\[name\](?:[ \t]+\[name\])+")
_PARTS = re.compile(r"[^\W_]+")
_SHORT = 2  # letters of the shortest name that is looked for
_ODD = str.maketrans({"\u0131": "i", "\u00df": "s", "\u00f8": "o", "\u0142": "l", "\u00e6": "a"})


class Names:
    """The names of a class, to be found in what its students wrote.

    A student's own names are found however they are written, those of the others where they begin
    with a capital. Words that ``ordinary`` texts use as well ("Will", "Token") count as names only
    in a whole name.
    """

    def __init__(self, people: Mapping[str, Iterable[str]], ordinary: Iterable[str] = ()) -> None:
        self._ordinary = FUNCTION_WORDS | {
            word for text in ordinary for word in _PARTS.findall(_folded(text))
        }
        self._whole: dict[str, set[str]] = {}
        self._parts: dict[str, set[str]] = {}
        for student, known in people.items():
            written = [name for name in known if "@" not in name]
            words = [_PARTS.findall(_folded(text)) for text in (student, " ".join(written))]
            self._whole[student] = {_sequence(some) for some in words if len(some) > 1}
            self._whole[student] |= {_sequence(some[::-1]) for some in words if len(some) > 1}
            if any(letter.isdigit() for letter in student):
                self._whole[student].add(re.escape(_folded(student)))
            self._parts[student] = {
                word
                for some in words
                for word in some
                if len(word) >= _SHORT and word not in self._ordinary
            }

    def without(self, text: str, student: str) -> str:
        """Return what ``student`` wrote, with no name or address in it as far as can be told."""
        text = _MAIL.sub("[e-mail]", text.replace("\r\n", "\n").replace("\r", "\n"))
        text = _LABEL.sub("", text)
        for other in (student, *(each for each in self._whole if each != student)):
            for pattern in sorted(self._whole.get(other, ()), key=len, reverse=True):
                text = _replaced(text, pattern)
        mine = self._parts.get(student, set())
        if mine:
            text = _replaced(text, "|".join(sorted(mine, key=len, reverse=True)))
        others = set().union(*self._parts.values()) - mine if self._parts else set()
        if others:
            text = _replaced(text, "|".join(sorted(others, key=len, reverse=True)), capital=True)
        text = _GREETING.sub("", text, count=1)
        text = _FAREWELL.sub("", text, count=1)
        return _ONLY_NAMES.sub("", _TWICE.sub(NAME, text)).strip()


def _sequence(words: Iterable[str]) -> str:
    return r"[ \t._,-]{0,3}".join(map(re.escape, words))


def _replaced(text: str, pattern: str, *, capital: bool = False) -> str:
    """Put ``NAME`` where the pattern fits a whole word; accents and case make no difference."""
    parts: list[str] = []
    at = 0
    for found in re.finditer(rf"(?<!\w)(?:{pattern})(?!\w)", _folded(text)):
        if capital and not text[found.start()].isupper():
            continue
        parts += [text[at : found.start()], NAME]
        at = found.end()
    return "".join([*parts, text[at:]])


def _folded(text: str) -> str:
    """Return the text without case and accents, letter by letter: places stay the same."""
    return "".join(map(_plain, text))


def _plain(letter: str) -> str:
    if letter.isascii():
        return letter.lower()
    bare = unicodedata.normalize("NFKD", letter)[0].lower().translate(_ODD)
    return bare if len(bare) == 1 else letter
