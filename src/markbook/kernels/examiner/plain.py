"""Values that hold no others, as JSON and back."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import fractions
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["READERS", "WRITERS", "NoValueError", "TooMuchError", "expect"]

_SAFE = 2**53  # beyond, an int is text: JSON readers differ, and Python's own has a limit of digits
_MOST_BITS = 400_000  # of an int: 100,000 hexadecimal digits
_DATES: dict[str, type[Any]] = {"date": dt.date, "time": dt.time, "datetime": dt.datetime}


class NoValueError(ValueError):
    """What was sent is no value."""


class TooMuchError(ValueError):
    """A value is too large, or too deep, to cross."""


def expect(condition: bool) -> None:
    if not condition:
        raise NoValueError("not as agreed")


def _int(value: int) -> Any:
    if -_SAFE <= value <= _SAFE:
        return value
    if value.bit_length() > _MOST_BITS:
        raise TooMuchError("a number has too many digits to be looked at elsewhere")
    return ["int", hex(value)]


def _moment(value: Any) -> list[Any] | None:
    zone = getattr(value, "tzinfo", None)
    if zone is not None and type(zone) is not dt.timezone:
        return None
    return [type(value).__name__, value.isoformat(), getattr(value, "fold", 0)]


def _read_moment(node: list[Any]) -> Any:
    value = _DATES[node[0]].fromisoformat(node[1])
    return value.replace(fold=1) if node[2] == 1 else value


def _read_int(node: list[Any]) -> int:
    expect(len(node[1]) < _MOST_BITS)
    return int(node[1], 16)


def _read_float(node: list[Any]) -> float:
    expect(node[1] in ("nan", "inf", "-inf"))
    return float(node[1])


WRITERS: dict[type[Any], Callable[[Any], Any]] = {
    int: _int,
    float: lambda value: value if math.isfinite(value) else ["float", repr(value)],
    bytes: lambda value: ["bytes", base64.b64encode(value).decode()],
    complex: lambda value: ["complex", repr(value.real), repr(value.imag)],
    **dict.fromkeys(_DATES.values(), _moment),
    range: lambda value: ["range", *(hex(n) for n in (value.start, value.stop, value.step))],
    type(...): lambda _: ["ellipsis"],
    type(NotImplemented): lambda _: ["notimplemented"],
    dt.timedelta: lambda value: ["timedelta", value.days, value.seconds, value.microseconds],
    dt.timezone: lambda value: ["timezone", value.utcoffset(None).total_seconds()],
    decimal.Decimal: lambda value: ["Decimal", str(value)],
    fractions.Fraction: lambda value: ["Fraction", hex(value.numerator), hex(value.denominator)],
}
READERS: dict[str, Callable[[list[Any]], Any]] = {
    "int": _read_int,
    "float": _read_float,
    "bytes": lambda node: base64.b64decode(node[1], validate=True),
    "complex": lambda node: complex(float(node[1]), float(node[2])),
    "range": lambda node: range(int(node[1], 16), int(node[2], 16), int(node[3], 16)),
    "ellipsis": lambda _: ...,
    "notimplemented": lambda _: NotImplemented,
    "timedelta": lambda node: dt.timedelta(*map(int, node[1:4])),
    "timezone": lambda node: dt.timezone(dt.timedelta(seconds=float(node[1]))),
    "Decimal": lambda node: decimal.Decimal(node[1]),
    "Fraction": lambda node: fractions.Fraction(int(node[1], 16), int(node[2], 16)),
    **dict.fromkeys(_DATES, _read_moment),
}
