"""Dask on two local workers beside a pool of two processes: same classes, both warmed up."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import courses
import own
from harness import HERE, Bench, Row, Target, alone, show, started, two_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WITHIN = 1.15
ROUNDS = 5  # both sides are quick, and what is measured is a small difference


def measure(bench: Bench) -> Iterator[Row]:
    with _cluster(bench) as address:
        yield _row(bench, address, courses.CODE, "two code cells", bench.of(120, 7))
        yield _row(bench, address, courses.THIRTEEN, "13 answers", bench.of(2000, 14))


def _row(bench: Bench, address: str, assignment: str, what: str, students: int) -> Row:
    pool_ms, dask_ms = bench.turns(
        f"pool and Dask, {what}",
        _run(bench, assignment, students, None),
        _run(bench, assignment, students, address),
        rounds=bench.of(max(bench.rounds, ROUNDS), 1),
    )
    ratios = tuple(dask / pool for pool, dask in zip(pool_ms, dask_ms, strict=True))
    return Row(
        f"Dask on two workers to a pool of two processes ({what})",
        ratios,
        unit="times",
        targets=(Target(f"≤ {WITHIN:g} times", statistics.median(ratios) <= WITHIN),),
        notes=(f"a submission, of {students} a round: {_median(pool_ms)} and {_median(dask_ms)}",),
        commands=(
            f"markbook autograde {assignment} --workers 2",
            f"markbook autograde {assignment} --scheduler tcp://127.0.0.1:PORT",
        ),
    )


def _run(
    bench: Bench, assignment: str, students: int, address: str | None
) -> Callable[[int], float]:
    warm_up = bench.of(own.WARM_UP, 4)

    def run(_round: int) -> float:
        course = courses.class_of(bench, assignment, students + warm_up)
        found = own.autograde(course, assignment, two_cores(), warm_up, address=address)
        shutil.rmtree(course)
        return found.submission * 1000

    return run


def _median(values: list[float]) -> str:
    return show(statistics.median(values), "ms")


@contextmanager
def _cluster(bench: Bench) -> Iterator[str]:
    """Give the address of a Dask cluster of two workers on this machine."""
    folder = bench.place("dask")
    folder.mkdir()
    command = [sys.executable, str(HERE / "sides.py"), "cluster"]
    with (
        (folder / "log").open("w") as log,
        started(
            command, two_cores(), folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        arguments = {"workers": 2, "folder": str(folder)}
        process.stdin.write(json.dumps(arguments) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"Dask did not start: {(folder / 'log').read_text()[-2000:]}")
        yield json.loads(line)["address"]
        process.stdin.close()
        process.wait(timeout=30)


if __name__ == "__main__":
    alone(measure, __doc__)
