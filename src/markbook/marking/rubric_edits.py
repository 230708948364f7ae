"""Editing a rubric while marking: what an edit would change, and making it.

Rewording keeps what was earned; repointing computes the scores anew; a removed criterion is
dropped from every mark; an added one leaves the marks as they are, and ``Applied.back_fill`` names
the answers to look at again. Adjustments stay. See docs/reference/rubric-edits.md.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.errors import MarkbookError, StaleRubric
from markbook.marking.back_fill import BackFill, back_fill
from markbook.marking.cases import select_questions, text_questions
from markbook.marking.decisions import marker_name
from markbook.marking.edit_files import Staged, finish, left_over, present_rubric, taking_turns
from markbook.marking.edited_rubric import Edit, EditedRubric, edit_rubric
from markbook.marking.items import item_id
from markbook.rubrics import rubric_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.gradebook.rescore import Carried, RubricEdit
    from markbook.marking.edit_files import Present
    from markbook.model import Mark, Question, Rubric

__all__ = [
    "Applied",
    "BackFill",
    "Change",
    "Edit",
    "Impact",
    "Left",
    "apply",
    "finish_edits",
    "preview",
]


@dataclass(frozen=True, slots=True)
class Change:
    """A mark whose score an edit changes, from ``before`` to ``after`` points."""

    item: str
    before: float
    after: float
    earned_before: tuple[str, ...]
    earned_after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Left:
    """A mark that an edit leaves under its old version, and why: a person has to decide."""

    item: str
    why: str


@dataclass(frozen=True, slots=True)
class Impact:
    """What an edit does to the marks of its question; blind.

    ``changes`` has the marks whose score changes, the largest first, and ``students`` their
    number; ``moved`` counts all marks that move to the new version; ``total`` is the sum of all
    changes in points. ``notes`` are sentences about what else the edit does.
    """

    rubric: Rubric
    base_version: str
    changes: tuple[Change, ...] = ()
    moved: int = 0
    left: tuple[Left, ...] = ()
    students: int = 0
    total: float = 0.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """An edit that was made. ``impact`` is what it did; ``marks`` are those it changed, as stored.

    ``back_fill`` has the marked answers that probably earn an added criterion, best first.
    """

    rubric: Rubric
    impact: Impact
    marks: tuple[Mark, ...] = ()
    back_fill: tuple[BackFill, ...] = ()


def preview(
    course: Course,
    gb: Gradebook,
    assignment: str,
    question: str,
    edits: Sequence[Edit],
    *,
    base_version: str,
) -> Impact:
    """Return what ``apply`` would do now; nothing is written.

    Raises ``UnknownName`` for an assignment or question that is not there, ``StaleRubric`` (with
    ``theirs``) when the rubric is no longer of ``base_version``, ``UsageError`` for an edit that
    cannot be made, ``RubricError`` when the file is broken.
    """
    from markbook.gradebook.rescore import carry

    _question(course, assignment, question)
    present = present_rubric(course, gb, assignment, question)
    edited = _edited(present, edits, base_version)
    notes = _notes(course, gb, assignment, present, edited)
    carried: list[Carried] = []
    if _differs(present, edited):
        change = _change("", present.rubric, edited, edits)
        grades = {grade.student: grade for grade in gb.grades(assignment, question)}
        marks = gb.marks(assignment, question)
        carried = [carry(mark, grades.get(mark.student), change) for mark in marks]
    return _impact(edited.rubric, base_version, carried, notes)


def apply(  # noqa: PLR0913  (an edit, where it belongs, and whose it is)
    course: Course,
    gb: Gradebook,
    assignment: str,
    question: str,
    edits: Sequence[Edit],
    *,
    base_version: str,
    marker: str,
) -> Applied:
    """Make the edits: a new version in the gradebook, its marks rescored, the file rewritten.

    The gradebook's part is one transaction; the file keeps its comments and is replaced after
    it. Killed in between, the next ``apply``, or ``finish_edits``, finishes it. Raises as
    ``preview`` does; nothing is stored then.
    """
    name = marker_name(marker)
    asked = _question(course, assignment, question)
    with taking_turns(course, assignment):
        present = finish(course, gb, assignment, question)
        edited = _edited(present, edits, base_version)
        notes = _notes(course, gb, assignment, present, edited)
        carried: tuple[Carried, ...] = ()
        if _differs(present, edited):
            carried = _store(course, gb, assignment, present.rubric, edited, edits, name)
    impact = _impact(edited.rubric, base_version, carried, notes)
    return Applied(
        rubric=edited.rubric,
        impact=impact,
        marks=tuple(c.after for c in carried if c.moved and c.after is not None),
        back_fill=back_fill(gb, assignment, edited.rubric, edited.added, prompt=asked.prompt),
    )


def finish_edits(course: Course, gb: Gradebook, assignment: str) -> tuple[str, ...]:
    """Finish every edit of the assignment that was killed half way; return their questions.

    Costs a look into the folder when there is none; worth calling whenever marking begins.
    """
    if not left_over(course, assignment):
        return ()
    with taking_turns(course, assignment):
        return tuple(
            question
            for question in left_over(course, assignment)
            if finish(course, gb, assignment, question).pending
        )


def _question(course: Course, assignment: str, question: str) -> Question:
    (found,) = select_questions(text_questions(course, assignment), [question], assignment)
    return found


def _edited(present: Present, edits: Sequence[Edit], base_version: str) -> EditedRubric:
    if present.rubric.version != base_version:
        error = StaleRubric(
            f"The rubric of {present.rubric.question!r} was edited since it was read.",
            hint="Look at what it is now and decide anew; nothing was stored.",
        )
        error.theirs = present.rubric
        raise error
    return edit_rubric(present.rubric, edits)


def _differs(present: Present, edited: EditedRubric) -> bool:
    return rubric_document(present.rubric) != rubric_document(edited.rubric)


def _store(  # noqa: PLR0913  (all that one edit is)
    course: Course,
    gb: Gradebook,
    assignment: str,
    rubric: Rubric,
    edited: EditedRubric,
    edits: Sequence[Edit],
    who: str,
) -> tuple[Carried, ...]:
    staged = Staged(course, assignment, edited.rubric)
    try:
        carried = gb.rescore_marks(assignment, _change(staged.id, rubric, edited, edits), who=who)
    except MarkbookError:
        staged.discard()  # raised before anything was stored; after anything else, finish() looks
        raise
    staged.publish()
    return carried


def _change(
    edit_id: str, rubric: Rubric, edited: EditedRubric, edits: Iterable[Edit]
) -> RubricEdit:
    from markbook.gradebook.rescore import RubricEdit

    return RubricEdit(
        id=edit_id,
        base=rubric.version,
        rubric=edited.rubric,
        removed=frozenset(edited.removed),
        added=frozenset(edited.added),
        steps=tuple(edit.step for edit in edits),
    )


def _notes(
    course: Course, gb: Gradebook, assignment: str, present: Present, edited: EditedRubric
) -> list[str]:
    """Say what an edit means beyond the marks."""
    from markbook.gradebook.rescore import same_question

    rubric = edited.rubric
    notes = [*present.notes, *edited.notes]
    if not _differs(present, edited):
        notes.append("Nothing changes: the rubric says this already.")
    if rubric.policy == "assist" and gb.suggestions(assignment, rubric.question):
        same = same_question(present.rubric, _change("", present.rubric, edited, ()))
        without = [criterion.id for criterion in rubric.criteria if criterion.id not in same]
        if without:
            notes.append(
                f"There are no suggestions yet for {', '.join(without)}."
                f" Run 'markbook suggest {assignment}' for them."
            )
    own = course.rubrics(assignment) / f"{rubric.question}.ipynb"
    if edited.removed and own.is_file():
        text = own.read_text(encoding="utf-8", errors="replace")
        named = [name for name in edited.removed if _quoted(name, text)]
        if named:
            notes.append(
                f"The grader {course.relative(own)} names {', '.join(named)}, which is gone from"
                " the rubric; take it out there, too."
            )
    return notes


def _quoted(name: str, text: str) -> bool:
    """Tell whether a notebook's JSON has ``name`` in quotes, as code names a criterion."""
    return re.search(rf"""['"]{re.escape(name)}\\?['"]""", text) is not None


def _impact(
    rubric: Rubric, base_version: str, carried: Iterable[Carried], notes: Iterable[str]
) -> Impact:
    said = list(notes)
    changes: list[Change] = []
    left: list[Left] = []
    moved = older = 0
    for one in carried:
        old, new = one.before, one.after
        item = item_id(old.assignment, old.question, old.student)
        if new is None:
            left.append(Left(item, one.why))
            continue
        moved += one.moved
        older += one.moved and old.rubric_version != base_version
        if new.score != old.score:
            changes.append(Change(item, old.score, new.score, old.earned, new.earned))
    if older:
        said.append(f"Marks under an earlier version of the rubric come along: {older}.")
    return Impact(
        rubric=rubric,
        base_version=base_version,
        changes=tuple(sorted(changes, key=lambda c: (-abs(c.after - c.before), c.item))),
        moved=moved,
        left=tuple(sorted(left, key=lambda one: one.item)),
        students=len(changes),
        total=round(math.fsum(c.after - c.before for c in changes), 6) + 0.0,
        notes=tuple(said),
    )
