"""Each criterion's probability, from words, and from a sentence model where there is one.

The clues of ``Meaning`` and ``Sense`` are weighed in log-odds by a logistic regression that was
fitted on marked answers (``tools/fit_criteria.py``). A negation, a rival criterion or a list of
words sets a bound that no clue moves.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from markbook.graders.meaning import Clues, Judgement
    from markbook.graders.sense import Sense
    from markbook.model import Criterion

__all__ = [
    "MEANING",
    "WORDS",
    "Head",
    "bounds",
    "clue_rows",
    "decide",
    "head",
    "log_odds",
    "said_otherwise",
]

WORDS = ("logit", "score", "lean", "misconception", "length")
MEANING = (*WORDS, "said", "said_mean", "says", "resembles")
_EDGE = 0.02  # probabilities beyond it count the same: no word is that sure
_TURNED = 0.5  # share of a phrase from which a stretch that denies it is minded
_AS_MUCH = 0.2  # and how much less of it that is than of the stretch that affirms it
_DENIED = 0.6  # the most then: said and denied, a person looks
_SURE = 0.89  # the most of a criterion of which neither words nor meaning show much
_SHOWN_WORDS, _SHOWN_SENSE = 0.35, 0.55
_STATED = 0.9  # what words alone are so sure of was right 57 times of 59 (sample class)
_CONNECTED = 0.3  # of a match lost by negation, order or a rival: it may be said otherwise
_HEARD = 0.11  # the least of a criterion of which something is heard: it may be meant so
_HEARD_WORDS = 0.3
_LONGEST = 120  # words; the weights were fitted on answers of 107 at most, and know of no longer
_QUOTED = 0.5  # likeness from which the stretch that a sentence model found is quoted


@dataclass(frozen=True)
class Head:
    """Weights (f,) of the clues named, and where their sum starts."""

    names: tuple[str, ...]
    weights: NDArray[np.float64]
    start: float

    def odds(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log-odds (n,) of rows of clues (n, f)."""
        return np.asarray(rows @ self.weights + self.start)


@cache
def head(*, meaning: bool) -> Head:
    """Return the weights that ship, with the sentence model's clues or without."""
    file = resources.files("markbook.graders") / "data" / "criteria.json"
    kept = json.loads(file.read_text(encoding="utf-8"))["meaning" if meaning else "words"]
    weights = [kept["weights"][name] for name in (MEANING if meaning else WORDS)]
    return Head(MEANING if meaning else WORDS, np.array(weights), float(kept["start"]))


def log_odds(probability: float) -> float:
    """Return the log-odds of a probability, held away from 0 and 1."""
    held = min(max(probability, _EDGE), 1 - _EDGE)
    return math.log(held / (1 - held))


def clue_rows(
    criterion: Criterion, judged: Sequence[Judgement], sense: Sense | None
) -> NDArray[np.float64]:
    """Return the clues of a criterion in each answer (n, f); zeros where there are none."""
    rows = np.zeros((len(judged), len(WORDS)))
    for place, judgement in enumerate(judged):
        clues = judgement.clues
        if clues is not None and judgement.probability is not None:
            rows[place] = (
                log_odds(judgement.probability),
                clues.score,
                clues.lean,
                criterion.points < 0,
                math.log1p(min(clues.words, _LONGEST)),
            )
    if sense is None:
        return rows
    return np.column_stack([rows, sense.best, sense.mean, sense.says, sense.lean])


def said_otherwise(clues: Clues) -> bool:
    """Tell whether a stretch of the answer says the other way round about as much."""
    return clues.turned >= _TURNED and clues.turned >= clues.raw - _AS_MUCH


def bounds(clues: Clues, said: float) -> tuple[float, float]:
    """Return the least and the most that a probability may be; ``said`` is ``Sense.best``."""
    most = clues.most
    if said_otherwise(clues):
        most = min(most, _DENIED)
    if clues.score < _SHOWN_WORDS and said < _SHOWN_SENSE:
        most = min(most, _SURE)
    if clues.raw - clues.score > _CONNECTED:
        most = min(most, _SURE)
    least = clues.least
    if clues.raw >= _HEARD_WORDS or said >= _SHOWN_SENSE:
        least = max(least, _HEARD)
    return least, most


def decide(
    criterion: Criterion,
    judged: Sequence[Judgement],
    sense: Sense | None,
    weights: Head | None = None,
) -> list[Judgement]:
    """Return the judgements of one criterion with what all clues say together.

    Judgements without clues (nothing to read, a copy of an exemplar) stay as they are.
    """
    weights = weights or head(meaning=sense is not None)
    odds = weights.odds(clue_rows(criterion, judged, sense))
    found: list[Judgement] = []
    for place, judgement in enumerate(judged):
        clues = judgement.clues
        if clues is None or judgement.probability is None:
            found.append(judgement)
            continue
        least, most = bounds(clues, 0.0 if sense is None else float(sense.best[place]))
        probability = float(_sigmoid(odds[place]))
        if judgement.probability >= _STATED:
            probability = max(probability, judgement.probability)
        probability = min(max(probability, least), most)
        decided = replace(judgement, probability=probability)
        if said_otherwise(clues) and not decided.note:
            decided = replace(decided, note="The answer says the opposite of it, too.")
        if decided.start is None and sense is not None and probability >= _QUOTED:
            decided = _quoted(decided, sense, place)
        found.append(decided)
    return found


def _quoted(judgement: Judgement, sense: Sense, place: int) -> Judgement:
    """Quote the stretch that a sentence model found, where it is like a phrase."""
    start, end = int(sense.start[place]), int(sense.end[place])
    if sense.best[place] < _QUOTED or start >= end:
        return judgement
    return replace(judgement, start=start, end=end)


def _sigmoid(odds: float) -> float:
    return 1 / (1 + math.exp(-min(max(odds, -30.0), 30.0)))


def to_json(heads: Mapping[str, Head]) -> str:
    """Return heads as the text of the file that ships."""
    kept = {
        name: {
            "start": round(each.start, 4),
            "weights": {
                n: round(float(w), 4) for n, w in zip(each.names, each.weights, strict=True)
            },
        }
        for name, each in heads.items()
    }
    return json.dumps(kept, indent=1) + "\n"
