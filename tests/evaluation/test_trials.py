"""No mark of a test row is read before it is predicted: marks are planted, and tell nothing."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from markbook.evaluation.evaluate import evaluate
from markbook.evaluation.oracle import Oracle, Stage
from markbook.evaluation.plans import Protocol, Settings, plan
from markbook.evaluation.sheet import read_sheet
from markbook.evaluation.trials import Names, try_out


@pytest.fixture
def sealed(doubles):
    """A function that tries a model on folds and returns all marks, and what was sealed."""

    def run(sheet, folds, settings):
        try_out(sheet, folds, settings, doubles.Telltale(), lambda _event: None)
        return sheet.oracle.close()

    return run


def same(one, other):
    return (
        one.rows.tolist() == other.rows.tolist()
        and one.guess.mean.tolist() == other.guess.mean.tolist()
        and one.guess.shown.tolist() == other.guess.shown.tolist()
        and one.guess.confidence.tolist() == other.guess.confidence.tolist()
    )


def with_marks(sheet, marks):
    return dataclasses.replace(sheet, oracle=Oracle(marks))


def unknown(stage, parts, fold, sheet):
    """Rows whose marks nobody may have read when the stage was sealed."""
    rows = {int(row) for part in parts for row in part.rows[~part.marked]}
    if stage.name.startswith((Names.COPIED, Names.FILLED)):
        return rows  # of these only the copies are sealed; a person marked the others
    trained = {int(row) for n, p in fold.training.items() for row in sheet.questions[n].rows[p]}
    marked = {int(row) for part in parts for row in part.rows[part.marked]}
    return set(range(sheet.answers)) - trained - marked


@pytest.mark.parametrize("protocol", [Protocol.UNSEEN, Protocol.FEW_SHOT])
def test_whatever_the_marks_of_answers_not_yet_marked_are_predictions_stay_the_same(
    some, sealed, protocol
):
    settings = Settings(protocol, folds=3, ks=(0, 2, 3))
    path = some(4, 8)
    sheet = read_sheet(path)
    for fold in plan(sheet, settings)[0]:
        marks, before = sealed(read_sheet(path), [fold], settings)
        names = {stage.name for stage in before}
        assert {Names.SUGGESTED, Names.CONSTANT, Names.LEARNING} <= names
        for stage, parts in before.items():
            planted = marks.copy()
            hidden = sorted(unknown(stage, parts, fold, sheet))
            assert hidden
            planted[hidden] = 1 - planted[hidden] + 0.001
            _, after = sealed(with_marks(read_sheet(path), planted), [fold], settings)
            assert all(map(same, parts, after[stage])), stage


def test_in_seen_the_marks_of_the_answers_judged_tell_nothing(some, sealed):
    settings = Settings(Protocol.SEEN, folds=4)
    path = some(3, 8)
    sheet = read_sheet(path)
    for fold in plan(sheet, settings)[0]:
        for task in fold.tasks:
            alone = dataclasses.replace(fold, tasks=(task,))
            marks, before = sealed(read_sheet(path), [alone], settings)
            planted = marks.copy()
            planted[sheet.questions[task.question].rows[task.judged]] = 0.123
            _, after = sealed(with_marks(read_sheet(path), planted), [alone], settings)
            assert same(before[Stage(Names.TOLD)][0], after[Stage(Names.TOLD)][0])


def test_what_a_model_may_know_does_change_what_it_predicts(some, sealed):
    """Otherwise the two tests above would pass with a model that is told nothing."""
    settings = Settings(Protocol.FEW_SHOT, folds=2, ks=(0, 3))
    path = some(4, 8)
    sheet = read_sheet(path)
    fold = plan(sheet, settings)[0][0]
    marks, before = sealed(read_sheet(path), [fold], settings)
    stage = Stage(Names.SUGGESTED, 3)
    trained = next(iter(fold.training))
    for row in (
        sheet.questions[trained].rows[0],
        before[stage][0].rows[before[stage][0].marked][0],
    ):
        planted = marks.copy()
        planted[row] = 0.321
        _, after = sealed(with_marks(read_sheet(path), planted), [fold], settings)
        one, other = before[stage][0], after[stage][0]
        assert one.guess.mean[~one.marked].tolist() != other.guess.mean[~other.marked].tolist()


def test_no_text_that_the_model_reads_holds_a_planted_column_or_mark(table, telltale, doubles):
    rows = [
        (
            f"q{q}",
            f"What is {q}?",
            "It is.",
            f"text {n}",
            n / 8 + 0.0625,
            1,
            0.4375,
            0.5625,
            "secret",
        )
        for q in range(4)
        for n in range(7)
    ]
    path = table(rows, (*doubles.HEADER, "score_a", "score_b", "label"))
    evaluate(path, Settings(Protocol.FEW_SHOT, folds=2), engine=telltale)
    read = " ".join(telltale.read_texts)
    assert "text 3" in read
    assert not [word for word in ("secret", "0.4375", "0.5625", "0.0625") if word in read]


@pytest.fixture
def by_place(doubles):
    """Knows nothing but the order in which the answers come."""

    class ByPlace(doubles.Telltale):
        def fit(self, questions):
            return SimpleNamespace(open_read=lambda texts: Opened(len(texts.answers)))

    class Opened:
        def __init__(self, size):
            self._mean = np.linspace(0, 1, size)

        def first(self, count):
            return tuple(range(min(count, len(self._mean))))

        def observe(self, scores):
            pass

        def predict(self):
            return doubles.prediction(self._mean, self._mean)

    return ByPlace()


def test_a_file_sorted_by_mark_gives_nothing_away(table, by_place):
    rows = [(f"q{q}", f"What is {q}?", "", f"a{n}", n, 59) for q in range(8) for n in range(60)]
    found = evaluate(table(rows), Settings(ks=(0,)), engine=by_place)
    assert abs(found.find("suggested").figures["pearson"].value) < 0.2


def test_after_k_marks_by_design_k_answers_of_each_question_are_marked(some, telltale):
    settings = Settings(Protocol.FEW_SHOT, folds=2, ks=(0, 3, 20))
    found = evaluate(some(4, 8), settings, engine=telltale)
    assert [found.find("suggested", k).answers for k in (0, 3, 20)] == [32, 20, 0]
    assert found.find("suggested", 20, "all").figures["rmse"].value == 0.0


def test_a_person_goes_on_with_the_least_certain_of_all_questions(some, sealed):
    settings = Settings(folds=2, ks=(2,))
    sheet = read_sheet(some(4, 10))
    _, stages = sealed(sheet, plan(sheet, settings)[0], settings)
    for share in (0.2, 0.5, 0.9):
        parts = stages[Stage(Names.LEARNING, 2, share)]
        assert sum(int(part.marked.sum()) for part in parts) == round(share * 40)
    begun = stages[Stage(Names.SUGGESTED, 2)]
    pairs = [
        (sure, row)
        for part in begun
        for sure, row, done in zip(part.guess.confidence, part.rows, part.marked, strict=True)
        if not done
    ]
    least = {row for _, row in sorted(pairs)[:2]}  # a twentieth; then whom to read is chosen anew
    later = stages[Stage(Names.LEARNING, 2, 0.3)]
    assert least <= {row for part in later for row in part.rows[part.marked]}
    assert Stage(Names.LEARNING, 2, 0.1) not in stages, "the design alone takes two tenths"


def test_one_mark_of_a_group_is_copied_and_the_others_can_be_filled_in(table, telltale):
    rows = [
        (f"q{q}", f"What is {q}?", "", text, mark, 4)
        for q in range(3)
        for text, mark in (("It is so.", 4), ("it is SO", 4), ("It is not so.", 0), ("No.", 1))
    ]
    found = evaluate(table(rows), Settings(ks=(0,)), engine=telltale)
    assert [(s.grouping, s.answers, s.rmse) for s in found.savings] == [
        ("identical", 3, 0.0),
        ("alike", 3, 0.0),
    ]
    assert found.savings[0].share == 0.25
    assert found.savings[0].filled_rmse > 0


def test_a_refusal_names_the_lines_of_the_file_that_it_is_about(table):
    """The rows of a question are mixed, so a place among them would name nothing."""
    rows = [
        (f"q{q}", f"What is {q}?", "It is.", f"{word} is what it is", 2, 4)
        for q in range(3)
        for word in "Storage Memory Copying Speed Latency Network Freshness Eviction".split()
    ]
    rows[3] = ("q0", "What is 0?", "It is.", "Caches keep copies of pages.", 4, 4)
    rows[6] = ("q0", "What is 0?", "It is.", "caches keep copies of pages", 0, 4)
    found = evaluate(table(rows), Settings(Protocol.FEW_SHOT, folds=3, ks=(0, 8)))
    assert set(found.refused) >= {"q0"}
    assert "keep copies of pages" in found.refused["q0"]
    assert found.refused["q0"].endswith("(lines 5 and 8 of the file).")
