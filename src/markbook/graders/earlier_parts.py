"""The parts that are kept of a run as arrays: numbers and JSON, never code."""

from __future__ import annotations

import json
from dataclasses import asdict, astuple, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from markbook.graders.guards import Guard
from markbook.graders.learning.cohort import Likeness
from markbook.graders.learning.features import Features, Read
from markbook.graders.meaning import Clues, Judgement
from markbook.graders.sense import Sense
from markbook.text.groups import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from markbook.graders.learning.texts import QuestionTexts

    Arrays = Mapping[str, np.ndarray]
    Looked = Sequence[tuple[Guard, dict[str, Judgement]]]

__all__ = [
    "pack_clusters",
    "pack_looked",
    "pack_read",
    "pack_senses",
    "unpack_clusters",
    "unpack_looked",
    "unpack_read",
    "unpack_senses",
]

_SPARSE = ("words", "letters", "reference_words", "reference_letters")
_DENSE = ("topics", "reference_topics", "meaning")
_JUDGED = tuple(each.name for each in fields(Judgement) if each.name not in {"note", "clues"})


def pack_looked(looked: Looked) -> Arrays:
    """Pack what words say of each answer; guards and notes, which are few, stand once each."""
    guards = _Table([state for state, _ in looked])
    notes = _Table([each.note for _, judged in looked for each in judged.values()])
    found = {
        "guards": [asdict(guard) for guard in guards.distinct],
        "of": guards.places,
        "notes": notes.distinct,
        "judged": [
            [
                [
                    name,
                    notes.place[each.note],
                    [getattr(each, field) for field in _JUDGED],
                    None if each.clues is None else astuple(each.clues),
                ]
                for name, each in judged.items()
            ]
            for _, judged in looked
        ],
    }
    return {"json": _from_json(found)}


def unpack_looked(
    arrays: Arrays, texts: Sequence[str], names: Iterable[str]
) -> list[tuple[Guard, dict[str, Judgement]]]:
    found = _to_json(arrays["json"])
    guards = [Guard(**(each | {"flags": tuple(each["flags"])})) for each in found["guards"]]
    notes = found["notes"]
    looked: list[tuple[Guard, dict[str, Judgement]]] = []
    for place, judged, text in zip(found["of"], found["judged"], texts, strict=True):
        each = {
            name: Judgement(
                **dict(zip(_JUDGED, values, strict=True)),
                note=notes[note],
                clues=None if clues is None else Clues(*clues),
            )
            for name, note, values, clues in judged
        }
        for one in each.values():
            _require(one.end is None or 0 <= (one.start or 0) < one.end <= len(text))
        looked.append((guards[place], each))
    wanted = set(names)
    _require(all(set(judged) == wanted for _, judged in looked))
    return looked


def pack_senses(senses: Mapping[str, Sense]) -> Arrays:
    """Pack one row for each criterion, in the order of their names."""
    return {
        field.name: np.array([getattr(senses[name], field.name) for name in sorted(senses)])
        for field in fields(Sense)
    }


def unpack_senses(arrays: Arrays, names: Iterable[str], count: int) -> dict[str, Sense]:
    order = sorted(names)
    for field in fields(Sense):
        _require(arrays[field.name].shape == (len(order), count))
    return {
        name: Sense(**{field.name: arrays[field.name][row] for field in fields(Sense)})
        for row, name in enumerate(order)
    }


def pack_read(read: Read) -> Arrays:
    """Pack features and places. No text can be read back: words and letters have no names."""
    found = {
        "names": np.array(read.features.names),
        "values": read.features.values,
        "limit": _from_json(read.limit),
    }
    for name in _SPARSE:
        table = getattr(read.places, name)
        found |= {f"{name}.{each}": getattr(table, each) for each in ("data", "indices", "indptr")}
        found[f"{name}.shape"] = np.array(table.shape)
    dense = {name: getattr(read.places, name) for name in _DENSE}
    return found | {name: table for name, table in dense.items() if table is not None}


def unpack_read(arrays: Arrays, texts: QuestionTexts, *, meant: bool) -> Read:
    n = len(texts.answers)
    names = tuple(arrays["names"].tolist())
    values = arrays["values"]
    _require(values.shape == (n, len(names)) and bool(np.isfinite(values).all()))
    _require(("meaning" in arrays) == meant)
    tables: dict[str, Any] = {name: arrays[name] for name in _DENSE if name in arrays}
    for name in _SPARSE:
        parts = tuple(arrays[f"{name}.{each}"] for each in ("data", "indices", "indptr"))
        tables[name] = sparse.csr_matrix(parts, shape=tuple(arrays[f"{name}.shape"].tolist()))
        tables[name].check_format(full_check=True)  # a place outside would be read from elsewhere
    _require(all(tables[name].shape[0] == n for name in ("words", "letters", "topics")))
    _require(not meant or tables["meaning"].shape[0] == n)
    limit = _to_json(arrays["limit"])
    _require(limit is None or isinstance(limit, str))
    return Read(texts, Features(names, values), Likeness(**tables), (limit,))


def pack_clusters(clusters: Sequence[Cluster], keys: Sequence[str]) -> Arrays:
    place = {key: number for number, key in enumerate(keys)}
    found = [
        [each.id, place[each.leader], [[place[key], each.likeness[key]] for key in each.members]]
        for each in clusters
    ]
    return {"json": _from_json(found)}


def unpack_clusters(arrays: Arrays, keys: Sequence[str]) -> tuple[Cluster, ...]:
    return tuple(
        Cluster(
            name,
            keys[leader],
            tuple(keys[place] for place, _ in members),
            {keys[place]: likeness for place, likeness in members},
        )
        for name, leader, members in _to_json(arrays["json"])
    )


class _Table:
    """Different values, each once, and where each of all stands."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.distinct = list(dict.fromkeys(values))
        self.place = {value: number for number, value in enumerate(self.distinct)}
        self.places = [self.place[value] for value in values]


def _from_json(value: object) -> np.ndarray:
    return np.frombuffer(json.dumps(value).encode(), np.uint8)


def _to_json(array: np.ndarray) -> Any:
    return json.loads(array.tobytes())


def _require(holds: bool) -> None:
    if not holds:
        raise ValueError("these are arrays of something else")
