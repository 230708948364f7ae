"""The terminal view of marking: one answer after another, names hidden.

It only shows and asks; every decision is made and stored by ``markbook.marking``.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from markbook.cli import show
from markbook.cli.exits import ExitCode
from markbook.errors import StaleMark, UsageError
from markbook.model import score
from markbook.text.controls import visible_plain

if TYPE_CHECKING:
    from markbook.marking import Item, MarkingQueue
    from markbook.model import Criterion, Suggestion

__all__ = ["mark_in_terminal"]

_SHOWN = 20_000  # characters of an answer: ten screens, and no terminal stands still over them

HELP = """\
  Enter        store what is ticked, and go on     s         skip, store nothing
  1 3 or 13    tick or untick criteria             a         tick what is suggested
  +0.5 why     adjust the score, with a reason     0         tick nothing
  c text       write a comment to the student      u         undo the last stored mark
  name         show whose answer it is             m         show the model answer
  ?            show this again                     q         stop; all is stored already"""


@dataclass
class _Draft:
    """What the marker has ticked and typed for the answer on the screen."""

    earned: set[str] = field(default_factory=set)
    adjustment: float = 0.0
    reason: str = ""
    comment: str = ""


def mark_in_terminal(queue: MarkingQueue) -> int:
    """Go through the queue until it is empty or the marker stops."""
    items = [item.id for item in (queue.items if _again(queue) else queue.waiting())]
    if not items:
        show.line("Nothing waits for a person.")
        return ExitCode.DONE
    show.line(f"{show.count(len(items), 'answer')} to mark. You mark as {queue.marker}.")
    show.line(HELP)
    position = 0
    while position < len(items):
        item = queue.item(items[position])
        _print(item, position + 1, len(items))
        step = _one(queue, item)
        if step is None:
            break
        position = max(0, position + step)
    left = len(queue.waiting())
    show.line(f"\n{show.count(left, 'answer')} left. What you stored is stored.")
    return ExitCode.ATTENTION if left else ExitCode.DONE


def _again(queue: MarkingQueue) -> bool:
    return any(item.why is None for item in queue.items)


def _one(queue: MarkingQueue, item: Item) -> int | None:
    """Handle one answer; return how far to move, or None to stop."""
    earlier = item.earlier
    draft = _Draft()
    if earlier is not None:
        draft = _Draft(set(earlier.earned), earlier.adjustment, earlier.reason, earlier.comment)
    while True:
        try:
            typed = click.prompt(_line(item, draft), default="", show_default=False).strip()
        except (click.Abort, EOFError):
            return None
        try:
            step = _command(queue, item, draft, typed)
        except (UsageError, StaleMark) as error:
            show.warn(f"  {error}")
            continue
        if step is not _STAY:
            return None if step is _STOP else step


_STAY, _STOP = -99, 99


def _command(queue: MarkingQueue, item: Item, draft: _Draft, typed: str) -> int:
    word, _, rest = typed.partition(" ")
    if typed == "":
        mark = queue.decide(
            item.id,
            earned=draft.earned,
            adjustment=draft.adjustment,
            reason=draft.reason,
            comment=draft.comment,
        )
        show.line(f"  stored: {mark.score:g} of {item.cap:g}")
        return 1
    if word in {"s", "q", "u"}:
        return _move(queue, word)
    _edit(queue, item, draft, word, rest)
    return _STAY


def _move(queue: MarkingQueue, word: str) -> int:
    if word == "s":
        return 1
    if word == "q":
        return _STOP
    undone = queue.undo()
    if undone is None:
        show.line("  there is nothing to undo in this sitting")
        return _STAY
    show.line("  undone")
    return -1


def _edit(queue: MarkingQueue, item: Item, draft: _Draft, word: str, rest: str) -> None:
    if word == "a":
        draft.earned = set(item.suggested)
    elif word == "0":
        draft.earned = set()
    elif word == "c":
        draft.comment = rest.strip()
    elif word == "m":
        model = item.question.model_answer.strip() or "There is no model answer."
        show.line(textwrap.indent(model, "  ┊ ", lambda _line: True))
    elif word == "name":
        show.line(f"  {visible_plain(queue.reveal(item.id))}")
    elif word[0] in "+-":
        draft.adjustment, draft.reason = _number(word), rest.strip()
    elif all(part.isdigit() for part in [word, *rest.split()]):
        _tick(item, draft, word + rest)
    else:
        show.line(HELP)


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise UsageError(
            f"{word!r} is not a number of points.", hint="Type '+0.5 why' or '-1 why'."
        ) from None


def _tick(item: Item, draft: _Draft, digits: str) -> None:
    criteria = _criteria(item)
    for digit in digits.replace(" ", ""):
        number = int(digit)
        if not 1 <= number <= len(criteria):
            raise UsageError(f"There is no criterion {number}; they go from 1 to {len(criteria)}.")
        draft.earned ^= {criteria[number - 1].id}


def _criteria(item: Item) -> tuple[Criterion, ...]:
    return item.rubric.criteria if item.rubric is not None else ()


def _print(item: Item, number: int, total: int) -> None:
    show.line()
    show.line(f"── {number} of {total} · {item.question.id} {'─' * 30}", bold=True)
    show.line(textwrap.indent(item.question.prompt.strip(), "  "))
    show.line()
    shown = visible_plain(item.text[:_SHOWN]).strip("\n")
    show.line(textwrap.indent(shown, "  │ ", lambda _line: True))
    if len(item.text) > _SHOWN:
        show.line(f"  The text goes on for {len(item.text) - _SHOWN:,} more characters.", dim=True)
    show.line()
    by_criterion = {suggestion.criterion: suggestion for suggestion in item.suggestions}
    for position, criterion in enumerate(_criteria(item), start=1):
        show.line(f"  {position}  {criterion.points:+g}  {criterion.says.strip()}")
        hint = _hint(by_criterion.get(criterion.id))
        if hint:
            show.line(f"         {hint}", dim=True)
    if item.why is not None:
        show.line(f"  waits: {item.why}", dim=True)


def _hint(suggestion: Suggestion | None) -> str:
    if suggestion is None:
        return ""
    if suggestion.awarded is None:
        return "no suggestion: the grader abstained"
    verdict = "earned" if suggestion.awarded else "not earned"
    where = f": “{visible_plain(suggestion.span)}”" if suggestion.span else ""
    return f"suggested: {verdict} ({suggestion.confidence:.2f}){where}"


def _line(item: Item, draft: _Draft) -> str:
    """Return the prompt: what is ticked, and what it is worth."""
    criteria = _criteria(item)
    ticked = " ".join(str(n) for n, c in enumerate(criteria, start=1) if c.id in draft.earned)
    if item.rubric is None:
        return "  no rubric"
    value = score(
        item.rubric, draft.earned, points=item.question.points, adjustment=draft.adjustment
    )
    extra = f", {draft.adjustment:+g} {draft.reason}" if draft.adjustment else ""
    comment = ", with a comment" if draft.comment else ""
    return f"  [{ticked or 'nothing ticked'}{extra}{comment}] {value:g} of {item.cap:g}"
