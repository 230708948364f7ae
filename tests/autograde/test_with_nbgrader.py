"""nbgrader's own autograder as an engine: what a kill leaves is made up for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from markbook.autograde import Options, SubmissionStarted, autograde
from markbook.errors import UsageError
from markbook.gradebook import Gradebook, nbgrader
from markbook.model import Outcome

WITH_NBGRADER = Options(engine="nbgrader", isolation="none")


@pytest.fixture
def gb(course):
    with Gradebook.open(course) as opened:
        yield opened


SCRIPT = """
import sys
from pathlib import Path
from markbook.autograde import Options, autograde
from markbook.course import Course
from markbook.gradebook import Gradebook
course = Course.open(Path(sys.argv[1]))
with Gradebook.open(course) as gb:
    autograde(course, gb, "hw", force="force" in sys.argv,
              options=Options(engine="nbgrader", isolation="none"),
              on_event=lambda event: print(type(event).__name__, event.student, flush=True))
"""


def start(course, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(course.root), *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )


def run_until(process, line):
    for said in process.stdout:
        if said.strip() == line:
            return
    raise AssertionError(f"the run ended without saying {line!r}")


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def workers(course):
    """The worker processes that run in this course."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                said = (process / "cmdline").read_bytes()
                here = (process / "cwd").readlink() == course.root
            except OSError:
                continue
            if here and b"markbook.gradebook.worker" in said:
                found.append(int(process.name))
    return found


@pytest.mark.parametrize("again", [False, True], ids=["the first run", "a forced run"])
def test_a_run_killed_in_the_middle_is_finished_by_the_next(tiny, released, again):
    """Kill -9 while nbgrader has the second student half done: same gradebook as undisturbed."""
    course = tiny.copy_of("autograded", released.root.parent / "again") if again else released
    if not again:
        tiny.submit_class(course)
    process = start(course, *(["force"] if again else []))
    run_until(process, "SubmissionFinished ada")
    if not again:
        # nbgrader has written the sanitised notebook, and is about to run it
        wait_for(lambda: any(course.autograded("hw", "ben").glob("*.ipynb")))
    process.kill()
    process.wait()
    process.stdout.close()
    wait_for(lambda: not workers(course))
    with Gradebook.open(course) as gb:
        report = autograde(course, gb, "hw", options=WITH_NBGRADER)
        assert {"ben", "cleo"} <= {r.student for r in report.records}
        assert {r.outcome for r in gb.records("hw")} == {Outcome.GRADED}
        after = tiny.dump(course)
        assert autograde(course, gb, "hw", options=WITH_NBGRADER).records == ()
        assert tiny.dump(course) == after
    undisturbed = tiny.copy_of("autograded", released.root.parent / "undisturbed")
    expected = tiny.by_value(tiny.dump(undisturbed))
    # nbgrader makes a second course, "default_course", to which nothing refers; the stamp counts
    # the transactions that changed answers, and a batch of ours is one
    but = {"course": [], "markbook_stamp": []}
    assert tiny.by_value(after) | but == expected | but
    for student in tiny.STUDENTS:
        (ours,) = course.autograded("hw", student).glob("*.ipynb")
        (theirs,) = undisturbed.autograded("hw", student).glob("*.ipynb")
        assert sources(ours) == sources(theirs)


def sources(path):
    return [cell["source"] for cell in json.loads(path.read_text())["cells"]]


def test_a_worker_killed_by_the_machine_fails_one_student_and_the_rest_go_on(
    tiny, course, gb, monkeypatch
):
    real = nbgrader._worker
    processes = []

    def remember(*args):
        context = real(*args)

        class Watched:
            def __enter__(self):
                process, log = context.__enter__()
                processes.append(process)
                return process, log

            def __exit__(self, *error):
                return context.__exit__(*error)

        return Watched()

    def kill_at_ben(event):
        if isinstance(event, SubmissionStarted) and event.student == "ben" and event.done == 1:
            os.killpg(processes[0].pid, signal.SIGKILL)

    monkeypatch.setattr(nbgrader, "_worker", remember)
    report = autograde(course, gb, "hw", force=True, options=WITH_NBGRADER, on_event=kill_at_ben)
    assert {r.student: r.outcome for r in report.records} == {
        "ada": Outcome.GRADED,
        "ben": Outcome.FAILED,
        "cleo": Outcome.GRADED,
    }
    assert len(processes) == 2
    assert "ended with code -9" in report.failed[0].findings[0]
    assert [r.outcome for r in autograde(course, gb, "hw", options=WITH_NBGRADER).records] == [
        Outcome.GRADED
    ]


def test_a_limit_that_nbgrader_takes_from_its_configuration_is_refused(course, gb):
    with pytest.raises(UsageError, match=r"c\.ExecutePreprocessor\.timeout"):
        autograde(course, gb, "hw", options=Options(engine="nbgrader", timeout=3))
