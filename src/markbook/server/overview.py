"""How far a course is, counted for the pages."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from markbook.marking import read_cases
from markbook.marking.cases import text_questions
from markbook.marking.progress import QuestionProgress, count
from markbook.text.render import render_markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.marking import Case
    from markbook.model import Question, Rubric

__all__ = ["histogram", "progress_row", "question_rows", "sum_rows"]

COUNTS = ("marked", "suggested", "waiting", "stale", "blank", "not_asked", "missing")
_BINS = 11


def question_rows(course: Course, gb: Gradebook, assignment: str) -> list[dict[str, Any]]:
    """Return a row per text question, in notebook order (see ``markbook.server.pages``)."""
    questions = text_questions(course, assignment)
    found: dict[str, list[Case]] = {question.id: [] for question in questions}
    for case in read_cases(course, gb, assignment):
        found[case.question.id].append(case)
    return [_row(course, question, found[question.id]) for question in questions]


def _row(course: Course, question: Question, cases: Sequence[Case]) -> dict[str, Any]:
    from markbook.rubrics import load_rubric

    path = course.rubric(question.assignment, question.id)
    rubric: Rubric | None = load_rubric(path) if path.is_file() else None
    cap = rubric.cap(question.points) if rubric is not None else question.points
    marks = [case.mark for case in cases if case.mark is not None]
    (progress,) = count([question.id], cases)
    return {
        "id": question.id,
        "prompt_html": render_markdown(question.prompt),
        "points": question.points,
        "cap": cap,
        "bonus": rubric.bonus if rubric is not None else False,
        "policy": rubric.policy if rubric is not None else "manual",
        "has_rubric": rubric is not None,
        "progress": progress_row(progress),
        "histogram": histogram([mark.score for mark in marks], cap),
        "markers": _markers(mark.marker for mark in marks),
    }


def progress_row(progress: QuestionProgress) -> dict[str, int]:
    row = {name: int(getattr(progress, name)) for name in COUNTS}
    return row | {"open": progress.open, "total": progress.total}


def sum_rows(rows: Iterable[dict[str, int]]) -> dict[str, int]:
    """Return the sum of progress rows."""
    total = dict.fromkeys((*COUNTS, "open", "total"), 0)
    for row in rows:
        for name in total:
            total[name] += row[name]
    return total


def _markers(names: Iterable[str]) -> list[dict[str, Any]]:
    return [{"name": name, "marked": number} for name, number in Counter(names).most_common()]


def histogram(scores: Sequence[float], cap: float) -> dict[str, Any]:
    """Return how many marks lie in each of equal steps from the lowest score or 0 to ``cap``."""
    low = min([0.0, *scores])
    high = max([cap, *scores])
    # Whole points are told apart while they fit; a bin then stands for its lower end alone.
    whole = all(float(score).is_integer() for score in scores) and float(high - low).is_integer()
    width = 1.0 if whole and high - low < _BINS else (high - low) / (_BINS - 1) or 1.0
    number = math.floor((high - low) / width + 1e-9) + 1
    bins = [0] * number
    for score in scores:
        bins[min(math.floor((score - low) / width + 1e-9), number - 1)] += 1
    return {
        "bins": [
            {"from": low + n * width, "to": min(low + (n + 1) * width, high), "marks": marks}
            for n, marks in enumerate(bins)
        ],
        "most": max(bins),
        "mean": math.fsum(scores) / len(scores) if scores else None,
        "cap": cap,
    }
