"""What a change of rubrics and graders since a revision does to marks and suggestions.

Reads the gradebook and changes nothing in it: existing marks are computed anew with the criteria
that they earned, and the old and the new grader judge the students' different answers.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from markbook.checks.regression import (
    QuestionChange,
    ScoreChange,
    SinceReport,
    SuggestionChange,
    stance,
)
from markbook.graders import AnswerLine
from markbook.model import AnswerStatus
from markbook.rubrics import InvalidRubric, parse_rubric
from markbook.suggest.work import Job, run_job

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markbook.checks.revisions import Revision
    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.model import Answer, Question, Rubric

__all__ = ["compare"]

_TIMEOUT = 600.0  # seconds for each cell of a grader, as for suggest
_SEED = 0


@dataclass(frozen=True, slots=True)
class _Version:
    """A question's rubric and grader as they are at one time; None for what is not there."""

    rubric_file: bytes | None
    grader_file: bytes | None
    grader_name: str
    rubric: Rubric | None = None
    problem: str = ""


def compare(
    course: Course, gb: Gradebook, revision: Revision, wanted: Mapping[str, Sequence[Path]]
) -> SinceReport:
    """Compare every changed question of the assignments ``wanted``.

    The paths of an assignment that lie in its graders' folder leave out all other questions.
    """
    with tempfile.TemporaryDirectory(prefix="markbook-since-") as temporary:
        found = [
            _Comparison(course, gb, revision, name, question, Path(temporary))
            for name, paths in wanted.items()
            for question in _questions(course, name, paths)
        ]
        changed = [each for each in found if each.changed]
        workers = max(1, min(len(changed), os.cpu_count() or 1))
        with ThreadPoolExecutor(workers) as pool:
            questions = tuple(pool.map(_Comparison.compare, changed))
    return SinceReport(revision.name, revision.commit, tuple(wanted), questions)


def _questions(course: Course, name: str, paths: Sequence[Path]) -> list[Question]:
    from markbook.marking.cases import text_questions

    home = course.rubrics(name)
    named = [path for path in paths if path.is_relative_to(home)]
    return [
        question
        for question in text_questions(course, name)
        if not named
        or any((home / f"{question.id}{end}").is_relative_to(path)
               for path in named for end in (".yaml", ".ipynb"))
    ]  # fmt: skip


class _Comparison:
    """One question, then and now. ``compare`` may run in a thread; the rest reads beforehand."""

    def __init__(
        self,
        course: Course,
        gb: Gradebook,
        revision: Revision,
        assignment: str,
        question: Question,
        folder: Path,
    ) -> None:
        self.course, self.gb, self.revision = course, gb, revision
        self.assignment, self.question, self.folder = assignment, question, folder
        self.old = self._then()
        self.new = self._now()
        self.rubric_changed = _meaning(self.old) != _meaning(self.new)
        self.grader_changed = _code(self.old.grader_file) != _code(self.new.grader_file)
        self.changed = self.rubric_changed or self.grader_changed

    def compare(self) -> QuestionChange:
        """Return what the change does to the question's marks and suggestions."""
        result = QuestionChange(
            self.assignment,
            self.question.id,
            rubric=self.rubric_changed,
            grader=self.grader_changed,
            problems=tuple(
                problem for version in (self.old, self.new) if (problem := version.problem)
            ),
        )
        if self.rubric_changed:
            result = self._marks(result)
        answers = [
            answer
            for answer in self.gb.answers(self.assignment, self.question.id)
            if answer.status is AnswerStatus.ANSWERED
        ]
        broken = self.old.rubric is None and self.old.rubric_file is not None
        if not answers or broken or self.new.rubric is None:
            return replace(result, students=len(answers))
        return self._suggestions(result, answers)

    # -- the two versions ----------------------------------------------------------------------

    def _then(self) -> _Version:
        own = self.course.rubrics(self.assignment) / f"{self.question.id}.ipynb"
        default = self.course.root / "graders" / "default.ipynb"
        grader, name = self.revision.read(own), own.name
        if grader is None:
            grader, name = self.revision.read(default), default.name
        file = self.revision.read(self.course.rubric(self.assignment, self.question.id))
        return _parsed(_Version(file, grader, name), f"At {self.revision.name}")

    def _now(self) -> _Version:
        grader = self.course.grader(self.assignment, self.question.id)
        rubric = self.course.rubric(self.assignment, self.question.id)
        content = [p.read_bytes() if p.is_file() else None for p in (rubric, grader)]
        return _parsed(_Version(content[0], content[1], grader.name), "Now")

    # -- marks ---------------------------------------------------------------------------------

    def _marks(self, result: QuestionChange) -> QuestionChange:
        marks = self.gb.marks(self.assignment, self.question.id)
        rubric = self.new.rubric
        if rubric is None:
            return replace(result, marked=len(marks), left=len(marks))
        from markbook.gradebook.rescore import RubricEdit, carry

        grades = {g.student: g for g in self.gb.grades(self.assignment, self.question.id)}
        present = {criterion.id for criterion in rubric.criteria}
        scores: Counter[tuple[float, float]] = Counter()
        lost: Counter[str] = Counter()
        why: Counter[str] = Counter()
        for mark in marks:
            gone = frozenset(mark.earned) - present
            edit = RubricEdit("", mark.rubric_version, rubric, removed=gone)
            carried = carry(mark, grades.get(mark.student), edit)
            lost.update(gone)
            if carried.after is None:
                why[carried.why] += 1
            elif carried.after.score != mark.score:
                scores[mark.score, carried.after.score] += 1
        left = tuple(f"{count} marks cannot be compared: {text}." for text, count in why.items())
        return replace(
            result,
            marked=len(marks),
            left=sum(why.values()),
            scores=tuple(ScoreChange(*pair, scores[pair]) for pair in sorted(scores)),
            lost=tuple(sorted(lost.items())),
            problems=(*result.problems, *left),
        )

    # -- suggestions ---------------------------------------------------------------------------

    def _suggestions(self, result: QuestionChange, answers: Sequence[Answer]) -> QuestionChange:
        counts = Counter(answer.hash for answer in answers)
        texts = {answer.hash: answer.text for answer in answers}
        lines = tuple(AnswerLine(key, texts[key], counts[key]) for key in sorted(texts))
        result = replace(result, students=len(answers), answers=len(lines))
        before, after = self._judge(self.old, lines), self._judge(self.new, lines)
        failures = [found for found in (before, after) if isinstance(found, str)]
        if isinstance(before, str) or isinstance(after, str):
            return replace(result, problems=(*result.problems, *failures))
        changes: Counter[tuple[str, str, str]] = Counter()
        touched: set[str] = set()
        for key, criterion in sorted(before.keys() | after.keys()):
            pair = before.get((key, criterion), ""), after.get((key, criterion), "")
            if pair[0] != pair[1]:
                changes[criterion, *pair] += counts[key]
                touched.add(key)
        return replace(
            result,
            changed_students=sum(counts[key] for key in touched),
            suggestions=tuple(SuggestionChange(*what, changes[what]) for what in sorted(changes)),
        )

    def _judge(
        self, version: _Version, lines: tuple[AnswerLine, ...]
    ) -> dict[tuple[str, str], str] | str:
        """Return what a version says of each answer and criterion, or why it says nothing."""
        rubric = version.rubric
        if rubric is None or rubric.policy == "manual":
            return {}
        when = "Now" if version is self.new else f"At {self.revision.name}"
        if version.grader_file is None:
            return f"{when} there is no grader notebook {version.grader_name}."
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            grader = Path(folder) / version.grader_name
            grader.write_bytes(version.grader_file)
            done = run_job(
                Job(
                    question=self.question.id,
                    grader=grader,
                    rubric=version.rubric_file or b"",
                    prompt=self.question.prompt,
                    answers=lines,
                    criteria=tuple(criterion.id for criterion in rubric.criteria),
                    seed=_SEED,
                    timeout=_TIMEOUT,
                    rehearsal=True,
                )
            )
        if done.reason:
            return f"{when} it fails: {done.reason.rstrip('.')}."
        return {(each.key, each.criterion): stance(each) for each in done.lines}


def _parsed(version: _Version, when: str) -> _Version:
    if version.rubric_file is None:
        missing = "Now it has no rubric." if when == "Now" else ""  # a new question has no past
        return replace(version, problem=missing)
    try:
        return replace(version, rubric=parse_rubric(version.rubric_file))
    except InvalidRubric as error:
        return replace(version, problem=f"{when} its rubric is broken: {error.what}")


def _meaning(version: _Version) -> str | bytes | None:
    return version.rubric.version if version.rubric is not None else version.rubric_file


def _code(notebook: bytes | None) -> object:
    """Return what a grader notebook runs; outputs and layout make no other grader."""
    if notebook is None:
        return None
    try:
        cells = json.loads(notebook)["cells"]
        return ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return notebook
