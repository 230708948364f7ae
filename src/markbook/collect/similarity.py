"""How alike a piece of a paper and a known question are, between 0 and 1."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from markbook.text.words import normalise, stem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Phrase",
    "Phrasebook",
    "Wording",
    "asks",
    "imperative",
    "interrogative",
    "opens_like_a_question",
    "phrase",
    "without_notes",
]

# Words that nearly every question has tell little about which one it is.
_EMPTY = frozenset(
    stem(word)
    for word in (
        "a an the is are was were be been being am do does did doing done have has had having can "
        "could will would shall should may might must of to in on at by for from with as into and "
        "or but if so than then that this these those it its itself they them their theirs there "
        "what which who whom whose when where why how you your yours yourself we us our i me my "
        "not no any some please briefly also just very exactly actually really basically s t"
    ).split()
)
_WEAK = frozenset(
    stem(word)
    for word in (
        "explain describe discuss define name list give tell show state say write example "
        "examples use used using work works thing things way ways own word words question answer "
        "mean means meaning difference differences between about main key short brief"
    ).split()
)
_EMPTY_WEIGHT, _WEAK_WEIGHT = 0.15, 0.5
_ASKING = (
    "what which who whom whose when where why how is are was were do does did can could would "
    "should will if in as for"
).split()
_ORDERING = frozenset(
    "explain describe discuss define name list give tell compare contrast outline summarise "
    "summarize identify evaluate justify reflect share briefly consider "
    "distinguish illustrate mention provide elaborate".split()
)
_OPENING = (*_ASKING, *_ORDERING)
_SENTENCE = re.compile(r"(?<=[?!.:;])[*_`\"')\]]*\s+")
_JOINT = re.compile(r",?\s+and\s+(?=(?:what|how|why|which|when|where)\b)", re.IGNORECASE)
_POINTS = re.compile(
    r"[\[(][ \t]*(?:\d+(?:\.\d+)?[ \t-]*(?:p|pts?|points?|marks?|%)\.?|optional|required|bonus"
    r"|extra[ \t]credit)[ \t]*[\])]|\[\^[\w-]+\]|\{[#.][^{}]*\}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text made ready for comparing.

    Beside its stems: ``pairs``, two neighbours written together (web sockets, websockets), and
    ``initials`` of neighbours (JSON web token, jwt), both also by the word they contain.
    """

    norm: str
    stems: tuple[str, ...]
    known: frozenset[str]
    telling: frozenset[str]
    pairs: frozenset[str]
    initials: frozenset[str]
    pairs_at: tuple[frozenset[str], ...]
    initials_at: tuple[frozenset[str], ...]


def without_notes(text: str) -> str:
    """Return a text without what stands beside a question: points, footnote marks, anchors."""
    return _POINTS.sub(" ", text)


@lru_cache(maxsize=20_000)
def phrase(text: str) -> Phrase:
    """Normalise a text and index its words, joined pairs and initials."""
    norm = normalise(without_notes(text))
    words = norm.split()
    stems = tuple(stem(word) for word in words)
    known = frozenset(stems)
    pairs_at: list[set[str]] = [set() for _ in words]
    initials_at: list[set[str]] = [set() for _ in words]
    for start in range(len(words) - 1):
        pair = stem(words[start] + words[start + 1])
        for position in (start, start + 1):
            pairs_at[position].add(pair)
    for size in (2, 3, 4):
        for start in range(len(words) - size + 1):
            if not any(word in _EMPTY for word in stems[start : start + size]):
                initials = "".join(word[0] for word in words[start : start + size])
                for position in range(start, start + size):
                    initials_at[position].add(initials)
    return Phrase(
        norm,
        stems,
        known,
        known - _EMPTY - _WEAK,
        frozenset().union(*pairs_at),
        frozenset().union(*initials_at),
        tuple(map(frozenset, pairs_at)),
        tuple(map(frozenset, initials_at)),
    )


@lru_cache(maxsize=50_000)
def _near(one: str, other: str) -> float:
    """Return how far one stem can stand for another: a typo or a shortened word."""
    if one == other:
        return 1.0
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) >= 4 and abs(len(one) - len(other)) <= 2:
        allowed = 1 if len(longer) < 8 else 2
        if OSA.distance(one, other, score_cutoff=allowed) <= allowed:
            return 0.9
    if len(shorter) >= 3 and longer.startswith(shorter) and len(longer) >= len(shorter) + 3:
        return 0.8
    return 0.0


@lru_cache(maxsize=200_000)
def _nearest(word: str, known: frozenset[str]) -> float:
    return max((_near(word, other) for other in known), default=0.0)


def _present(position: int, this: Phrase, other: Phrase) -> float:
    """Return how well the word at ``position`` of ``this`` is found in ``other``."""
    word = this.stems[position]
    if word in other.known or word in other.pairs or this.pairs_at[position] & other.known:
        return 1.0
    if word in _EMPTY:
        return 0.0
    if (len(word) >= 2 and word in other.initials) or this.initials_at[position] & other.known:
        return 0.9
    return _nearest(word, other.known)


@dataclass(frozen=True, slots=True)
class Wording:
    """One way of asking a question. ``title`` wordings name it without asking it."""

    question: str
    phrase: Phrase
    factor: float
    title: bool
    asks: bool


def interrogative(text: str) -> bool:
    """Tell whether a text asks: by its mark or by its first word."""
    return without_notes(text).rstrip(" *_`\"')|").endswith("?")


def imperative(text: str) -> bool:
    """Tell whether a text begins like an exercise: Explain, Compare, Describe ..."""
    words = normalise(text).split(maxsplit=1)
    if not words or words[0] in _ORDERING:
        return bool(words)
    return len(words[0]) >= 6 and any(
        OSA.distance(words[0], word, score_cutoff=1) <= 1 for word in _ORDERING
    )


def ends_open(text: str) -> bool:
    """Tell whether a text ends in a word after which no sentence ends: a, the, of, how ..."""
    words = phrase(text).stems
    return bool(words) and words[-1] in _EMPTY


def opens_like_a_question(text: str) -> bool:
    """Tell whether the first word is one that questions begin with, a typo allowed."""
    words = normalise(text).split(maxsplit=1)
    if not words:
        return False
    first = words[0]
    if first in _ASKING or first in _ORDERING:
        return True
    return len(first) >= 3 and any(
        len(word) >= 4 and OSA.distance(first, word, score_cutoff=1) <= 1 for word in _OPENING
    )


def asks(text: str) -> bool:
    """Tell whether a text has the outside of a question: its mark or its first word."""
    return "?" in text or opens_like_a_question(text)


class Phrasebook:
    """All known wordings of an assignment's questions."""

    def __init__(self, wordings: Mapping[str, Sequence[str]]) -> None:
        self.questions = tuple(wordings)
        self._spread = _spread(wordings)
        self.wordings = tuple(
            wording
            for question, texts in wordings.items()
            for wording in self._variants(question, texts)
        )
        self._cache: dict[str, tuple[tuple[float, Wording], ...]] = {}

    def weight(self, word: str) -> float:
        """Return how much a stem tells: little in every question, much in one."""
        base = _EMPTY_WEIGHT if word in _EMPTY else _WEAK_WEIGHT if word in _WEAK else 1.0
        return base * self._spread.get(word, 1.0)

    def shares(self, text: str, question: str) -> bool:
        """Tell whether a text has a telling word in common with a question's wordings."""
        telling = {word for word in phrase(text).stems if self.weight(word) >= 0.3}
        return any(
            telling & wording.phrase.known
            for wording in self.wordings
            if wording.question == question and not wording.title
        )

    def quotes(self, text: str, question: str) -> bool:
        """Tell whether a text of three words or more stands in a wording of the question."""
        norm = phrase(text).norm
        return norm.count(" ") >= 2 and any(
            f" {norm} " in f" {wording.phrase.norm} "
            for wording in self.wordings
            if wording.question == question
        )

    def owns(self, text: str, question: str) -> bool:
        """Tell whether all words of a text stand in wordings of the question."""
        known = frozenset().union(
            *(w.phrase.known for w in self.wordings if w.question == question)
        )
        return phrase(text).known <= known

    def _variants(self, question: str, texts: Sequence[str]) -> list[Wording]:
        made: dict[str, Wording] = {}
        for text in texts:
            for part, factor in _parts(text):
                piece = phrase(part)
                if piece.norm in made and made[piece.norm].factor >= factor:
                    continue
                if not (self._telling(piece) if factor < 1 else piece.telling):
                    continue
                asks = part.rstrip(" *_`\"')").endswith("?")
                title = not asks and not opens_like_a_question(part)
                made[piece.norm] = Wording(question, piece, factor, title, asks)
        return list(made.values())

    def _telling(self, piece: Phrase) -> bool:
        return len(piece.stems) >= 3 and sum(map(self.weight, piece.telling)) >= 0.5

    def likeness(self, text: str, *, least: float = 0.0) -> tuple[tuple[float, Wording], ...]:
        """Return the best (likeness, wording) of each question from ``least`` on, best first."""
        if text not in self._cache:
            best: dict[str, tuple[float, Wording]] = {}
            for wording in self.wordings:
                value = self._alike(phrase(text), wording)
                if value > best.get(wording.question, (0.05, wording))[0]:
                    best[wording.question] = (value, wording)
            self._cache[text] = tuple(sorted(best.values(), key=lambda pair: -pair[0]))
        return tuple(pair for pair in self._cache[text] if pair[0] >= least)

    def alike(self, text: str, question: str) -> float:
        """Return the likeness of a text and one question."""
        return next((v for v, w in self.likeness(text) if w.question == question), 0.0)

    def _alike(self, this: Phrase, wording: Wording) -> float:
        other = wording.phrase
        if not this.stems or len(this.stems) > 3 * len(other.stems) + 6:
            return 0.0
        if this.norm == other.norm:
            return wording.factor
        if not _worth_comparing(this, other):
            return 0.0
        precision, recall = self._cover(this, other), self._cover(other, this)
        if precision + recall == 0:
            return 0.0
        agreement = 2 * precision * recall / (precision + recall)
        ratio = max(
            fuzz.ratio(this.norm, other.norm), 0.97 * fuzz.token_sort_ratio(this.norm, other.norm)
        )
        # Telling words decide; the letters only tell near-identical texts from shuffled ones.
        return float(wording.factor * math.pow(agreement, 0.7) * math.pow(ratio / 100, 0.3))

    def _cover(self, this: Phrase, other: Phrase) -> float:
        weights = [self.weight(word) for word in this.stems]
        found = math.fsum(
            weight * _present(position, this, other) for position, weight in enumerate(weights)
        )
        return found / math.fsum(weights)


def _worth_comparing(this: Phrase, other: Phrase) -> bool:
    """Tell cheaply whether two phrases have anything telling in common."""
    return bool(
        this.telling & other.telling
        or this.pairs & other.telling
        or other.pairs & this.telling
        or this.initials & other.telling
        or other.initials & this.telling
        or fuzz.ratio(this.norm, other.norm) >= 60
    )


def _spread(wordings: Mapping[str, Sequence[str]]) -> dict[str, float]:
    seen: dict[str, int] = {}
    for texts in wordings.values():
        for word in {word for text in texts for word in phrase(text).stems}:
            seen[word] = seen.get(word, 0) + 1
    total = max(2, len(wordings))
    # Scaled so that a word of one question weighs 1 and a word of all of them 0.25 or less.
    return {
        word: max(0.25, math.log(1 + total / count) / math.log(1 + total))
        for word, count in seen.items()
    }


def _parts(text: str) -> list[tuple[str, float]]:
    """Return a wording whole, without its brackets, and its sentences alone and in a row."""
    whole = text.strip()
    parts = [(whole, 1.0)]
    bare = re.sub(r"\s*\([^()]*\)", "", whole).strip()
    if bare and bare != whole:
        parts.append((bare, 0.98))
    for base, factor in tuple(parts):
        sentences = [piece for piece in _SENTENCE.split(base) if piece.strip()]
        for count in range(1, len(sentences)):
            parts.append((" ".join(sentences[:count]), 0.95 * factor))
        parts.extend((sentence, 0.9 * factor) for sentence in sentences[1:])
        parts.extend((base[: joint.start()], 0.95 * factor) for joint in _JOINT.finditer(base))
    return parts
