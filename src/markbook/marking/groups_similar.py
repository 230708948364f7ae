"""Other answers that are somewhat like one: a few, quickly, among ten thousand."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from markbook.text.words import normalise, stem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Neighbours"]

# Of each of an answer's rarest words, so many of the others that have it are looked at: all, for a
# word that says something; for a common one some, as good as any.
_RAREST = 12
_OTHERS = 200
_LEAST = 0.3


class Neighbours:
    """Cosine likeness of answers by the words they share, rare words counting more."""

    def __init__(self, texts: Mapping[str, str], pause: Callable[[], None] = lambda: None) -> None:
        """Read the answers, by key; ``pause`` is called every now and then."""
        self._normal: dict[str, str] = {}
        words: dict[str, set[str]] = {}
        counts: Counter[str] = Counter()
        for key, text in texts.items():
            pause()
            self._normal[key] = normalise(text)
            words[key] = set(map(stem, self._normal[key].split()))
            counts.update(words[key])
        total = len(texts) + 1
        self._weight = {word: math.log(total / n) ** 2 for word, n in counts.items()}
        self._counts = counts
        self._words = words
        self._length: dict[str, float] = {}
        self._having: dict[str, list[str]] = defaultdict(list)
        for key, found in words.items():
            pause()
            self._length[key] = math.sqrt(math.fsum(self._weight[word] for word in found))
            for word in found:
                if counts[word] > 1 and len(self._having[word]) < _OTHERS:
                    self._having[word].append(key)

    def like(self, key: str, number: int = 3) -> tuple[tuple[str, float], ...]:
        """Return the answers most like that of ``key``, with their likeness from 0 to 1.

        Each wording comes once, and none that is the same after normalising.
        """
        mine = self._words[key]
        rarest = sorted((w for w in mine if w in self._having), key=self._rarity)[:_RAREST]
        shared: dict[str, float] = defaultdict(float)
        for word in rarest:
            for other in self._having[word]:
                shared[other] += self._weight[word]
        likely = sorted(shared, key=lambda o: (-shared[o] / (self._length[o] or 1), o))[:50]
        scored = sorted((-self._cosine(key, other), other) for other in likely)
        found: list[tuple[str, float]] = []
        seen = {self._normal[key]}
        for negative, other in scored:
            if self._normal[other] not in seen and -negative >= _LEAST and len(found) < number:
                seen.add(self._normal[other])
                found.append((other, round(-negative, 3)))
        return tuple(found)

    def _rarity(self, word: str) -> tuple[int, str]:
        return self._counts[word], word

    def _cosine(self, key: str, other: str) -> float:
        both = sorted(self._words[key] & self._words[other])
        lengths = self._length[key] * self._length[other]
        return math.fsum(self._weight[word] for word in both) / lengths if lengths else 0.0
