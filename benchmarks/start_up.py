"""How long a command takes to say what it can do: ``--help``, wall time, one core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Bench, Row, alone, at_most, command_of, one_core, timed

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 200


def measure(bench: Bench) -> list[Row]:
    sides = [_help(bench, name) for name in ("nbgrader", "markbook")]
    for run in sides:
        run(0)  # from now on the files are in memory, and compiled
    times = bench.of(5, 1)
    values = [bench.turns("--help", *sides) for _ in range(times)]
    stock_ms = tuple(ms for turn in values for ms in turn[0])
    own_ms = tuple(ms for turn in values for ms in turn[1])
    return [
        Row(
            "`markbook --help`",
            own_ms,
            stock_ms,
            targets=(at_most(LIMIT, own_ms),),
            commands=("nbgrader --help", "markbook --help"),
        )
    ]


def _help(bench: Bench, name: str) -> Callable[[int], float]:
    return lambda _round: timed([command_of(name), "--help"], one_core(), bench.folder) * 1000


if __name__ == "__main__":
    alone(measure, __doc__)
