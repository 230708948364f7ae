"""The strict reading of a reply: all that was asked for, as it was asked for, or none of it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markbook.graders.outside.base import Problem, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Verdict", "read_object", "read_reply"]

_KEYS = {"quote", "awarded", "confidence"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was said of one criterion; the evidence stands at ``start:end`` of the text as sent."""

    awarded: bool | None
    confidence: float
    start: int | None = None
    end: int | None = None


def read_reply(content: str, text: str, criteria: Sequence[str]) -> dict[str, Verdict] | Problem:
    """Return the verdicts by criterion, in the order of ``criteria``, or why none is taken.

    ``text`` is the answer as it was sent. A quote has to stand in it letter for letter; of several
    places the first is taken.
    """
    try:
        reply = read_object(content)
    except (ValueError, RecursionError) as error:
        return Problem(
            Reason.NOT_JSON, f"The reply is not one JSON object ({type(error).__name__})."
        )
    said = reply.get("criteria")
    if set(reply) != {"criteria"} or not isinstance(said, dict):
        return Problem(Reason.NOT_AS_ASKED, "The reply has not the one field 'criteria'.")
    if set(said) != set(criteria):
        return Problem(Reason.NOT_AS_ASKED, "The reply is not about exactly the rubric's criteria.")
    found: dict[str, Verdict] = {}
    for name in criteria:
        verdict = _verdict(name, said[name], text)
        if isinstance(verdict, Problem):
            return verdict
        found[name] = verdict
    return found


def read_object(content: str | bytes) -> dict[str, Any]:
    """Parse a JSON object; ``ValueError`` for anything else, NaN, or a key that stands twice."""
    found = json.loads(content, parse_constant=_no_constant, object_pairs_hook=_once)
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004  (as json itself does)
    return found


def _verdict(name: str, said: object, text: str) -> Verdict | Problem:
    if not isinstance(said, dict) or set(said) != _KEYS:
        return Problem(
            Reason.NOT_AS_ASKED, f"The verdict on {name!r} has not the fields asked for."
        )
    if problem := _bounds(name, said):
        return Problem(Reason.NOT_AS_ASKED, problem)
    quote, awarded, confidence = said["quote"], said["awarded"], float(said["confidence"])
    if quote is None:
        missing = Problem(Reason.NO_QUOTE, f"{name!r} is awarded without a quotation.")
        return missing if awarded else Verdict(awarded, confidence)
    if not any(letter.isalnum() for letter in quote):
        return Problem(Reason.NO_QUOTE, f"The quotation for {name!r} has no word in it.")
    start = text.find(quote)
    if start < 0:
        return Problem(
            Reason.QUOTE_NOT_FOUND, f"The quotation for {name!r} does not stand in the answer."
        )
    return Verdict(awarded, confidence, start, start + len(quote))


def _bounds(name: str, said: Mapping[str, Any]) -> str:
    quote, awarded, confidence = said["quote"], said["awarded"], said["confidence"]
    if quote is not None and not isinstance(quote, str):
        return f"The quotation for {name!r} is neither a text nor null."
    if awarded is not None and not isinstance(awarded, bool):
        return f"'awarded' of {name!r} is not true, false or null."
    number = isinstance(confidence, int | float) and not isinstance(confidence, bool)
    if not number or not 0 <= confidence <= 1 or not math.isfinite(confidence):
        return f"The confidence of {name!r} is not between 0 and 1."
    return ""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number of JSON")
