"""A class of 1,281 students whose 15 questions have 14,000 different answers: ``markbook suggest``.

    python benchmarks/suggest_class.py [--quick]

The answers are the sample class's, each with a word of its own. Wall time of the command on two
cores, each of: words only; with the sentence model and no vector kept; all run again with all
vectors kept (``--force``); ten marks more in every question, given where the class's own
suggestions say so; nothing changed. Memory is the proportional share (PSS) of all
processes together, at its peak.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from harness import Bench, Row, alone, at_most, command_of, two_cores
from synthetic import ASSIGNMENT, class_of, graded_course

if TYPE_CHECKING:
    from collections.abc import Iterator

STUDENTS = 1_281  # of whom some leave questions out: 14,000 answers
SECONDS = {
    "words only": 60,
    "with the sentence model, no vector kept": 300,
    "ten marks given in every question since": 10,
    "nothing changed": 10,
}
GIGABYTE = 1_000
_EVERY = 0.5  # seconds between looks at the memory


def measure(bench: Bench) -> Iterator[Row]:
    course = graded_course(bench.place("course"))
    students = bench.of(STUDENTS, 28)
    bench.say(f"a class of {students}")
    words = class_of(course, bench.place("words"), students)
    meaning = class_of(course, bench.place("meaning"), students)
    vectors = {"MARKBOOK_CACHE": str(bench.place("vectors"))}
    turns = (
        ("words only", words, {"MARKBOOK_SENTENCE_MODEL": "none"}, ("--force",)),
        ("with the sentence model, no vector kept", meaning, vectors, ("--force",)),
        ("all run again, vectors kept", meaning, vectors, ("--force",)),
        ("ten marks given in every question since", meaning, vectors, ()),
        ("nothing changed", meaning, vectors, ()),
    )
    texts = _texts(words)
    for what, folder, environment, options in turns:
        if "marks given" in what:
            _mark(folder, 10)
        seconds, peak = _run(folder, environment, options)
        bench.say(f"{what}: {seconds:.1f} s, {peak:.0f} MB")
        limits = [at_most(GIGABYTE, [peak], "MB")]
        if what in SECONDS:
            limits.insert(0, at_most(SECONDS[what], [seconds], "s"))
        yield Row(
            f"suggestions for {texts:,} different answers: {what}",
            (seconds,),
            unit="s",
            targets=tuple(limits),
            notes=(f"{peak:.0f} MB at the peak, all processes together",),
            commands=(" ".join(("markbook suggest", ASSIGNMENT, *options)),),
        )


def _texts(course: Path) -> int:
    with sqlite3.connect(course / "gradebook.db") as db:
        sql = "SELECT DISTINCT question, hash FROM markbook_answer WHERE status = 'answered'"
        count: int = db.execute(f"SELECT COUNT(*) FROM ({sql})").fetchone()[0]
    db.close()
    return count


def _mark(course: Path, count: int) -> None:
    """Mark ``count`` answers of each question: they earn what is suggested as said."""
    answered = """SELECT question, student, hash FROM (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY question ORDER BY hash) AS place
        FROM markbook_answer WHERE status = 'answered') WHERE place <= ?"""
    said = """SELECT criterion FROM markbook_suggestion
        WHERE question = ? AND answer_hash = ? AND awarded = 1"""
    lines = []
    with sqlite3.connect(course / "gradebook.db") as db:
        for question, student, digest in db.execute(answered, (count,)).fetchall():
            earned = [row[0] for row in db.execute(said, (question, digest))]
            lines.append({"student": student, "question": question, "earned": earned})
    db.close()
    marks = course / "marks.jsonl"
    marks.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    command = [command_of("markbook"), "mark", ASSIGNMENT, "--from", str(marks), "--marker", "ada"]
    done = subprocess.run(command, cwd=course, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(
            f"markbook mark ended with code {done.returncode}: {done.stdout[-2000:]}"
        )


def _run(
    course: Path, environment: dict[str, str], options: tuple[str, ...]
) -> tuple[float, float]:
    """Run the step; return wall seconds and megabytes at the peak."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        [command_of("markbook"), "suggest", ASSIGNMENT, *options],
        cwd=course,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, two_cores()),
    )
    peaks = [0.0]
    over = threading.Event()

    def look() -> None:
        while not over.wait(_EVERY):
            peaks.append(sum(map(_share, _family(process.pid))))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        _, log = process.communicate(timeout=1_200)
    finally:
        seconds = time.perf_counter() - begin
        over.set()
        watcher.join()
    if process.returncode not in (0, 1):
        raise RuntimeError(f"markbook suggest ended with code {process.returncode}: {log[-2000:]}")
    return seconds, max(peaks)


def _family(pid: int) -> list[int]:
    """Return a process and all below it."""
    parents: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        parents.setdefault(int(fields[1]), []).append(int(status.parent.name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += parents.get(found[-1], [])
    return found


def _share(pid: int) -> float:
    """Return the memory of a process in megabytes, what it shares with others counted in part."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1_000
    except OSError:
        pass  # it has just ended
    return 0.0


if __name__ == "__main__":
    alone(measure, __doc__)
