"""The public sets of marked short answers, read from where they lie; none is copied."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.graders.learning.texts import LabelledQuestion, QuestionTexts

if TYPE_CHECKING:
    from pathlib import Path

# Each set's name and how many of its questions are used at most when sets are joined.
SETS = {"saf_english": 31, "digiklausur_nn": 51, "beetle": 42, "scientsbank": 80}


@dataclass(frozen=True)
class SetQuestion:
    """A question with its scores, and the part of the official split that each answer is in."""

    question: LabelledQuestion
    split: tuple[str, ...]


def read_set(folder: Path, name: str) -> list[SetQuestion]:
    """Read one set; questions in the order of the file."""
    csv.field_size_limit(10**8)
    rows: dict[str, list[dict[str, str]]] = {}
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["question_id"], []).append(row)
    found = []
    for key, several in rows.items():
        references = tuple(dict.fromkeys(r["reference"] for r in several if r["reference"].strip()))
        answers = tuple(r["answer"] for r in several)
        texts = QuestionTexts(f"{name}/{key}", several[0]["question"], references, answers)
        scores = tuple(min(1.0, float(r["score"]) / float(r["max_score"])) for r in several)
        split = tuple(r.get("split", "") for r in several)
        found.append(SetQuestion(LabelledQuestion(texts, scores), split))
    return found
