"""The schema in which values cross between a clean process and the student's: JSON, no pickle.

A value crosses when its type is exactly one of these (a subclass may lie about itself, and is a
reference to an object like any other): None, bool, int, float, complex, str, bytes, bytearray,
list, tuple, dict, set, frozenset, range, slice, Ellipsis, NotImplemented, the types of datetime,
Decimal, Fraction, deque, Counter, OrderedDict, defaultdict, named tuples, dict views, numpy's
scalars and arrays. What is read is checked as it is read; nothing in it can run code.

Containers that can change have numbers within one exchange (``Table``), so that the same list
twice is the same list twice over there, and what was changed there can be changed here.
"""

from __future__ import annotations

import base64
import collections
import math
import sys
from typing import TYPE_CHECKING, Any, Protocol

from markbook.kernels.examiner.plain import (
    READERS,
    WRITERS,
    NoValueError,
    TooMuchError,
    expect,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Codec", "NoValueError", "References", "Table", "TooMuchError"]

_DEPTH = 100  # levels of containers; deeper ones are rather loops that a student made
_NODES = 1_000_000  # values in one exchange; JSON of some 10 MB

_PLAIN = frozenset({type(None), bool, str})
_VIEWS = {type({}.keys()): "keys", type({}.values()): "values", type({}.items()): "items"}
_DTYPES = "biufcMmSU"  # kinds of numpy's types whose bytes say all


class References(Protocol):
    """What a side makes of objects that do not cross: references in both directions."""

    def refer(self, value: Any, table: Table) -> list[Any]:
        """Return JSON that stands for the object."""

    def resolve(self, node: list[Any], table: Table) -> Any:
        """Return what the other side's reference is here. Raises ``NoValueError``."""


class Table:
    """The containers of one exchange, by number, and how much may still cross."""

    def __init__(self) -> None:
        self.objects: list[Any] = []
        self.numbers: dict[int, int] = {}
        self.left = _NODES

    def add(self, value: Any) -> int:
        """Number a container; it lives as long as the table."""
        self.numbers[id(value)] = len(self.objects)
        self.objects.append(value)
        return len(self.objects) - 1

    def spend(self, depth: int) -> None:
        """Count a value. Raises ``TooMuchError``."""
        self.left -= 1
        if self.left < 0 or depth > _DEPTH:
            raise TooMuchError("it is too large, or too deep, to be looked at elsewhere")


class Codec:
    """Turns values into JSON and back; ``references`` takes what is no value."""

    def __init__(self, references: References) -> None:
        self.references = references

    # -- to JSON

    def encode(self, value: Any, table: Table, depth: int = 0) -> Any:
        """Return the JSON of a value, or of a reference to it. Raises ``TooMuchError``."""
        table.spend(depth)
        kind = type(value)
        if kind in _PLAIN:
            return value
        plain = WRITERS.get(kind)
        node = plain(value) if plain is not None else None
        if node is not None:
            return node
        if kind is tuple:
            return ["tuple", [self.encode(item, table, depth + 1) for item in value]]
        if kind in _CONTENTS:
            return self._numbered(value, table, depth)
        return self._rarer(value, table, depth)

    def _numbered(self, value: Any, table: Table, depth: int) -> list[Any]:
        number = table.numbers.get(id(value))
        if number is not None:
            return ["#", number]
        number = table.add(value)
        return [_CONTENTS[type(value)], number, self.content(value, table, depth)]

    def content(self, value: Any, table: Table, depth: int = 0) -> Any:
        """Return the JSON of what a numbered container holds."""
        kind = type(value)
        if kind is bytearray:
            return base64.b64encode(value).decode()
        if kind in _MAPPINGS:
            pairs = [
                [self.encode(k, table, depth + 1), self.encode(v, table, depth + 1)]
                for k, v in value.items()
            ]
            if kind is collections.defaultdict:
                return [self.encode(value.default_factory, table, depth + 1), pairs]
            return pairs
        items = [self.encode(item, table, depth + 1) for item in value]
        return [value.maxlen, items] if kind is collections.deque else items

    def _rarer(self, value: Any, table: Table, depth: int) -> Any:
        kind = type(value)
        if kind is frozenset:
            return ["frozenset", [self.encode(item, table, depth + 1) for item in value]]
        if kind is slice:
            parts = (value.start, value.stop, value.step)
            return ["slice", [self.encode(part, table, depth + 1) for part in parts]]
        if kind in _VIEWS:
            if kind is type({}.items()):
                pairs = [[self.encode(x, table, depth + 1) for x in pair] for pair in value]
                return ["items", pairs]
            return [_VIEWS[kind], [self.encode(item, table, depth + 1) for item in value]]
        if kind.__bases__ == (tuple,) and _is_named(kind):
            items = [self.encode(item, table, depth + 1) for item in tuple.__iter__(value)]
            return ["named", kind.__name__, list(kind._fields), items]
        found = self._numpy(value, table, depth)
        return found if found is not None else self.references.refer(value, table)

    def _numpy(self, value: Any, table: Table, depth: int) -> Any:
        numpy: Any = sys.modules.get("numpy")
        if numpy is None or not hasattr(numpy, "ndarray"):
            return None
        kind = type(value)
        if kind is numpy.ndarray:
            return self._array(value, table, depth)
        if kind.__module__ == "numpy" and issubclass(kind, numpy.generic):
            scalar = numpy.asarray(value)
            if type(scalar[()]) is kind and scalar.dtype.kind in _DTYPES:
                return ["scalar", scalar.dtype.str, base64.b64encode(scalar.tobytes()).decode()]
        return None

    def _array(self, value: Any, table: Table, depth: int) -> Any:
        if value.dtype.kind not in _DTYPES and value.dtype != object:
            return None
        number = table.numbers.get(id(value))
        if number is not None:
            return ["#", number]
        number = table.add(value)
        return ["array", number, self.array_content(value, table, depth)]

    def held(self, value: Any, table: Table) -> Any:
        """Return the JSON of what a numbered container or array holds."""
        is_array = type(value).__name__ == "ndarray"
        return self.array_content(value, table) if is_array else self.content(value, table)

    def array_content(self, value: Any, table: Table, depth: int = 0) -> Any:
        """Return the JSON of an array's shape and numbers."""
        if value.dtype == object:
            items = [self.encode(item, table, depth + 1) for item in value.ravel().tolist()]
            return ["O", list(value.shape), items]
        if value.nbytes > 8 * _NODES:
            raise TooMuchError("it is too large to be looked at elsewhere")
        text = base64.b64encode(value.tobytes()).decode()
        return [value.dtype.str, list(value.shape), text]

    # -- from JSON

    def decode(self, node: Any, table: Table, depth: int = 0) -> Any:
        """Return the value that JSON stands for. Raises ``NoValueError`` and ``TooMuchError``."""
        table.spend(depth)
        kind = type(node)
        if kind in _PLAIN or kind is int or kind is float:
            return node
        if kind is not list or not node or type(node[0]) is not str:
            raise NoValueError("no value")
        try:
            return self._read(node, table, depth)
        except (NoValueError, TooMuchError, RecursionError):
            raise
        except (TypeError, ValueError, KeyError, IndexError, ArithmeticError, AttributeError) as e:
            raise NoValueError(f"no {node[0][:20]}") from e

    def _read(self, node: list[Any], table: Table, depth: int) -> Any:
        tag = node[0]
        if tag == "tuple":
            return tuple(self._items(node[1], table, depth))
        if tag == "#":
            return table.objects[_index(node[1])]
        if tag in _EMPTY:
            value = _EMPTY[tag]()
            if tag == "deque":
                value = collections.deque(maxlen=node[2][0])
            expect(_index(node[1]) == table.add(value))
            self.fill(value, node[2], table, depth)
            return value
        reader = READERS.get(tag)
        return reader(node) if reader is not None else self._read_rarer(node, table, depth)

    def _read_rarer(self, node: list[Any], table: Table, depth: int) -> Any:
        tag = node[0]
        if tag in ("frozenset", "slice", "keys", "values"):
            return _COLLECTED[tag](self._items(node[1], table, depth))
        if tag == "items":
            return dict(self._pairs(node[1], table, depth)).items()
        if tag == "named":
            return self._named(node, table, depth)
        if tag in ("array", "scalar"):
            return self._numpy_value(node, table, depth)
        return self.references.resolve(node, table)

    def fill(self, value: Any, content: Any, table: Table, depth: int = 0) -> None:
        """Replace what a container holds by what JSON says."""
        kind = type(value)
        if kind is bytearray:
            value[:] = base64.b64decode(content, validate=True)
            return
        if kind.__name__ == "ndarray":
            value[...] = self._array_value(content, table, depth)
            return
        if kind is collections.defaultdict:
            value.default_factory = self.decode(content[0], table, depth + 1)
            content = content[1]
        if kind is collections.deque:
            content = content[1]
        if kind in _MAPPINGS:
            pairs = self._pairs(content, table, depth)
            value.clear()
            for key, item in pairs:
                value[key] = item
            return
        items = self._items(content, table, depth)
        value.clear()
        if kind is set:
            value.update(items)
        else:
            value.extend(items)

    def _items(self, nodes: Any, table: Table, depth: int) -> list[Any]:
        expect(type(nodes) is list)
        return [self.decode(node, table, depth + 1) for node in nodes]

    def _pairs(self, nodes: Any, table: Table, depth: int) -> list[tuple[Any, Any]]:
        expect(type(nodes) is list)
        return [
            (self.decode(k, table, depth + 1), self.decode(v, table, depth + 1)) for k, v in nodes
        ]

    def _named(self, node: list[Any], table: Table, depth: int) -> Any:
        _, name, fields, items = node
        expect(type(name) is str and len(fields) < 200 and all(type(f) is str for f in fields))
        kind: Any = _named_type(name, tuple(fields))
        return kind(*self._items(items, table, depth))

    def _numpy_value(self, node: list[Any], table: Table, depth: int) -> Any:
        if node[0] == "scalar":
            import numpy as np

            expect(_fits(node[1]))
            data = base64.b64decode(node[2], validate=True)
            return np.frombuffer(data, np.dtype(node[1]), 1)[0]
        number = table.add(None)  # its place, before those of what it holds
        expect(number == _index(node[1]))
        value = self._array_value(node[2], table, depth)
        table.objects[number] = value
        table.numbers[id(value)] = number
        return value

    def _array_value(self, content: Any, table: Table, depth: int) -> Any:
        import numpy as np

        kind, shape, data = content
        expect(type(shape) is list and len(shape) <= 32)
        shape = tuple(_index(length) for length in shape)
        expect(math.prod(shape) <= 8 * _NODES)
        if kind == "O":
            items = self._items(data, table, depth)
            flat = np.empty(len(items), object)
            for place, item in enumerate(items):
                flat[place] = item
            return flat.reshape(shape)
        expect(_fits(kind))
        raw = base64.b64decode(data, validate=True)
        return np.frombuffer(bytearray(raw), np.dtype(kind)).reshape(shape)


def _index(value: Any) -> int:
    expect(type(value) is int and value >= 0)
    return int(value)


def _fits(dtype: Any) -> bool:
    return type(dtype) is str and 2 < len(dtype) < 30 and dtype[1] in _DTYPES


def _is_named(kind: type[Any]) -> bool:
    fields = kind.__dict__.get("_fields")
    return (
        type(fields) is tuple
        and all(type(field) is str for field in fields)
        and not {"__eq__", "__getitem__", "__iter__", "__hash__"} & kind.__dict__.keys()
    )


_named_types: dict[tuple[str, tuple[str, ...]], type[Any]] = {}


def _named_type(name: str, fields: tuple[str, ...]) -> type[Any]:
    if (name, fields) not in _named_types:
        expect(len(_named_types) < 1000)
        _named_types[name, fields] = collections.namedtuple(name, fields)
    return _named_types[name, fields]


def _view(items: list[Any]) -> Any:
    return dict(enumerate(items)).values()


_MAPPINGS = frozenset({dict, collections.OrderedDict, collections.Counter, collections.defaultdict})
_CONTENTS: dict[type[Any], str] = {
    list: "list",
    dict: "dict",
    set: "set",
    bytearray: "bytearray",
    collections.deque: "deque",
    collections.OrderedDict: "OrderedDict",
    collections.Counter: "Counter",
    collections.defaultdict: "defaultdict",
}
_EMPTY: dict[str, Callable[[], Any]] = {name: kind for kind, name in _CONTENTS.items()}
_COLLECTED: dict[str, Callable[[list[Any]], Any]] = {
    "frozenset": frozenset,
    "slice": lambda items: slice(items[0], items[1], items[2]),
    "keys": lambda items: dict.fromkeys(items).keys(),
    "values": _view,
}
