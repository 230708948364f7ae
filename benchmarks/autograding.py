"""Autograding one submission, by nbgrader and by Markbook, with the gradebook written.

Thirteen answers in words on one core; the same with an answer cell and a test cell of code, each
submission in a kernel of its own, on one core and on two: as nbgrader runs it, and as Markbook does
unless it is told otherwise, locked up and with each test in a clean process, too.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import courses
import own
import stock
from harness import Bench, Row, alone, at_most, one_core, times_faster, two_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness import Target


LOCKED = 1.25  # times what a submission may take as nbgrader runs it
_PLAIN = 'c.Markbook.isolation = "none"\nc.Markbook.tests = "as-nbgrader"\n'


class Duel:
    """Both sides on the same class and cores, each round on a fresh copy, scores compared.

    ``settings`` are lines that are added to the course's configuration.
    """

    def __init__(
        self, bench: Bench, assignment: str, cores: frozenset[int], few: int, settings: str
    ) -> None:
        self.bench = bench
        self.assignment = assignment
        self.cores = cores
        self.few = few
        self.settings = settings
        self.agreed = 0
        self._last: dict[str, Path] = {}
        self.starts: list[float] = []

    def theirs(self, _round: int) -> float:
        """Return nbgrader's milliseconds for a submission."""
        course = self._class("theirs", self.few)
        found = stock.autograde(course, self.assignment, self.cores)
        self.starts.append(found.start)
        self._compare()
        return found.submission * 1000

    def ours(self, many: int, warm_up: int) -> Callable[[int], float]:
        """Return what measures Markbook's milliseconds for a submission."""

        def run(_round: int) -> float:
            course = self._class("ours", many + warm_up)
            found = own.autograde(course, self.assignment, self.cores, warm_up)
            self._compare()
            return found.submission * 1000

        return run

    def _class(self, whose: str, students: int) -> Path:
        if whose in self._last:
            shutil.rmtree(self._last.pop(whose))
        course = courses.class_of(self.bench, self.assignment, students)
        if self.settings:
            with (course / "nbgrader_config.py").open("a", encoding="utf-8") as config:
                config.write(self.settings)
        self._last[whose] = course
        return course

    def _compare(self) -> None:
        """Compare the scores once both sides have run."""
        if len(self._last) == 2:
            self.agreed += stock.compare(self._last["theirs"], self._last["ours"], self.assignment)


def measure(bench: Bench) -> Iterator[Row]:
    yield _row(bench, courses.THIRTEEN, one_core(), "text-only submission (13 answers)", (10, 80))
    what = "submission with two code cells, fresh kernel"
    plain, locked = f"{what}, as nbgrader runs it", f"{what}, locked up, tests examined"
    yield _row(bench, courses.CODE, one_core(), locked, (60 * LOCKED, 15 / LOCKED))
    if bench.quick:
        return
    yield _row(bench, courses.CODE, one_core(), plain, (60, 15), _PLAIN)
    if len(two_cores()) == 2:
        yield _row(bench, courses.CODE, two_cores(), plain, (None, 25), _PLAIN)
        yield _row(bench, courses.CODE, two_cores(), locked, (None, 25 / LOCKED))
    else:
        bench.say(f"{what}, two cores: left out, for there is one core only")


def _row(
    bench: Bench,
    assignment: str,
    cores: frozenset[int],
    what: str,
    wanted: tuple[float | None, float],
    settings: str = "",
) -> Row:
    """Return a line; ``wanted`` are at most how many milliseconds, and at least which ratio."""
    limit, ratio = wanted
    text_only = assignment == courses.THIRTEEN
    few = bench.of(12, 2)
    many = bench.of(400, 14) if text_only else bench.of(60, 7) * len(cores)
    warm_up = bench.of(28 if text_only else 8, 2)
    places = "one core" if len(cores) == 1 else "two cores"
    duel = Duel(bench, assignment, cores, few, settings)
    stock_ms, own_ms = bench.turns(f"{what}, {places}", duel.theirs, duel.ours(many, warm_up))
    targets: list[Target] = [] if limit is None else [at_most(limit, own_ms)]
    start = sum(duel.starts) / len(duel.starts)
    executor = "--executor serial" if len(cores) == 1 else "--workers 2"
    return Row(
        f"{what}, {places}, gradebook written",
        tuple(own_ms),
        tuple(stock_ms),
        targets=(*targets, times_faster(ratio, stock_ms, own_ms)),
        notes=(
            f"nbgrader: the median time from one to the next of {few}, by its own log as it comes",
            f"nbgrader's start-up is not counted: {start:.1f} s",
            f"Markbook: the whole step over {many}, divided by them, after {warm_up} to warm up",
            f"{duel.agreed:,} automatic scores compared: all equal",
            *(f"with {line}" for line in settings.splitlines()),
        ),
        commands=(
            f"nbgrader autograde {assignment}",
            f"markbook autograde {assignment} {executor}",
        ),
    )


if __name__ == "__main__":
    alone(measure, __doc__)
