"""The step: from the answers in the gradebook to suggestions in the gradebook."""

from __future__ import annotations

import os
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from markbook import __version__
from markbook.errors import MarkbookError
from markbook.graders.learning.sources import turned_off
from markbook.model import Suggestion
from markbook.suggest.events import QuestionFinished, QuestionProgress, QuestionStarted
from markbook.suggest.kept import keep, kept_metadata
from markbook.suggest.learned import Tally, expectations, short_keys
from markbook.suggest.others import Others
from markbook.suggest.outside import Filled, open_outside
from markbook.suggest.plans import Plan, asked_questions, make_plan
from markbook.suggest.report import CONFIDENT, QuestionState, QuestionSuggestions, SuggestReport
from markbook.suggest.watch import Watch
from markbook.suggest.work import JobResult, run_job
from markbook.text.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.graders import SuggestionLine
    from markbook.model import Question
    from markbook.suggest.events import SuggestEvent
    from markbook.suggest.outside import OutsideRun

__all__ = ["suggest"]

# What is known of suggestions that stay when a later run fails.
_STILL_STORED = ("expected", "marked", "refused", "rubric_version", "tried")

_TIMEOUT = 600.0  # seconds for each cell: a thousand answers take seconds, a loop takes forever
_LOOK = 0.5  # seconds between two looks at how far graders are


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
    ``seed`` or Markbook's version changed, when other questions' marks doubled, or with
    ``force``. A question whose rubric or grader fails is reported and keeps its earlier
    suggestions; the others go on. So is one whose grader misjudges an exemplar of its rubric;
    they are judged before the answers, unless the kept run has it done. Grader runs go through
    ``executor``; without one, as many threads as there are processors each wait for a kernel of
    their own. ``timeout`` is in seconds for each cell.
    Suggestions are never marks, and no mark is touched. ``suggester`` is the outside model to ask
    about what graders leave open, ``"none"`` for none; by default what the course names, if any.

    Raises ``UnknownName`` for an assignment or question that the course lacks, ``NotebookError``
    when the authored notebooks cannot be read, ``UsageError`` for a suggester that cannot be had
    and for an environment that asks for an unknown sentence model.
    """
    turned_off()  # an environment that asks for an unknown model stops the run, not each question
    asked = asked_questions(course, assignment, questions)
    with open_outside(course, gb, assignment, suggester) as outside:
        batch = _Batch(course, gb, assignment, asked, on_event or (lambda _: None), outside)
        plans: list[Plan] = []
        for question in asked:
            found = batch.plan(question, seed=seed, force=force, timeout=timeout, dry_run=dry_run)
            if isinstance(found, Plan):
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
        self.others = Others(course, gb)
        self.results: list[QuestionSuggestions] = []

    def finish(self, result: QuestionSuggestions) -> None:
        self.results.append(result)
        self.tell(QuestionFinished(result, len(self.results), self.total))

    def plan(
        self, question: Question, *, seed: int, force: bool, timeout: float, dry_run: bool
    ) -> Plan | QuestionSuggestions:
        """Return what to run for a question, or why nothing is run."""
        try:
            plan = make_plan(
                self.course,
                self.gb,
                self.assignment,
                question,
                seed=seed,
                timeout=timeout,
                asked=self._asked(),
                others=self.others,
            )
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

    def run(self, plans: Sequence[Plan], executor: Executor | None) -> None:
        """Run the graders and store each question's suggestions as they come."""
        own = None
        if executor is None:
            own = executor = ThreadPoolExecutor(min(len(plans), os.cpu_count() or 1))
        watch = Watch()
        # Only threads of this process can say where their runs lie.
        watched = isinstance(executor, ThreadPoolExecutor)
        run = partial(run_job, begin=watch.begin) if watched else run_job
        try:
            futures: dict[Future[JobResult], Plan] = {}
            for plan in plans:
                self.tell(QuestionStarted(plan.question, len(self.results), self.total))
                taught = self.others.taught(self.assignment, plan.question)
                told = replace(plan, job=replace(plan.job, taught=taught))
                futures[executor.submit(run, told.job)] = told
            while futures:
                done, _ = wait(futures, _LOOK if watched else None, FIRST_COMPLETED)
                for future in done:
                    plan = futures.pop(future)
                    watch.end(plan.question)
                    self.finish(self._finished(plan, future))
                for name, stage in watch.news():
                    self.tell(
                        QuestionProgress(
                            name,
                            stage.doing,
                            stage.done,
                            stage.total,
                            len(self.results),
                            self.total,
                        )
                    )
        finally:
            if own is not None:
                own.shutdown(wait=True, cancel_futures=True)

    def _finished(self, plan: Plan, future: Future[JobResult]) -> QuestionSuggestions:
        error = future.exception()
        if error is None:
            return self._store(plan, future.result())
        if not isinstance(error, Exception):
            raise error
        reason = f"The run broke off: {type(error).__name__}: {error}"
        return self._store(plan, JobResult(plan.question, reason=reason))

    def _clear(self, question: str) -> int:
        if not self.gb.suggestions(self.assignment, question):
            return 0
        return self.gb.replace_suggestions(self.assignment, question, [])

    def _unchanged(self, plan: Plan, known: dict[str, Any]) -> QuestionSuggestions | None:
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

    def _store(self, plan: Plan, done: JobResult) -> QuestionSuggestions:
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
        learned = (
            (self.course.features(self.assignment, plan.question), done.features),
            (self.course.taught(self.assignment, plan.question), plan.job.taught),
        )
        for path, content in learned:
            if content:
                write_atomic(path, content)
            else:
                path.unlink(missing_ok=True)
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

    def _tried(self, plan: Plan, known: dict[str, Any]) -> Tally:
        """Return how all scores that this question ever expected held against later marks."""
        used = known.get("marked")
        if not isinstance(used, list) or known.get("rubric_version") != plan.rubric.version:
            return Tally.read(known)
        expected = self.gb.expectations(self.assignment, plan.question)
        return Tally.read(known) + Tally.of(expected, plan.job.marks, used)

    def _misjudged(self, plan: Plan, numbers: Sequence[int]) -> str:
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
        self, plan: Plan, state: QuestionState, suggestions: Sequence[Suggestion]
    ) -> QuestionSuggestions:
        said = [s for s in suggestions if s.awarded is not None]
        return replace(
            _result(plan, state),
            suggested=len(said),
            abstained=len(suggestions) - len(said),
            confident=sum(s.confidence >= CONFIDENT for s in said),
            notebook=self.course.relative(plan.kept),
        )


def _result(plan: Plan, state: QuestionState) -> QuestionSuggestions:
    return QuestionSuggestions(
        plan.question,
        state,
        answers=len(plan.job.answers),
        students=plan.students,
        marks=len(plan.job.marks),
        grader="" if state is QuestionState.MANUAL else plan.grader,
    )


def _suggestion(plan: Plan, line: SuggestionLine, source: str) -> Suggestion:
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
