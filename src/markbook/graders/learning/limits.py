"""When a question is refused: reasons, each a sentence for a person."""

from __future__ import annotations

import collections
import itertools
import re
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from markbook.graders.languages import Known, language, other_letters
from markbook.graders.learning.words import shorten
from markbook.text.words import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from markbook.graders.learning.texts import QuestionTexts

__all__ = [
    "APART",
    "CONTRADICTING",
    "contradicting",
    "different_marks",
    "foreign",
    "of_marks",
    "of_texts",
]

_ANSWERS = 5  # fewer are read sooner than a suggestion is checked
_TRACE = 0.4  # of an answer's tokens are numbers or single letters: a calculation or a trace
_TWINS = 0.3  # of the answers equal another one but for a number
_EMPTY = 0.7  # of the answers have no word
_FOREIGN = 0.5  # of the answers that have words are not in English
_ENOUGH = 8  # marks from which they are asked whether they can be learned from
_RANKING = 12  # marks from which an order can be told from chance
APART = 0.25  # of the maximum: marks of the same text that contradict each other
CONTRADICTING = 1 / 3  # of the pairs of equal texts: more than one slip of a pen
_SHOWN = 40  # characters of an answer that a reason quotes
_ALIKE = 0.1  # of the maximum: a spread of marks below which they tell nobody apart

_TOKEN = re.compile(r"\w+", re.UNICODE)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_LETTERS = frozenset("ai")  # single letters that are words
_LATIN = frozenset({"latin"})  # a word in the letters that are read


def of_texts(texts: QuestionTexts) -> str | None:
    """Return why nothing should be suggested for a question, whatever its marks; or None."""
    answers = [shorten(text) for text in texts.answers]
    if len(answers) < _ANSWERS:
        there = "is 1 answer" if len(answers) == 1 else f"are {len(answers)} answers"
        return f"There {there} only: too few to learn from."
    spoken = [_TOKEN.findall(answer) for answer in answers]
    empty = sum(not tokens for tokens in spoken)
    if empty >= _EMPTY * len(answers):
        return f"{empty} of {len(answers)} answers have no words to read."
    if reason := _of_language(texts, len(answers) - empty):
        return reason
    shares = [_trace_share(tokens) for tokens in spoken if tokens]
    if float(np.median(shares)) >= _TRACE:
        return "Most of what is written are numbers or single letters: meaning is blind to them."
    twins = _twins(answers)
    if twins >= _TWINS * len(answers):
        return f"{twins} of {len(answers)} answers differ from another one in a number only."
    return None


def _of_language(texts: QuestionTexts, answered: int) -> str | None:
    reference = " . ".join(texts.references)
    if other_letters(reference, _LATIN) or language(reference, Known()) == "other":
        return "The reference is not in English, or not in Latin letters: nothing else is read."
    others = len(foreign(texts))
    if others and others >= _FOREIGN * answered:
        return f"{others} of {answered} answers are not in English: nothing else is read."
    return None


@lru_cache(maxsize=512)  # questions: an evaluation opens each several times
def foreign(texts: QuestionTexts) -> tuple[int, ...]:
    """Return the places of answers that are not in English, or in hardly a word that is known."""
    known = Known.of((texts.question, *texts.references), texts.answers)
    return tuple(place for place, text in enumerate(texts.answers) if _not_english(text, known))


def _not_english(text: str, known: Known) -> bool:
    return other_letters(text, _LATIN) or language(text, known) in {"other", "unknown"}


def _trace_share(tokens: Sequence[str]) -> float:
    odd = sum(
        any(c.isdigit() for c in t)
        or (len(t) == 1 and t.isascii() and t.casefold() not in _LETTERS)
        for t in tokens
    )
    return odd / len(tokens)


def _twins(answers: Sequence[str]) -> int:
    """Count the answers that equal another one but for the numbers in it."""
    groups: dict[str, set[tuple[str, ...]]] = collections.defaultdict(set)
    counts: collections.Counter[str] = collections.Counter()
    for answer in answers:
        numbers = tuple(_NUMBER.findall(answer))
        if numbers:
            frame = " ".join(words(_NUMBER.sub(" ", answer)))
            groups[frame].add(numbers)
            counts[frame] += 1
    return sum(counts[frame] for frame, several in groups.items() if len(several) > 1)


def of_marks(
    texts: QuestionTexts,
    marks: Mapping[int, float],
    expected: NDArray[np.float64],
) -> str | None:
    """Return why the marks given so far cannot be learned from, or None.

    ``expected`` (len(marks),) is what each marked answer would have been given, without its own
    mark, in the order of ``marks``.
    """
    if (pair := contradicting(texts, marks)) is not None:
        one, other = (marks[place] for place in pair)
        return different_marks(one, other, texts.answers[pair[0]])
    if len(marks) < _ENOUGH:
        return None
    given = np.fromiter(marks.values(), dtype=float)
    if np.ptp(given) < 1e-9:
        return f"All {len(given)} marks are the same: they do not show what makes a difference."
    if len(given) < _RANKING:
        return None
    if _misled(given, expected):
        return (
            f"What is learned from the {len(given)} marks does not order them: "
            "the answers differ in something that is not seen."
        )
    return None


def different_marks(one: float, other: float, text: str) -> str:
    """Say that two answers of the same ``text`` have different marks, shares of the maximum."""
    words_ = " ".join(text[: 2 * _SHOWN].split())
    shown = words_ if len(words_) <= _SHOWN else f"{words_[: _SHOWN - 2]} …"
    return (
        "Answers with the same words have different marks "
        f"({one:.2f} and {other:.2f} of the maximum): “{shown}”"
    )


def _misled(given: NDArray[np.float64], expected: NDArray[np.float64]) -> bool:
    """Tell whether marks are ordered no better than by chance, and the others' mean is closer.

    Where marks hardly differ there is no order to be missed.
    """
    if given.std() < _ALIKE:
        return False
    if np.ptp(expected) >= 1e-9 and np.corrcoef(given, expected)[0, 1] > 0:
        return False
    plain = (given - given.mean()) * len(given) / (len(given) - 1)
    return float(((given - expected) ** 2).sum()) >= float((plain**2).sum())


def contradicting(texts: QuestionTexts, marks: Mapping[int, float]) -> tuple[int, int] | None:
    """Return two equal texts that were marked differently, where that is so too often."""
    groups: dict[tuple[str, ...], list[int]] = collections.defaultdict(list)
    for place in marks:
        read = tuple(words(shorten(texts.answers[place])))
        if read:
            groups[read].append(place)
    pairs = [p for several in groups.values() for p in itertools.islice(
        itertools.combinations(several, 2), 200)]  # fmt: skip
    apart = [(a, b) for a, b in pairs if abs(marks[a] - marks[b]) > APART]
    if not apart or len(apart) <= CONTRADICTING * len(pairs):
        return None
    return apart[0]
