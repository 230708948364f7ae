"""How well a stretch of an answer says what a phrase says, word by word, negation minded."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rapidfuzz.distance import DamerauLevenshtein

from markbook.graders.tokens import Clause, Token, clauses, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["Match", "Phrase", "Reading", "Vocabulary", "phrase_words"]

_SCOPE = 7  # words after "not" that it may deny: longer reaches join separate statements
_TYPO_LENGTH = 5  # shorter words are other words, not typos: "test" and "text"
_TYPO_QUALITY = 0.85
_HEAD = 4  # words of a line that introduces the next one: "end to end:"
_PAIR = 0.9  # a match spread over two clauses is worth a little less than one in a clause
_SHUFFLED = 0.12  # the most that a match loses by words in another order
_SHUFFLED_ORDER = 0.6  # but a phrase that is about an order loses most of it
_ORDER = frozenset({"first", "last", "befor", "after", "then", "later"})
_LOOSE = 0.10  # and by words far apart
_TURNED = 0.5  # share of the matched weight that is denied where a stretch says the opposite


@dataclass(frozen=True, slots=True)
class Phrase:
    """A way of saying a criterion: content words, each affirmed or denied, with weights.

    ``bare``: it denies something of which no content word tells ("a room that is not theirs").
    """

    text: str
    words: tuple[str, ...]
    stems: tuple[str, ...]
    denied: tuple[bool, ...]
    worth: float = 1.0
    bare: bool = False

    @classmethod
    def of(cls, text: str, worth: float = 1.0) -> Phrase:
        found: dict[str, tuple[str, bool]] = {}
        bare = False
        for clause in clauses(text):
            bare = bare or _bare(clause.tokens)
            for token, denied in zip(clause.tokens, polarity(clause.tokens), strict=True):
                if token.content:
                    found.setdefault(token.stem, (token.word, denied))
        words = tuple(word for word, _ in found.values())
        sides = tuple(denied for _, denied in found.values())
        return cls(text, words, tuple(found), sides, worth, bare)


@dataclass(frozen=True, slots=True)
class Match:
    """The best stretch for one phrase: ``score`` in [0, 1], places in the answer's text.

    ``raw`` is the score before negation counts: a phrase that is denied has a high ``raw`` and a
    low ``score``. ``found`` are the stems of the phrase that were found. ``turned`` is the highest
    ``raw`` of any stretch of the answer that says the phrase the other way round, 0 for none.
    ``unsaid``: the phrase is bare, and where it was found nothing is denied.
    """

    score: float
    raw: float
    start: int
    end: int
    found: tuple[str, ...]
    phrase: Phrase
    turned: float = 0.0
    unsaid: bool = False

    @property
    def words(self) -> int:
        return len(self.found)


def polarity(words: Sequence[Token]) -> tuple[bool, ...]:
    """Tell for each word of a clause whether it is denied; two negators cancel out."""
    denied = [False] * len(words)
    for place, word in enumerate(words):
        if not word.negates or _only(words, place):
            continue
        for later in range(place + 1, min(place + 1 + _SCOPE, len(words))):
            denied[later] = not denied[later]
    return tuple(denied)


def _bare(words: Sequence[Token]) -> bool:
    """Tell whether a negator denies no content word."""
    return any(
        word.negates
        and not _only(words, place)
        and not any(later.content for later in words[place + 1 : place + 1 + _SCOPE])
        for place, word in enumerate(words)
    )


def _only(words: Sequence[Token], place: int) -> bool:
    """Tell "not only" and "not just", which affirm."""
    return place + 1 < len(words) and words[place + 1].stem in {"onli", "just"}


class Vocabulary:
    """Which words of an answer stand for which words of the phrases, typos included."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], float] = {}

    def quality(self, wanted: tuple[str, str], written: tuple[str, str]) -> float:
        """Return how well a word (stem, plain) stands for another, in [0, 1]."""
        if wanted[0] == written[0]:
            return 1.0
        one, other = wanted[1], written[1]
        if min(len(one), len(other)) < _TYPO_LENGTH or one[0] != other[0]:
            return 0.0
        if abs(len(one) - len(other)) > 1:
            return 0.0
        pair = (one, other)
        if pair not in self._known:
            distance = DamerauLevenshtein.distance(one, other, score_cutoff=1)
            typo = distance <= 1 and not any(map(str.isdigit, one + other))
            self._known[pair] = _TYPO_QUALITY if typo else 0.0
        return self._known[pair]


@dataclass(frozen=True, slots=True)
class _Hit:
    place: int  # index of the word in the answer
    clause: int
    quality: float
    denied: bool


class Reading:
    """One answer, read: its clauses, and where each wanted word stands in it."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self.text = text
        self.clauses: tuple[Clause, ...] = clauses(text)
        self._vocabulary = vocabulary
        self._places: dict[tuple[str, str], list[tuple[int, int, bool]]] = {}
        self._hits: dict[tuple[str, str], tuple[_Hit, ...]] = {}
        self.tokens: list[Token] = []
        for number, clause in enumerate(self.clauses):
            for token, denied in zip(clause.tokens, polarity(clause.tokens), strict=True):
                if token.content:
                    entry = (len(self.tokens), number, denied)
                    self._places.setdefault((token.stem, token.word), []).append(entry)
                self.tokens.append(token)
        self._written = list(self._places)
        # The numbers of words by their stem, and by their first letter as a tuple of its own.
        self._near: dict[str | tuple[str], list[int]] = {}
        for number, (stem, word) in enumerate(self._written):
            self._near.setdefault(stem, []).append(number)
            self._near.setdefault((word[:1],), []).append(number)

    @property
    def stems(self) -> frozenset[str]:
        return frozenset(stem for stem, _ in self._places)

    def tokens_stems(self) -> list[str]:
        return [token.stem for token in self.tokens]

    def hits(self, stem: str, word: str) -> tuple[_Hit, ...]:
        """Return where a word stands: in any form, by a synonym, or mistyped."""
        wanted = (stem, word)
        if wanted not in self._hits:
            # Only a word of the same stem or the same first letter may stand for another.
            near = {*self._near.get(stem, ()), *self._near.get((word[:1],), ())}
            self._hits[wanted] = tuple(self._standing(wanted, near)) if near else ()
        return self._hits[wanted]

    def _standing(self, wanted: tuple[str, str], near: set[int]) -> Iterator[_Hit]:
        for written in (self._written[number] for number in sorted(near)):
            quality = self._vocabulary.quality(wanted, written)
            if quality > 0:
                for place, clause, denied in self._places[written]:
                    yield _Hit(place, clause, quality, denied)

    def match(
        self,
        phrase: Phrase,
        weight: Callable[[str], float],
        skip: frozenset[int] = frozenset(),
    ) -> Match | None:
        """Return the best stretch for a phrase, or None when none of its words occurs.

        ``weight`` gives a word's importance; clauses in ``skip`` are not read.
        """
        by_clause: dict[int, dict[int, list[_Hit]]] = {}
        for number, wanted in enumerate(zip(phrase.stems, phrase.words, strict=True)):
            for hit in self.hits(*wanted):
                if hit.clause not in skip:
                    by_clause.setdefault(hit.clause, {}).setdefault(number, []).append(hit)
        weights = [weight(stem) for stem in phrase.stems]
        best: Match | None = None
        turned = 0.0
        for clause, found in by_clause.items():
            own = self._score(phrase, weights, found, 1.0)
            best = _better(best, own)
            turned = max(turned, own.turned)
            following = by_clause.get(clause + 1)
            joined = following is not None and self._joined(clause)
            if (
                joined
                and following is not None
                and len(found.keys() | following.keys()) > len(found)
            ):
                both = {
                    n: found.get(n, []) + following.get(n, [])
                    for n in found.keys() | following.keys()
                }
                best = _better(best, self._score(phrase, weights, both, _PAIR))
        if best is None or best.turned == turned:
            return best
        return replace(best, turned=turned)

    def _joined(self, clause: int) -> bool:
        """Tell whether a clause goes on in the next: on its line, or as the head of a list."""
        this, following = self.clauses[clause], self.clauses[clause + 1]
        line_ends = "\n" in self.text[this.end : following.start]
        return not line_ends or len(this.tokens) <= _HEAD

    def _score(
        self,
        phrase: Phrase,
        weights: Sequence[float],
        found: Mapping[int, list[_Hit]],
        factor: float,
    ) -> Match:
        total = sum(weights) or 1.0
        said = denied = 0.0
        places: list[int] = []
        for number in sorted(found):
            best = max(
                found[number],
                key=lambda hit: (hit.quality, hit.denied == phrase.denied[number]),
            )
            mass = weights[number] * best.quality
            if best.denied == phrase.denied[number]:
                said += mass
            else:
                denied += mass
            places.append(best.place)
        raw = (said + denied) / total * factor
        share = denied / (said + denied) if said + denied else 0.0
        shuffled = _SHUFFLED if _ORDER.isdisjoint(phrase.stems) else _SHUFFLED_ORDER
        shape = (1 - shuffled * _disorder(places)) * (1 - _LOOSE * _looseness(places))
        # A quarter of the matched weight denied is a slip of scope; half of it is the opposite.
        agreement = max(0.0, 1.0 - 2.0 * max(0.0, share - 0.1))
        stems = tuple(phrase.stems[number] for number in sorted(found))
        first, last = self.tokens[min(places)], self.tokens[max(places)]
        score = min(1.0, raw * shape * agreement * phrase.worth)
        turned = raw if share >= _TURNED else 0.0
        unsaid = phrase.bare and not any(
            token.negates
            for clause in {hit.clause for hits in found.values() for hit in hits}
            for token in self.clauses[clause].tokens
        )
        return Match(score, min(1.0, raw), first.start, last.end, stems, phrase, turned, unsaid)


def _better(one: Match | None, other: Match) -> Match:
    if one is None or (other.score, other.raw) > (one.score, one.raw):
        return other
    return one


def _disorder(places: Sequence[int]) -> float:
    """Return the share of neighbouring words that stand the other way round, in [0, 1]."""
    if len(places) < 2:
        return 0.0
    wrong = sum(1 for a, b in itertools.pairwise(places) if b < a)
    return wrong / (len(places) - 1)


def _looseness(places: Sequence[int]) -> float:
    """Return 0 for words close together, 1 for words spread over a long stretch."""
    if len(places) < 2:
        return 0.0
    spread = max(places) - min(places) + 1
    return min(1.0, max(0.0, (spread - 3 * len(places) - 2) / 20))


def phrase_words(text: str) -> frozenset[str]:
    """Return the content stems of a text."""
    return frozenset(token.stem for token in tokens(text) if token.content)
