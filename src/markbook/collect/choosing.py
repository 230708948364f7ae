"""From many places where a question might be asked to one consistent choice."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from markbook.collect.similarity import asks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markbook.collect.blocks import Line, Style
    from markbook.collect.candidates import Candidate

__all__ = ["Chosen", "Habits", "choose", "learn"]

# A likeness from which a match teaches the paper's style.
_CONFIDENT = 0.8
# Likeness less penalties that a match needs anywhere; in the paper's own style nothing is deducted.
_ACCEPTED = 0.58
# What a line in the paper's question style needs when its best question is still free.
_RESCUED = 0.44
_MARGIN = 0.1
# Whoever writes one question word by word does not mean another that is this much less alike.
_PLAIN, _APART = 0.9, 0.2
_LISTED = 0.2
# The most confidence in matches of a paper none of whose questions is surely known.
_STRANGE = 0.5
# What a line needs whose number says that it is a question.
_NUMBERED = 0.45
# "A JSON web token." answers what "What is a JSON web token?" asks, in nearly the same words.
_STATED = {"plain": 0.35, "bullet": 0.25, "quote": 0.25, "number": 0.1}
_MOST_PLACES = 40


@dataclass(frozen=True, slots=True)
class Habits:
    """How this paper asks: support in [0, 1] of each style, and how often answers are inline."""

    support: Mapping[Style, Mapping[str, float]]
    main: Style | None
    confident: int
    inline: float

    def backs(self, style: Style, question: str = "") -> float:
        """Return how far the paper's questions, other than ``question``, look like this one."""
        return max(self._share(style, question), 0.8 * self._share(style.relaxed, question))

    def _share(self, style: Style, question: str) -> float:
        shares = self.support.get(style, {})
        return math.fsum(share for other, share in shares.items() if other != question)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A candidate taken, with the confidence in [0, 1] that it is right."""

    candidate: Candidate
    confidence: float


def learn(candidates: Sequence[Candidate]) -> Habits:
    """Learn the paper's question style from its confident matches."""
    best: dict[tuple[str, Style], float] = {}
    inline: dict[tuple[str, Style], tuple[float, bool]] = {}
    for c in candidates:
        if c.likeness < _CONFIDENT or (c.title and not c.style.marker.startswith("heading")):
            continue
        for style in {c.style, c.style.relaxed}:
            key = (c.question, style)
            best[key] = max(best.get(key, 0.0), c.likeness)
            if c.likeness > inline.get(key, (0.0, False))[0]:
                inline[key] = (c.likeness, c.inline)
    weight: dict[Style, float] = defaultdict(float)
    for (_, style), value in best.items():
        weight[style] += value
    top = max(weight.values(), default=0.0)
    main = max(weight, key=lambda style: (weight[style], style.bold), default=None)
    # Only questions in the paper's own style tell: others may be quoted within answers.
    told = [flag for (_, style), (_, flag) in inline.items() if style == main]
    support: dict[Style, dict[str, float]] = defaultdict(dict)
    for (question, style), value in best.items():
        support[style][question] = value / top
    confident = len({question for question, _ in best})
    return Habits(support, main, confident, sum(told) / max(1, len(told)))


def choose(
    lines: Sequence[Line],
    candidates: Sequence[Candidate],
    habits: Habits,
    order: Sequence[str],
) -> list[Chosen]:
    """Choose where each question is asked: at most one place each, one question a place.

    The choice has the greatest total score; then a line in the paper's style takes a free
    question that it resembles less, if no other is near. In the order of the paper.
    """
    candidates = [c for c in candidates if not _meant_otherwise(c)]
    strong = _strong(candidates)
    scored = [(c, _score(lines, c, habits, strong)) for c in candidates]
    scored = _without_contents(lines, scored, strong)
    named = {(c.question, _next_text(lines, c.last)) for c in candidates if _names(lines, c)}
    # A heading that names the question goes with the text below it that asks the question.
    spelt = {c.question for c, s in scored if s >= _CONFIDENT and not c.title}
    scored = [
        (c, s - (0.1 if (c.question, c.first) in named or (c.title and c.question in spelt) else 0))
        for c, s in scored
    ]
    sure = [(c, s) for c, s in scored if c.likeness >= _CONFIDENT or _looks_asked(c)]
    taken = _assign([(c, score) for c, score in sure if score >= _ACCEPTED])
    taken = _rescue(taken, scored, habits, order)
    taken = _in_number(taken, scored, lines)
    taken.sort(key=lambda pair: pair[0].first)
    apart = _without_overlaps([c for c, _ in taken], lines)
    deducted = {c.first: c.likeness - score for c, score in taken}
    # One match that is not close, in a paper of strangers, may well be of another assignment.
    most = 1.0 if habits.confident else _STRANGE
    return [Chosen(c, min(most, _confidence(c, deducted[c.first]))) for c in apart]


def _score(
    lines: Sequence[Line], c: Candidate, habits: Habits, strong: Mapping[int, set[str]]
) -> float:
    score = c.likeness - _style_penalty(c, habits)
    above = lines[c.first - 1] if c.first else None
    buried = (
        above is not None
        and not (above.blank or above.rule or above.level or above.code or above.label_only)
        and above.number not in strong
        and c.style.marker == "plain"
    )
    if c.inline:
        score -= _inline_penalty(c, habits, buried=buried)
    elif buried and habits.main is not None and habits.main.marker != "plain":
        score -= 0.1
    if not asks(c.text) and not lines[c.first].level:
        score -= _STATED.get(c.style.marker.rstrip("-*+.)"), 0.0) if not c.style.bold else 0.0
    if c.title:
        score -= _title_penalty(lines[c.first], c, habits)
    # Of two equal places the one with something under it is the question, not a list of contents.
    if not c.inline and not _answered(lines, c, strong):
        score -= 0.03
    return score - 1e-6 * c.first


def _meant_otherwise(c: Candidate) -> bool:
    """Tell whether the text asks another question so plainly that it cannot ask this one."""
    return c.rival_likeness >= _PLAIN and c.likeness < c.rival_likeness - _APART


def _strong(candidates: Sequence[Candidate]) -> dict[int, set[str]]:
    """Return which questions are asked for certain on lines, by the line where they end."""
    strong: dict[int, set[str]] = defaultdict(set)
    for c in candidates:
        if c.likeness >= _CONFIDENT and _looks_asked(c):
            strong[c.last].add(c.question)
    return strong


def _without_contents(
    lines: Sequence[Line], scored: Sequence[tuple[Candidate, float]], strong: Mapping[int, set[str]]
) -> list[tuple[Candidate, float]]:
    """Lower a list of contents: questions with nothing below them that are asked again."""
    asked = {
        (c.question, c.style.depth)
        for c, _ in scored
        if c.likeness >= _CONFIDENT
        and c.style.marker != "quote"
        and asks(c.text)
        and not c.inline
        and _answered(lines, c, strong)
    }
    return [
        (c, s - _LISTED)
        if not c.inline
        and not _answered(lines, c, strong)
        and any((c.question, depth) in asked for depth in range(c.style.depth + 1))
        else (c, s)
        for c, s in scored
    ]


def _names(lines: Sequence[Line], c: Candidate) -> bool:
    return lines[c.first].level > 0 and c.likeness >= _CONFIDENT


def _next_text(lines: Sequence[Line], number: int) -> int:
    following = number + 1
    while following < len(lines) and (lines[following].blank or lines[following].rule):
        following += 1
    return following


def _inline_penalty(c: Candidate, habits: Habits, *, buried: bool) -> float:
    if habits.inline >= 0.5:
        return 0.0
    if c.style.marker == "plain" and not c.style.bold and habits.confident >= 3:
        return 0.45  # "What is a JWT? I said so above": an answer that quotes a question
    return 0.2 if buried else 0.04


def _style_penalty(c: Candidate, habits: Habits) -> float:
    if habits.main is None or habits.confident < 2:
        return 0.0
    backing = habits.backs(c.style, c.question)
    most = 0.2 if habits.confident >= 3 else 0.1
    penalty = most * (1 - min(1.0, backing * 1.5))
    if c.style.depth > habits.main.depth and backing < 0.3:
        penalty += 0.25
    elif c.style.marker == "quote" and backing < 0.2:
        penalty += 0.15
    return penalty


def _title_penalty(line: Line, c: Candidate, habits: Habits) -> float:
    if c.inline or c.likeness < _CONFIDENT:
        return 1.0
    if habits.confident >= 2 and (c.style != habits.main or not line.level):
        return 0.4  # whoever asks in whole questions elsewhere names none by a bare title
    named = line.level > 0 or c.style.bold or c.style.marker.startswith(("number", "label", "html"))
    return 0.0 if named else 0.3


def _answered(lines: Sequence[Line], c: Candidate, strong: Mapping[int, set[str]]) -> bool:
    for line in lines[c.last + 1 : c.last + 8]:
        if not line.blank and not line.rule:
            return strong.get(line.number, set()) <= {c.question}
    return False


def _looks_asked(c: Candidate) -> bool:
    """Whether an unsure candidate has at least the outside of a question."""
    return c.style.marker != "plain" or c.style.bold or asks(c.text)


def _assign(scored: Sequence[tuple[Candidate, float]]) -> list[tuple[Candidate, float]]:
    places: dict[str, list[tuple[Candidate, float]]] = defaultdict(list)
    for c, score in scored:
        places[c.question].append((c, score))
    for question, found in places.items():
        places[question] = sorted(found, key=lambda pair: -pair[1])[:_MOST_PLACES]
    questions = list(places)
    columns = sorted({c.first for found in places.values() for c, _ in found})
    if not questions:
        return []
    column = {line: position for position, line in enumerate(columns)}
    gains = [[0.0] * (len(columns) + len(questions)) for _ in questions]
    at: dict[tuple[int, int], tuple[Candidate, float]] = {}
    for row, question in enumerate(questions):
        for c, score in places[question]:
            gains[row][column[c.first]] = score - _ACCEPTED + 0.001
            at[row, column[c.first]] = (c, score)
    pairs = enumerate(_best_columns(gains))
    return [at[row, place] for row, place in pairs if (row, place) in at]


def _best_columns(gains: Sequence[Sequence[float]]) -> list[int]:
    """Return the column of each row so that the gains add up to the most (Hungarian method).

    Needs at least as many columns as rows. O(rows² · columns).
    """
    rows, columns = len(gains), len(gains[0])
    row_price, column_price = [0.0] * (rows + 1), [0.0] * (columns + 1)
    owner = [0] * (columns + 1)
    for row in range(1, rows + 1):
        owner[0] = row
        way, place = _cheapest_way(gains, owner, row_price, column_price)
        while place:
            owner[place] = owner[way[place]]
            place = way[place]
    return [owner.index(row, 1) - 1 for row in range(1, rows + 1)]


def _cheapest_way(
    gains: Sequence[Sequence[float]],
    owner: Sequence[int],
    row_price: list[float],
    column_price: list[float],
) -> tuple[list[int], int]:
    """Grow the tree from column 0 to the nearest free column, and adjust the prices on it."""
    columns = len(column_price) - 1
    way, least, used = [0] * (columns + 1), [math.inf] * (columns + 1), {0}
    place = 0
    while owner[place]:
        used.add(place)
        row = owner[place]
        free = [j for j in range(1, columns + 1) if j not in used]
        for j in free:
            cost = -gains[row - 1][j - 1] - row_price[row] - column_price[j]
            if cost < least[j]:
                least[j], way[j] = cost, place
        following = min(free, key=lambda j: least[j])
        delta = least[following]
        for j in used:
            row_price[owner[j]] += delta
            column_price[j] -= delta
        for j in free:
            least[j] -= delta
        place = following
    return way, place


def _rescue(
    taken: list[tuple[Candidate, float]],
    scored: Sequence[tuple[Candidate, float]],
    habits: Habits,
    order: Sequence[str],
) -> list[tuple[Candidate, float]]:
    """Let lines in the paper's question style take the free question that they resemble most."""
    rank = {question: position for position, question in enumerate(order)}
    taken = sorted(taken, key=lambda pair: pair[0].first)
    for c, score in sorted(scored, key=lambda pair: -pair[1]):
        if c.title or habits.backs(c.style, c.question) < 0.6 or score < _RESCUED - 0.06:
            continue
        if not asks(c.text) or (c.style.marker == "plain" and c.inline):
            continue
        if any(c.question == t.question or _overlap(c, t) for t, _ in taken):
            continue
        before = [t for t, _ in taken if t.first < c.first][-1:]
        after = [t for t, _ in taken if t.first > c.first][:1]
        fits = any(rank[t.question] + 1 == rank[c.question] for t in before) or any(
            rank[t.question] - 1 == rank[c.question] for t in after
        )
        alone = c.likeness >= c.rival_likeness + _MARGIN
        needed = _RESCUED if "?" in c.text else _RESCUED + _MARGIN
        if score + (0.06 if fits else 0.0) >= needed and alone:
            taken.append((c, score))
            taken.sort(key=lambda pair: pair[0].first)
    return taken


def _in_number(
    taken: list[tuple[Candidate, float]],
    scored: Sequence[tuple[Candidate, float]],
    lines: Sequence[Line],
) -> list[tuple[Candidate, float]]:
    """Let a line whose number fits between, or after, numbered questions take a free question."""
    taken = sorted(taken, key=lambda pair: pair[0].first)
    for c, score in sorted(scored, key=lambda pair: (pair[0].first, -pair[0].likeness)):
        if c.likeness < _NUMBERED or c.likeness < c.rival_likeness + _MARGIN:
            continue
        if any(c.question == t.question or _overlap(c, t) for t, _ in taken):
            continue
        if _fits_number(c, [t for t, _ in taken if t.style == c.style], lines):
            taken.append((c, max(score, c.likeness - _MARGIN)))
            taken.sort(key=lambda pair: pair[0].first)
    return taken


def _fits_number(c: Candidate, asked: Sequence[Candidate], lines: Sequence[Line]) -> bool:
    """Tell whether the paper's numbered questions leave just this number open at this place."""
    if len(asked) < 2 or not all(lines[a.first].ordinal.isdigit() for a in (c, *asked)):
        return False
    here = int(lines[c.first].ordinal)
    before = [int(lines[a.first].ordinal) for a in asked if a.first < c.first][-1:]
    after = [int(lines[a.first].ordinal) for a in asked if a.first > c.first][:1]
    if (before and not before[0] < here) or (after and not here < after[0]):
        return False
    return before == [here - 1] or after == [here + 1]


def _overlap(one: Candidate, other: Candidate) -> bool:
    return one.first <= other.last and other.first <= one.last


def _without_overlaps(chosen: list[Candidate], lines: Sequence[Line]) -> list[Candidate]:
    kept: list[Candidate] = []
    starts = [*(c.first for c in chosen[1:]), len(lines)]
    for c, start in zip(chosen, starts, strict=True) if chosen else ():
        if c.last >= start:
            last = start - 1
            text = " ".join(
                lines[n].raw[lines[n].start if n == c.first else 0 :].strip()
                for n in range(c.first, last + 1)
            )
            kept.append(replace(c, last=last, resume=len(lines[last].raw), text=text, inline=False))
        else:
            kept.append(c)
    return kept


def _confidence(c: Candidate, deducted: float) -> float:
    confidence = c.likeness - max(0.0, deducted) / 2
    if c.likeness < 0.95 and c.rival_likeness > c.likeness - _MARGIN:
        confidence = min(confidence, c.likeness - (_MARGIN - (c.likeness - c.rival_likeness)))
    return round(min(1.0, max(0.0, confidence)), 3)
