"""What each request of the API does: ask ``markbook.marking``, and say it as JSON."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

from markbook.errors import StaleMark, StaleRubric, UnknownName
from markbook.server import views

if TYPE_CHECKING:
    from markbook.marking.desk import Desk
    from markbook.marking.rubric_edits import Edit
    from markbook.model import Mark, Rubric
    from markbook.server.wiring import Wiring

__all__ = ["Asked"]

Reply = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request about one question: by whom, and with which of ``markbook.server.bodies``."""

    wiring: Wiring
    desk: Desk
    marker: str
    body: Any
    search: str = ""


def question(asked: Asked) -> Reply:
    desk = asked.desk
    desk.refresh()
    return views.question_json(desk.question, desk.rubric, desk.cap)


def progress(asked: Asked) -> Reply:
    return views.progress_json(asked.desk.progress())


def comments(asked: Asked) -> Reply:
    return {"comments": list(asked.desk.comments(asked.search))}


def open_next(asked: Asked) -> Reply:
    return {"item": _next(asked, asked.body, asked.body.after)}


def item(asked: Asked, item_id: str) -> Reply:
    found = asked.desk.item(item_id, marker=asked.marker)
    return {"item": views.item_json(asked.desk, found, asked.marker)}


def open_item(asked: Asked, item_id: str) -> Reply:
    found = asked.desk.open(item_id, marker=asked.marker)
    return {"item": views.item_json(asked.desk, found, asked.marker)}


def mark(asked: Asked, item_id: str) -> Reply:
    body = asked.body
    saved = asked.desk.save(
        item_id,
        marker=asked.marker,
        earned=body.earned,
        adjustment=body.adjustment,
        reason=body.reason,
        comment=body.comment,
        row_version=body.row_version,
    )
    following = None if body.next is None else _next(asked, body.next, item_id)
    return {"saved": views.item_json(asked.desk, saved, asked.marker), "next": following}


def undo(asked: Asked, item_id: str) -> Reply:
    found = asked.desk.undo(item_id, marker=asked.marker)
    return {"item": views.item_json(asked.desk, found, asked.marker)}


def history(asked: Asked, item_id: str) -> Reply:
    return {"history": [asdict(line) for line in asked.desk.history(item_id)]}


def reveal(asked: Asked, item_id: str) -> Reply:
    return {"student": asked.desk.reveal(item_id, marker=asked.marker)}


def flag(asked: Asked, item_id: str) -> Reply:
    body = asked.body
    found = asked.desk.flag(item_id, marker=asked.marker, flagged=body.flagged, note=body.note)
    return {"item": views.item_json(asked.desk, found, asked.marker)}


def release(asked: Asked, item_id: str) -> Reply:
    asked.desk.release(item_id, asked.marker)
    return {}


def groups(asked: Asked) -> Reply:
    return {"groups": [views.group_json(group) for group in asked.desk.groups()]}


def mark_group(asked: Asked, group_id: str) -> Reply:
    body = asked.body
    result = asked.desk.save_group(
        group_id,
        marker=asked.marker,
        earned=body.earned,
        adjustment=body.adjustment,
        reason=body.reason,
        comment=body.comment,
        skip=body.skip,
    )
    return views.group_result_json(result)


def undo_group(asked: Asked) -> Reply:
    return {"undone": asked.desk.undo_group(asked.body.batch, marker=asked.marker)}


def preview(asked: Asked) -> Reply:
    from markbook.marking import rubric_edits

    desk, wiring = asked.desk, asked.wiring
    impact = rubric_edits.preview(
        wiring.course,
        wiring.gradebook(),
        desk.question.assignment,
        desk.question.id,
        _edits(asked),
        base_version=asked.body.base_version,
    )
    return views.impact_json(impact)


def apply(asked: Asked) -> Reply:
    from markbook.marking import rubric_edits

    desk, wiring = asked.desk, asked.wiring
    applied = rubric_edits.apply(
        wiring.course,
        wiring.gradebook(),
        desk.question.assignment,
        desk.question.id,
        _edits(asked),
        base_version=asked.body.base_version,
        marker=asked.marker,
    )
    desk.refresh()
    return {
        "question": views.question_json(desk.question, desk.rubric, desk.cap),
        "impact": views.impact_json(applied.impact),
        "back_fill": [views.back_fill_json(entry) for entry in applied.back_fill],
    }


def both(asked: Asked, error: StaleMark | StaleRubric, *ids: str) -> Reply:
    """Return what was sent and what is stored, for a person to choose between."""
    yours = asked.body.model_dump(exclude={"next"})
    if isinstance(error, StaleRubric):
        rubric = cast("Rubric | None", error.theirs)
        return {"yours": yours, "theirs": None if rubric is None else views.rubric_json(rubric)}
    told = {"yours": yours, "theirs": views.mark_json(cast("Mark | None", error.theirs))}
    if ids:
        with suppress(UnknownName):  # the id of a group, not of an answer
            told |= item(asked, ids[0])
    return told


def _next(asked: Asked, how: Any, after: str | None) -> Reply | None:
    found = asked.desk.open_next(
        asked.marker, after=after, by=how.by, only=how.only, backwards=how.backwards
    )
    return None if found is None else views.item_json(asked.desk, found, asked.marker)


def _edits(asked: Asked) -> list[Edit]:
    from markbook.marking.rubric_edits import Edit

    return [
        Edit(**edit.model_dump(exclude={"evidence"}), evidence=tuple(edit.evidence))
        for edit in asked.body.edits
    ]
