"""Whether the words of an answer are joined into statements, or strung together.

An answer is cut where lists are cut. A piece says something when a verb, a preposition, a
comparison or a sign such as "->" joins words in it; what stands alone, or with an article only,
does not. "Server signs token" says something in three words; "token, server, signs" does not.
"""

from __future__ import annotations

import itertools
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from markbook.graders.vocabulary import FUNCTION_WORDS, NEGATORS

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LISTED_FROM", "strung"]

Strung = Literal["", "loose", "list"]

LISTED_FROM = 6  # words; below that, terse answers and lists look the same
_STATED = 0.3  # share of the words that stand in statements, from which an answer is no list
_GARBLED = 0.2  # share of the joining words that stand where none can stand
_JOINING = 0.2  # share of the words of a long piece that join the others: sentences have 0.3 to 0.6
_MAY_BE = 0.34  # of a verb: without an ending of its own, it may be a noun or tell what is like
_EACH_BOUND, _EACH_VERB = 3, 3  # words in a row for each word that joins, and for each verb
_RELATIONS = 2  # signs of relation in a piece; a chain of more is a list again
_BULLETS = 3
_ALONE = 4  # words that stand alone, where nothing else stands
_RARE = 0.12  # share of joining words; sentences have 0.3 to 0.6, telegram style 0.15
_TELLING = 4  # different words that are no function words
_NAMED, _RUN = 3, 7  # words of a piece that names a thing; a longer one has to be joined
_READ = 4_000  # characters

_PIECE = re.compile(
    r"[,;|•·\n\r()\u2022]+|[.!?]+(?=\s|$)|\s[+&/]\s|\s/|/\s|\b(?:and|or)\b"
    r"|^\s{0,8}(?:[-*+]|\d{1,2}[.)])\s",
    re.IGNORECASE | re.MULTILINE,
)
_RELATION = re.compile(r":(?=\s)|\s[-\u2013\u2014]{1,2}\s|[-=]?>|\u2192|\u21d2|(?<![=!<>])=(?!=)")
_WORD = re.compile(r"(?<![\w.])[^\W\d_][^\W_]+(?:['\u2019-][^\W_]+)*|\ba\b|\bA\b(?= [a-z])")
_DASH = re.compile(r"(?:^|\s)[-*\u2013](?=\s)")  # so many of them in a line begin its items
_TABLE = re.compile(r"^[^\n|]{0,200}\|[^\n]{0,400}\n\s{0,8}\|?[ :|-]{3,80}$", re.MULTILINE)
_ROW = re.compile(r"^\s{0,8}\|.{1,400}\|\s{0,8}$", re.MULTILINE)

_ARTICLES = frozenset("a an the this that these those its their my your our each every".split())
_PREPOSITIONS = frozenset(
    """
    of in on at by for from to with into onto about over under between through during per via
    without against within using than as instead because since so like before after until when
    while if where which who whose how what then but not only vs versus
    """.split()
)
_PLAIN = frozenset("also just very really quite even still yet too again etc eg ie and or".split())
_COMPARING = frozenset(
    """
    more less fewer better worse faster slower safer easier harder cheaper longer shorter bigger
    smaller earlier later higher lower cleaner simpler greater closer deeper wider further best
    always often once twice early first last several different same whole many much less
    """.split()
)
# Plain verbs of the field; endings are looked at apart.
_VERBS = frozenset(
    """
    use need help run send get give take keep make show tell let see know want find come go stay
    sign verify check prove ensure guarantee protect detect prevent allow deny reject accept trust
    create generate build compute calculate hash encode decode encrypt decrypt hide read write
    change modify alter edit tamper forge fake replace remove delete add insert update return
    store save load hold carry contain include transmit transfer pass receive request respond
    answer ask connect open close push pull poll stream wait fail pass test mock isolate simulate
    validate match compare fit break crash leak expose steal access log authenticate authorize
    identify issue expire refresh start stop begin end finish deploy configure set switch commit
    merge catch fix debug refactor repeat skip cover document design learn think mean say work
    support handle serve scale slow reload restart render import call invoke depend rely cause
    tell give gives refuse lose reach lead consist separate combine differ become remain occur
    """.split()
)
_BINDING = ((FUNCTION_WORDS | NEGATORS | _PREPOSITIONS | _COMPARING) - _ARTICLES) - _PLAIN
# After these no word of the second kind follows, and nothing ends: "the of", "with a.".
_OPENS = frozenset("an the my your our their its of with from into onto every".split())
_CANNOT_FOLLOW = frozenset(
    """
    of by for from to with into onto is are was were be been can could will would should may might
    must has have had and or but if because the a an
    """.split()
)
_MAY_FOLLOW = frozenset(
    {("from", "the"), ("of", "the"), ("with", "the"), ("into", "the"), ("onto", "the"),
     ("of", "a"), ("with", "a"), ("from", "a"), ("into", "a"), ("onto", "a"),
     ("of", "an"), ("with", "an"), ("from", "an"), ("into", "an"), ("onto", "an")}
)  # fmt: skip


def strung(text: str) -> Strung:
    """Tell whether hardly any words of an answer say something together.

    ``list``: they stand alone. ``loose``: few words join them, or it names things in several words
    each, as lists do that are asked for, and as words do that were cut in twos and threes.
    """
    text = text[:_READ]
    if len(_DASH.findall(text)) >= _BULLETS:
        text = _DASH.sub("\n", text)
    words = _read(text)
    pieces = [(piece, _read(piece)) for piece in _PIECE.split(text)]
    different = set(words) - _PLAIN - _ARTICLES
    if len(different) < LISTED_FROM or len(different - FUNCTION_WORDS) < _TELLING:
        alone = [said for _, said in pieces if said]
        return "loose" if len(alone) >= _ALONE and max(map(len, alone)) < 2 else ""
    wrong, share = _garbled(words)
    if wrong > 1 and share >= _GARBLED:
        return "list"
    if _TABLE.search(text) or len(_ROW.findall(text)) >= 2:
        return ""
    stated, named = _count(pieces)
    if stated >= _STATED:
        return "loose" if share >= _GARBLED or _unjoined(words) else ""
    return "loose" if stated + named >= _STATED else "list"


def _count(pieces: Sequence[tuple[str, Sequence[str]]]) -> tuple[float, float]:
    """Return the shares of the words that stand in statements, and in names of several words."""
    stated = named = total = 0
    for piece, words in pieces:
        said = [w for w in words if w not in _PLAIN]
        total += len(said)
        if _says(said, piece):
            stated += len(said)
        elif _NAMED <= len(said) < _RUN and not _runs_on(said):
            named += len(said)
    return (stated / total, named / total) if total else (1.0, 0.0)


def _read(text: str) -> list[str]:
    return [w.casefold().replace("\u2019", "'") for w in _WORD.findall(text)]


def _garbled(words: Sequence[str]) -> tuple[int, float]:
    """Count joining words that are shuffled, "before the with", "the of", "for stands": and share.

    The share is of all joining words.
    """
    joining = sum(w in FUNCTION_WORDS for w in words)
    wrong = sum(_cannot_follow(one, other) for one, other in itertools.pairwise(words))
    wrong += bool(words) and words[-1] in _OPENS
    return wrong, wrong / joining if joining else 0.0


def _cannot_follow(one: str, other: str) -> bool:
    if one not in _OPENS:
        return False
    return other in _CANNOT_FOLLOW and (one, other) not in _MAY_FOLLOW


def _unjoined(words: Sequence[str]) -> bool:
    """Tell whether words that join others are rarer than in most statements."""
    listed = [w for w in words if w not in _PLAIN]
    joining = sum(not _content(w) for w in listed)
    return joining < _RARE * len(listed)


def _says(words: Sequence[str], piece: str) -> bool:
    """Tell whether something joins the words of a piece."""
    if len(words) < 2 or not any(_content(word) for word in words):
        return False
    if 1 <= len(_RELATION.findall(piece)) <= _RELATIONS:
        return all(_WORD.search(part) for part in _RELATION.split(piece) if part.strip())
    return not _runs_on(words) and any(_joins(words, place) for place in range(len(words)))


def _joins(words: Sequence[str], place: int) -> bool:
    """Tell whether a word joins those around it."""
    word, before, after = words[place], place, len(words) - place - 1
    if word in _ARTICLES:
        # "breaks the surface": whatever stands before it is a verb.
        return before >= 2 and after > 0 and _content(words[place - 1])
    if word in NEGATORS or word.endswith("n't") or word in _COMPARING:
        return after > 0
    if word in _PREPOSITIONS:
        return after > 0 and (before > 0 or after > 1)
    if word in FUNCTION_WORDS:  # a pronoun, an auxiliary, a conjunction
        return len(words) > 2
    # "Edited token" may be a thing; "token edited" and "verifies token" are not.
    if not _verb(word) or (before and words[place - 1] in _ARTICLES):
        return False
    return before > 0 or (after > 0 and not word.endswith("ed"))


def _content(word: str) -> bool:
    return word not in FUNCTION_WORDS and word not in NEGATORS


def _runs_on(words: Sequence[str]) -> bool:
    """Tell whether words stand in a row that is too long for what joins them."""
    if len(words) < _RUN:
        return False
    joining = [w for w in words if w in _BINDING]
    bound = set(joining)
    # The same one again and again joins little more: "it token it payload it integrity".
    joined = len(bound) + 0.2 * (len(joining) - len(bound))
    articles = sum(word in _ARTICLES for word in words[1:])
    if joined + articles >= _JOINING * len(words):
        return False
    verbs = [place for place, word in enumerate(words) if _verb(word) and word not in bound]
    # Verbs side by side join nothing: "tampered edited verifies".
    apart = [words[place] for place in verbs if place - 1 not in verbs]
    able = sum(1.0 if word.endswith("s") else _MAY_BE for word in apart)
    return len(words) > _EACH_BOUND * joined + _EACH_VERB * (able + articles)


@lru_cache(maxsize=16_384)
def _verb(word: str) -> bool:
    """Tell whether a word may be a verb, by itself or by its ending."""
    for ending, mends in (("", ("",)), ("s", ("",)), ("es", ("", "e")), ("ies", ("y",)),
                          ("ed", ("", "e")), ("ied", ("y",)), ("ing", ("", "e"))):  # fmt: skip
        base = word.removesuffix(ending)
        if (base != word or not ending) and any(base + mend in _VERBS for mend in mends):
            return True
    return False
