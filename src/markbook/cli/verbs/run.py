"""``markbook run``: collect to feedback."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from markbook.cli import options, show
from markbook.cli.exits import ExitCode
from markbook.cli.progress import progress
from markbook.cli.verbs import autograde, collect, feedback, mark, stats, suggest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from markbook.autograde.values import Isolation
    from markbook.course import Course

__all__ = ["command"]

_BARS = {"autograde": "autograding", "suggest": "suggesting"}  # steps that take minutes


@click.command("run")
@options.assignment_argument
@collect.paper_options
@click.option("--exchange", is_flag=True, help="Collect from the nbgrader exchange first.")
@click.option("--accept", "rule", help="Turn the suggestions this rule covers into marks.")
@click.option("--marker", help="Who marks by that rule (default: the user of this machine).")
@autograde.grading_options
@options.common
@options.dry_run
def command(  # noqa: PLR0913  (a verb's options)
    assignment: str,
    first_papers: tuple[Path, ...],
    more_papers: tuple[Path, ...],
    student_from: str,
    exchange: bool,
    rule: str | None,
    marker: str | None,
    executor_name: str | None,
    workers: int | None,
    scheduler: str | None,
    engine: str,
    timeout: float | None,
    run_all: bool,
    isolation: Isolation | None,
    course_path: Path | None,
    as_json: bool,
    dry_run: bool,
) -> int:
    """Take ASSIGNMENT from what was handed in to feedback and the class report.

    Without --from and --exchange it goes on with what lies in submitted/. Run it again after
    anything, a kill included: what is done already is left as it is. The exit code is 1 while
    something waits for a person.
    """
    from markbook import workflow

    course = options.open_course(course_path)
    plan = workflow.Plan(
        assignment=course.require(assignment),
        papers=collect.papers_of(first_papers, more_papers),
        student_from=student_from,
        exchange=exchange,
        rule=rule,
        marker=marker,
        grading=autograde.options_of(engine, timeout, run_all, isolation),
    )
    if dry_run:
        return _plan(course, plan, as_json=as_json)
    with (
        autograde.open_workers(executor_name, workers, scheduler, engine, idle=False) as executor,
        ExitStack() as bars,
    ):
        teller = _silent if as_json else _teller(course, bars)
        result = workflow.run(course, plan, executor=executor, on_step=_announced(teller))
    suggest.hint_once(result.suggested)
    if as_json:
        show.json_out(_as_json(course, result))
    return ExitCode.ATTENTION if result.needs_attention else ExitCode.DONE


def _plan(course: Course, plan: Any, *, as_json: bool) -> int:
    """Say what the papers would become; the later steps depend on what is stored by then."""
    from markbook.collect import collect_papers

    if not plan.papers:
        submitted = course.students("submitted", plan.assignment)
        source = "the exchange" if plan.exchange else show.count(len(submitted), "submission")
        if as_json:
            show.json_out({"assignment": plan.assignment, "from": source, "dry_run": True})
        else:
            show.line(f"would run   {plan.assignment} on {source}")
        return ExitCode.DONE
    report = collect_papers(
        course, plan.assignment, plan.papers, student_from=plan.student_from, dry_run=True
    )
    if as_json:
        show.json_out({"collect": report.as_json(), "dry_run": True})
    else:
        collect.tell(report)
    return ExitCode.ATTENTION if report.needs_attention else ExitCode.DONE


def _announced(on_step: Callable[[str, Any], None]) -> Callable[[str, Any], None]:
    def hear(step: str, event: Any) -> None:
        suggest.announced(lambda other: on_step(step, other))(event)

    return hear


def _silent(_step: str, _event: Any) -> None:
    return


def _teller(course: Course, bars: ExitStack) -> Callable[[str, Any], None]:
    """Print each step's report when it is there; ``bars`` holds the bar of a long step."""
    from markbook.autograde import AutogradeReport
    from markbook.collect import CollectReport
    from markbook.feedback import FeedbackReport
    from markbook.gradebook.nbgrader import Exchanged
    from markbook.marking import AcceptReport
    from markbook.release import ReleaseResult
    from markbook.statistics import StatsReport
    from markbook.suggest import SuggestReport

    nothing = Exchanged(())
    tellers: dict[type[Any], Callable[[Any], None]] = {
        ReleaseResult: lambda r: show.line(
            f"released    {show.count(len(r.questions), 'question')}"
        ),
        CollectReport: collect.tell,
        Exchanged: lambda found: collect.tell_exchange(found) if found != nothing else None,
        AutogradeReport: autograde.tell,
        SuggestReport: suggest.tell,
        AcceptReport: mark.tell,
        FeedbackReport: lambda report: feedback.tell(course, report),
        StatsReport: lambda report: stats.tell(course, report),
    }

    shown: dict[str, Callable[[Any], None]] = {}

    def on_step(step: str, event: Any) -> None:
        tell = tellers.get(type(event))
        if tell is not None:
            bars.close()
            tell(event)
        elif step in _BARS:
            if step not in shown:
                shown[step] = bars.enter_context(progress(_BARS[step]))
            shown[step](event)

    return on_step


def _as_json(course: Course, result: Any) -> dict[str, Any]:
    return {
        "collect": result.collected.as_json() if result.collected is not None else None,
        "exchange": list(result.exchanged.students),
        "refused": collect.refused_as_json(result.exchanged),
        "autograde": autograde.as_json_value(result.graded),
        "suggest": result.suggested.as_dict(),
        "mark": mark.as_json_value(result.accepted) if result.accepted is not None else None,
        "feedback": feedback.as_json_value(course, result.feedback),
        "report": course.relative(result.report.page),
        "needs_attention": result.needs_attention,
    }
