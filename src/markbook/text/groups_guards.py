"""What keeps two answers apart however alike they are: numbers, negations, code and opposites."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from markbook.text.words import stem

if TYPE_CHECKING:
    from collections.abc import Container

__all__ = ["GuardFinder", "Guards"]

Guards = tuple[str, ...]

_NEGATIONS = frozenset(
    "not no never none nobody nothing nowhere neither nor without hardly barely nt"
    " wasnt werent hasnt havent hadnt wouldnt shouldnt couldnt neednt mustnt aint".split()
)
_NUMBERS = frozenset(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
    " hundred thousand million billion first second third fourth fifth half twice thrice double"
    " triple both single once".split()
)
# Words whose exchange turns a sentence round, whatever it is about.
_TURNING = frozenset(
    "more less fewer most least before after above below over under up down left right true false"
    " yes only all any some always sometimes often rarely seldom never instead except unlike"
    " except but if unless until although however can may must should might same different"
    " better worse bigger smaller faster slower higher lower larger longer shorter sooner later"
    " good bad easy hard early late old new public private client server sender receiver"
    " encode decode encrypt decrypt read write request response input output".split()
)
_NEGATIVE_PREFIXES = ("un", "in", "im", "ir", "il", "non", "dis", "mis", "a", "de", "en", "anti")
_SHORTEST_BASE = 3

_BULLET = re.compile(r"(?m)^[ \t]*(?:[-*+>]|#{1,6})[ \t]+")
_NUMBER = re.compile(r"(?<![\w.])[-+\u2212]?\d+(?:[.,:/]\d+)*%?|\d+(?:[.,:/]\d+)*%?")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
_EDGES = "*_.,;:!?'\"`()[]{}\u2018\u2019\u201c\u201d\u00ab\u00bb\u2026\u2013\u2014-"
_CODE = re.compile(r"[_=<>&|%$@#^~*+\\/{}\[\]()`]|::|\.(?<![a-z]\.(?=[A-Z]))")  # not "end.Next"
_DASH = frozenset(("-", "--", "\u2013", "\u2014", "\u2026", "...", "*", "**", "***", "---"))


class GuardFinder:
    """Finds the guards of texts; two texts with different guards never say the same.

    ``known`` are the words that the class used: a word is taken for another's opposite only if
    that other one was used by somebody.
    """

    def __init__(self, known: Container[str]) -> None:
        self._known = known

    def guards(self, text: str, normal: str) -> Guards:
        """Return the guards of ``text``, whose normalised form is ``normal``, in its order."""
        cleaned = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
        return (*_numbers(cleaned), *_code(cleaned), *self._words(normal.split()))

    def _words(self, words: list[str]) -> list[str]:
        found = []
        for place, word in enumerate(words):
            if word in _NEGATIONS:
                # what is negated counts, too: "not a but b" is not "a but not b"
                found.append(f"not {' '.join(stem(w) for w in words[place + 1 : place + 2])}")
            elif word in _NUMBERS or word in _TURNING or self._is_opposite(word):
                found.append(word)
        return found

    def _is_opposite(self, word: str) -> bool:
        if word.endswith(("less", "ful", "fully", "lessly")):
            return True
        for prefix in _NEGATIVE_PREFIXES:
            base = word.removeprefix(prefix)
            if base != word and len(base) >= _SHORTEST_BASE and base in self._known:
                return True
        return False


def _numbers(text: str) -> list[str]:
    return [f"#{found.replace(chr(0x2212), '-').lstrip('+')}" for found in _NUMBER.findall(text)]


def _code(text: str) -> list[str]:
    """Return the pieces that look like code, as they are written."""
    found = []
    for piece in _BULLET.sub("", text).split():
        bare = piece.strip(_EDGES)
        if bare and _CODE.search(bare):
            found.append(bare)
        elif not bare and piece not in _DASH and _CODE.search(piece.strip("*_.,;:!?'\"`")):
            found.append(piece)  # an operator, such as == or =>
    return found
