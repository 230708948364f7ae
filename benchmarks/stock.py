"""nbgrader's side: its own command on submissions, and how long it took for each."""

from __future__ import annotations

import sqlite3
import statistics
import subprocess
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from harness import LONGEST, command_of, started

if TYPE_CHECKING:
    from pathlib import Path

# nbgrader logs this once for each notebook, when it turns to it.
_TURNS_TO = "Sanitizing "

Scores = dict[str, dict[str, float | None]]


@dataclass(frozen=True)
class Stock:
    """How nbgrader did: seconds for a submission, for the whole command, and for starting up."""

    submission: float
    command: float
    start: float


def autograde(course: Path, assignment: str, cores: frozenset[int]) -> Stock:
    """Autograde everybody with ``nbgrader autograde``, one process over all.

    The time of a submission is the median of the times between its turning to one and to the
    next, by its own log as it comes: without start-up, and without the first one's imports.
    """
    command = [command_of("nbgrader"), "autograde", assignment]
    turns: list[float] = []
    last: deque[str] = deque(maxlen=20)
    begin = time.perf_counter()
    with started(
        command, cores, course, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line)
            if _TURNS_TO in line:
                turns.append(time.perf_counter())
        process.wait(timeout=LONGEST)
    end = time.perf_counter()
    if process.returncode or len(turns) < 2:
        raise RuntimeError(f"nbgrader ended with code {process.returncode}: {''.join(last)}")
    each = [after - before for before, after in pairwise(turns)]
    return Stock(statistics.median(each), end - begin, turns[0] - begin)


def scores(course: Path, assignment: str) -> Scores:
    """Return the automatic scores in a course's gradebook, by student and cell."""
    query = """
        SELECT submitted_assignment.student_id, base_cell.name, grade.auto_score
        FROM grade
        JOIN base_cell ON base_cell.id = grade.cell_id
        JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
        JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
        JOIN assignment ON assignment.id = submitted_assignment.assignment_id
        WHERE assignment.name = ?"""
    found: Scores = {}
    with closing(sqlite3.connect(course / "gradebook.db")) as db:
        for student, cell, score in db.execute(query, (assignment,)):
            found.setdefault(student, {})[cell] = score
    return found


def compare(theirs: Path, ours: Path, assignment: str) -> int:
    """Return how many scores both gradebooks agree in; raise on any that differ.

    A side that is quick because it does something else is no quicker.
    """
    stock, own = scores(theirs, assignment), scores(ours, assignment)
    count = 0
    for student, cells in stock.items():
        if cells != own.get(student):
            raise RuntimeError(f"{student}: nbgrader scores {cells}, Markbook {own.get(student)}")
        count += len(cells)
    if not count:
        raise RuntimeError("nbgrader has scored nothing")
    return count
