"""``markbook suggest``: grader notebooks suggest marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from markbook.cli import options, show
from markbook.cli.exits import ExitCode
from markbook.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from markbook.marking.first import QuestionFirst
    from markbook.suggest import SuggestReport

__all__ = ["announced", "command", "hint_once", "tell"]


@click.command("suggest")
@options.assignment_argument
@click.option("--question", "questions", multiple=True, help="Only this question (repeatable).")
@click.option("--force", is_flag=True, help="Run graders again although nothing changed.")
@click.option("--seed", default=0, show_default=True, help="Seed for graders that draw lots.")
@click.option(
    "--first",
    type=click.IntRange(min=1),
    metavar="N",
    help="Then list the N answers of each question that are the most useful to mark first.",
)
@click.option(
    "--suggester",
    metavar="NAME",
    help="Ask this outside model about what graders leave open, or none ('none').",
)
@options.common
@options.dry_run
def command(  # noqa: PLR0913  (a verb's options)
    assignment: str,
    questions: tuple[str, ...],
    force: bool,
    seed: int,
    first: int | None,
    suggester: str | None,
    course_path: Path | None,
    as_json: bool,
    dry_run: bool,
) -> int:
    """Run the grader notebook of each question of ASSIGNMENT and store what it suggests.

    A suggestion is never a mark: 'markbook mark' decides. The notebooks as run are kept under
    reports/<ASSIGNMENT>/graders/. A grader runs again when its answers, its rubric or the grader
    itself changed.
    """
    from markbook.gradebook import Gradebook
    from markbook.suggest import suggest

    course = options.open_course(course_path)
    course.require(assignment)
    with Gradebook.open(course) as gb, progress("suggesting", quiet=as_json) as on_event:
        report = suggest(
            course,
            gb,
            assignment,
            questions=questions or None,
            force=force,
            seed=seed,
            dry_run=dry_run,
            on_event=announced(on_event),
            suggester=suggester,
        )
        chosen = None
        if first is not None:
            from markbook.marking.first import first_to_mark

            chosen = first_to_mark(course, gb, assignment, first, questions or None)
    if as_json:
        listed = {} if chosen is None else {"first": [each.as_dict() for each in chosen]}
        show.json_out(report.as_dict() | listed)
    else:
        show.line(report.as_text())
        if chosen is not None:
            _show_first(assignment, chosen)
            show.line()
            show.line(report.tried.as_text())
    hint_once(report)
    return ExitCode.ATTENTION if report.needs_attention else ExitCode.DONE


def hint_once(report: SuggestReport) -> None:
    """Say on stderr that graders read words only, where they just did, and how to get more."""
    from markbook.suggest import QuestionState

    if any(question.state is QuestionState.SUGGESTED for question in report.questions):
        from markbook.graders.learning.semantic import semantic_hint

        if hint := semantic_hint():
            show.warn(hint)


def _show_first(assignment: str, chosen: Sequence[QuestionFirst]) -> None:
    if not chosen:
        show.line("\nNo answer waits for a person.")
    for each in chosen:
        why = "" if each.by == "design" else " (no expected scores: the least sure)"
        show.line(f"\n{each.question}: mark these first{why}, with")
        show.line(f"  markbook mark {assignment} --question {each.question}")
        rows = []
        for number, answer in enumerate(each.answers, start=1):
            said = "nothing expected"
            if answer.expected is not None:
                said = f"expected {answer.expected:.1f} ± {answer.sd:.1f} of {answer.cap:g}"
            who = show.count(answer.students, "student")
            flags = f"[{', '.join(answer.flags)}] " if answer.flags else ""
            rows.append((str(number), answer.id, said, who, flags + answer.start))
        show.listing(rows)


def announced(on_event: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return a listener that shows on stderr where answers go before any does."""
    from markbook.suggest import OutsideOpened

    def hear(event: Any) -> None:
        if isinstance(event, OutsideOpened):
            show.warn(event.notice if event.local else f"warning: {event.notice}")
        else:
            on_event(event)

    return hear


def tell(report: SuggestReport) -> None:
    """Print one line, and one for each refusal and failure."""
    states = [question.state.value for question in report.questions]
    parts = [f"{states.count(state)} {state}" for state in dict.fromkeys(states)]
    pairs = sum(question.suggested for question in report.questions)
    sure = sum(question.confident for question in report.questions)
    abstained = sum(question.abstained for question in report.questions)
    show.line(f"suggested   {show.count(len(states), 'question')}: {', '.join(parts)}")
    show.line(
        f"            {pairs} criteria suggested ({sure} at 0.9 or more), {abstained} abstained"
    )
    if report.outside is not None:
        for line in report.outside.as_text().splitlines():
            show.line(f"            {line}")
    for question in report.refused:
        show.line(f"  {question.question}: no score to rely on: {question.refused}")
    for question in report.failed:
        show.line(f"  {question.question}: failed: {question.reason}")
