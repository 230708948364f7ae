"""From the gradebook's values to one student's page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from markbook.feedback.executed import Executed
from markbook.feedback.results import read_result
from markbook.feedback.views import (
    CriterionLine,
    FurtherCell,
    ItemView,
    State,
    StudentPage,
    TestLine,
    tally,
)
from markbook.model import AnswerStatus, counted
from markbook.notebooks import NBGRADERS, Delimiters
from markbook.text.controls import visible
from markbook.text.outputs import Allowance, render_outputs
from markbook.text.render import highlight, render_markdown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markbook.feedback.executed import Cell
    from markbook.feedback.plan import Item, Notebook
    from markbook.model import Answer, Criterion, Grade, Mark, Rubric, Suggestion

__all__ = ["Class", "build_page"]

_UNANSWERED = {
    AnswerStatus.BLANK: State.BLANK,
    AnswerStatus.NOT_ASKED: State.NOT_ASKED,
    AnswerStatus.MISSING: State.MISSING,
}


@dataclass(frozen=True, slots=True)
class Class:
    """The gradebook's values of one assignment, looked up by (student, question).

    ``suggestions`` are looked up by (question, answer hash), ``rubrics`` by version, and
    ``current`` holds today's rubrics by question, where there are any: a question of 0 points
    can be a bonus, and only its rubric knows what it can earn.
    """

    course: str
    assignment: str
    answers: Mapping[tuple[str, str], Answer]
    marks: Mapping[tuple[str, str], Mark]
    grades: Mapping[tuple[str, str], Grade]
    suggestions: Mapping[tuple[str, str], Sequence[Suggestion]]
    rubrics: Mapping[str, Rubric | None]
    current: Mapping[str, Rubric]
    show_model_answers: bool = False
    delimiters: Delimiters = NBGRADERS  # of hidden tests


def build_page(room: Class, notebook: Notebook, student: str, run: Executed | None) -> StudentPage:
    """Make one student's page of one notebook; ``run`` is the autograded notebook, if any."""
    outputs = _Outputs(room, notebook, run or Executed())
    items = tuple(
        _code_item(room, item, student, outputs)
        if item.is_code
        else _text_item(room, item, student, outputs)
        for item in notebook.items
    )
    return StudentPage(
        course=room.course,
        assignment=room.assignment,
        title=notebook.title,
        student=student,
        items=items,
        written=tally(tuple(i for i in items if not i.is_code and not i.bonus)),
        code=tally(tuple(i for i in items if i.is_code)),
        extra=tally(tuple(i for i in items if i.bonus)),
    )


# --- questions in words ------------------------------------------------------------------------


def _text_item(room: Class, item: Item, student: str, outputs: _Outputs) -> ItemView:
    question = item.questions[0]
    answer = room.answers.get((student, question.id))
    mark = room.marks.get((student, question.id))
    rubric = room.rubrics.get(mark.rubric_version) if mark else None
    known = rubric or (room.current.get(question.id) if question.points == 0 else None)
    state = _state(answer, mark)
    more: dict[str, Any] = {}
    # Of an answer that is none the page says so, and shows no text.
    if answer is not None and state not in _UNANSWERED.values():
        if item.in_code:
            more = outputs.shown_with(question.id)
        if state is State.MARKED and mark:
            more |= _marked(room, answer, mark, rubric, typed=item.in_code)
        else:
            more["answer"] = Markup(highlight(answer.text, (), typed=item.in_code))
    return ItemView(
        number=item.number,
        id=question.id,
        title=item.title,
        prompt=_markdown(item.prompt),
        state=state,
        score=mark.score if mark else 0.0,
        possible=known.cap(question.points) if known else question.points,
        bonus=known.bonus if known else question.points == 0,
        model_answer=_markdown(question.model_answer if room.show_model_answers else ""),
        typed=item.in_code,
        **more,
    )


def _state(answer: Answer | None, mark: Mark | None) -> State:
    if answer is None:
        return State.MISSING
    if mark is not None:
        return State.MARKED if mark.answer_hash == answer.hash else State.STALE
    return _UNANSWERED.get(answer.status, State.WAITING)


def _marked(
    room: Class, answer: Answer, mark: Mark, rubric: Rubric | None, *, typed: bool
) -> dict[str, Any]:
    """Return what a view says of how an answer was marked, and the answer."""
    lines: tuple[CriterionLine, ...] = ()
    spans: list[tuple[int, int, str]] = []
    labels: dict[str, str] = {}
    if rubric is not None:
        known = {criterion.id for criterion in rubric.criteria}
        counts = counted(rubric, [earned for earned in mark.earned if earned in known])
        earned = {criterion.id for criterion in counts}
        spans = _evidence(room, answer, earned)
        with_spans = {criterion for _, _, criterion in spans}
        order = [c.id for c in rubric.criteria if c.id in with_spans]
        labels = {criterion: str(n) for n, criterion in enumerate(order, start=1)}
        lines = _criteria(rubric, earned, labels)
    return {
        "answer": Markup(highlight(answer.text, spans, labels=labels, typed=typed)),
        "criteria": lines,
        "starts_full": rubric is not None and rubric.start == "full",
        "adjustment": mark.adjustment,
        "reason": mark.reason,
        "comment": _markdown(mark.comment),
    }


def _evidence(room: Class, answer: Answer, earned: set[str]) -> list[tuple[int, int, str]]:
    """Return the passages behind the criteria that count in the mark."""
    return [
        (found.start, found.end, found.criterion)
        for found in room.suggestions.get((answer.question, answer.hash), ())
        if found.awarded
        and found.criterion in earned
        and found.start is not None
        and found.end is not None
        and answer.text[found.start : found.end] == found.span
    ]


def _criteria(
    rubric: Rubric, earned: set[str], labels: Mapping[str, str]
) -> tuple[CriterionLine, ...]:
    """Return what was earned and lost, and the ways to more that were missed.

    A misconception shows only when the answer has it. Of alternatives only the one that counts
    shows, or when none was earned the one worth most.
    """
    lines: list[CriterionLine] = []
    for criterion in rubric.criteria:
        if criterion.id in earned:
            lost = criterion.points < 0
            lines.append(
                CriterionLine(
                    "lost" if lost else "earned",
                    criterion.says,
                    criterion.points,
                    _markdown(criterion.feedback) if lost else Markup(),
                    labels.get(criterion.id, ""),
                )
            )
        elif criterion.points > 0 and not _has_alternative(rubric, criterion, earned):
            advice = _markdown(criterion.feedback)
            lines.append(CriterionLine("missed", criterion.says, criterion.points, advice))
    return tuple(lines)


def _has_alternative(rubric: Rubric, criterion: Criterion, earned: set[str]) -> bool:
    for group in rubric.pick_one:
        if criterion.id in group:
            best = max((c for c in rubric.criteria if c.id in group), key=lambda c: c.points)
            if earned.intersection(group) or best is not criterion:
                return True
    return False


# --- exercises in code --------------------------------------------------------------------------


# A notebook with more cells of one's own beside one answer is a notebook to open, not to print.
_FURTHER = 10


# Characters; no exercise is a tenth of it.
_CODE = 100_000


class _Outputs:
    """What the code of one notebook wrote, as far as one page may show it."""

    def __init__(self, room: Class, notebook: Notebook, run: Executed) -> None:
        self.run = run
        self._allowance = Allowance()
        models_too = not room.show_model_answers
        self._hides = notebook.secrets.keeper(run.sources, models_too=models_too)

    def shown_with(self, name: str) -> dict[str, Any]:
        """Return what a view says of what a code cell's answer wrote, and cells behind it."""
        answer = self.run.answers.get(name)
        if answer is None:
            return {}
        output = self._render(answer)
        own = [cell for cell in self.run.further.get(name, ()) if cell.outputs]
        further = [FurtherCell(_code(cell.source), self._render(cell)) for cell in own[:_FURTHER]]
        return {
            "output": output,
            "further": tuple(cell for cell in further if cell.output),
            "further_left_out": max(0, len(own) - _FURTHER),
        }

    def _render(self, cell: Cell) -> Markup:
        if not cell.outputs:
            return Markup()
        return Markup(render_outputs(cell.outputs, self._allowance, hides=self._hides))


def _code_item(room: Class, item: Item, student: str, outputs: _Outputs) -> ItemView:
    written = room.answers.get((student, item.questions[0].id))
    cells = outputs.run.tests
    tests: list[TestLine] = []
    for question in item.questions:
        grade, cell = room.grades.get((student, question.id)), cells.get(question.id)
        earned = grade.score if grade else 0.0
        full = earned >= question.points
        result = None
        if cell is not None and grade:
            result = read_result(cell, full_marks=full, delimiters=room.delimiters)
        tests.append(TestLine(earned, question.points, result))
    graded = all((student, question.id) in room.grades for question in item.questions)
    waits = any(
        room.grades[student, question.id].needs_marking
        for question in item.questions
        if (student, question.id) in room.grades
    )
    state = State.NOT_RUN if not graded else State.WAITING if waits else State.TESTED
    score = sum(line.score for line in tests)
    more: dict[str, Any] = {}
    untouched = _UNANSWERED.get(written.status) if written else None
    if untouched is not None and state is State.TESTED and score == 0:
        # The released code and its failing tests would fill a screen and say nothing more.
        state = untouched
    else:
        more = {"code": _code(written.text) if written else Markup(), "tests": tuple(tests)}
        more |= outputs.shown_with(item.answer)
    return ItemView(
        number=item.number,
        id=item.answer,
        title=item.title,
        prompt=_markdown(item.prompt),
        state=state,
        score=score,
        possible=item.points,
        model_code=item.questions[0].model_answer if room.show_model_answers else "",
        is_code=True,
        **more,
    )


def _code(text: str) -> Markup:
    """Return code as it was typed, hidden characters made visible."""
    rest = len(text) - _CODE
    more = f"\n… and {rest:,} more characters" if rest > 0 else ""
    return Markup(visible(text[:_CODE]) + more)


# Prompts, advice and model answers are the same for all students, and many comments are.
@lru_cache(maxsize=1024)
def _markdown(text: str) -> Markup:
    return Markup(render_markdown(text)) if text.strip() else Markup()
