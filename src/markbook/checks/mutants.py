"""Wrong answers made of right ones: what a grader should no longer take for the criterion.

The statement of a criterion is every clause of an answer that its evidence speaks of. Denying all
of them, or leaving them out, makes an answer that does not earn it any more, whoever reads it.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from markbook.graders.phrases import Phrase, Reading, Vocabulary
from markbook.graders.tokens import Clause, clauses, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markbook.model import Criterion, Rubric

__all__ = ["Kind", "Mutant", "denied", "mutants"]

Kind = Literal["negated", "dropped", "prompt", "keywords"]

_SPOKEN_OF = 0.3  # share of a phrase's words that makes a clause part of the statement
_DENIED = 0.45  # from this share on a clause is denied as well
_TERM = 3  # words of a phrase that only names something
_STATED = 0.6  # and the share that some clause must have: else the statement is not known
_LIST = 12  # keywords in a list, at most
_LIST_FROM = 6  # and at least: a few words alone are a terse answer
_REST = 3  # words that have to be left for an answer to be one


@dataclass(frozen=True, slots=True)
class Mutant:
    """A wrong answer: ``text`` does not earn ``criterion`` any more.

    ``of`` is the number of the exemplar (from 1) that it was made of, 0 for the model answer, and
    None for one that was made of something else. ``original`` is the text that it was made of.
    """

    kind: Kind
    text: str
    criterion: str
    of: int | None = None
    original: str = ""


# Each takes one negator out of a clause. The first that fits is used.
_TAKEN_OUT: tuple[tuple[str, str], ...] = (
    (r"\b(do|does|did) not\b(?! (?:only|just)\b)", r"\1"),
    (r"\b(is|are|was|were|can|could|will|would|should|must|may|might) not\b(?! (?:only|just)\b)",
     r"\1"),
    (r"\b(has|have|had) not\b(?! (?:only|just)\b)", r"\1"),
    (r"\bcan'?t\b|\bcannot\b", "can"),
    (r"\bwon'?t\b", "will"),
    (r"\b(do|does|did|is|are|was|were|could|would|should|has|have|had)n'?t\b", r"\1"),
    (r"\bno longer\b", "still"),
    (r"\bnobody\b", "somebody"),
    (r"\bnone\b", "all"),
    (r"\bnothing\b", "everything"),
    (r"\bnowhere\b", "everywhere"),
    (r"\bnever\b", "always"),
    (r"\bwithout\b", "with"),
    (r"\bunable\b", "able"),
    (r"\bnot\b(?! (?:only|just)\b)", "surely"),
    (r"\bno\b", "some"),
)  # fmt: skip
# Each puts one in: behind a verb that can bear it, or before one, which then loses its ending.
_AUXILIARY = (
    r"\b(?P<verb>is|are|was|were|can|could|will|would|should|must|may|might)\b"
    r"(?!')(?! (?:not|only|just)\b)"
)
_VERBS = """
    accept act add allow answer ask belong break build carry check come compare compute confirm
    connect contain create decide decode decrypt delete deliver depend describe detect encode
    encrypt ensure exchange expire explain fail fake find get give go grab guarantee handle hash
    have help hide hold identify include keep know let look lose make match mean need notice
    open pass pretend prevent protect prove provide put read receive refuse reject remember
    replace return run save say see send separate serve show sign simulate skip split start stop
    store support take tell think trust use validate verify wait want work write
""".split()
_THIRD = {
    ("has" if verb == "have"
     else verb[:-1] + "ies" if verb.endswith("y") and verb[-2] not in "aeiou"
     else verb + "es" if verb.endswith(("s", "sh", "ch", "x", "z", "o")) else verb + "s"): verb
    for verb in _VERBS
}  # fmt: skip
_INSERTED = re.compile(
    rf"{_AUXILIARY}|\b(?P<third>{'|'.join(_THIRD)})\b"
    rf"|\b(?P<who>you|we|they|I|people|users|hackers|attackers) (?P<plain>{'|'.join(_VERBS)})\b",
    re.IGNORECASE,
)
_JOINED = re.compile(r"(?:(?:and|but|so|or|because|since|then|that|which|if|[-*\d.)]+)\s+)*", re.I)


def denied(clause: str, said: int = 0) -> str:
    """Return a statement's opposite: one negation taken out where there is one, else put in.

    ``said`` is the place in the clause from which its words matter: a negation is put before it
    where a verb stands there, or as soon behind it as can be.
    """
    for pattern, instead in _TAKEN_OUT:
        changed = re.sub(pattern, instead, clause, count=1, flags=re.IGNORECASE)
        if changed != clause:
            return changed
    places = list(_INSERTED.finditer(clause))
    before = [place for place in places if place.start() <= said]
    if not places:
        joined = _JOINED.match(clause)
        start = joined.end() if joined else 0
        return f"{clause[:start]}it is not true that {clause[start:]}"
    place = before[-1] if before else places[0]
    if verb := place["verb"]:
        instead = f"{verb} not"
    elif third := place["third"]:
        instead = f"does not {_THIRD[third.lower()]}"
    else:
        instead = f"{place['who']} do not {place['plain']}"
    return f"{clause[: place.start()]}{instead}{clause[place.end() :]}"


def mutants(rubric: Rubric, prompt: str = "", *, seed: int = 0) -> tuple[Mutant, ...]:
    """Return the wrong answers of a rubric, each text once for a criterion, in a fixed order.

    ``seed`` shuffles the lists of keywords; nothing else is left to chance.
    """
    exemplars = {exemplar.text.strip() for exemplar in rubric.exemplars}
    seen: set[tuple[str, str]] = set()
    found: list[Mutant] = []
    for mutant in _all(rubric, prompt, random.Random(seed)):
        key = (mutant.text, mutant.criterion)
        if mutant.text.strip() not in exemplars and key not in seen:
            seen.add(key)
            found.append(mutant)
    return tuple(found)


def _all(rubric: Rubric, prompt: str, chance: random.Random) -> Iterator[Mutant]:
    for number, exemplar in enumerate(rubric.exemplars, start=1):
        for name in exemplar.earns:
            yield from _of_text(exemplar.text, rubric.criterion(name), number)
    best = [criterion for criterion in rubric.criteria if criterion.points > 0]
    if rubric.model_answer.strip():
        for criterion in best:
            yield from _of_text(rubric.model_answer, criterion, 0)
    for criterion in best:
        if prompt.strip():
            yield Mutant("prompt", prompt.strip(), criterion.id, None, prompt)
        words = _keywords(criterion, chance)
        if len(words) >= _LIST_FROM:
            yield Mutant("keywords", ", ".join(words), criterion.id)


def _of_text(text: str, criterion: Criterion, of: int) -> Iterator[Mutant]:
    statement = _statement(text, criterion)
    if not statement:
        return
    changed = _replaced(
        text,
        [
            (part.clause, denied(text[part.clause.start : part.clause.end], part.said))
            for part in statement
            if part.share >= _DENIED
        ],
    )
    if changed != text and not any(part.term for part in statement):
        yield Mutant("negated", changed, criterion.id, of, text)
    rest = _without(text, [part.clause for part in statement])
    if len(tokens(rest)) >= _REST:
        yield Mutant("dropped", rest, criterion.id, of, text)


@dataclass(frozen=True, slots=True)
class _Part:
    """A clause that speaks of a criterion: how much of a phrase, and from which place on.

    ``term`` tells that the phrase is a mere term: whoever denies it has named it all the same.
    """

    clause: Clause
    share: float
    said: int
    term: bool


def _statement(text: str, criterion: Criterion) -> list[_Part]:
    """Return the clauses that speak of a criterion, none where no clause surely states it."""
    reading = Reading(text, Vocabulary())
    phrases = [phrase for phrase in map(Phrase.of, criterion.evidence) if phrase.stems]
    every = frozenset(range(len(reading.clauses)))
    found: list[_Part] = []
    for number, clause in enumerate(reading.clauses):
        matches = [reading.match(p, lambda _: 1.0, every - {number}) for p in phrases]
        best = max((m for m in matches if m is not None), key=lambda m: m.raw, default=None)
        if best is not None and best.raw >= _SPOKEN_OF:
            words = tokens(best.phrase.text)
            term = len(words) <= _TERM and all(word.content for word in words)
            found.append(_Part(clause, best.raw, best.start - clause.start, term))
    return found if any(part.share >= _STATED for part in found) else []


def _replaced(text: str, changes: Sequence[tuple[Clause, str]]) -> str:
    parts: list[str] = []
    at = 0
    for clause, instead in changes:
        parts += [text[at : clause.start], instead]
        at = clause.end
    return "".join([*parts, text[at:]])


def _without(text: str, dropped: Sequence[Clause]) -> str:
    """Return the other clauses as they were written, each with what ends it."""
    kept: list[str] = []
    all_clauses = clauses(text)
    for number, clause in enumerate(all_clauses):
        if clause not in dropped:
            last = number + 1 == len(all_clauses)
            kept.append(text[clause.start : len(text) if last else all_clauses[number + 1].start])
    return "".join(kept).strip()


def _keywords(criterion: Criterion, chance: random.Random) -> list[str]:
    words = {
        token.word: None
        for phrase in (*criterion.evidence, criterion.says)
        for token in tokens(phrase)
        if token.content
    }
    listed = list(words)[:_LIST]
    chance.shuffle(listed)
    return listed
