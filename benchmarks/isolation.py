"""What it costs that students' code is locked up: the same classes with and without, in turns."""

from __future__ import annotations

import shutil
import statistics
from typing import TYPE_CHECKING

import courses
import own
from harness import Bench, Row, Target, alone, one_core, show, two_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WITHIN = 1.25
ROUNDS = 3


def measure(bench: Bench) -> Iterator[Row]:
    yield _row(bench, courses.THIRTEEN, one_core(), "13 answers, one core", bench.of(400, 14))
    yield _row(bench, courses.CODE, one_core(), "two code cells, one core", bench.of(80, 7))
    if not bench.quick and len(two_cores()) == 2:
        yield _row(bench, courses.CODE, two_cores(), "two code cells, two cores", 160)


def _row(bench: Bench, assignment: str, cores: frozenset[int], what: str, students: int) -> Row:
    open_ms, locked_ms = bench.turns(
        f"open and locked up, {what}",
        _run(bench, assignment, cores, students, "none"),
        _run(bench, assignment, cores, students, "auto"),
        rounds=bench.of(max(bench.rounds, ROUNDS), 1),
    )
    ratios = tuple(locked / free for free, locked in zip(open_ms, locked_ms, strict=True))
    where = "--executor serial" if len(cores) == 1 else "--workers 2"
    return Row(
        f"isolation on : off ({what})",
        ratios,
        unit="times",
        targets=(Target(f"≤ {WITHIN:g} times", statistics.median(ratios) <= WITHIN),),
        notes=(
            f"a submission, of {students} a round: {_median(locked_ms)} and {_median(open_ms)}",
        ),
        commands=(
            f"markbook autograde {assignment} {where}",
            f"markbook autograde {assignment} {where} --isolation none",
        ),
    )


def _run(
    bench: Bench, assignment: str, cores: frozenset[int], students: int, isolation: str
) -> Callable[[int], float]:
    warm_up = bench.of(own.WARM_UP, 4)

    def run(_round: int) -> float:
        course = courses.class_of(bench, assignment, students + warm_up)
        found = own.autograde(course, assignment, cores, warm_up, isolation=isolation)
        shutil.rmtree(course)
        return found.submission * 1000

    return run


def _median(values: list[float]) -> str:
    return show(statistics.median(values), "ms")


if __name__ == "__main__":
    alone(measure, __doc__)
