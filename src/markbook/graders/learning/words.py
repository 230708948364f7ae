"""The words of a question's texts as counts, and how much each word matters."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from markbook.graders.tokens import stem
from markbook.graders.vocabulary import FUNCTION_WORDS, NEGATORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from markbook.graders.learning.texts import QuestionTexts

__all__ = ["Cohort", "Words", "joins", "rarity", "read_cohort", "read_words", "shorten"]

READ_LIMIT = 6_000  # characters of an answer that are read: twenty times a usual one
_WORD = re.compile(r"[^\W_]+(?:['\u2019](?:t|s|re|ve|ll|d|m)\b)?", re.UNICODE)
_CLAUSE_END = re.compile(r"[.!?;:\n\r]+(?=\s|$)|\n")
_HEADING = re.compile(r"\A\s*(?:your answer here|answer|ans|a)\s*[:.)-]+\s*", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:br|p|div|span|b|i|u|em|strong|ul|ol|li|pre|code|sub|sup)\b[^<>]{0,200}>", re.I
)
_REPEATED = re.compile(r"(\S)\1{9,}")
_LONGEST_WORD = 40  # characters; longer ones are keys, links and noise
_ASKED = 0.15  # what a word of the question is worth in an answer to it
_JOINING = 0.04  # and a word such as "the"


def shorten(text: str) -> str:
    """Return what is read of a text: its first 6,000 characters, tags and headings left out."""
    head = _TAG.sub(" ", unicodedata.normalize("NFKC", text[:READ_LIMIT]))
    return _HEADING.sub("", _REPEATED.sub(r"\1\1\1", head))


@dataclass(frozen=True)
class Words:
    """A text as stems in order; ``clauses`` are ranges of them, none empty."""

    stems: tuple[str, ...]
    clauses: tuple[tuple[int, int], ...]
    negators: int
    numbers: frozenset[str]

    @property
    def content(self) -> tuple[str, ...]:
        """The stems that are no function words."""
        return tuple(s for s in self.stems if not joins(s))


@cache
def joins(stemmed: str) -> bool:
    """Tell whether a stem is a function word's: "the", "of", "they"."""
    return stemmed in _FUNCTION_STEMS


_FUNCTION_STEMS = frozenset(stem(w) for w in FUNCTION_WORDS) | FUNCTION_WORDS


def read_words(text: str) -> Words:
    """Split a text into stems and clauses; nothing is raised, whatever the text holds."""
    text = shorten(text).replace("\u2019", "'")
    stems: list[str] = []
    clauses: list[tuple[int, int]] = []
    negators = 0
    numbers: set[str] = set()
    start = 0
    for part in _CLAUSE_END.split(text):
        for word in _WORD.findall(part):
            plain = word.casefold()[:_LONGEST_WORD]
            negators += plain in NEGATORS or plain.endswith("n't")
            if any(c.isdigit() for c in plain):
                numbers.add(plain)
            stems.append(stem(plain))
        if len(stems) > start:
            clauses.append((start, len(stems)))
            start = len(stems)
    return Words(tuple(stems), tuple(clauses), negators, frozenset(numbers))


@cache
def _frequencies() -> dict[str, int]:
    """Return in how many of the texts of the public sets a stem stands; "" is all texts."""
    file = resources.files("markbook.graders.learning") / "data" / "words.json"
    found: dict[str, int] = json.loads(file.read_text(encoding="utf-8"))
    return found


def rarity(stemmed: str) -> float:
    """Return how much a word tells at all: 1 for one never seen, towards 0 for "the"."""
    known = _frequencies()
    total = known[""]
    return math.log((total + 1) / (known.get(stemmed, 0) + 1)) / math.log(total + 1)


@dataclass(frozen=True)
class Cohort:
    """Every text of a question over one vocabulary of v stems.

    ``counts`` (n, v) of the answers, ``references`` (m, v), ``weights`` (v,): what a stem is
    worth as a part of an answer; words of the question and function words are worth little.
    """

    answers: tuple[Words, ...]
    models: tuple[Words, ...]
    asked: Words
    vocabulary: dict[str, int]
    counts: sparse.csr_matrix
    references: sparse.csr_matrix
    weights: NDArray[np.float64]
    in_question: NDArray[np.bool_]


_REFERENCES = 12  # of one question are compared; sets of hundreds hold the same few thoughts


def read_cohort(texts: QuestionTexts) -> Cohort:
    """Read all texts of a question."""
    answers = tuple(read_words(t) for t in texts.answers)
    models = tuple(read_words(t) for t in texts.references[:_REFERENCES])
    asked = read_words(texts.question)
    vocabulary: dict[str, int] = {}
    for words in (*answers, *models, asked):
        for stemmed in words.stems:
            vocabulary.setdefault(stemmed, len(vocabulary))
    names = list(vocabulary)
    in_question = np.zeros(len(names), dtype=bool)
    in_question[[vocabulary[s] for s in asked.stems]] = True
    weights = np.array([rarity(s) for s in names], dtype=float)
    weights[[joins(s) for s in names]] *= _JOINING
    weights[in_question] *= _ASKED
    return Cohort(
        answers,
        models,
        asked,
        vocabulary,
        _counts(answers, vocabulary),
        _counts(models, vocabulary),
        weights,
        in_question,
    )


def _counts(texts: Sequence[Words], vocabulary: dict[str, int]) -> sparse.csr_matrix:
    columns = [vocabulary[s] for words in texts for s in words.stems]
    ends = np.cumsum([0, *(len(words.stems) for words in texts)])
    shape = (len(texts), len(vocabulary))
    found = sparse.csr_matrix((np.ones(len(columns)), np.array(columns, dtype=int), ends), shape)
    found.sum_duplicates()
    return found
