"""One answer as a grader's function sees it, and the evidence that it returns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from markbook.graders.guards import READ_LIMIT
from markbook.graders.phrases import Match, Phrase, Reading, Vocabulary, polarity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markbook.graders.tokens import Clause

__all__ = ["RULE_CONFIDENCE", "AnswerText", "Evidence"]

RULE_CONFIDENCE = 0.95  # a teacher's own rule, found word for word: trusted, but not a person
_SAYS_FROM = 0.8  # share of a phrase, by weight, from which an answer says it


@dataclass(frozen=True, slots=True)
class Evidence:
    """A verbatim piece of an answer: ``text[start:end] == span``, places in characters.

    ``confidence`` in [0, 1] is the chance that it earns the criterion.
    """

    span: str
    start: int
    end: int
    confidence: float = RULE_CONFIDENCE
    note: str = ""

    def sure(self, confidence: float, note: str = "") -> Evidence:
        """Return the same evidence with another confidence, and optionally a note."""
        return replace(self, confidence=confidence, note=note or self.note)


@dataclass(frozen=True)
class AnswerText:
    """An answer: its text as the student wrote it, and ways to look for things in it.

    All searches read the first 20 000 characters and ignore case. ``key`` identifies the text,
    not the student; ``count`` is how many students wrote exactly this.
    """

    key: str
    text: str
    count: int = 1
    _vocabulary: Vocabulary = field(default_factory=Vocabulary, repr=False, compare=False)

    def find(self, pattern: str) -> Evidence | None:
        """Return the first place where the regular expression matches, None when nowhere.

        The evidence is the clause around the match, so that a marker sees what was said.
        """
        return next(self._finds(pattern), None)

    def find_all(self, pattern: str) -> list[Evidence]:
        """Return every place where the regular expression matches."""
        return list(self._finds(pattern))

    def affirms(self, pattern: str) -> Evidence | None:
        """Return the first match that is not denied: "encrypts", but not "does not encrypt"."""
        return next((e for e in self._finds(pattern, denied=False)), None)

    def denies(self, pattern: str) -> Evidence | None:
        """Return the first match that is denied: "does not encrypt"."""
        return next((e for e in self._finds(pattern, denied=True)), None)

    def mentions(self, *phrases: str) -> Evidence | None:
        """Return where all words of one of the phrases stand together, in any form and order.

        "signs the token" is found in "the token is signed". Whether it is denied is not minded.
        """
        return self._best(phrases, minded=False)

    def says(self, *phrases: str) -> Evidence | None:
        """Return where the answer says one of the phrases, or nearly; a denied one is not said."""
        return self._best(phrases, minded=True)

    def quote(self, start: int, end: int) -> Evidence:
        """Return the stretch as evidence, widened to the whole statement around it."""
        start, end = widen(self._reading.clauses, start, end)
        return Evidence(self.text[start:end], start, end)

    @property
    def clauses(self) -> tuple[str, ...]:
        """The answer's statements, in order."""
        return tuple(self.text[c.start : c.end] for c in self._reading.clauses)

    @cached_property
    def _reading(self) -> Reading:
        return Reading(self.text[:READ_LIMIT], self._vocabulary)

    def _finds(self, pattern: str, denied: bool | None = None) -> Iterator[Evidence]:
        for match in re.finditer(pattern, self.text[:READ_LIMIT], re.IGNORECASE):
            if match.start() == match.end():
                continue
            if denied is None or self._denied(match.start(), match.end()) is denied:
                yield self.quote(match.start(), match.end())

    def _denied(self, start: int, end: int) -> bool:
        """Tell whether any word of a stretch is denied in its clause."""
        for clause in self._reading.clauses:
            if clause.end <= start or clause.start >= end:
                continue
            flags = polarity(clause.tokens)
            words = zip(clause.tokens, flags, strict=True)
            if any(flag for word, flag in words if word.start < end and start < word.end):
                return True
        return False

    def _best(self, phrases: tuple[str, ...], *, minded: bool) -> Evidence | None:
        best: Match | None = None
        for text in phrases:
            match = self._reading.match(Phrase.of(text), lambda _: 1.0)
            if match is None:
                continue
            enough = match.score >= _SAYS_FROM if minded else match.words == len(match.phrase.stems)
            if enough and (best is None or match.score > best.score):
                best = match
        return None if best is None else self.quote(best.start, best.end)


def widen(found: tuple[Clause, ...], start: int, end: int, limit: int = 240) -> tuple[int, int]:
    """Widen a stretch to the clauses it touches, as long as they are at most ``limit`` long."""
    touched = [c for c in found if c.start < end and start < c.end]
    if not touched:
        return start, end
    first, last = min(start, touched[0].start), max(end, touched[-1].end)
    return (first, last) if last - first <= limit else (start, end)
