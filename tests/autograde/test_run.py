"""Autograding with the real nbgrader: what changed, all that changed, and only that."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from markbook.autograde import SubmissionFinished, SubmissionStarted, autograde
from markbook.errors import NotebookError, NothingMatched, UnknownName
from markbook.gradebook import Gradebook, nbgrader
from markbook.model import AnswerStatus, Outcome


@pytest.fixture
def gb(course):
    with Gradebook.open(course) as opened:
        yield opened


def scores(gb, *students):
    return {
        (g.student, g.question): (g.score, g.needs_marking)
        for g in gb.grades("hw")
        if not students or g.student in students
    }


def test_running_twice_runs_nobody_and_changes_nothing(tiny, course, gb, monkeypatch):
    gb.save_marks([tiny.mark(gb, "ada")], who="t", what="mark")
    before, times = tiny.dump(course), tiny.file_times(course)
    monkeypatch.setattr(nbgrader, "_worker", None)
    report = autograde(course, gb, "hw")
    assert (report.records, report.unchanged, report.resynced) == ((), tiny.STUDENTS, 0)
    assert tiny.dump(course) == before
    assert tiny.file_times(course) == times


def test_forcing_runs_everybody_again_and_marks_stand(tiny, course, gb):
    gb.save_marks([tiny.mark(gb, "ada", comment="Yes.")], who="t", what="mark")
    before = tiny.dump(course)
    report = autograde(course, gb, "hw", force=True)
    assert [r.student for r in report.records] == list(tiny.STUDENTS)
    # ada's hand-marked grade, and cleo's answer of two spaces, which nbgrader takes for a text
    assert report.resynced == 2
    assert tiny.dump(course) == before


def test_a_bad_submission_is_named_and_the_others_are_scored_all_the_same(tiny, course, gb):
    before = scores(gb, "ben", "cleo")
    bad = tiny.submit(course, "ada", {"keys": "Changed."})
    path = bad / "part.ipynb"
    path.write_text(path.read_text()[:500])
    (tiny.submit(course, "dora", {}) / "timestamp.txt").write_text("yesterday, I think")
    tiny.submit(course, "eve", {"add": "import os\nos._exit(1)"})
    tiny.submit(course, "finn", {"keys": "Fine.", "add-visible": "assert True"})
    events = []
    report = autograde(course, gb, "hw", force=True, on_event=events.append)
    failed = {r.student: r.findings[0] for r in report.failed}
    assert failed.keys() == {"ada", "dora", "eve"}
    assert "Not JSON" in failed["ada"]
    assert failed["dora"] == "its timestamp.txt holds no time: 'yesterday, I think'"
    assert "kernel" in failed["eve"]
    assert scores(gb, "ben", "cleo") == before
    assert scores(gb, "finn")["finn", "add-visible"] == (0.0, False), "a student set the test"
    for student in failed:
        assert not course.autograded("hw", student).exists()
    assert [e.student for e in events if isinstance(e, SubmissionStarted)] == [
        e.student for e in events if isinstance(e, SubmissionFinished)
    ]
    assert [e.done for e in events if isinstance(e, SubmissionFinished)] == [1, 2, 3, 4, 5, 6]
    assert {e.total for e in events} == {6}
    assert {e.student: e.outcome for e in events if isinstance(e, SubmissionFinished)} == {
        r.student: r.outcome for r in gb.records("hw")
    }
    again = autograde(course, gb, "hw", ["ada", "ben", "finn"])
    assert [r.student for r in again.failed] == ["ada"], "a failed submission is tried again"
    assert again.unchanged == ("ben", "finn")


def test_a_changed_answer_leaves_its_mark_stale_and_the_old_score_waiting(tiny, course, gb):
    stored = gb.save_marks(
        [tiny.mark(gb, "ada"), tiny.mark(gb, "ada", "doors")], who="t", what="mark"
    )
    tiny.submit(course, "ada", {"keys": "Now something else.", "doors": "They open."})
    report = autograde(course, gb, "hw")
    assert [r.student for r in report.records] == ["ada"]
    assert gb.marks("hw") == tuple(sorted(stored, key=lambda m: m.question))
    found = scores(gb, "ada")
    assert found["ada", "keys"] == (2.0, True)
    assert found["ada", "doors"] == (2.0, False)
    assert found["ada", "add-hidden"] == (0.0, False)


def test_a_missing_cell_is_a_finding_whatever_the_student_is_called(tiny, course, gb):
    name = "o'neil [3] \u00fc"
    tiny.submit(course, name, {"keys": None})
    (record,) = autograde(course, gb, "hw").records
    assert (record.student, record.outcome) == (name, Outcome.NEEDS_ATTENTION)
    assert record.findings == ("the cell of question 'keys' is missing from part.ipynb",)
    statuses = {a.question: a.status for a in gb.answers("hw") if a.student == name}
    assert statuses["keys"] is AnswerStatus.MISSING
    assert scores(gb, name)[name, "keys"] == (0.0, True)


def test_a_question_authored_anew_and_released_is_run_again(tiny, course, gb):
    from markbook.release import build

    path = course.source("hw") / "part.ipynb"
    path.write_text(path.read_text().replace("== 42, 'the hidden", "== 43, 'the hidden"))
    assert autograde(course, gb, "hw").records == (), "an edit is no release"
    build(course, "hw")
    report = autograde(course, gb, "hw")
    assert [r.student for r in report.records] == list(tiny.STUDENTS)
    assert scores(gb, "ada")["ada", "add-hidden"] == (0.0, False)


def test_an_autograded_notebook_that_was_deleted_is_made_again(course, gb):
    (path,) = course.autograded("hw", "ben").glob("*.ipynb")
    path.unlink()
    assert [r.student for r in autograde(course, gb, "hw").records] == ["ben"]
    assert path.is_file()


SCRIPT = """
import sys
from pathlib import Path
from markbook.autograde import autograde
from markbook.course import Course
from markbook.gradebook import Gradebook
course = Course.open(Path(sys.argv[1]))
with Gradebook.open(course) as gb:
    autograde(course, gb, "hw", force="force" in sys.argv,
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
        report = autograde(course, gb, "hw")
        assert {"ben", "cleo"} <= {r.student for r in report.records}
        assert {r.outcome for r in gb.records("hw")} == {Outcome.GRADED}
        after = tiny.dump(course)
        assert autograde(course, gb, "hw").records == ()
        assert tiny.dump(course) == after
    undisturbed = tiny.copy_of("autograded", released.root.parent / "undisturbed")
    assert tiny.by_value(after) == tiny.by_value(tiny.dump(undisturbed))
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
        if isinstance(event, SubmissionStarted) and event.student == "ben" and event.number == 2:
            os.killpg(processes[0].pid, signal.SIGKILL)

    monkeypatch.setattr(nbgrader, "_worker", remember)
    report = autograde(course, gb, "hw", force=True, on_event=kill_at_ben)
    assert {r.student: r.outcome for r in report.records} == {
        "ada": Outcome.GRADED,
        "ben": Outcome.FAILED,
        "cleo": Outcome.GRADED,
    }
    assert len(processes) == 2
    assert "ended with code -9" in report.failed[0].findings[0]
    assert [r.outcome for r in autograde(course, gb, "hw").records] == [Outcome.GRADED]


def test_nobody_to_run_is_said(released):
    with Gradebook.open(released) as gb, pytest.raises(NothingMatched, match="Nobody"):
        autograde(released, gb, "hw")


def test_an_assignment_without_release_is_refused_before_anything_runs(authored):
    authored.submitted("hw", "ada").mkdir(parents=True)
    with Gradebook.open(authored) as gb, pytest.raises(NotebookError, match="markbook release hw"):
        autograde(authored, gb, "hw")


def test_a_student_who_did_not_submit_is_named_with_those_who_did(course, gb):
    with pytest.raises(UnknownName, match=r"'zoe'.*ada, ben, cleo"):
        autograde(course, gb, "hw", ["ada", "zoe"])
