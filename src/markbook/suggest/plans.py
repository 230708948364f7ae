"""What ``suggest`` is going to run, and what each run depends on."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markbook import __version__
from markbook.errors import NotebookError, UnknownName
from markbook.graders import AnswerLine
from markbook.graders.learning.sources import installed_model
from markbook.model import AnswerStatus, QuestionKind
from markbook.notebooks import read_questions
from markbook.rubrics import load_rubric, rubric_document
from markbook.suggest.kept import fingerprint
from markbook.suggest.learned import mark_lines
from markbook.suggest.work import Job

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.model import Question, Rubric
    from markbook.suggest.others import Others

__all__ = ["Plan", "asked_questions", "make_plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A question with a grader to run, and what its run depends on.

    ``tested`` is what the judging of its exemplars depends on: the same without the answers.
    """

    question: str
    rubric: Rubric
    job: Job
    fingerprint: str
    tested: str
    grader: str
    kept: Path
    students: int


def asked_questions(
    course: Course, assignment: str, wanted: Sequence[str] | None
) -> tuple[Question, ...]:
    """Return the text questions of an assignment, or those that are named."""
    course.require(assignment)
    found = [
        question
        for question in read_questions(course.source(assignment), assignment)
        if question.kind is QuestionKind.TEXT
    ]
    if wanted is None:
        return tuple(found)
    known = {question.id for question in found}
    for name in wanted:
        if name not in known:
            raise UnknownName(
                f"{assignment!r} has no text question {name!r}.",
                hint=f"It has these: {', '.join(q.id for q in found)}.",
            )
    return tuple(question for question in found if question.id in wanted)


def make_plan(  # noqa: PLR0913  (what a run depends on)
    course: Course,
    gb: Gradebook,
    assignment: str,
    question: Question,
    *,
    seed: int,
    timeout: float,
    asked: Mapping[str, Any],
    others: Others,
) -> Plan:
    """Read what the run of a question depends on; ``asked`` tells of an outside model.

    ``others`` are the course's other questions, whose marks teach this one's run.

    Raises ``MarkbookError`` and ``OSError`` for a rubric or grader that is not there or broken.
    """
    path = course.rubric(assignment, question.id)
    if not path.is_file():
        name = course.relative(path)
        raise NotebookError(
            f"Question {question.id!r} has no rubric.", hint=f"Add {name}, then run this again."
        )
    rubric = load_rubric(path)
    grader = course.grader(assignment, question.id)
    answers = gb.answers(assignment, question.id)
    answered = [a for a in answers if a.status is AnswerStatus.ANSWERED]
    criteria = tuple(c.id for c in rubric.criteria)
    marks = others.marks(assignment, question.id)
    job = Job(
        question=question.id,
        grader=grader,
        rubric=path.read_bytes(),
        prompt=question.prompt,
        answers=_lines([(a.hash, a.text) for a in answered]),
        criteria=criteria,
        seed=seed,
        timeout=timeout,
        exemplars=rubric.exemplars,
        marks=mark_lines(marks, answers, criteria, rubric.cap(question.points)),
        earlier=course.features(assignment, question.id),
    )
    depends = {} if rubric.policy == "manual" else _depends(job, rubric)
    taught = others.fingerprint(assignment, question.id)
    judged = _judged(job) | ({"others": taught} if taught else {})
    return Plan(
        question=question.id,
        rubric=rubric,
        job=job,
        fingerprint=fingerprint(depends | judged | dict(asked)),
        tested=fingerprint(depends),
        grader=course.relative(grader),
        kept=course.grader_run(assignment, question.id),
        students=len(answered),
    )


def _lines(answers: Sequence[tuple[str, str]]) -> tuple[AnswerLine, ...]:
    """Return each different text once, ordered by its hash: no order tells a student."""
    counts = Counter(key for key, _ in answers)
    texts = dict(answers)
    return tuple(AnswerLine(key, texts[key], counts[key]) for key in sorted(texts))


def _depends(job: Job, rubric: Rubric) -> dict[str, Any]:
    """Return what every run of a question depends on, whatever is judged."""
    return {
        "rubric": rubric_document(rubric),
        "rubric_version": rubric.version,
        "prompt": job.prompt,
        "grader": hashlib.sha256(job.grader.read_bytes()).hexdigest(),
        "seed": job.seed,
        "sentence_model": installed_model(),
        "version": __version__,
    }


def _judged(job: Job) -> dict[str, Any]:
    return {
        "answers": [[answer.key, answer.count] for answer in job.answers],
        "marks": [
            [mark.key, *mark.earned, mark.score, mark.least, mark.most] for mark in job.marks
        ],
    }
