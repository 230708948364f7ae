"""From what was sealed to the figures, by hand on a few answers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from markbook.evaluation import EvaluationReport, as_text
from markbook.evaluation.evaluate import evaluate
from markbook.evaluation.oracle import Guess, Stage
from markbook.evaluation.plans import Protocol, Settings
from markbook.evaluation.sheet import read_sheet
from markbook.evaluation.summary import Summary
from markbook.evaluation.trials import Names


def as_text_of(summary):
    """Return the tables of a summary alone."""
    found = (summary.agreements(), summary.calibrations(), summary.curve(), summary.savings())
    return as_text(EvaluationReport("f", 10, 2, "few-shot", 2, "q", 0, "m", *found, {}, ()))


@pytest.fixture
def summed(some):
    """A function that seals a guess for two questions of five answers and sums up."""

    def make(offsets, confidence, marked=(), refused=None, both=False):
        sheet = read_sheet(some(2, 5))
        shares = np.array([(n * 3 + q) % 5 / 4 for q in range(2) for n in range(5)])
        fold = sheet.oracle.fold(range(10))
        for number, asked in reversed(list(enumerate(sheet.questions))):  # as folds come: mixed
            session = fold.session(asked.rows)
            session.mark([row for row in asked.rows if row in marked])
            mine, off = shares[asked.rows], np.array(offsets)[asked.rows]
            guess = np.where(mine >= 0.5, mine - off, mine + off)
            reason = refused if both or number == 0 else None
            sure = np.array(confidence)[asked.rows]
            session.seal(Stage(Names.SUGGESTED, 0), asked.rows, Guess(guess, guess, sure, reason))
        return Summary(sheet, Settings(ks=(0,)))

    return make


def test_the_frozen_curve_counts_the_least_certain_as_read_and_right(summed):
    offsets = [0.5] * 4 + [0.0] * 6  # four answers are far off
    sure = [0.1, 0.2, 0.9, 0.95, *[0.5] * 6]
    curve = {point.share: point.frozen for point in summed(offsets, sure).curve()}
    assert (curve[0.1], curve[0.2], curve[0.8], curve[0.9]) == (0.7, 0.8, 0.8, 0.9)


def test_marked_answers_are_read_already_and_right(summed):
    curve = {p.share: p.frozen for p in summed([0.5] * 10, [0.5] * 10, marked=(0, 1, 2)).curve()}
    assert (curve[0.2], curve[0.3], curve[0.5]) == (None, 0.3, 0.5)


def test_answers_that_were_marked_count_in_one_table_and_not_in_the_other(summed):
    found = summed([0.2] * 10, [0.5] * 10, marked=(0, 1))
    by_over = {each.over: each for each in found.agreements()}
    assert (by_over["unmarked"].answers, by_over["all"].answers) == (8, 10)
    assert by_over["unmarked"].figures["rmse"].value == 1.0
    assert by_over["all"].figures["rmse"].value == pytest.approx(np.sqrt(0.8), abs=1e-4)
    assert by_over["unmarked"].points_rmse == pytest.approx(0.8)


def test_a_question_that_is_refused_has_its_reason_and_counts_in_no_calibration(summed):
    sure = [0.4] * 5 + [1.0] * 5
    found = summed([0.5] * 5 + [0.0] * 5, sure, refused="Its answers differ in digits only.")
    assert found.refused == {"q0": "Its answers differ in digits only."}
    assert {each.over for each in found.agreements()} == {"unmarked", "not refused"}
    (calibration,) = found.calibrations()
    assert (calibration.reliability.answers, calibration.reliability.ece) == (5, 0.0)
    curve = {point.share: point.frozen for point in found.curve()}
    assert curve[0.5] == 1.0


def test_questions_that_are_refused_are_listed_as_the_file_has_them(summed):
    found = summed([0.5] * 10, [1.0] * 10, refused="Its answers differ in digits only.", both=True)
    assert list(found.refused) == ["q0", "q1"]


@pytest.mark.parametrize("protocol", list(Protocol))
def test_the_report_is_json_and_a_table_that_fits(some, telltale, protocol):
    path = some(4, 6, score_a=lambda q, n: (q + n) % 5, score_b=lambda _, n: n % 5)
    found = evaluate(path, Settings(protocol, folds=2), engine=telltale)
    value = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    parts = [(each["part"], each["k"]) for each in value["agreement"]]
    expected = {
        Protocol.UNSEEN: [("suggested", 0)],
        Protocol.FEW_SHOT: [("suggested", k) for k in (0, 3, 5, 10)],
        Protocol.SEEN: [("told", 0)],
    }
    assert list(dict.fromkeys(parts))[:-2] == expected[protocol]
    constant = "constant told" if protocol is Protocol.SEEN else "constant"
    assert parts[-2:] == [(constant, 0), ("people", 0)]
    assert bool(value["curve"]) is (protocol is not Protocol.SEEN)
    text = as_text(found)
    assert max(map(len, text.splitlines())) <= 140
    assert "two people" in text
    assert str(protocol) in text


def test_the_same_seed_gives_the_same_report(some, telltale):
    path = some(4, 6)
    one, other = (
        evaluate(path, Settings(folds=2, seed=seed), engine=telltale).as_dict() for seed in (3, 3)
    )
    assert one == other


def test_marks_that_are_all_the_same_give_figures_without_a_number(table, telltale):
    rows = [(f"q{q}", f"What is {q}?", "", f"a{n}", 2, 2) for q in range(3) for n in range(4)]
    found = evaluate(table(rows), Settings(folds=2), engine=telltale)
    figures = found.find("suggested").figures
    assert figures["pearson"].value is None
    assert figures["rmse"].value > 0
    assert "Pearson r" in as_text(found)


def test_the_reliability_diagram_puts_a_stroke_where_right_as_often_as_promised(summed):
    lines = as_text_of(summed([0.0] * 7 + [0.9] * 3, [0.75] * 10)).splitlines()
    (row,) = (line for line in lines if line.strip().startswith("0.7 to 0.8"))
    assert row.endswith("=" * 14 + " |")
    sure = as_text_of(summed([0.0] * 10, [0.95] * 10))
    assert "=" * 19 + "|" in sure
