"""Putting nbgrader's grades right after autograding again, from the marks that still hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markbook.gradebook import nbgrader_tables
from markbook.gradebook.marks import nbgrader_comment, nbgrader_scores, read_marks
from markbook.gradebook.rubrics import find_rubric
from markbook.gradebook.submissions import read_answers
from markbook.model import Answer, AnswerStatus, Mark

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from markbook.gradebook.nbgrader_tables import GradeRow

__all__ = ["resync"]

_NO_PERSON = (AnswerStatus.BLANK, AnswerStatus.NOT_ASKED)


def resync(connection: Connection, assignment: str) -> int:
    """Say in nbgrader's grades what the marks say; return how many grades changed.

    nbgrader flags every hand-marked grade for a person when it autogrades again. A mark on the
    present answer takes the flag away; a stale one sets it and keeps the old score. A score that
    a person changed in formgrader stays theirs. A text question that was left blank or never
    asked scores 0 and needs no person.
    """
    answers = {(a.student, a.question): a for a in read_answers(connection, assignment)}
    marks = {(m.student, m.question): m for m in read_marks(connection, assignment)}
    changed = 0
    for key, grade in nbgrader_tables.find_rows(connection, assignment).items():
        answer = answers.get(key)
        if answer is None:
            continue
        mark = marks.get(key)
        if mark is None:
            changed += _unmarked(connection, grade, answer)
        else:
            changed += _marked(connection, grade, mark, stale=mark.answer_hash != answer.hash)
    return changed


def _unmarked(connection: Connection, grade: GradeRow, answer: Answer) -> bool:
    done = grade.auto_score == 0 and not grade.needs_marking
    if not grade.written or answer.status not in _NO_PERSON or done:
        return False
    if grade.manual_score is not None:
        return False  # somebody marked it in formgrader
    nbgrader_tables.write_auto_score(connection, grade, 0.0)
    return True


def _marked(connection: Connection, grade: GradeRow, mark: Mark, *, stale: bool) -> bool:
    rubric = find_rubric(connection, mark.rubric_version, assignment=mark.assignment)
    if rubric is None:
        return False
    scores = nbgrader_scores(mark, rubric)
    held = {"manual_score": grade.manual_score, "extra_credit": grade.extra_credit}
    if all(held[name] is None for name in held):
        # nbgrader threw the submission away and made it again
        nbgrader_tables.write_grade(connection, grade, **(scores | {"needs_marking": stale}))
        nbgrader_tables.write_comment(connection, grade, nbgrader_comment(mark))
        return True
    if not _equal(held, scores) or grade.needs_marking == stale:
        return False
    nbgrader_tables.write_grade(connection, grade, **held, needs_marking=stale)
    return True


def _equal(held: dict[str, float | None], scores: dict[str, Any]) -> bool:
    return all((held[name] or 0.0) == (scores[name] or 0.0) for name in held)
