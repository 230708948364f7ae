"""Texts on one side, marks behind the oracle, in an order that says nothing."""

from __future__ import annotations

import numpy as np
import pytest

from markbook.errors import InputError
from markbook.evaluation.sheet import read_sheet
from markbook.rubrics import parse_rubric


def test_each_answer_keeps_its_mark_through_the_shuffle(some):
    sheet = read_sheet(some(4, 6))
    marks, _ = sheet.oracle.close()
    for q, asked in enumerate(sheet.questions):
        for text, row in zip(asked.texts.answers, asked.rows, strict=True):
            n = int(text.split()[1])
            assert marks[row] == ((n * 3 + q) % 5) / 4
    assert sheet.question_of.tolist() == np.repeat(range(4), 6).tolist()


def test_the_order_of_the_file_is_not_that_of_the_answers_and_depends_on_the_seed(some):
    path = some(1, 40)
    orders = [read_sheet(path, seed=seed).questions[0].rows.tolist() for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != sorted(orders[0])
    assert sorted(orders[0]) == list(range(40))


def test_references_that_differ_from_row_to_row_are_all_of_the_question(table):
    rows = [("q", "What?", f"It is {n % 2}.", f"a{n}", 1, 2) for n in range(4)]
    assert read_sheet(table(rows)).questions[0].texts.references == ("It is 0.", "It is 1.")


def test_a_rubric_adds_its_model_answer_and_the_exemplars_that_earn_every_point(table):
    rubric = parse_rubric(
        """
question: q
start: zero
model_answer: The model answer.
criteria:
  - {id: one, points: 1, says: One., evidence: [one]}
  - {id: wrong, points: -1, says: Wrong., evidence: [wrong]}
exemplars:
  - {text: A good one., earns: [one]}
  - {text: A bad one., earns: [one, wrong]}
"""
    )
    rows = [("q", "What?", "It is.", "a", 1, 2), ("q", "What?", "", "b", 1, 2)]
    sheet = read_sheet(table(rows), rubrics={"q": rubric})
    assert sheet.questions[0].texts.references == ("It is.", "The model answer.", "A good one.")
    assert "No rubric: question 'q'." in read_sheet(table(rows), rubrics={}).notes


def test_oddities_have_a_note_each(table):
    rows = [
        ("q", "What?", "", "same", 1, 2),
        ("q", "What?", "", "same", 1, 2),
        ("q", "What?", "", " ", 0, 2),
        ("q", "What?", "", "x" * 30_000, 0, 2),
    ]
    sheet = read_sheet(table(rows))
    notes = " ".join(sheet.notes)
    for words in (
        "No reference: question 'q'",
        "Empty answers: 1.",
        "word for word, another one of their question: 1.",
    ):
        assert words in notes
    assert "Line 5: the answer has 30,000 characters; the first 20,000 are read." in notes
    assert max(map(len, sheet.questions[0].texts.answers)) == 20_000


def test_answers_that_are_not_read_are_named_by_their_lines(table):
    rows = [
        ("q", "What is it?", "It keeps a copy.", "It keeps copies of pages.", 1, 2),
        ("q", "What is it?", "It keeps a copy.", "缓存保存网页的副本", 1, 2),
        ("q", "What is it?", "It keeps a copy.", "Das ist eine Kopie.", 1, 2),
    ]
    notes = " ".join(read_sheet(table(rows)).notes)
    assert "not in English or not in Latin letters, of which no score is sure: 2" in notes
    assert "(lines 3, 4)" in notes


@pytest.mark.parametrize("questions", [1, 3])
def test_one_answer_to_each_question_is_refused(some, questions):
    with pytest.raises(InputError, match="No question has 2 answers"):
        read_sheet(some(questions, 1))


def test_two_markers_are_kept_apart_from_the_marks(some):
    path = some(2, 3, score_a=lambda q, _: q, score_b=lambda _, n: n if n else "")
    sheet = read_sheet(path)
    assert sheet.humans.tolist() == [[0, 0.25], [0, 0.5], [0.25, 0.25], [0.25, 0.5]]
    assert sheet.humans_of.tolist() == [0, 0, 1, 1]
