"""A class of 10,000 with 14 answers each: memory, and what a submission costs in a large class.

The answers are the sample class's, each with a word of its own; all questions are in words. A
pool of processes on all cores, warmed up; the memory is the coordinator's alone, at its peak.
"""

from __future__ import annotations

import shutil
from itertools import pairwise
from typing import TYPE_CHECKING

import courses
import own
import stock
from harness import Bench, Row, Target, alone, at_most, two_cores

if TYPE_CHECKING:
    from own import Own

MEGABYTES, GROWTH = 500, 1.2


def measure(bench: Bench) -> list[Row]:
    sizes = (100, 1000, 10_000) if not bench.quick else (14, 28, 42)
    few = bench.of(10, 3)
    theirs = courses.class_of(bench, courses.FOURTEEN, few)
    bench.say(f"14 answers: nbgrader over {few} submissions")
    stock_seconds = stock.autograde(theirs, courses.FOURTEEN, two_cores()).submission
    found = _classes(bench, sizes)
    each = {size: [run.submission * 1000 for run in runs] for size, runs in found.items()}
    small, middle, large = sizes
    (whole,) = found[large]
    growth = [min(each[large]) / _median(each[small])]
    growth_from_middle = _median(each[large]) / _median(each[middle])
    hours = stock_seconds * large / 3600
    tenths = [b - a for a, b in pairwise([0.0, *whole.milestones])]
    command = f"markbook autograde {courses.FOURTEEN}"
    return [
        Row(
            f"{large:,} students, 14 answers each: the whole class, two cores",
            (whole.seconds,),
            unit="s",
            computed=f"{hours:.1f} h (computed: {large:,} times {stock_seconds * 1000:.0f} ms)",
            notes=(
                f"run again: {whole.again:.1f} s for {large + own.WARM_UP:,} that did not change",
                "each tenth of the class took "
                + ", ".join(f"{seconds:.1f}" for seconds in tenths)
                + " s",
            ),
            commands=(command,),
        ),
        Row(
            f"{large:,} students: the coordinator's memory at its peak",
            (whole.peak / 1e6,),
            unit="MB",
            targets=(at_most(MEGABYTES, [whole.peak / 1e6], "MB"),),
            notes=tuple(
                f"with {size:,} students: {found[size][0].peak / 1e6:.0f} MB" for size in sizes
            ),
            commands=(command,),
        ),
        Row(
            f"cost of a submission, {large:,} students to {small}",
            tuple(growth),
            unit="times",
            targets=(Target(f"≤ {GROWTH:g} times", growth[0] <= GROWTH),),
            notes=(
                *(
                    f"{size:,} students: {_median(each[size]):.2f} ms each, of {len(each[size])}"
                    for size in sizes
                ),
                f"{large:,} to {middle:,}: {growth_from_middle:.2f} times",
            ),
            commands=(command,),
        ),
    ]


def _classes(bench: Bench, sizes: tuple[int, int, int]) -> dict[int, list[Own]]:
    """Autograde classes of three sizes, the small ones on both sides of the large one."""
    small, middle, large = sizes
    full = (small, middle, small, middle, small, large, small, middle, small, middle, small)
    order = sizes if bench.quick else full
    found: dict[int, list[Own]] = {size: [] for size in sizes}
    for number, size in enumerate(order, start=1):
        found[size].append(_one(bench, size, f"class {number} of {len(order)}"))
    return found


def _one(bench: Bench, size: int, number: str) -> Own:
    bench.say(f"14 answers: writing a class of {size:,}")
    course = courses.class_of(bench, courses.FOURTEEN, size + own.WARM_UP)
    bench.say(f"14 answers: autograding {size:,} ({number})")
    found = own.autograde(course, courses.FOURTEEN, two_cores(), own.WARM_UP)
    shutil.rmtree(course)
    return found


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


if __name__ == "__main__":
    alone(measure, __doc__)
