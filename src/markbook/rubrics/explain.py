"""Pydantic's findings in the words of someone who writes a rubric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markbook.rubrics.problems import Problem, did_you_mean
from markbook.rubrics.schema import CriterionFile, ExemplarFile, RubricFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_core import ErrorDetails

    from markbook.rubrics.source import Source

__all__ = ["explain", "where"]

_KEYS: dict[str, tuple[str, ...]] = {
    "rubric": tuple(RubricFile.model_fields),
    "criteria": tuple(CriterionFile.model_fields),
    "exemplars": tuple(ExemplarFile.model_fields),
}


def explain(detail: ErrorDetails, source: Source) -> Problem:
    """Return one finding of pydantic as a problem with its line."""
    place = detail["loc"]
    line = source.line(*place)
    message, hint = _MESSAGES.get(detail["type"], _other)(detail, source)
    return Problem(message, line, hint)


def where(place: tuple[str | int, ...], source: Source) -> str:
    """Return the place of a value in words: ``criterion 'a': evidence 2``."""
    words: list[str] = []
    rest = list(place)
    if len(rest) > 1 and rest[0] in {"criteria", "exemplars"} and isinstance(rest[1], int):
        words.append(_item(str(rest[0]), rest[1], source))
        rest = rest[2:]
    inner = " ".join(str(part + 1) if isinstance(part, int) else part for part in rest)
    return ": ".join([*words, inner] if inner else words)


def _item(kind: str, index: int, source: Source) -> str:
    items = source.data.get(kind)
    item = items[index] if isinstance(items, list) and index < len(items) else None
    name = item.get("id") if isinstance(item, dict) else None
    singular = "criterion" if kind == "criteria" else "exemplar"
    return f"{singular} {name!r}" if isinstance(name, str) else f"{singular} {index + 1}"


def _keys_at(place: tuple[str | int, ...]) -> tuple[str, ...]:
    kind = str(place[0]) if len(place) > 1 else "rubric"
    return _KEYS.get(kind, _KEYS["rubric"])


def _extra(detail: ErrorDetails, source: Source) -> tuple[str, str]:
    place = detail["loc"]
    outer = where(place[:-1], source)
    what = f"{outer + ': ' if outer else ''}there is no key {str(place[-1])!r}."
    return what, did_you_mean(str(place[-1]), _keys_at(place))


def _missing(detail: ErrorDetails, source: Source) -> tuple[str, str]:
    place = detail["loc"]
    outer = where(place[:-1], source) or "the rubric"
    return f"{outer} lacks the key {str(place[-1])!r}.", ""


def _needs(kind: str) -> Callable[[ErrorDetails, Source], tuple[str, str]]:
    def message(detail: ErrorDetails, source: Source) -> tuple[str, str]:
        value = detail["input"]
        what = f"{where(detail['loc'], source)} must be {kind}, and is {_named(value)}."
        return what, _advice(kind, value)

    return message


def _named(value: Any) -> str:
    if value is None:
        return "left empty"
    if isinstance(value, bool):
        return f"{str(value).lower()} (yes/no)"
    if isinstance(value, int | float):
        return f"the number {value:g}"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    return "a list" if isinstance(value, list) else "a mapping (key: value)"


def _advice(kind: str, value: Any) -> str:
    if kind == "text" and isinstance(value, int | float):
        return "Write it in quotes."
    if kind == "text" and isinstance(value, dict):
        return "Text with ': ' in it needs quotes around it."
    if kind == "a list" and isinstance(value, str):
        return f"Write [{value[:40]}], or a line '- {value[:40]}' below the key."
    if kind == "true or false" and isinstance(value, str):
        return "Write true or false, without quotes."
    if kind.endswith("number") and isinstance(value, str):
        return "Write a number, without quotes."
    return ""


def _literal(detail: ErrorDetails, source: Source) -> tuple[str, str]:
    key = str(detail["loc"][-1])
    legal = {"start": ("zero", "full"), "policy": ("assist", "manual")}.get(key, ())
    what = f"{where(detail['loc'], source)} cannot be {detail['input']!r}."
    return what, did_you_mean(str(detail["input"]), legal)


def _short(detail: ErrorDetails, source: Source) -> tuple[str, str]:
    place = detail["loc"]
    if place[0] == "pick_one":
        return f"{where(place, source)} needs at least two criterion ids to pick from.", ""
    return "criteria is empty.", "A rubric needs at least one criterion."


def _pattern(detail: ErrorDetails, source: Source) -> tuple[str, str]:
    what = f"{where(detail['loc'], source)} {str(detail['input'])[:40]!r} is not a legal id."
    return what, "Use letters, digits, '-', '_' and '.', at most 100, and no blanks."


def _limit(detail: ErrorDetails, source: Source) -> tuple[str, str]:
    context = detail.get("ctx", {})
    bound = f"at least {context['ge']:g}" if "ge" in context else f"at most {context['le']:g}"
    return f"{where(detail['loc'], source)} must be {bound}, and is {detail['input']:g}.", ""


def _empty(detail: ErrorDetails, source: Source) -> tuple[str, str]:
    return f"{where(detail['loc'], source)} is empty.", "Write something, or remove the line."


def _other(detail: ErrorDetails, source: Source) -> tuple[str, str]:
    return f"{where(detail['loc'], source)}: {detail['msg']}.", ""


_MESSAGES: dict[str, Callable[[ErrorDetails, Source], tuple[str, str]]] = {
    "extra_forbidden": _extra,
    "missing": _missing,
    "string_type": _needs("text"),
    "float_type": _needs("a number"),
    "finite_number": _needs("a finite number"),
    "list_type": _needs("a list"),
    "bool_type": _needs("true or false"),
    "model_type": _needs("a mapping with keys"),
    "literal_error": _literal,
    "too_short": _short,
    "string_pattern_mismatch": _pattern,
    "string_too_long": _pattern,
    "greater_than_equal": _limit,
    "less_than_equal": _limit,
    "value_error": _empty,
}
