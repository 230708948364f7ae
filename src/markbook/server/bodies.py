"""What requests may send: JSON of at most 256 kB, with the keys named here and no others.

A score is none of them: it follows from the criteria.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from markbook.errors import UsageError

__all__ = [
    "ApplyBody",
    "Body",
    "EmptyBody",
    "FlagBody",
    "GroupMarkBody",
    "MarkBody",
    "OpenBody",
    "PreviewBody",
    "UndoGroupBody",
    "parse",
]

# About ten printed pages: longer than any comment that a student reads.
_COMMENT = Annotated[str, Field(max_length=20_000)]
_LINE = Annotated[str, Field(max_length=1_000)]
_NAME = Annotated[str, Field(min_length=1, max_length=128)]
_NUMBER = Annotated[float, Field(allow_inf_nan=False)]
_NAMES = Annotated[list[_NAME], Field(max_length=200)]

By = Literal["shuffled", "useful"]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class EmptyBody(Body):
    """For requests that say all with their address."""


class NextBody(Body):
    by: By = "shuffled"
    only: Literal["open", "all"] = "open"
    backwards: bool = False


class OpenBody(NextBody):
    after: _NAME | None = None


class Decision(Body):
    earned: _NAMES
    adjustment: _NUMBER = 0.0
    reason: _LINE = ""
    comment: _COMMENT = ""


class MarkBody(Decision):
    """``next`` None: store only, for saving while a person goes on thinking."""

    row_version: Annotated[int, Field(ge=0, le=2**31)]
    next: NextBody | None = None


class GroupMarkBody(Decision):
    skip: Annotated[list[_NAME], Field(max_length=10_000)] = []


class UndoGroupBody(Body):
    batch: _NAME


class FlagBody(Body):
    flagged: bool
    note: _LINE = ""


class EditBody(Body):
    kind: Literal["add", "reword", "repoint", "remove"]
    criterion: _NAME
    says: _LINE = ""
    points: _NUMBER | None = None
    evidence: Annotated[list[_LINE], Field(max_length=100)] = []
    feedback: _COMMENT = ""


class PreviewBody(Body):
    edits: Annotated[list[EditBody], Field(min_length=1, max_length=200)]
    base_version: _NAME


class ApplyBody(PreviewBody):
    pass


Kind = TypeVar("Kind", bound=Body)


def parse(kind: type[Kind], raw: bytes) -> Kind:
    """Return the body as a value; ``UsageError`` says what is wrong with it."""
    try:
        value = json.loads(raw or b"{}", parse_constant=_refuse, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The request is not JSON: {error}.") from None
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        where = f" at {place!r}" if place else ""
        raise UsageError(f"The request is not as it should be{where}: {first['msg']}.") from None


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found
