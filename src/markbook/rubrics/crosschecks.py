"""What one place of a rubric says about another: ids that must exist, and exist once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markbook.rubrics.problems import Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markbook.rubrics.source import Source

__all__ = ["cross_checks"]


def cross_checks(source: Source) -> list[Problem]:
    """Return what contradicts itself in a rubric's values, however broken the rest is."""
    ids = _criterion_ids(source.data)
    return [
        *_duplicates(ids, source),
        *_pick_one(list(ids), source),
        *_exemplars(list(ids), source),
        *_floor(source),
    ]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _criterion_ids(data: dict[str, Any]) -> dict[str, list[int]]:
    """Return the indices at which each criterion id stands."""
    found: dict[str, list[int]] = {}
    for index, item in enumerate(_list(data.get("criteria"))):
        name = item.get("id") if isinstance(item, dict) else None
        if isinstance(name, str):
            found.setdefault(name, []).append(index)
    return found


def _duplicates(ids: dict[str, list[int]], source: Source) -> Iterator[Problem]:
    for name, indices in ids.items():
        for index in indices[1:]:
            first = source.line("criteria", indices[0], "id")
            what = f"the criterion id {name!r} is taken (line {first})."
            yield Problem(what, source.line("criteria", index, "id"), "Give each its own id.")


def _pick_one(ids: list[str], source: Source) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, group in enumerate(_list(source.data.get("pick_one"))):
        for position, name in enumerate(_list(group)):
            line = source.line("pick_one", index, position)
            if not isinstance(name, str):
                continue
            if name not in ids:
                what = f"pick_one names the criterion {name!r}, and there is none."
                yield Problem(what, line, did_you_mean(name, ids))
            elif name in seen:
                times = "twice in one list" if seen[name] == index else "in two lists"
                yield Problem(f"the criterion {name!r} stands {times} of pick_one.", line)
            seen.setdefault(name, index)


def _exemplars(ids: list[str], source: Source) -> Iterator[Problem]:
    for index, item in enumerate(_list(source.data.get("exemplars"))):
        earns = _list(item.get("earns")) if isinstance(item, dict) else []
        for position, name in enumerate(earns):
            if not isinstance(name, str):
                continue
            line = source.line("exemplars", index, "earns", position)
            if name not in ids:
                what = f"exemplar {index + 1} earns {name!r}, and there is no such criterion."
                yield Problem(what, line, did_you_mean(name, ids))
            elif name in earns[:position]:
                yield Problem(f"exemplar {index + 1} earns {name!r} twice.", line)


def _floor(source: Source) -> Iterator[Problem]:
    floor, cap = source.data.get("floor"), source.data.get("extra_credit")
    if not isinstance(floor, float) or not isinstance(cap, float):
        return
    if 0 < cap < floor:
        what = f"the floor ({floor:g}) is above the cap (extra_credit: {cap:g})."
        yield Problem(what, source.line("floor"))
