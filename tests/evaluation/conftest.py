"""Tables of marked answers, and a model that shows whatever it was told."""

from __future__ import annotations

import csv
import hashlib
from types import SimpleNamespace

import numpy as np
import pytest

HEADER = ("question_id", "question", "reference", "answer", "score", "max_score")


class Telltale:
    """Predicts numbers that differ as soon as anything that it was told differs.

    ``read_texts`` are all texts it was given. Its scores come from a hash of the marks it was
    fitted on, the marks it observed and the answer; its confidences likewise.
    """

    name = "telltale"

    def __init__(self):
        self.read_texts = []

    def prepare(self, questions):
        self.read_texts += [text for texts in questions for text in texts.answers]
        return ("Prepared.",)

    def read(self, texts):
        self.read_texts += [texts.id, texts.question, *texts.references, *texts.answers]
        return texts

    def fit(self, questions):
        told = repr([(texts.id, np.round(marks, 9).tolist()) for texts, marks in questions])
        return SimpleNamespace(open_read=lambda texts: _Opened(texts, told))


class _Opened:
    def __init__(self, texts, told):
        self._texts, self._told, self._marks = texts, told, {}

    def first(self, count):
        places = sorted(range(len(self._texts.answers)), key=lambda n: _draw(f"{n} {self._told}"))
        return tuple(places[:count])

    def observe(self, scores):
        self._marks |= scores

    def predict(self):
        """Shows another score than it expects, and both tell what is known."""
        known = repr(sorted(self._marks.items()))
        answers = list(enumerate(self._texts.answers))
        mean = np.array([_draw(f"{known} {self._told} {n} {text}") for n, text in answers])
        sure = np.array([_draw(f"sure {known} {self._told} {n} {text}") for n, text in answers])
        for place, mark in self._marks.items():
            mean[place], sure[place] = mark, 1.0
        return prediction(mean, sure, suggested=np.round(mean, 3))


def prediction(mean, confidence, suggested=None, refused=None):
    """What a question's model returns; the true class has more that evaluate does not look at."""
    shown = mean if suggested is None else suggested
    spread = np.full(len(mean), 0.1)
    return SimpleNamespace(
        mean=mean, suggested=shown, confidence=confidence, sd=spread, refused=refused, about=()
    )


def _draw(text):
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:6]) / 2**48


@pytest.fixture
def doubles():
    """What stands in for the learned score: ``Telltale``, and ``prediction`` to make others."""
    return SimpleNamespace(Telltale=Telltale, prediction=prediction, HEADER=HEADER)


@pytest.fixture
def telltale():
    return Telltale()


@pytest.fixture
def table(tmp_path):
    """A function that writes rows (mappings or sequences) as a CSV file and returns its path."""

    def write(rows, header=HEADER, name="answers.csv"):
        path = tmp_path / name
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(
                [row.get(h, "") for h in header] if isinstance(row, dict) else row for row in rows
            )
        return path

    return write


@pytest.fixture
def some(table):
    """A function that writes a table of questions by answers, and returns its path."""

    def write(questions=5, answers=7, **more):
        rows = [
            {
                "question_id": f"q{q}",
                "question": f"What is thing {q}?",
                "reference": f"It is the {q}th of all things.",
                "answer": f"answer {n} to {q}",
                "score": (n * 3 + q) % 5,
                "max_score": 4,
            }
            | {name: value(q, n) for name, value in more.items()}
            for q in range(questions)
            for n in range(answers)
        ]
        return table(rows, (*HEADER, *more))

    return write
