"""What a sentence model finds of a rubric's criteria in the answers, with places and negation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from markbook.graders.guards import READ_LIMIT
from markbook.graders.learning.alignment import Alignment
from markbook.graders.tokens import clauses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from markbook.graders.learning.spans import Spans
    from markbook.graders.learning.vectors import TokenModel, TokenVectors
    from markbook.graders.tokens import Clause
    from markbook.model import Criterion, Rubric

__all__ = ["Sense", "sense"]

_TURNED = 0.3  # likeness that a stretch loses which denies what the phrase affirms, or the reverse


@dataclass(frozen=True)
class Sense:
    """One criterion in n answers, each array (n,); likenesses are cosines.

    ``best`` of its evidence phrases, less where it is said the other way round; ``mean`` of all of
    them; ``says`` of its own wording; ``lean`` towards exemplars that earn it. ``start`` and
    ``end`` are the characters of the best stretch; ``turned`` tells that it is denied there.
    """

    best: NDArray[np.float64]
    mean: NDArray[np.float64]
    says: NDArray[np.float64]
    lean: NDArray[np.float64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    turned: NDArray[np.bool_]


def sense(
    model: TokenModel, rubric: Rubric, answers: Sequence[str], question: str
) -> dict[str, Sense]:
    """Return what is found of each criterion, by its id."""
    texts = [text[:READ_LIMIT] for text in answers]
    phrases = {c.id: (*c.evidence, c.says) for c in rubric.criteria}
    shown = [e.text for e in rubric.exemplars]
    flat = [phrase for several in phrases.values() for phrase in several]
    encoded = model.encode([question, *flat, *shown, *texts])
    rest = iter(encoded[1:])
    vectors = {name: [next(rest) for _ in several] for name, several in phrases.items()}
    exemplars = [next(rest) for _ in shown]
    alignment = Alignment(list(rest), encoded[0])
    parts = [clauses(text) for text in texts]
    near = _near(alignment.answers, exemplars)
    spans = iter(alignment.all_spans([each for name in phrases for each in vectors[name]]))
    found: dict[str, Sense] = {}
    for criterion in rubric.criteria:
        earned = np.array([criterion.id in e.earns for e in rubric.exemplars], dtype=bool)
        lean = _most(near[:, earned]) - _most(near[:, ~earned])
        own = [next(spans) for _ in phrases[criterion.id]]
        found[criterion.id] = _one(criterion, own, parts, lean)
    return found


def _near(
    answers: Sequence[TokenVectors], exemplars: Sequence[TokenVectors]
) -> NDArray[np.float64]:
    if not answers or not exemplars:
        return np.zeros((len(answers), len(exemplars)))
    one = np.array([a.pooled for a in answers], dtype=float)
    return np.asarray(one @ np.array([e.pooled for e in exemplars], dtype=float).T)


def _most(table: NDArray[np.float64]) -> NDArray[np.float64]:
    return table.max(axis=1) if table.shape[1] else np.zeros(len(table))


def _one(
    criterion: Criterion,
    spans: Sequence[Spans],
    parts: Sequence[tuple[Clause, ...]],
    lean: NDArray[np.float64],
) -> Sense:
    n = len(parts)
    texts = (*criterion.evidence, criterion.says)
    likeness = np.array([s.similarity for s in spans])
    turned = np.zeros((len(spans), n), dtype=bool)
    for place, (span, text) in enumerate(zip(spans, texts, strict=True)):
        denies = _odd_negators(clauses(text), 0, len(text))
        ends = zip(span.start.tolist(), span.end.tolist(), parts, strict=True)
        turned[place] = [_odd_negators(p, start, end) is not denies for start, end, p in ends]
    likeness = np.where(likeness > 0, likeness - _TURNED * turned, 0.0)
    own = likeness[:-1] if len(likeness) > 1 else likeness
    best = own.argmax(axis=0)
    rows = np.arange(n)
    return Sense(
        own[best, rows],
        own.mean(axis=0),
        likeness[-1],
        lean,
        np.array([s.start for s in spans])[best, rows],
        np.array([s.end for s in spans])[best, rows],
        turned[best, rows],
    )


def _odd_negators(parts: Sequence[Clause], start: int, end: int) -> bool:
    """Tell whether the clauses that a stretch touches deny: two negators cancel out."""
    count = sum(
        word.negates
        for part in parts
        if part.start < end and start < part.end
        for word in part.tokens
    )
    return count % 2 == 1
