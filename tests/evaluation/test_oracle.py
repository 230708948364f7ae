"""No mark leaves the oracle but as a mark, and nothing is sealed once all are known."""

from __future__ import annotations

import numpy as np
import pytest

from markbook.errors import InternalError
from markbook.evaluation.oracle import Guess, Oracle, Stage

STAGE = Stage("suggested")


def guess(*values):
    return Guess.plain(np.array(values))


def test_a_mark_asked_for_counts_as_marked_from_then_on():
    oracle = Oracle([0.1, 0.2, 0.3])
    session = oracle.fold([0, 1, 2]).session([0, 1, 2])
    session.seal(STAGE, [0, 1], guess(*[0.5, 0.5]))
    assert session.mark([1]).tolist() == [0.2]
    session.seal(Stage("later"), [0, 1], guess(*[0.5, 0.2]))
    marks, sealed = oracle.close()
    assert marks.tolist() == [0.1, 0.2, 0.3]
    assert sealed[STAGE][0].marked.tolist() == [False, False]
    assert sealed[Stage("later")][0].marked.tolist() == [False, True]
    assert oracle.asked == [(session, 1)]


def test_a_model_is_not_fitted_on_marks_that_it_shall_predict():
    fold = Oracle([0.1, 0.2, 0.3]).fold([1])
    assert fold.training([0, 2]).tolist() == [0.1, 0.3]
    with pytest.raises(InternalError, match="fitted on the marks"):
        fold.training([0, 1])
    with pytest.raises(InternalError, match="may have been fitted on"):
        fold.session([0, 1])


def test_a_session_has_marks_of_its_own_question_only_and_none_that_is_withheld():
    fold = Oracle([0.1, 0.2, 0.3]).fold([0, 1, 2])
    session = fold.session([0, 1], withheld=[1])
    for row in (1, 2):
        with pytest.raises(InternalError, match="not to be had"):
            session.mark([row])
    assert session.marked == set()


def test_nothing_is_handed_out_or_sealed_after_the_marks_are_known():
    oracle = Oracle([0.1, 0.2])
    fold = oracle.fold([0])
    session = fold.session([0])
    oracle.close()
    for late in (
        lambda: fold.training([1]),
        lambda: session.mark([0]),
        lambda: session.seal(STAGE, [0], guess(*[0.1])),
    ):
        with pytest.raises(InternalError, match="known already"):
            late()


def test_what_is_sealed_is_a_copy_and_lies_between_0_and_1():
    oracle = Oracle([0.1, 0.2])
    session = oracle.fold([0, 1]).session([0, 1])
    values = np.array([-0.5, 1.5])
    session.seal(STAGE, [0, 1], Guess.plain(values))
    values[:] = 0.1, 0.2
    assert oracle.close()[1][STAGE][0].guess.mean.tolist() == [0, 1]


@pytest.mark.parametrize("mean", [[np.nan], [0.5, 0.5]])
def test_a_prediction_that_is_none_is_our_fault(mean):
    session = Oracle([0.1]).fold([0]).session([0])
    with pytest.raises(InternalError, match="suggested"):
        session.seal(STAGE, [0], guess(*mean))
