"""Carrying marks over to an edited rubric: new scores, audit lines, nbgrader's grades, together."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, update

from markbook.gradebook import nbgrader_tables, tables
from markbook.gradebook.events import append_event, now
from markbook.gradebook.marks import nbgrader_comment, nbgrader_scores, read_marks
from markbook.gradebook.rubrics import find_rubric, store_rubric
from markbook.model import Event, score

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from markbook.gradebook.nbgrader_tables import GradeRow
    from markbook.model import Grade, Mark, Rubric

__all__ = ["EDITED", "RESCORED", "Carried", "RubricEdit", "carry", "rescore", "same_question"]

EDITED = "rubric edited"
RESCORED = "rescored"

_SUBJECT = ("assignment", "notebook", "question", "student")


@dataclass(frozen=True, slots=True)
class RubricEdit:
    """From the version ``base`` of a rubric to ``rubric``.

    ``id`` names this edit in the audit and nowhere else; ``steps`` say there what was done, as
    JSON-able values. A criterion that was removed and added anew is in both sets.
    """

    id: str
    base: str
    rubric: Rubric
    removed: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()
    steps: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Carried:
    """What an edit makes of a mark; ``after`` is None for one that it leaves alone, and ``why``."""

    before: Mark
    after: Mark | None
    why: str = ""

    @property
    def moved(self) -> bool:
        """Whether the mark is another one afterwards, if only by its rubric version."""
        old, new = self.before, self.after
        return new is not None and (old.earned, old.score, old.rubric_version) != (
            new.earned,
            new.score,
            new.rubric_version,
        )


def carry(mark: Mark, grade: Grade | GradeRow | None, edit: RubricEdit) -> Carried:
    """Return what ``edit`` makes of a mark; nothing is stored.

    What was earned stays earned, except for removed criteria; the adjustment stays; the score is
    that of the new rubric. A mark is left alone when its score would be a guess.
    """
    if grade is None:
        return Carried(mark, None, "nbgrader has no grade for it")
    held = (grade.manual_score, grade.extra_credit)
    if held != (None, None) and (held[0] or 0.0) + (held[1] or 0.0) != mark.score:
        return Carried(mark, None, "its score was changed in formgrader")
    kept = set(mark.earned) - edit.removed
    order = [criterion.id for criterion in edit.rubric.criteria]
    strange = sorted(kept - (set(order) - (edit.added - edit.removed)))
    if strange:
        why = f"it was marked under an earlier version of the rubric and earned {strange[0]!r}"
        return Carried(mark, None, why)
    earned = tuple(name for name in order if name in kept)
    points = grade.max_score
    return Carried(
        mark,
        dataclasses.replace(
            mark,
            earned=earned,
            rubric_version=edit.rubric.version,
            score=score(edit.rubric, earned, points=points, adjustment=mark.adjustment),
        ),
    )


def same_question(old: Rubric, edit: RubricEdit) -> tuple[str, ...]:
    """Return the criteria that ask of an answer what they asked before the edit.

    Their words are the same, and so is whether they earn or cost points: what was suggested of
    them still holds.
    """
    before = {criterion.id: criterion for criterion in old.criteria}
    return tuple(
        new.id
        for new in edit.rubric.criteria
        if (was := before.get(new.id)) is not None
        and new.id not in edit.removed
        and (was.says, was.evidence, was.points < 0) == (new.says, new.evidence, new.points < 0)
    )


def rescore(
    connection: Connection, assignment: str, edit: RubricEdit, *, who: str
) -> tuple[Carried, ...]:
    """Store the edited rubric, the edit's audit line, and every counting mark as ``carry`` says.

    The marks keep their markers and the time of their decision; their ``row_version`` grows, so
    that whoever has one open sees the change before saving. A stale mark stays stale. Suggestions
    for criteria that ask the same as before go along.
    """
    question = edit.rubric.question
    store_rubric(connection, assignment, edit.rubric)
    _suggestions(connection, assignment, edit)
    answers = _answers(connection, assignment, question)
    grades = nbgrader_tables.find_rows(connection, assignment, questions={question})
    rules = _rules(connection, assignment, question)
    at = now()
    append_event(connection, _edited(assignment, edit, at, who), assignment)
    done = []
    for mark in read_marks(connection, assignment, question):
        grade = grades.get((mark.student, question))
        carried = carry(mark, grade, edit)
        if carried.after is not None and grade is not None and carried.moved:
            answer = answers.get(mark.student)
            after = _regrade(connection, carried.after, answer, grade, edit.rubric)
            carried = dataclasses.replace(carried, after=after)
            rule = rules.get((mark.student, mark.row_version), "")
            event = Event(
                at=at,
                who=who,
                what=RESCORED,
                subject=_subject(after, edit, rule),
                before=_described(mark) | {"nbgrader": _held(grade)},
                after=_described(after),
            )
            append_event(connection, event, assignment)
        done.append(carried)
    _write(connection, assignment, question, [c.after for c in done if c.moved and c.after])
    return tuple(done)


def _suggestions(connection: Connection, assignment: str, edit: RubricEdit) -> None:
    old = find_rubric(connection, edit.base, assignment=assignment)
    if old is None:
        return
    table = tables.suggestion
    connection.execute(
        update(table)
        .where(
            table.c.assignment == assignment,
            table.c.question == edit.rubric.question,
            table.c.rubric_version == edit.base,
            table.c.criterion.in_(same_question(old, edit)),
        )
        .values(rubric_version=edit.rubric.version)
    )


def _answers(connection: Connection, assignment: str, question: str) -> dict[str, Any]:
    table = tables.answer
    # FOR UPDATE lets a marker who saves at this moment, on PostgreSQL, go before or after.
    query = (
        select(table.c.id, table.c.student, table.c.hash, table.c.mark_version)
        .where(table.c.assignment == assignment, table.c.question == question)
        .order_by(table.c.id)
        .with_for_update()
    )
    return {row.student: row for row in connection.execute(query)}


def _rules(connection: Connection, assignment: str, question: str) -> dict[tuple[str, int], str]:
    """Return the rule by which a mark was accepted, by student and row version.

    The audit line of a rescoring repeats it: the mark is no more a person's own than before.
    """
    table = tables.event
    query = select(table.c.subject, table.c.after).where(
        table.c.assignment == assignment,
        table.c.question == question,
        table.c.subject.like('%"rule"%'),
        table.c.after.is_not(None),
    )
    found: dict[tuple[str, int], str] = {}
    for row in connection.execute(query):
        subject = json.loads(row.subject)
        if subject.get("rule"):
            version = json.loads(row.after).get("row_version", 0)
            found[str(subject.get("student")), version] = str(subject["rule"])
    return found


def _regrade(
    connection: Connection,
    mark: Mark,
    answer: Any,
    grade: GradeRow,
    rubric: Rubric,
) -> Mark:
    """Say in nbgrader's grade what the mark says, and return it with its new row version."""
    given = mark.row_version if answer is None else answer.mark_version
    saved = dataclasses.replace(mark, row_version=max(mark.row_version, given) + 1)
    scores = nbgrader_scores(saved, rubric)
    if grade.manual_score is None and grade.extra_credit is None:
        # nbgrader threw the submission away and made it again
        scores["needs_marking"] = answer is None or answer.hash != saved.answer_hash
        nbgrader_tables.write_comment(connection, grade, nbgrader_comment(saved))
    else:
        scores["needs_marking"] = grade.needs_marking
    if any(getattr(grade, name) != value for name, value in scores.items()):
        nbgrader_tables.write_grade(connection, grade, **scores)
    return saved


def _write(connection: Connection, assignment: str, question: str, marks: list[Mark]) -> None:
    if not marks:
        return
    rows = [
        {
            "of": mark.student,
            "now_earned": json.dumps(list(mark.earned)),
            "now_under": mark.rubric_version,
            "now_score": mark.score,
            "now_version": mark.row_version,
        }
        for mark in marks
    ]
    table, answer = tables.mark, tables.answer
    connection.execute(
        update(table)
        .where(
            table.c.assignment == assignment,
            table.c.question == question,
            table.c.student == bindparam("of"),
            table.c.counts,
        )
        .values(
            earned=bindparam("now_earned"),
            rubric_version=bindparam("now_under"),
            score=bindparam("now_score"),
            row_version=bindparam("now_version"),
        ),
        rows,
    )
    connection.execute(
        update(answer)
        .where(
            answer.c.assignment == assignment,
            answer.c.question == question,
            answer.c.student == bindparam("of"),
        )
        .values(mark_version=bindparam("now_version")),
        [{"of": row["of"], "now_version": row["now_version"]} for row in rows],
    )


def _edited(assignment: str, edit: RubricEdit, at: str, who: str) -> Event:
    return Event(
        at=at,
        who=who,
        what=EDITED,
        subject={
            "assignment": assignment,
            "question": edit.rubric.question,
            "edit": edit.id,
            "steps": [dict(step) for step in edit.steps],
        },
        before={"rubric_version": edit.base},
        after={"rubric_version": edit.rubric.version},
    )


def _subject(mark: Mark, edit: RubricEdit, rule: str) -> dict[str, Any]:
    subject = {name: getattr(mark, name) for name in _SUBJECT} | {"edit": edit.id}
    return subject | {"rule": rule} if rule else subject


def _held(grade: GradeRow) -> dict[str, Any]:
    return {
        "manual_score": grade.manual_score,
        "extra_credit": grade.extra_credit,
        "manual_comment": grade.manual_comment,
    }


def _described(mark: Mark) -> dict[str, Any]:
    return {k: v for k, v in dataclasses.asdict(mark).items() if k not in _SUBJECT}
