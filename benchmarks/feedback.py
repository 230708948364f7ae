"""Feedback for a class that is graded, marked to the end and commented on, by both sides.

Thirteen answers in words and an exercise in code whose cells print, draw a table and warn. Both
sides read the same gradebook and the same notebooks as run, and write one page a student.
"""

from __future__ import annotations

import json
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections import deque
from itertools import pairwise
from pathlib import Path
from typing import Any

import courses
from harness import (
    HERE,
    LONGEST,
    ROOT,
    Bench,
    Row,
    alone,
    at_most,
    command_of,
    one_core,
    started,
    times_faster,
)

STUDENTS = 30  # the class of the first measurement of nbgrader
WARM_UP = 5
_TURNS_TO = "Converting notebook "
_OWN_CELL = """import sys
from IPython.display import HTML, display
for number in range(20):
    print("line", number, "of what a student printed to see whether it works")
print("and a warning", file=sys.stderr)
rows = "".join(f"<tr><td>{n}</td><td>{n * n}</td><td>{n ** 3}</td></tr>" for n in range(10))
display(HTML(f"<table><tr><th>n</th><th>square</th><th>cube</th></tr>{rows}</table>"))"""


def measure(bench: Bench) -> list[Row]:
    students = bench.of(STUDENTS, 3)
    course = marked_class(bench, students)
    starts: list[float] = []

    def theirs(_round: int) -> float:
        shutil.rmtree(course / "feedback", ignore_errors=True)
        each, start = nbgrader(course)
        starts.append(start)
        return each

    whole: list[float] = []
    pages: list[str] = []

    def ours(_round: int) -> float:
        shutil.rmtree(course / "feedback", ignore_errors=True)
        found = markbook(course)
        if found["problems"] or found["pages"] != students:
            raise RuntimeError(f"Markbook's feedback is not whole: {found}")
        pages.append(f"{found['size'] / 1000:.0f} kB")
        whole.append(found["cpu"])
        return float(found["each"])

    stock_ms, own_ms = bench.turns("feedback", theirs, ours)
    return [
        Row(
            "feedback, per student",
            tuple(own_ms),
            tuple(stock_ms),
            targets=(at_most(7, own_ms), times_faster(10, stock_ms, own_ms)),
            notes=(
                f"nbgrader: the median time from one to the next of {students}, by its own log",
                f"nbgrader's start-up is not counted: {statistics.median(starts):.1f} s",
                (
                    f"Markbook: the whole step over {students}, reading gradebook, questions and"
                    f" notebooks, divided by them, after {WARM_UP} to warm up"
                ),
                (
                    f"Markbook: {statistics.median(whole):.1f} ms of it on the processor, the rest"
                    f" waits, mostly for the disk; a page has {pages[0]}"
                ),
            ),
            commands=(
                f"nbgrader generate_feedback {courses.CODE}",
                f"markbook feedback {courses.CODE}",
            ),
        )
    ]


# --- the class ----------------------------------------------------------------------------------


def marked_class(bench: Bench, students: int) -> Path:
    """Return a course in which everybody is graded, and every answer has a mark and a comment."""
    course = courses.class_of(bench, courses.CODE, students)
    graders = courses.base(bench).root / "graders"
    (course / "graders").mkdir()
    shutil.copytree(graders / courses.CODE, course / "graders" / courses.CODE)
    shutil.copy(ROOT / "graders" / "default.ipynb", course / "graders")
    for path in (course / "submitted").glob(f"*/{courses.CODE}/*.ipynb"):
        _add_own_cell(path)
    bench.say(f"grading and marking {students} students")
    command = ("autograde", courses.CODE, "--engine", "nbgrader", "--isolation", "none")
    courses.run_markbook(course, *command, fine=(0, 1))  # 1: answers wait for a person
    courses.run_markbook(course, "suggest", courses.CODE, fine=(0, 1))
    _run_here("mark", course)
    return course


def _add_own_cell(path: Path) -> None:
    notebook = json.loads(path.read_text())
    cells = notebook["cells"]
    at = next(
        number
        for number, cell in enumerate(cells)
        if cell["cell_type"] == "code" and cell["metadata"]["nbgrader"]["solution"]
    )
    own: dict[str, Any] = {
        "cell_type": "code", "id": "own", "metadata": {}, "execution_count": None, "outputs": [],
        "source": _OWN_CELL,
    }  # fmt: skip
    cells.insert(at + 1, own)
    path.write_text(json.dumps(notebook))


def mark(course: str) -> dict[str, Any]:
    """Mark every answer by what was suggested; what was abstained from is not earned."""
    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.model import AnswerStatus, Mark, counted, score
    from markbook.rubrics import load_rubrics

    opened = Course.open(Path(course))
    rubrics = load_rubrics(opened.rubrics(courses.CODE))
    with Gradebook.open(opened) as gb:
        points = {grade.question: grade.max_score for grade in gb.grades(courses.CODE)}
        awarded: dict[tuple[str, str], list[str]] = {}
        for found in gb.suggestions(courses.CODE):
            if found.awarded:
                key = (found.question, found.answer_hash)
                awarded.setdefault(key, []).append(found.criterion)
        marks = []
        for answer in gb.answers(courses.CODE):
            rubric = rubrics.get(answer.question)
            if rubric is None or answer.status is not AnswerStatus.ANSWERED:
                continue
            earned = [
                c.id for c in counted(rubric, awarded.get((answer.question, answer.hash), []))
            ]
            marks.append(
                Mark(
                    courses.CODE, answer.notebook, answer.question, answer.student, answer.hash,
                    tuple(earned), "bench", rubric.version,
                    score(rubric, earned, points=points[answer.question]),
                    comment=f"Read once more what **{answer.question}** asks, {answer.student}.",
                )
            )  # fmt: skip
        for rubric in rubrics.values():
            gb.save_rubric(courses.CODE, rubric)
        gb.save_marks(marks, who="bench", what="mark")
    return {"marks": len(marks)}


# --- both sides ---------------------------------------------------------------------------------


def nbgrader(course: Path) -> tuple[float, float]:
    """Return nbgrader's milliseconds for a student, and its seconds to start."""
    command = [command_of("nbgrader"), "generate_feedback", courses.CODE]
    turns: list[float] = []
    last: deque[str] = deque(maxlen=20)
    begin = time.perf_counter()
    with started(
        command, one_core(), course, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line)
            if re.search(_TURNS_TO, line):
                turns.append(time.perf_counter())
        process.wait(timeout=LONGEST)
    if process.returncode or len(turns) < 2:
        raise RuntimeError(f"nbgrader ended with code {process.returncode}: {''.join(last)}")
    each = statistics.median(after - before for before, after in pairwise(turns))
    return each * 1000, turns[0] - begin


def markbook(course: Path) -> dict[str, Any]:
    """Return what ``feedback`` below measured in a process of its own."""
    return _run_here("feedback", course)


def feedback(course: str) -> dict[str, Any]:
    """Write the pages of the whole class; ``each`` and ``cpu`` are milliseconds for a student."""
    from markbook.course import Course
    from markbook.feedback import write_feedback
    from markbook.gradebook import Gradebook

    opened = Course.open(Path(course))
    with Gradebook.open(opened) as gb:
        some = gb.students(courses.CODE)[:WARM_UP]
        write_feedback(opened, gb, courses.CODE, students=some)
        shutil.rmtree(opened.root / "feedback")
        begin, processor = time.perf_counter(), time.process_time()
        report = write_feedback(opened, gb, courses.CODE)
        seconds, processor = time.perf_counter() - begin, time.process_time() - processor
    sizes = [path.stat().st_size for path in report.pages]
    return {
        "each": seconds / len(report.students) * 1000,
        "cpu": processor / len(report.students) * 1000,
        "pages": len(report.pages),
        "problems": report.problems,
        "waiting": report.waiting,
        "size": statistics.median(sizes),
    }


def _run_here(task: str, course: Path) -> dict[str, Any]:
    """Run ``mark`` or ``feedback`` of this file in a fresh process on one core."""
    command = [sys.executable, str(HERE / "feedback.py"), "--task", task, str(course)]
    with started(command, one_core(), HERE, stdout=subprocess.PIPE) as process:
        reply, _ = process.communicate(timeout=LONGEST)
    if process.returncode:
        raise RuntimeError(f"feedback.py --task {task} ended with code {process.returncode}")
    found: dict[str, Any] = json.loads(reply.splitlines()[-1])
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["--task"]:
        print(json.dumps({"mark": mark, "feedback": feedback}[sys.argv[2]](sys.argv[3])))
    else:
        alone(measure, __doc__)
