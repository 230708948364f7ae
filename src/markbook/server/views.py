"""What answers look like as JSON. Every HTML in them is clean (see ``markbook.text.render``)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from markbook.text.render import SHOWN, highlight, render_markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markbook.marking.desk import Desk
    from markbook.marking.desk_groups import Group, GroupResult
    from markbook.marking.desk_items import DeskItem, DeskProgress, ExpectedScore
    from markbook.marking.rubric_edits import BackFill, Impact
    from markbook.model import Mark, Question, Rubric, Suggestion

__all__ = ["item_json", "mark_json", "question_json", "rubric_json"]


def item_json(desk: Desk, item: DeskItem, marker: str) -> dict[str, Any]:
    """Return an answer for the page. Blind: nothing in it says whose it is."""
    return {
        "id": item.id,
        "html": _evidence(item.text, item.suggestions),
        "text": item.text[:SHOWN],
        "typed": highlight(item.text, (), typed=True),
        "row_version": item.row_version,
        "status": str(item.status),
        "stale": item.stale,
        "situation": str(item.situation),
        "why": str(item.why) if item.why is not None else None,
        "flagged": item.flagged,
        "flag_note": item.flag_note,
        "mark": mark_json(item.mark),
        "suggestions": [_suggestion(suggestion) for suggestion in item.suggestions],
        "expected": _expected(item.expected),
        "group": item.group,
        "similar": [_similar(desk, other, like, marker) for other, like in item.similar],
        "position": item.position,
        "total": item.total,
        "leased_to": item.leased_to,
    }


def mark_json(mark: Mark | None) -> dict[str, Any] | None:
    """Return a mark for the page; the student is left out."""
    if mark is None:
        return None
    return {
        "earned": list(mark.earned),
        "adjustment": mark.adjustment,
        "reason": mark.reason,
        "comment": mark.comment,
        "marker": mark.marker,
        "score": mark.score,
        "marked_at": mark.marked_at,
        "row_version": mark.row_version,
        "rubric_version": mark.rubric_version,
    }


def question_json(question: Question, rubric: Rubric, cap: float) -> dict[str, Any]:
    """Return what is asked and by what it is marked."""
    return {
        "id": question.id,
        "assignment": question.assignment,
        "points": question.points,
        "cap": cap,
        "prompt_html": render_markdown(question.prompt),
        "model_answer_html": render_markdown(rubric.model_answer or question.model_answer),
        **rubric_json(rubric),
    }


def rubric_json(rubric: Rubric) -> dict[str, Any]:
    return {
        "version": rubric.version,
        "criteria": [
            {
                "id": criterion.id,
                "points": criterion.points,
                "says": criterion.says,
                "evidence": list(criterion.evidence),
                "feedback": criterion.feedback,
            }
            for criterion in rubric.criteria
        ],
        "exemplars": [
            {"text": e.text, "html": render_markdown(e.text), "earns": list(e.earns)}
            for e in rubric.exemplars
        ],
        "pick_one": [list(ids) for ids in rubric.pick_one],
        "start": rubric.start,
        "floor": rubric.floor,
        "bonus": rubric.bonus,
        "policy": rubric.policy,
        "public": rubric.public,
    }


def impact_json(impact: Impact) -> dict[str, Any]:
    """Return what an edit of the rubric does to the marks."""
    return {
        "rubric": rubric_json(impact.rubric),
        "base_version": impact.base_version,
        "changes": [asdict(change) for change in impact.changes],
        "moved": impact.moved,
        "left": [asdict(left) for left in impact.left],
        "students": impact.students,
        "total": impact.total,
        "notes": list(impact.notes),
    }


def back_fill_json(found: BackFill) -> dict[str, Any]:
    """Return a marked answer that probably earns a new criterion."""
    return asdict(found)


def progress_json(progress: DeskProgress) -> dict[str, Any]:
    """Return the counts of one question; "open" is what waits for a person."""
    return asdict(progress) | {"open": progress.open, "total": progress.total}


def group_json(group: Group) -> dict[str, Any]:
    """Return a group without its members' texts: there may be thousands."""
    waiting = set(group.open)
    return {
        "id": group.id,
        "size": group.size,
        "identical": all(likeness == 1 for likeness in group.likeness.values()),
        "html": highlight(group.text, ()),
        "members": [
            {"id": name, "likeness": group.likeness[name], "open": name in waiting}
            for name in group.members
        ],
        "outliers": list(group.outliers),
        "open": len(group.open),
    }


def group_result_json(result: GroupResult) -> dict[str, Any]:
    """Return what became of a group's members; every list is of item ids."""
    return {
        "batch": result.batch,
        "saved": list(result.saved),
        "unchanged": list(result.unchanged),
        "left": list(result.left),
        "skipped": list(result.skipped),
    }


def _suggestion(suggestion: Suggestion) -> dict[str, Any]:
    return {
        "criterion": suggestion.criterion,
        "awarded": suggestion.awarded,
        "confidence": suggestion.confidence,
        "span": suggestion.span,
        "note": suggestion.note,
    }


def _expected(expected: ExpectedScore | None) -> dict[str, Any] | None:
    if expected is None:
        return None
    return asdict(expected) | {"flags": [name.replace("-", " ") for name in expected.flags]}


def _similar(desk: Desk, item_id: str, likeness: float, marker: str) -> dict[str, Any]:
    other = desk.item(item_id, marker=marker)
    return {
        "id": item_id,
        "likeness": likeness,
        "html": highlight(other.text, ()),
        "mark": mark_json(other.mark),
    }


def _evidence(text: str, suggestions: Iterable[Suggestion]) -> str:
    spans: Sequence[tuple[int, int, str]] = [
        (s.start, s.end, s.criterion)
        for s in suggestions
        if s.awarded and s.start is not None and s.end is not None
    ]
    return highlight(text, spans)
