"""Folds hold back what the protocol says, and part nothing that belongs together."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from markbook.errors import InputError, UsageError
from markbook.evaluation.plans import Protocol, Settings, plan
from markbook.evaluation.sheet import read_sheet

HEADER = ("question_id", "question", "reference", "answer", "score", "max_score")


@pytest.fixture
def folds(some):
    def make(settings, *size, group="question_id", **columns):
        sheet = read_sheet(some(*size, **columns), group=group)
        return sheet, *plan(sheet, settings)

    return make


def places(fold):
    """(question, place) pairs judged in a fold."""
    return [(task.question, int(n)) for task in fold.tasks for n in task.judged]


@pytest.mark.parametrize("protocol", list(Protocol))
def test_every_answer_is_judged_once(folds, protocol):
    sheet, made, _ = folds(Settings(protocol, folds=3), 5, 7)
    judged = [pair for fold in made for pair in places(fold)]
    assert sorted(judged) == [(q, n) for q in range(5) for n in range(7)]
    assert len(sheet.questions) == 5


@pytest.mark.parametrize("protocol", list(Protocol))
def test_no_fold_is_fitted_on_a_question_that_it_is_tried_on(folds, protocol):
    _, made, _ = folds(Settings(protocol, folds=3), 5, 7)
    for fold in made:
        assert not set(fold.training) & {task.question for task in fold.tasks}
        assert fold.training


def test_more_folds_than_questions_become_as_many_as_there_are(folds):
    _, made, notes = folds(Settings(folds=10), 4, 3)
    assert len(made) == 4
    assert "Folds: 4, for there are no more questions to part." in notes


def test_marks_that_leave_no_answer_are_said(folds):
    few = Settings(Protocol.FEW_SHOT, folds=3, ks=(0, 7))
    assert folds(few, 5, 7)[2] == (
        "Questions of which 7 marks leave no answer to suggest a score for: 5.",
    )
    assert folds(few, 5, 8)[2] == ()
    assert folds(Settings(Protocol.UNSEEN, folds=3, ks=(0, 7)), 5, 7)[2] == ()


def test_questions_asked_in_the_same_words_are_never_parted(table):
    rows = [
        (f"q{q}", f"What is **thing** {q % 3}?", "It is.", f"a{n}", 1, 2)
        for q in range(6)
        for n in range(3)
    ]
    sheet = read_sheet(table(rows))
    made, notes = plan(sheet, Settings(folds=10))
    homes = [{task.question for task in fold.tasks} for fold in made]
    assert sorted(map(sorted, homes)) == [[0, 3], [1, 4], [2, 5]]
    assert any("in the words of another, kept together: 3." in note for note in notes)


def test_a_group_column_keeps_questions_together(folds):
    _, made, _ = folds(
        Settings(folds=10), 6, 3, group="exercise", exercise=lambda q, _: f"e{q // 2}"
    )
    homes = [sorted({task.question for task in fold.tasks}) for fold in made]
    assert sorted(homes) == [[0, 1], [2, 3], [4, 5]]


def test_seen_keeps_the_answers_of_a_group_together_inside_a_question(folds):
    sheet, made, _ = folds(
        Settings(Protocol.SEEN, folds=3), 2, 9, group="student", student=lambda _, n: n % 3
    )
    for fold in made:
        for task in fold.tasks:
            kin = sheet.questions[task.question].kin
            assert not set(kin[task.given]) & set(kin[task.judged])
            assert len(set(kin[task.judged])) == 1


def test_questions_that_all_hang_together_give_no_fold(folds):
    with pytest.raises(UsageError, match="hang together"):
        folds(Settings(), 4, 3, group="student", student=lambda _, n: n)


def test_one_question_can_be_tried_when_some_of_its_marks_are_given(folds):
    with pytest.raises(UsageError, match="one question only"):
        folds(Settings(), 1, 6)
    for protocol in (Protocol.FEW_SHOT, Protocol.SEEN):
        _, made, _ = folds(Settings(protocol, folds=3), 1, 6)
        assert [fold.training for fold in made] == [{}]


def test_the_files_own_split_is_followed_and_new_questions_are_told_apart(folds):
    def split(q, n):
        return "unseen_questions" if q == 4 else ("training", "test", "dev")[n % 3]

    sheet, made, notes = folds(Settings(Protocol.SEEN, folds=2), 5, 6, split=split)
    tasks = [task for fold in made for task in fold.tasks]
    for task in tasks:
        words = sheet.questions[task.question].split
        assert {words[n] for n in task.judged} <= {"test", "unseen_questions"}
        assert {words[n] for n in task.given} <= {"training"}
        assert task.closed
    assert [task.question for task in tasks if not len(task.given)] == [4]
    assert sorted(made[-1].training) == [0, 1, 2, 3]
    for fold in made:
        for question, mine in fold.training.items():
            assert {sheet.questions[question].split[n] for n in mine} == {"training"}
    assert "Rows that are neither train nor test, left out: 8." in notes


def test_a_split_without_a_test_row_is_refused(folds):
    with pytest.raises(InputError, match="No row has the split 'test'"):
        folds(Settings(Protocol.SEEN), 3, 4, split=lambda *_: "train")


def test_the_curve_begins_with_five_marks_or_the_largest_number():
    assert Settings().curve_k == 5
    assert Settings(ks=(0, 3)).curve_k == 3
    assert Settings().stops == (0,)
    assert Settings(Protocol.FEW_SHOT).stops == (0, 3, 5, 10)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 8), st.integers(2, 12), st.integers(0, 5))
def test_folds_are_alike_in_size_and_the_same_for_the_same_seed(questions, number, seed):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        lines = [",".join(HEADER)]
        lines += [f"q{q},What {q}?,It is.,a{n},1,2" for q in range(questions) for n in range(3)]
        path.write_text("\n".join(lines))
        sheet = read_sheet(path, seed=seed)
    choice = Settings(folds=number, seed=seed)
    one, other = ([places(f) for f in plan(sheet, choice)[0]] for _ in range(2))
    assert one == other
    assert len(one) == min(number, questions)
    assert max(map(len, one)) - min(map(len, one)) <= 3
