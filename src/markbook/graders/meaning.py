"""The meaning of an answer by its words: for each criterion a probability and a quotation.

Lexical, without a model: stems, idf over the answers of the question, the question's own words
discounted, phrases matched in clauses, negation minded, exemplars as neighbours. Confidence is
high only for a strong and undisputed match, or when nothing of a criterion's words occurs.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rapidfuzz import fuzz

from markbook.graders.guards import READ_LIMIT, Guard, Sources, Tongue, copied_clauses, guard
from markbook.graders.phrases import Match, Phrase, Reading, Vocabulary, phrase_words
from markbook.graders.rivals import contested, outdone, strange
from markbook.graders.stance import held_off
from markbook.graders.tokens import clauses, tokens
from markbook.graders.vocabulary import LIGHT_STEMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from markbook.model import Criterion, Rubric

__all__ = ["Clues", "Judgement", "Meaning"]

# From score to probability: fitted by eye on the exemplars left out one by one, and checked on
# answers that earned all or nothing (docs/how-to/write-a-grader.md has the figures).
_CURVE = ((0.0, 0.05), (0.25, 0.09), (0.45, 0.25), (0.6, 0.48), (0.75, 0.72), (0.9, 0.9), (1, 0.96))
_MOST, _LEAST = 0.97, 0.03  # nothing lexical is surer than that
_UNSURE = 0.88  # the most for a match that is good, but not strong
_STRONG = 0.85  # score of a strong match
_NO_EVIDENCE = 0.8  # the most for a criterion without evidence phrases
_BARE = "The criterion has no evidence phrases: only its own sentence was looked for."
_UNDECIDED = 0.6  # the most where something speaks against it: a person looks
_TURNED = 0.3  # loss of score by negation or order that is worth a note
_QUOTED_FROM = 0.4  # probability from which the best stretch is shown
_RICH = 10  # different words of a criterion from which their absence says something
_DOUBT = 0.13  # the least probability of a criterion that may be said in words not known here
_SAYS_WORTH = 0.85  # "says" is written for markers, so its words are less those of students
_QUESTION_WORD = 0.35  # weight of a word that the question itself contains
_LIGHT_WORD = 0.5
_COMMON_WORD = 0.6  # and of one that most criteria contain
_PASTED = 0.85  # the most for a text that is an exemplar word for word: a person looks
_EXEMPLAR_COPY = 95.0  # per cent of similarity at which an answer counts as an exemplar's copy


@dataclass(frozen=True, slots=True)
class Judgement:
    """One criterion on one answer. ``probability`` that it is earned; None is "cannot tell"."""

    probability: float | None
    start: int | None = None
    end: int | None = None
    note: str = ""
    clues: Clues | None = None


@dataclass(frozen=True, slots=True)
class Clues:
    """What a probability was made of, for whoever knows more than words.

    ``score`` of the best match and ``raw``, the same before negation and order counted;
    ``turned`` is how much of it is said the other way round; ``lean`` towards exemplars that earn
    it; ``words`` of the answer. The probability may be moved between ``least`` and ``most``.
    """

    score: float
    raw: float
    turned: float
    lean: float
    words: int
    least: float
    most: float


@dataclass(slots=True)
class _Target:
    """A criterion with its phrases, ready to be matched."""

    criterion: Criterion
    phrases: tuple[Phrase, ...]
    earned_by: frozenset[int] = frozenset()

    @property
    def words(self) -> frozenset[str]:
        return frozenset(stem for phrase in self.phrases for stem in phrase.stems)


@dataclass(frozen=True, slots=True)
class _Exemplar:
    line: str
    stems: Counter[str]
    numbers: frozenset[str]
    negators: int


@dataclass(slots=True)
class Meaning:
    """Judges answers to one question; made once from its rubric and all its answers."""

    rubric: Rubric
    questions: tuple[str, ...] = ()
    _targets: list[_Target] = field(default_factory=list)
    _exemplars: list[_Exemplar] = field(default_factory=list)
    _sources: Sources = field(default_factory=Sources)
    _tongue: Tongue = field(default_factory=Tongue)
    _vocabulary: Vocabulary = field(default_factory=Vocabulary)
    _weights: dict[str, float] = field(default_factory=dict)
    _known: frozenset[str] = frozenset()
    _asked: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rubric: Rubric, answers: Iterable[str] = (), prompt: str = "") -> Meaning:
        """Prepare for a rubric; ``answers`` are the cohort's texts, for the words' rarity."""
        questions = tuple(q for q in (prompt, *rubric.asked_as) if q.strip())
        made = cls(rubric, questions)
        made._targets = [_target(c, rubric) for c in rubric.criteria]
        made._exemplars = [_exemplar(e.text) for e in rubric.exemplars]
        made._sources = Sources.of(rubric, questions)
        answers = tuple(answers)
        made._tongue = Tongue.of(rubric, questions, answers)
        made._weigh(answers)
        return made

    def judge(self, text: str, criteria: Sequence[str]) -> dict[str, Judgement]:
        """Judge one answer on the named criteria."""
        return self.look(text, criteria)[1]

    def look(self, text: str, criteria: Sequence[str]) -> tuple[Guard, dict[str, Judgement]]:
        """Judge one answer on the named criteria, and say what is odd about it."""
        reading = Reading(text[:READ_LIMIT], self._vocabulary)
        skip = copied_clauses(reading, self.questions)
        state = guard(text, reading, self._known, self._sources, skip, self._tongue)
        if state.blind:
            return state, {name: Judgement(None, note=state.blind) for name in criteria}
        copy = self._copied_exemplar(reading)
        matches = {t.criterion.id: self._best(reading, t, skip) for t in self._targets}
        near = self._neighbours(reading)
        foreign = strange(reading, matches.values(), skip, self._known | self._asked)
        found: dict[str, Judgement] = {}
        for target in self._targets:
            name = target.criterion.id
            if name not in criteria:
                continue
            if copy is not None:
                found[name] = _of_copy(copy, target, matches[name], state)
                continue
            found[name] = self._judge(target, matches, near, state, foreign, reading)
        return state, found

    # -- one criterion -------------------------------------------------------------------------

    def _judge(
        self,
        target: _Target,
        matches: Mapping[str, Match | None],
        near: Sequence[float],
        state: Guard,
        foreign: bool,
        reading: Reading,
    ) -> Judgement:
        match = matches[target.criterion.id] or _NOTHING
        rivals = [
            (other.criterion, rival)
            for other in self._targets
            if other is not target and (rival := matches[other.criterion.id]) is not None
        ]
        loss = outdone(match, rivals)
        disputed = contested(target.criterion, match, rivals)
        score = match.score - loss
        # Degrees of one thing, and criteria of few words, are hardly told apart by words.
        thin = self._group_open(target.criterion.id, matches) or len(target.words) < _RICH
        odd = thin or loss > 0.1 or (foreign and target.criterion.points > 0)
        bare = not target.criterion.evidence
        lowest = _lowest(match, score, odd or bare, state)
        wrong = target.criterion.points < 0
        held = held_off(reading.text, match.start, match.end, misconception=wrong)
        undecided = disputed or bool(state.cautious) or bool(held and match.words)
        highest = self._highest(target, match, score, undecided)
        lean = self._lean(target, near)
        if state.loose:
            highest = min(highest, _UNSURE)
        probability = min(max(_curve(score) + lean, lowest), highest)
        clues = Clues(
            score=score,
            raw=match.raw,
            turned=match.turned,
            lean=lean,
            words=len(reading.tokens),
            least=lowest if state.partial or state.cautious or bare or thin else 0.0,
            most=highest if match.unsaid or state.loose else self._most(target, highest),
        )
        notes = (
            state.cautious,
            state.partial,
            state.loose,
            held * bool(match.words),
            "Another criterion claims the same words." * disputed,
            "The words are there, but denied or otherwise connected."
            * (match.raw - match.score > _TURNED),
        )
        note = " ".join(n for n in (*notes, _BARE * bare) if n)
        if match is _NOTHING or probability < _QUOTED_FROM:
            return Judgement(probability, note=note, clues=clues)
        return Judgement(probability, match.start, match.end, note, clues)

    def _highest(self, target: _Target, match: Match, score: float, undecided: bool) -> float:
        """Return the most that the probability of a criterion may be."""
        if undecided or not self._beyond_question(match):
            return _UNDECIDED
        if not target.criterion.evidence:
            return _NO_EVIDENCE
        if match.unsaid or match.words < min(2, len(match.phrase.stems)) or score < _STRONG:
            return _UNSURE
        return _MOST

    def _most(self, target: _Target, highest: float) -> float:
        """Return the most that other clues may make of a criterion."""
        if highest <= _UNDECIDED or not target.criterion.evidence:
            return highest
        own = target.criterion
        groups = [names for names in self.rubric.pick_one if own.id in names]
        others = [c for c in self.rubric.criteria for names in groups if c.id in names]
        # Whoever says the most of a list says what less of it asks for, too.
        lesser = any(abs(c.points) > abs(own.points) for c in others)
        return _UNSURE if lesser else 1.0

    def _group_open(self, name: str, matches: Mapping[str, Match | None]) -> bool:
        """Tell whether another criterion of the same ``pick_one`` list may be earned.

        They are degrees of one thing ("one way", "several ways"), which words hardly tell apart.
        """
        group = {n for names in self.rubric.pick_one if name in names for n in names} - {name}
        found = [match for n in group if (match := matches[n]) is not None]
        return any(match.raw >= 0.3 for match in found)

    def _beyond_question(self, match: Match) -> bool:
        """Tell whether more was matched than words that the question itself gave away."""
        return bool(set(match.found) - self._asked) or set(match.phrase.stems) <= self._asked

    def _best(self, reading: Reading, target: _Target, skip: frozenset[int]) -> Match | None:
        best: Match | None = None
        turned = 0.0
        for phrase in target.phrases:
            match = reading.match(phrase, self._weight, skip)
            if match is None:
                continue
            turned = max(turned, match.turned)
            if best is None or (match.score, match.raw) > (best.score, best.raw):
                best = match
        return None if best is None else replace(best, turned=turned)

    # -- weights -------------------------------------------------------------------------------

    def _weight(self, stem: str) -> float:
        return self._weights.get(stem, 1.0)

    def _weigh(self, answers: Iterable[str]) -> None:
        rubric = self.rubric
        documents = [phrase_words(a[:READ_LIMIT]) for a in answers]
        documents += [frozenset(p.stems) for t in self._targets for p in t.phrases]
        documents += [frozenset(e.stems) for e in self._exemplars]
        documents += [phrase_words(clause) for clause in rubric.model_answer.splitlines()]
        count = Counter(stem for document in documents for stem in document)
        asked = self._asked = frozenset().union(*(phrase_words(q) for q in self.questions))
        own = [frozenset(s for p in t.phrases for s in p.stems) for t in self._targets]
        rarest = math.log(len(documents) + 1.0)
        for stem in count:
            weight = 0.5 + math.log((len(documents) + 1.0) / (count[stem] + 0.5)) / rarest
            if stem in LIGHT_STEMS:
                weight *= _LIGHT_WORD
            share = sum(stem in words for words in own) / max(1, len(own))
            if stem in asked:
                weight *= _QUESTION_WORD if share > 0.5 or len(own) == 1 else _COMMON_WORD
            elif share > 0.6 and len(own) > 2:
                weight *= _COMMON_WORD
            self._weights[stem] = weight
        self._known = frozenset().union(*own, *(frozenset(e.stems) for e in self._exemplars))

    # -- exemplars -----------------------------------------------------------------------------

    def _copied_exemplar(self, reading: Reading) -> int | None:
        line = " ".join(t.stem for t in reading.tokens)
        for number, exemplar in enumerate(self._exemplars):
            # Words may not differ in a number or a "not": there, one word is the difference.
            if len(line) > 2 * len(exemplar.line) + 20:
                continue
            if fuzz.ratio(line, exemplar.line) >= _EXEMPLAR_COPY and (
                _numbers(reading.tokens_stems()) == exemplar.numbers
                and sum(t.negates for t in reading.tokens) == exemplar.negators
            ):
                return number
        return None

    def _neighbours(self, reading: Reading) -> list[float]:
        counts = Counter(t.stem for t in reading.tokens if t.content)
        return [self._cosine(counts, exemplar.stems) for exemplar in self._exemplars]

    def _cosine(self, one: Counter[str], other: Counter[str]) -> float:
        dot = sum(self._weight(s) ** 2 for s in one.keys() & other.keys())
        norm = math.sqrt(
            sum(self._weight(s) ** 2 for s in one) * sum(self._weight(s) ** 2 for s in other)
        )
        return dot / norm if norm else 0.0

    def _lean(self, target: _Target, near: Sequence[float]) -> float:
        """Return how far the most similar exemplars pull, in [-0.1, 0.1]."""
        earned = max((near[n] for n in target.earned_by), default=0.0)
        other = max((s for n, s in enumerate(near) if n not in target.earned_by), default=0.0)
        return min(0.1, max(-0.1, (earned - other) * 0.25))


_NOTHING = Match(0.0, 0.0, 0, 0, (), Phrase("", (), (), ()))


def _lowest(match: Match, score: float, odd: bool, state: Guard) -> float:
    """Return the least that the probability of a criterion may be.

    Where the words are there, whoever denies or turns them may still have meant it; where the
    text goes on beyond what was read, it may be said there.
    """
    if state.partial and score < 0.6:
        return 0.4
    if match.raw >= 0.8:
        return 0.35
    if match.raw >= 0.5:
        return 0.25
    return _DOUBT if match.raw >= 0.3 or odd or state.partial or state.cautious else _LEAST


def _target(criterion: Criterion, rubric: Rubric) -> _Target:
    phrases = [Phrase.of(text) for text in criterion.evidence]
    phrases += [Phrase.of(clause, _SAYS_WORTH) for clause in _statements(criterion.says)]
    earned = frozenset(n for n, e in enumerate(rubric.exemplars) if criterion.id in e.earns)
    return _Target(criterion, tuple(p for p in phrases if p.stems), earned)


def _statements(text: str) -> list[str]:
    """Split "says" into its statements, without those of one word: "integrity" is no claim."""
    parts = [text[c.start : c.end] for c in clauses(text)]
    return [part for part in parts if len(phrase_words(part)) >= 3]


def _exemplar(text: str) -> _Exemplar:
    words = tokens(text)
    return _Exemplar(
        line=" ".join(t.stem for t in words),
        stems=Counter(t.stem for t in words if t.content),
        numbers=_numbers([t.stem for t in words]),
        negators=sum(t.negates for t in words),
    )


def _numbers(stems: Iterable[str]) -> frozenset[str]:
    return frozenset(s for s in stems if any(map(str.isdigit, s)))


def _curve(score: float) -> float:
    """Return the probability of a score by straight lines between the known points."""
    for (x0, y0), (x1, y1) in itertools.pairwise(_CURVE):
        if score <= x1:
            return y0 + (y1 - y0) * max(0.0, score - x0) / (x1 - x0)
    return _CURVE[-1][1]


def _of_copy(number: int, target: _Target, match: Match | None, state: Guard) -> Judgement:
    note = f"Reads like exemplar {number + 1}."
    sure = _PASTED if state.pasted else 0.95
    if state.pasted:
        note = f"{note} {state.cautious}"
    if number not in target.earned_by:
        return Judgement(1 - sure, note=note)
    if match is None:
        return Judgement(sure, note=note)
    return Judgement(sure, match.start, match.end, note)
