"""The course run, on one page: collect, autograde, suggest, accept, feedback, report.

Each step reads a hub (the answers, the gradebook) and writes a hub; none calls the next. Any of
them may be run alone, again, or after a kill: what is done already is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markbook import release
from markbook.autograde import autograde
from markbook.collect import collect_exchange, collect_papers
from markbook.errors import NotebookError
from markbook.feedback import write_feedback
from markbook.gradebook import Gradebook
from markbook.gradebook.nbgrader import Exchanged
from markbook.marking import accept
from markbook.notebooks import read_questions
from markbook.statistics import write_report
from markbook.suggest import suggest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from markbook.autograde import AutogradeReport, Options
    from markbook.collect import CollectReport
    from markbook.course import Course
    from markbook.feedback import FeedbackReport
    from markbook.marking import AcceptReport
    from markbook.statistics import StatsReport
    from markbook.suggest import SuggestReport

__all__ = ["Listener", "Plan", "Run", "run"]

Listener = "Callable[[str, Any], None]"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is asked to do.

    ``papers`` are taken in when there are any; otherwise, with ``exchange``, what students
    submitted there; otherwise what lies in ``submitted/`` is all there is. ``rule`` turns
    suggestions into marks of ``marker``; without one every suggestion waits for a person.
    ``grading`` says how submissions are graded, where that is not as the course says.
    """

    assignment: str
    papers: Sequence[Path] = ()
    student_from: str = "filename"
    exchange: bool = False
    rule: str | None = None
    marker: str | None = None
    grading: Options | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """What each step of a run reported."""

    collected: CollectReport | None
    exchanged: Exchanged
    graded: AutogradeReport
    suggested: SuggestReport
    accepted: AcceptReport | None
    feedback: FeedbackReport
    report: StatsReport

    @property
    def needs_attention(self) -> bool:
        """Tell whether a person has something to look at, to mend or to mark."""
        return bool(
            (self.collected is not None and self.collected.needs_attention)
            or self.exchanged.needs_attention
            or any(record.findings for record in self.graded.records)
            or self.suggested.needs_attention
            or self.feedback.waiting
            or self.feedback.problems
        )


def run(
    course: Course,
    plan: Plan,
    *,
    executor: Executor | None = None,
    on_step: Callable[[str, Any], None],
) -> Run:
    """Take an assignment from what students handed in to their feedback and the class report.

    Submissions are graded by ``executor``, by default in this thread.
    ``on_step`` hears each step's report (by name) as soon as it is there, and its events before.
    Raises what the steps raise when there is nothing they could do; one bad paper, submission or
    grader is a finding in its step's report, and the rest go on.
    """
    name = course.require(plan.assignment)

    def events_of(step: str) -> Callable[[Any], None]:
        return lambda event: on_step(step, event)

    with Gradebook.open(course) as gb:
        if not _is_released(course, gb, name):
            on_step("release", release.build(course, name))
        collected, exchanged = _collect(course, plan, events_of("collect"))
        on_step("collect", collected if collected is not None else exchanged)
        graded = autograde(
            course,
            gb,
            name,
            options=plan.grading,
            executor=executor,
            on_event=events_of("autograde"),
        )
        on_step("autograde", graded)
        suggested = suggest(course, gb, name, on_event=events_of("suggest"))
        on_step("suggest", suggested)
        accepted = accept(course, gb, name, plan.rule, marker=plan.marker) if plan.rule else None
        on_step("mark", accepted)
        feedback = write_feedback(course, gb, name, on_event=events_of("feedback"))
        on_step("feedback", feedback)
        report = write_report(course, gb, name)
        on_step("stats", report)
    return Run(collected, exchanged, graded, suggested, accepted, feedback, report)


def _collect(
    course: Course, plan: Plan, on_event: Callable[[Any], None]
) -> tuple[CollectReport | None, Exchanged]:
    if plan.papers:
        papers = collect_papers(
            course,
            plan.assignment,
            plan.papers,
            student_from=plan.student_from,
            on_event=on_event,
        )
        return papers, Exchanged(())
    if plan.exchange:
        return None, collect_exchange(course, plan.assignment)
    return None, Exchanged(())


def _is_released(course: Course, gb: Gradebook, assignment: str) -> bool:
    """Tell whether the gradebook has all of the release.

    nbgrader stores it piece by piece: a run that was killed meanwhile leaves a part of it.
    """
    if not gb.released(assignment):
        return False
    try:
        asked = read_questions(course.release(assignment), assignment)
    except NotebookError:  # which the steps tell
        return True
    kept = {(book.name, cell.id) for book in gb.master(assignment) for cell in book.cells}
    return {(question.notebook, question.id) for question in asked} <= kept
