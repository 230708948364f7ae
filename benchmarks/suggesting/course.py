"""What marks of a course's other questions do for its next question, on public sets.

    .venv/bin/python -m suggesting.course ../shared/asag [--words] [--draws N] [set ...]

Called in benchmarks/. A prior is fitted on the other sets and moved by some questions of this one;
others of it are then read by design. Decision 0021 has the figures.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from markbook.graders.learning.features import read
from markbook.graders.learning.heard import NEAR
from markbook.graders.learning.model import Prediction, ScoreModel
from markbook.graders.learning.prior import Marked, Prior
from markbook.graders.learning.semantic import open_token_model
from markbook.graders.learning.taught import Taught, teach
from suggesting.sets import SETS, draw_set

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CASES = ((3, 10), (13, 10), (13, 30))  # questions that teach, and marks of each
STOPS = (0, 3, 5, 10)  # marks by design of the next question
TEACHERS, LEARNERS = 13, 15
READ, STEP, BEGIN = (
    0.4,
    0.05,
    5,
)  # the share read, how often whom to read is chosen, marks by design


@dataclass
class Tally:
    """Answers without a mark: error of the mean, whether the suggestion was right, how sure."""

    rows: list[Floats]

    def add(self, said: Prediction, scores: Floats, where: NDArray[np.intp]) -> None:
        right = np.abs(said.suggested - scores) <= NEAR
        table = np.column_stack([said.mean - scores, right, said.confidence])
        self.rows.append(table[where])

    def figures(self) -> tuple[float, float, float]:
        """Return RMSE on 0-5, the share within half a point, and the calibration error."""
        off, right, sure = np.concatenate(self.rows).T
        bins = np.minimum((sure * 10).astype(int), 9)
        gaps = [
            abs(sure[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean()
            for b in np.unique(bins)
        ]
        return 5 * float(np.sqrt((off**2).mean())), float(right.mean()), float(sum(gaps))


def questions(folder: Path, name: str, *, words: bool) -> list[Marked]:
    model = None if words else open_token_model()
    drawn = [q for q in draw_set(folder, name) if len(q.scores) >= 20]
    return [Marked(read(q.texts, model), np.array(q.scores, dtype=float)) for q in drawn]


def taught_by(several: list[Marked], marks: int, drawn: np.random.Generator) -> Taught:
    """Return some marks of each question, as a course's file of them would have."""
    rows = [np.sort(drawn.permutation(len(q.scores))[:marks]) for q in several]
    pairs = list(zip(several, rows, strict=True))
    values = np.vstack([q.read.features.values[r] for q, r in pairs]).astype(np.float32)
    groups = np.repeat(np.arange(len(rows)), [len(r) for r in rows])
    names = np.array(several[0].read.features.names)
    return Taught(names, values, np.concatenate([q.scores[r] for q, r in pairs]), groups)


def ask(prior: Prior, several: list[Marked], found: dict[str, Tally], way: str) -> None:
    """Read each question by design, then the least certain answers, and count what is said."""
    for each in several:
        model, every = ScoreModel(prior).open_read(each.read), np.arange(len(each.scores))
        order = model.first(max(STOPS))
        for stop in STOPS:
            model.observe({p: float(each.scores[p]) for p in order[:stop]})
            where = np.setdiff1d(every, order[:stop])
            found.setdefault(f"{way}|{stop}", Tally([])).add(model.predict(), each.scores, where)
        said = by_doubt(ScoreModel(prior), each, order[:BEGIN])
        found.setdefault(f"{way}|read", Tally([])).add(said, each.scores, every)


def by_doubt(model: ScoreModel, each: Marked, seen: tuple[int, ...]) -> Prediction:
    """Return what is said once the share is read: ``seen`` first, then the least certain."""
    question, count = model.open_read(each.read), len(each.scores)
    question.observe({p: float(each.scores[p]) for p in seen})
    left = int(READ * count) - len(seen)
    while left > 0:
        said = question.predict()
        doubtful = [p for p in np.lexsort((-said.sd, said.confidence)) if said.sd[p] > 0]
        chosen = doubtful[: min(left, max(1, int(STEP * count)))]
        question.observe({int(p): float(each.scores[p]) for p in chosen})
        left -= len(chosen)
    return question.predict()


def line(found: dict[str, Tally], way: str) -> str:
    rmse, half, error = zip(*(found[f"{way}|{stop}"].figures() for stop in STOPS), strict=True)
    parts = (
        "RMSE " + " / ".join(f"{each:.2f}" for each in rmse),
        "within " + " / ".join(f"{each:.2f}" for each in half),
        "error " + " / ".join(f"{each:.3f}" for each in error),
        f"40 % read {found[f'{way}|read'].figures()[1]:.3f}",
    )
    return f"  {way:24s} " + "  ".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--words", action="store_true")
    parser.add_argument("--draws", type=int, default=8)
    asked = parser.parse_args()
    every = {name: questions(asked.folder, name, words=asked.words) for name in SETS}
    for name in asked.sets:
        others = [q for other in SETS if other != name for q in every[other]]
        start, found = Prior.fit(others, small=True), dict[str, Tally]()
        for number in range(asked.draws):
            drawn = np.random.default_rng(number)
            mixed = [every[name][place] for place in drawn.permutation(len(every[name]))]
            new = mixed[TEACHERS : TEACHERS + LEARNERS]
            ask(start, new, found, "not moved")
            for count, marks in CASES:
                prior = teach(start, taught_by(mixed[:count], marks, drawn))
                way = f"{count} of {marks} marks"
                ask(replace(prior, trust=start.trust), new, found, f"{way}, mean only")
                ask(prior, new, found, way)
        print(f"{name}, {asked.draws} draws", flush=True)
        for way in dict.fromkeys(key.split("|")[0] for key in found):
            print(line(found, way), flush=True)


if __name__ == "__main__":
    main()
