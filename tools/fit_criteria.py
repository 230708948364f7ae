"""Fit and measure the probabilities of criteria: src/markbook/graders/data/criteria.json.

    .venv/bin/python tools/fit_criteria.py [--write]

The marks of the sample class, its rubrics' exemplars (each judged by a rubric that lacks it) and
wrong answers made of both. What is printed is for questions left out one by one: expected
calibration error (ten bins of the probability), Brier score, and how many judgements at 0.9 or
above were right, before (by words, as they were) and after. Answers that cannot be read count
nowhere. ``--write`` fits on all questions and keeps the numbers.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from markbook.checks.mutants import mutants
from markbook.collect import match_paper, wordings_of
from markbook.course import Course
from markbook.graders import criteria
from markbook.graders.criteria import MEANING, WORDS, Head
from markbook.graders.learning.semantic import open_token_model, semantic_hint
from markbook.graders.meaning import Meaning
from markbook.graders.sense import sense
from markbook.notebooks import read_questions
from markbook.rubrics import load_rubric
from markbook.text.decode import decode

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src/markbook/graders/data/criteria.json"
ASSIGNMENTS = ("web-apis-and-testing", "django-auth-and-servers")
WEIGHTS = {"class": 1.0, "exemplar": 0.35, "mutant": 0.02}
_STRENGTH = 0.3  # of the regression, in scikit-learn's C


@dataclass(frozen=True)
class Case:
    """One criterion on one answer: clues (f,), whether it was earned, and where it is from."""

    kind: str
    question: str
    row: np.ndarray
    least: float
    most: float
    before: float
    earned: bool


def sample_class():
    """Yield rubric, prompt, answers, and for each the earned criteria or None, by question."""
    course = Course.open(ROOT)
    for assignment in ASSIGNMENTS:
        marks = {}
        for line in (ROOT / f"sample-class/marks/{assignment}.jsonl").read_text().splitlines():
            record = json.loads(line)
            marks[record["student"], record["question"]] = record["earned"]
        wordings = wordings_of(course, assignment)
        answers = defaultdict(dict)
        for paper in sorted((ROOT / "sample-class" / assignment).iterdir()):
            for question, found in match_paper(
                decode(paper.read_bytes()).text, wordings
            ).answers.items():
                if str(found.status) == "answered":
                    given = marks.get((paper.stem, question))
                    answers[question].setdefault(found.text, given)
        for question in read_questions(course.source(assignment), assignment):
            if question.id in answers:
                rubric = load_rubric(course.rubric(assignment, question.id))
                if rubric.policy != "manual":
                    texts = answers[question.id]
                    yield rubric, question, tuple(texts), tuple(texts.values())


def cases(model):
    found = []
    for rubric, question, texts, earned in sample_class():
        labels = {
            (t, c.id): c.id in e
            for t, e in zip(texts, earned, strict=True)
            if e is not None
            for c in rubric.criteria
        }
        found += judged("class", rubric, question.prompt, texts, texts, labels, model)
        for number, exemplar in enumerate(rubric.exemplars):
            rest = (*rubric.exemplars[:number], *rubric.exemplars[number + 1 :])
            less = dataclasses.replace(rubric, exemplars=rest)
            own = {(exemplar.text, c.id): c.id in exemplar.earns for c in rubric.criteria}
            found += judged("exemplar", less, question.prompt, texts, (exemplar.text,), own, model)
        wrong = {(m.text, m.criterion): False for m in mutants(rubric, question.prompt)}
        made = tuple(dict.fromkeys(text for text, _ in wrong))
        found += judged("mutant", rubric, question.prompt, texts, made, wrong, model)
    return found


def judged(kind, rubric, prompt, cohort, texts, labels, model):  # noqa: PLR0913
    meaning = Meaning.of(rubric, cohort, prompt)
    names = [c.id for c in rubric.criteria]
    said = [meaning.judge(text, names) for text in texts]
    senses = sense(model, rubric, texts, prompt) if model else {}
    found = []
    for criterion in rubric.criteria:
        own = [each[criterion.id] for each in said]
        felt = senses.get(criterion.id)
        rows = criteria.clue_rows(criterion, own, felt)
        for place, (text, judgement) in enumerate(zip(texts, own, strict=True)):
            label = labels.get((text, criterion.id))
            if label is None or judgement.clues is None:
                continue
            bounds = criteria.bounds(judgement.clues, float(felt.best[place]) if felt else 0.0)
            found.append(
                Case(kind, rubric.question, rows[place], *bounds, judgement.probability, label)
            )
    return found


def fit(some, names):
    x = np.array([c.row[: len(names)] for c in some])
    y = np.array([c.earned for c in some])
    weight = np.array([WEIGHTS[c.kind] for c in some])
    centre, spread = x.mean(axis=0), x.std(axis=0) + 1e-9
    regression = LogisticRegression(C=_STRENGTH, max_iter=1000)
    regression.fit((x - centre) / spread, y, sample_weight=weight)
    weights = regression.coef_[0] / spread
    return Head(names, weights, float(regression.intercept_[0] - weights @ centre))


def asked(head, some):
    odds = head.odds(np.array([c.row[: len(head.names)] for c in some]))
    least, most = (np.array([getattr(c, n) for c in some]) for n in ("least", "most"))
    before = np.array([c.before for c in some])
    found = 1 / (1 + np.exp(-odds))
    return np.clip(np.where(before >= 0.9, np.maximum(found, before), found), least, most)


def left_out(some, names):
    found = np.zeros(len(some))
    for question in sorted({c.question for c in some}):
        there = [n for n, c in enumerate(some) if c.question == question]
        head = fit([c for c in some if c.question != question], names)
        found[there] = asked(head, [some[n] for n in there])
    return found


def report(name, some, p):
    y = np.array([c.earned for c in some])
    bins = np.minimum((p * 10).astype(int), 9)
    error = sum(
        abs(p[bins == b].mean() - y[bins == b].mean()) * (bins == b).mean() for b in set(bins)
    )
    sure = np.maximum(p, 1 - p) >= 0.9
    right = ((p >= 0.5) == y)[sure]
    print(
        f"{name:34} n {len(p):4}  calibration error {error:.3f}  Brier {((p - y) ** 2).mean():.3f}"
        f"  right {((p >= 0.5) == y).mean():.3f}  at 0.9: {sure.sum():3}, right {right.mean():.3f}"
    )


def main():
    model = open_token_model()
    if model is None:
        sys.exit(semantic_hint())
    some = cases(model)
    before = np.array([c.before for c in some])
    after = {"words": left_out(some, WORDS), "with the model": left_out(some, MEANING)}
    for kind in WEIGHTS:
        there = [n for n, c in enumerate(some) if c.kind == kind]
        report(f"{kind}, before", [some[n] for n in there], before[there])
        for name, p in after.items():
            report(f"{kind}, {name}", [some[n] for n in there], p[there])
    if "--write" in sys.argv:
        heads = {"words": fit(some, WORDS), "meaning": fit(some, MEANING)}
        TARGET.write_text(criteria.to_json(heads), encoding="utf-8")


if __name__ == "__main__":
    main()
