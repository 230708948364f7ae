"""The step: from the answers in the gradebook to suggestions in the gradebook."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from markbook import __version__
from markbook.errors import MarkbookError, NotebookError, UnknownName
from markbook.graders import AnswerLine, SuggestionLine
from markbook.graders.learning.sources import installed_model
from markbook.model import AnswerStatus, QuestionKind, Suggestion
from markbook.notebooks import read_questions
from markbook.rubrics import load_rubric, rubric_document
from markbook.suggest.events import QuestionFinished, QuestionStarted
from markbook.suggest.kept import fingerprint, keep, kept_metadata
from markbook.suggest.learned import (
    Tally,
    expectations,
    mark_lines,
    marks_of_people,
    short_keys,
)
from markbook.suggest.outside import Filled, open_outside
from markbook.suggest.report import CONFIDENT, QuestionState, QuestionSuggestions, SuggestReport
from markbook.suggest.work import Job, JobResult, run_job

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.model import Question, Rubric
    from markbook.suggest.events import SuggestEvent
    from markbook.suggest.outside import OutsideRun

__all__ = ["suggest"]

# What is known of suggestions that stay when a later run fails.
_STILL_STORED = ("expected", "marked", "refused", "rubric_version", "tried")

_TIMEOUT = 600.0  # seconds for each cell: a thousand answers take seconds, a loop takes forever


@dataclass(frozen=True, slots=True)
class _Plan:
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


def suggest(  # noqa: PLR0913  (keyword options of one step, each with a default)
    course: Course,
    gb: Gradebook,
    assignment: str,
    *,
    questions: Sequence[str] | None = None,
    force: bool = False,
    executor: Executor | None = None,
    seed: int = 0,
    on_event: Callable[[SuggestEvent], None] | None = None,
    dry_run: bool = False,
    timeout: float = _TIMEOUT,
    suggester: str | None = None,
) -> SuggestReport:
    """Run the graders of an assignment's text questions and store what they suggest.

    A question is run again only when its answers, people's marks, its rubric, grader notebook,
    ``seed`` or Markbook's version changed, or with ``force``. A question whose rubric or grader
    fails is reported and keeps its earlier suggestions; the others go on. So is one whose grader
    misjudges an exemplar of its rubric; they are judged before the answers, unless the kept run
    has it done. Grader runs go through ``executor``; without one, as many threads as there are
    processors each wait for a kernel of their own. ``timeout`` is in seconds for each cell.
    Suggestions are never marks, and no mark is touched. ``suggester`` is the outside model to ask
    about what graders leave open, ``"none"`` for none; by default what the course names, if any.

    Raises ``UnknownName`` for an assignment or question that the course lacks, ``NotebookError``
    when the authored notebooks cannot be read, ``UsageError`` for a suggester that cannot be had.
    """
    asked = _questions(course, assignment, questions)
    with open_outside(course, gb, assignment, suggester) as outside:
        batch = _Batch(course, gb, assignment, asked, on_event or (lambda _: None), outside)
        plans: list[_Plan] = []
        for question in asked:
            found = batch.plan(question, seed=seed, force=force, timeout=timeout, dry_run=dry_run)
            if isinstance(found, _Plan):
                plans.append(found)
            else:
                batch.finish(found)
        if dry_run:
            for plan in plans:
                batch.finish(_result(plan, QuestionState.PLANNED))
        elif plans:
            if outside is not None:
                batch.tell(outside.opened())
            batch.run(plans, executor)
        order = {question.id: number for number, question in enumerate(asked)}
        results = sorted(batch.results, key=lambda result: order[result.question])
        asked_of = outside.report() if outside else None
    return SuggestReport(assignment, tuple(results), dry_run, asked_of)


class _Batch:
    """The coordinator: the only one that reads and writes the gradebook."""

    def __init__(
        self,
        course: Course,
        gb: Gradebook,
        assignment: str,
        questions: Sequence[Question],
        tell: Callable[[SuggestEvent], None],
        outside: OutsideRun | None = None,
    ) -> None:
        self.course = course
        self.gb = gb
        self.assignment = assignment
        self.total = len(questions)
        self.tell = tell
        self.outside = outside
        self.results: list[QuestionSuggestions] = []

    def finish(self, result: QuestionSuggestions) -> None:
        self.results.append(result)
        self.tell(QuestionFinished(result, len(self.results), self.total))

    def plan(
        self, question: Question, *, seed: int, force: bool, timeout: float, dry_run: bool
    ) -> _Plan | QuestionSuggestions:
        """Return what to run for a question, or why nothing is run."""
        try:
            plan = self._plan(question, seed, timeout)
        except (MarkbookError, OSError) as error:
            return QuestionSuggestions(question.id, QuestionState.FAILED, reason=str(error))
        state: QuestionState | None = None
        if plan.rubric.policy == "manual":
            state = QuestionState.MANUAL
        elif not plan.job.answers:
            state = QuestionState.NOTHING
        if state is not None:
            changed = 0 if dry_run else self._clear(question.id)
            return replace(_result(plan, state), changed=changed)
        if force:
            return plan
        known = kept_metadata(plan.kept)
        if known.get("tested") != plan.tested:
            return plan
        if known.get("fingerprint") == plan.fingerprint and (same := self._unchanged(plan, known)):
            return same
        return replace(plan, job=replace(plan.job, exemplars=()))

    def run(self, plans: Sequence[_Plan], executor: Executor | None) -> None:
        """Run the graders and store each question's suggestions as they come."""
        own = None
        if executor is None:
            own = executor = ThreadPoolExecutor(min(len(plans), os.cpu_count() or 1))
        try:
            futures: dict[Future[JobResult], _Plan] = {}
            for plan in plans:
                self.tell(QuestionStarted(plan.question, len(self.results), self.total))
                futures[executor.submit(run_job, plan.job)] = plan
            for future in as_completed(futures):
                plan = futures[future]
                error = future.exception()
                if error is not None and not isinstance(error, Exception):
                    raise error
                reason = f"The run broke off: {type(error).__name__}: {error}"
                done = JobResult(plan.question, reason=reason) if error else future.result()
                self.finish(self._store(plan, done))
        finally:
            if own is not None:
                own.shutdown(wait=True, cancel_futures=True)

    def _plan(self, question: Question, seed: int, timeout: float) -> _Plan:
        path = self.course.rubric(self.assignment, question.id)
        if not path.is_file():
            name = self.course.relative(path)
            raise NotebookError(
                f"Question {question.id!r} has no rubric.", hint=f"Add {name}, then run this again."
            )
        rubric = load_rubric(path)
        grader = self.course.grader(self.assignment, question.id)
        answers = self.gb.answers(self.assignment, question.id)
        answered = [a for a in answers if a.status is AnswerStatus.ANSWERED]
        criteria = tuple(c.id for c in rubric.criteria)
        marks = marks_of_people(self.gb, self.assignment, question.id)
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
        )
        depends = {} if rubric.policy == "manual" else _depends(job, rubric)
        return _Plan(
            question=question.id,
            rubric=rubric,
            job=job,
            fingerprint=fingerprint(depends | _judged(job) | self._asked()),
            tested=fingerprint(depends),
            grader=self.course.relative(grader),
            kept=self.course.reports(self.assignment) / "graders" / f"{question.id}.ipynb",
            students=len(answered),
        )

    def _clear(self, question: str) -> int:
        if not self.gb.suggestions(self.assignment, question):
            return 0
        return self.gb.replace_suggestions(self.assignment, question, [])

    def _unchanged(self, plan: _Plan, known: dict[str, Any]) -> QuestionSuggestions | None:
        """Return the result of the kept run if the gradebook has all of it, else None."""
        expected = self.gb.expectations(self.assignment, plan.question)
        if len(expected) != known.get("expected", 0):
            return None
        stored = self.gb.suggestions(self.assignment, plan.question)
        pairs = {(s.answer_hash, s.criterion) for s in stored}
        wanted = {(a.key, c) for a in plan.job.answers for c in plan.job.criteria}
        if pairs != wanted or any(s.rubric_version != plan.rubric.version for s in stored):
            return None
        result = self._counted(plan, QuestionState.UNCHANGED, stored)
        return replace(result, refused=str(known.get("refused") or ""), tried=Tally.read(known))

    def _store(self, plan: _Plan, done: JobResult) -> QuestionSuggestions:
        """Store a run: first the gradebook, then the notebook that says it is done."""
        known = kept_metadata(plan.kept)
        reason = done.reason or self._misjudged(plan, done.misjudged)
        if reason:
            still = {name: known[name] for name in _STILL_STORED if name in known}
            kept = keep(plan.kept, done.notebook, still | {"failed": True, "reason": reason})
            if kept:
                reason = f"{reason} See {self.course.relative(plan.kept)}."
            notebook = self.course.relative(plan.kept) if kept else ""
            failed = _result(plan, QuestionState.FAILED)
            return replace(failed, reason=reason, notebook=notebook)
        filled = Filled(done.lines, done.notebook)
        if self.outside is not None:
            filled = self.outside.fill(plan.rubric, plan.job, done)
        sources = {pair: self.outside.label for pair in filled.pairs} if self.outside else {}
        suggestions = [
            _suggestion(plan, line, sources.get((line.key, line.criterion), plan.grader))
            for line in filled.lines
        ]
        expected = expectations(
            plan.question, done.scores, [answer.key for answer in plan.job.answers]
        )
        tried = self._tried(plan, known)
        self.gb.save_rubric(self.assignment, plan.rubric)
        changed = self.gb.replace_suggestions(self.assignment, plan.question, suggestions, expected)
        refused = (done.scores.refused if done.scores is not None else None) or ""
        keep(
            plan.kept,
            filled.notebook,
            {
                "fingerprint": plan.fingerprint if filled.complete else "",
                "tested": plan.tested,
                "grader": plan.grader,
                "rubric_version": plan.rubric.version,
                "seed": plan.job.seed,
                "version": __version__,
                "expected": len(expected),
                "refused": refused,
                "marked": short_keys(mark.key for mark in plan.job.marks),
                "tried": asdict(tried),
            },
        )
        result = self._counted(plan, QuestionState.SUGGESTED, suggestions)
        return replace(result, changed=changed, refused=refused, tried=tried)

    def _asked(self) -> dict[str, Any]:
        return {"outside": self.outside.identity} if self.outside is not None else {}

    def _tried(self, plan: _Plan, known: dict[str, Any]) -> Tally:
        """Return how all scores that this question ever expected held against later marks."""
        used = known.get("marked")
        if not isinstance(used, list) or known.get("rubric_version") != plan.rubric.version:
            return Tally.read(known)
        expected = self.gb.expectations(self.assignment, plan.question)
        return Tally.read(known) + Tally.of(expected, plan.job.marks, used)

    def _misjudged(self, plan: _Plan, numbers: Sequence[int]) -> str:
        """Say which exemplars came out wrong, and where to see it; nothing when none did."""
        if not numbers:
            return ""
        total = len(plan.job.exemplars)
        which = ", ".join(map(str, numbers))
        rubric = self.course.relative(self.course.rubric(self.assignment, plan.question))
        are = "is" if len(numbers) == 1 else "are"
        return (
            f"{len(numbers)} of its {total} exemplars {are} misjudged ({which}): mend the grader or"
            f" the rubric ('markbook check {rubric}' says what is wrong)."
        )

    def _counted(
        self, plan: _Plan, state: QuestionState, suggestions: Sequence[Suggestion]
    ) -> QuestionSuggestions:
        said = [s for s in suggestions if s.awarded is not None]
        return replace(
            _result(plan, state),
            suggested=len(said),
            abstained=len(suggestions) - len(said),
            confident=sum(s.confidence >= CONFIDENT for s in said),
            notebook=self.course.relative(plan.kept),
        )


def _questions(
    course: Course, assignment: str, wanted: Sequence[str] | None
) -> tuple[Question, ...]:
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
        "marks": [[mark.key, *mark.earned, mark.score] for mark in job.marks],
    }


def _result(plan: _Plan, state: QuestionState) -> QuestionSuggestions:
    return QuestionSuggestions(
        plan.question,
        state,
        answers=len(plan.job.answers),
        students=plan.students,
        marks=len(plan.job.marks),
        grader="" if state is QuestionState.MANUAL else plan.grader,
    )


def _suggestion(plan: _Plan, line: SuggestionLine, source: str) -> Suggestion:
    return Suggestion(
        question=plan.question,
        answer_hash=line.key,
        criterion=line.criterion,
        awarded=line.awarded,
        confidence=float(line.confidence),
        grader=source,
        rubric_version=plan.rubric.version,
        span=line.span,
        start=line.start,
        end=line.end,
        note=line.note,
    )
