"""The public sets of marked short answers, read from where they lie; none is copied."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from markbook.graders.learning.texts import LabelledQuestion, QuestionTexts

if TYPE_CHECKING:
    from pathlib import Path

# Each set, and how many questions and answers of a question are drawn where sets are joined, so
# that each counts about the same and a sentence model reads them in minutes.
SETS = {
    "digiklausur_nn": (51, 99),
    "saf_english": (31, 32),
    "beetle": (42, 36),
    "scientsbank": (60, 36),
}


@dataclass(frozen=True)
class SetQuestion:
    """A question with its scores, and the part of the official split that each answer is in."""

    question: LabelledQuestion
    split: tuple[str, ...]
    points: float  # the maximum


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
        points = float(several[0]["max_score"])
        found.append(SetQuestion(LabelledQuestion(texts, scores), split, points))
    return found


def draw_set(folder: Path, name: str) -> list[LabelledQuestion]:
    """Read the part of a set that is used where sets are joined; the same part each time."""
    questions = [q.question for q in read_set(folder, name)]
    most, answers = SETS[name]
    drawn = np.random.default_rng(5)
    if len(questions) > most:
        questions = [questions[k] for k in np.sort(drawn.permutation(len(questions))[:most])]
    found = []
    for question in questions:
        rows = np.sort(drawn.permutation(len(question.scores))[:answers])
        texts = replace(question.texts, answers=tuple(question.texts.answers[k] for k in rows))
        found.append(LabelledQuestion(texts, tuple(question.scores[k] for k in rows)))
    return found
