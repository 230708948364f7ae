"""How good suggested scores are on public sets of marked answers: ``make bench-suggest``.

    .venv/bin/python benchmarks/suggest.py [FOLDER] [--words] [--all] [--only SET,...]

Reads the sets from FOLDER (default: ../shared/asag beside the repository) and says so when they
are not there. Prints what ``markbook evaluate`` prints, for each set by each protocol: whole
questions held out with no mark; a few marks by design; the official split of SAF. A part of each
set is drawn (``suggesting/sets.py``), with ``--all`` all of it. ``--words``: no sentence model.
About ten minutes on two cores, of which a sentence model's first reading takes six.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

from suggesting.sets import SETS, draw_set, read_set

from markbook.evaluation import LearnedScores, Protocol, Settings, as_text, evaluate
from markbook.graders.learning.semantic import open_token_model, semantic_hint

HERE = Path(__file__).parent.parent
OFFICIAL = ("saf_english",)  # sets with an official split that is tried


def write_drawn(folder: Path, name: str, target: Path) -> None:
    """Write the drawn part of a set as ``markbook evaluate`` reads it."""
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["question_id", "question", "reference", "answer", "score", "max_score"])
        most = {q.question.texts.id: q.points for q in read_set(folder, name)}
        for question in draw_set(folder, name):
            texts = question.texts
            points = most[texts.id]
            for place, (answer, score) in enumerate(
                zip(texts.answers, question.scores, strict=True)
            ):
                # References stand in the rows: each row carries one of them.
                reference = texts.references[place % len(texts.references)]
                row = [texts.id, texts.question, reference, answer, (score or 0.0) * points, points]
                writer.writerow(row)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=HERE.parent / "shared" / "asag")
    parser.add_argument("--words", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", default=",".join(SETS))
    asked = parser.parse_args()
    there = [name for name in asked.only.split(",") if (asked.folder / f"{name}.csv").is_file()]
    if not there:
        print(f"No set of marked answers lies in {asked.folder}: nothing was measured.")
        return 0
    model = None if asked.words else open_token_model()
    if model is None and not asked.words:
        print(semantic_hint())
    with tempfile.TemporaryDirectory() as scratch:
        for name in there:
            whole = asked.folder / f"{name}.csv"
            part = whole if asked.all else Path(scratch) / f"{name}.csv"
            if not asked.all:
                write_drawn(asked.folder, name, part)
            tries = [(part, Protocol.UNSEEN), (part, Protocol.FEW_SHOT)]
            if name in OFFICIAL:
                tries.append((whole, Protocol.SEEN))
            for path, protocol in tries:
                report = evaluate(path, Settings(protocol, folds=5), engine=LearnedScores(model))
                print(as_text(report), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
