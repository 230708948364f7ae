"""The tiny course as fixtures."""

from __future__ import annotations

import pytest


@pytest.fixture
def authored(tiny, tmp_path):
    return tiny.copy_of("authored", tmp_path / "course")


@pytest.fixture
def released(tiny, tmp_path):
    return tiny.copy_of("released", tmp_path / "course")


@pytest.fixture
def course(tiny, tmp_path):
    """A course of three students, autograded."""
    return tiny.copy_of("autograded", tmp_path / "course")


@pytest.fixture
def gb(course):
    from markbook.gradebook import Gradebook

    with Gradebook.open(course) as opened:
        yield opened


@pytest.fixture
def suggest(course, gb):
    """Store suggestions for a question: ``suggest("keys", {"ada": {...}}, confidence=0.95)``.

    What is awarded is named by student; every other criterion is suggested as not earned.
    ``unsure`` names criteria that the grader abstains on.
    """
    from markbook.model import Suggestion
    from markbook.rubrics import load_rubric

    def store(question, awarded, *, confidence=0.95, unsure=(), version=None, left_out=()):
        rubric = load_rubric(course.rubric("hw", question))
        texts = {a.student: a.hash for a in gb.answers("hw", question)}
        made = [
            Suggestion(
                question=question,
                answer_hash=texts[student],
                criterion=criterion.id,
                awarded=None if criterion.id in unsure else criterion.id in earned,
                confidence=confidence,
                grader="test",
                rubric_version=version or rubric.version,
            )
            for student, earned in awarded.items()
            for criterion in rubric.criteria
            if criterion.id not in left_out
        ]
        gb.save_rubric("hw", rubric)
        gb.replace_suggestions("hw", question, made)

    return store


@pytest.fixture
def rewrite(gb):
    """Replace the text of one student's answer, as a new submission would."""
    import dataclasses

    def change(student, question, text):
        answers = [a for a in gb.answers("hw") if a.student == student]
        gb.save_submission(
            gb.record("hw", student),
            [dataclasses.replace(a, text=text) if a.question == question else a for a in answers],
        )

    return change
