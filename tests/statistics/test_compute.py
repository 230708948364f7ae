"""The figures of a class, from values alone."""

from __future__ import annotations

import pytest

from markbook.model import (
    Answer,
    AnswerStatus,
    Criterion,
    Grade,
    Mark,
    Outcome,
    Question,
    QuestionKind,
    Rubric,
    SubmissionRecord,
    Suggestion,
)
from markbook.statistics.compute import (
    ABSTAINED,
    MANUAL,
    NO_SUGGESTION,
    NOT_TESTED,
    STALE,
    UNDECIDED,
    ClassData,
    compute,
)

ANSWERED = AnswerStatus.ANSWERED
LONG = "the signature shows that nobody changed the token on its way"
QUESTIONS = (
    Question("hw", "part", "why", QuestionKind.TEXT, 2.0, "## Why?", 1),
    Question("hw", "part", "fun", QuestionKind.TEXT, 0.0, "## A story", 2),
    Question("hw", "part", "run", QuestionKind.CODE, 1.0, "## Run it", 4),
)
RUBRIC = Rubric(
    "why",
    (Criterion("a", 1, "A."), Criterion("b", 1, "B."), Criterion("wrong", -1, "Wrong.")),
    version="v",
)
BONUS = Rubric(
    "fun", (Criterion("story", 1, "A story."),), version="w", extra_credit=1.0, policy="manual"
)


def answer(student, text=LONG, question="why", status=ANSWERED):
    return Answer("hw", "part", question, student, text, status)


def mark(student, earned=("a",), points=1.0, question="why", text=LONG, version="v"):
    seen = answer(student, text).hash
    return Mark("hw", "part", question, student, seen, earned, "tutor", version, points)


def suggestion(criterion, *, awarded, text=LONG):
    return Suggestion("why", answer("x", text).hash, criterion, awarded, 0.9, "g", "v")


def grade(student, points=1.0, *, waits=False):
    return Grade("run", student, "part", points, 1.0, points, None, None, waits)


def figures(answers=(), marks=(), suggestions=(), grades=(), students=("ada",), **fields):
    given = {a.student for a in answers}
    data = ClassData(
        course="c",
        assignment="hw",
        title="Homework",
        questions=QUESTIONS,
        records=[
            SubmissionRecord("hw", s, "c", "m", Outcome.GRADED) for s in sorted({*students, *given})
        ],
        answers=answers,
        marks=marks,
        suggestions=suggestions,
        grades=grades,
        rubrics={"v": RUBRIC, "w": BONUS},
        current={"why": RUBRIC, "fun": BONUS},
        **fields,
    )
    return compute(data)


def why(found):
    return found.questions[0]


def test_an_unmarked_answer_waits_and_is_not_a_zero():
    question = why(figures([answer("ada")]))
    assert question.scores == ()
    assert question.mean is None
    assert question.waiting == {NO_SUGGESTION: 1}


@pytest.mark.parametrize(
    ("suggestions", "reason"),
    [
        ([], NO_SUGGESTION),
        ([suggestion("a", awarded=True)], ABSTAINED),
        ([suggestion(c, awarded=None) for c in ("a", "b", "wrong")], ABSTAINED),
        ([suggestion(c, awarded=False) for c in ("a", "b", "wrong")], UNDECIDED),
    ],
)
def test_the_reason_why_an_answer_waits_is_said(suggestions, reason):
    assert why(figures([answer("ada")], suggestions=suggestions)).waiting == {reason: 1}


def test_opinions_and_changed_answers_and_untested_code_have_their_own_reasons():
    found = figures([answer("ada", "new text"), answer("ada", question="fun")], marks=[mark("ada")])
    assert why(found).waiting == {STALE: 1}
    assert found.questions[1].waiting == {MANUAL: 1}
    assert found.questions[2].waiting == {NOT_TESTED: 1}
    assert found.waiting == 3


def test_blank_and_not_asked_count_as_zero_in_the_total_but_not_among_the_scores():
    found = figures(
        [
            answer("ada", "", status=AnswerStatus.BLANK),
            answer("ben", "", status=AnswerStatus.NOT_ASKED),
            answer("cleo"),
        ],
        marks=[mark("cleo")],
        grades=[grade(s) for s in ("ada", "ben", "cleo")],
    )
    question = why(found)
    assert (question.blank, question.not_asked, question.missing) == (1, 1, 0)
    assert question.scores == (1.0,)
    assert [s.share for s in found.students] == [pytest.approx(1 / 3)] * 2 + [pytest.approx(2 / 3)]


def test_the_share_is_of_what_has_a_score_and_leaves_extra_credit_out():
    found = figures(
        [answer("ada"), answer("ada", question="fun")],
        marks=[mark("ada", ("story",), 1.0, "fun", version="w")],
        grades=[grade("ada", 0.5)],
    )
    (ada,) = found.students
    assert (ada.written, ada.code, ada.extra, ada.settled, ada.possible) == (0, 0.5, 1.0, 1.0, 3.0)
    assert ada.share == 0.5
    assert ada.waiting == 1
    assert found.possible == 3.0


def test_nothing_settled_is_no_share_instead_of_a_division_by_zero():
    assert figures([answer("ada")]).shares == ()


def test_criteria_are_counted_over_the_marks_whose_rubric_has_them():
    found = figures(
        [answer("ada"), answer("ben"), answer("cleo")],
        marks=[
            mark("ada", ("a", "b"), 2.0),
            mark("ben", ("a", "wrong"), 0.0),
            mark("cleo", (), 0.0),
        ],
    )
    assert [(c.id, c.earned, c.of) for c in why(found).criteria] == [
        ("a", 2, 3),
        ("b", 1, 3),
        ("wrong", 1, 3),
    ]
    assert [c.id for c in why(found).misconceptions] == ["wrong"]


def test_agreement_leaves_out_marks_that_a_rule_made():
    suggestions = [suggestion("a", awarded=True), suggestion("b", awarded=True)]
    suggestions.append(suggestion("wrong", awarded=None))
    both = [answer("ada"), answer("ben")]
    marks = [mark("ada"), mark("ben", ("a", "b"), 2.0)]
    found = why(figures(both, marks, suggestions)).suggestions
    assert (found.answered, found.covered, found.partly) == (2, 0, 2)
    assert (found.agreed, found.compared, found.by_rule) == (3, 4, 0)
    ruled = why(figures(both, marks, suggestions, by_rule=frozenset({("ben", "why")}))).suggestions
    assert (ruled.agreed, ruled.compared, ruled.by_rule) == (1, 2, 1)


def test_same_answers_are_found_whatever_their_capitals_and_spacing():
    found = figures(
        [answer("ada"), answer("ben", LONG.upper().replace(" ", "  ")), answer("cleo", "x " * 20)]
    )
    (same,) = found.same
    assert same.students == ("ada", "ben")
    assert same.title == "Why?"


def test_short_answers_are_the_same_by_chance_and_not_named():
    assert figures([answer("ada", "json web token"), answer("ben", "json web token")]).same == ()


def test_a_code_answer_without_a_row_of_its_own_is_counted_by_its_grade():
    found = figures(grades=[grade("ada")])
    assert found.questions[2].scores == (1.0,)
    assert found.questions[2].missing == 0
