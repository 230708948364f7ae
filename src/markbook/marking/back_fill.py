"""Marked answers that a new criterion probably fits, for a person to look at again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.marking.items import item_id
from markbook.model import AnswerStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markbook.gradebook import Gradebook
    from markbook.graders.meaning import Judgement
    from markbook.model import Answer, Rubric

__all__ = ["BackFill", "back_fill"]

_PROBABLY = 0.5  # it is more likely than not that the answer earns the criterion


@dataclass(frozen=True, slots=True)
class BackFill:
    """A marked answer that may earn ``criterion`` and was never asked for it.

    ``probability`` in [0, 1] is a grader's, by the words; ``span`` is ``text[start:end]`` of the
    answer, empty where no single stretch says it.
    """

    criterion: str
    item: str
    probability: float
    span: str = ""
    start: int | None = None
    end: int | None = None
    note: str = ""


def back_fill(
    gb: Gradebook,
    assignment: str,
    rubric: Rubric,
    criteria: Sequence[str],
    *,
    prompt: str = "",
) -> tuple[BackFill, ...]:
    """Return the marked answers that probably earn one of ``criteria``, best first.

    Answers that changed since they were marked wait for a person anyway and are left out, as is
    everything of a rubric whose policy is ``manual``.
    """
    if not criteria or rubric.policy == "manual":
        return ()
    from markbook.graders.meaning import Meaning

    answers = [
        answer
        for answer in gb.answers(assignment, rubric.question)
        if answer.status is AnswerStatus.ANSWERED
    ]
    texts = {answer.hash: answer.text for answer in answers}
    marks = {mark.student: mark for mark in gb.marks(assignment, rubric.question)}
    marked = [a for a in answers if a.student in marks and marks[a.student].answer_hash == a.hash]
    meaning = Meaning.of(rubric, [texts[key] for key in sorted(texts)], prompt)
    judged = {key: meaning.judge(texts[key], criteria) for key in sorted({a.hash for a in marked})}
    found = [
        entry
        for answer in marked
        for entry in _fits(answer, judged[answer.hash], marks[answer.student].earned)
    ]
    return tuple(sorted(found, key=lambda entry: (-entry.probability, entry.criterion, entry.item)))


def _fits(
    answer: Answer, judged: dict[str, Judgement], earned: tuple[str, ...]
) -> Iterator[BackFill]:
    for criterion, said in judged.items():
        if criterion in earned or said.probability is None or said.probability < _PROBABLY:
            continue
        span = "" if said.start is None else answer.text[said.start : said.end]
        item = item_id(answer.assignment, answer.question, answer.student)
        yield BackFill(
            criterion, item, said.probability, span, said.start, said.end, note=said.note
        )
