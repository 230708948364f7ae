"""Whatever breaks, the gradebook ends as an undisturbed run leaves it, and nobody else is touched.

The class is text only, so that hundreds of submissions take a second.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

import nbformat
import pytest

from markbook.autograde import Options, SubmissionFinished, SubmissionStarted, autograde
from markbook.course import Course
from markbook.errors import MarkbookError
from markbook.executors import ProcessPool, open_executor
from markbook.gradebook import Gradebook
from markbook.model import Outcome
from markbook.release import build

SECONDS = 60  # for what takes moments


@pytest.fixture(scope="module")
def text_course(tiny, tmp_path_factory):
    """The tiny course without code, released."""
    course = tiny.copy_of("authored", tmp_path_factory.mktemp("text") / "course")
    path = course.source("hw") / "part.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    nbformat.write(notebook, path)
    build(course, "hw")
    return course


@pytest.fixture
def make_class(tiny, text_course, tmp_path):
    """Return a function that makes a course with submissions of so many students."""

    def make(name, students):
        shutil.copytree(text_course.root, tmp_path / name)
        course = Course.open(tmp_path / name)
        for number in range(students):
            answers = {"keys": f"Answer number {number}.", "doors": "x" * (number % 3)}
            tiny.submit(course, f"s{number:03}", answers)
        return course

    return make


def grade(course, **options):
    with Gradebook.open(course) as gb:
        return autograde(course, gb, "hw", **options)


def stored(tiny, course):
    """Every row by value, but the count of the transactions that changed answers."""
    return tiny.by_value(tiny.dump(course, without=("markbook_stamp",)))


def left_over(course):
    """What nbgrader would take for a student, or we forgot."""
    folder = course.root / "autograded"
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def texts(course):
    """Every autograded file."""
    folder = course.root / "autograded"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def wait_for(condition):
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


# One process imports everything once; each run is a fork of it, which may be killed.
RUNS = """
import os, signal, sys
from pathlib import Path
from markbook.startup import skip_slow_imports
skip_slow_imports()
import markbook.gradebook.nbgrader
from markbook.autograde import autograde, batch
from markbook.autograde.nursery import Nursery
from markbook.course import Course
from markbook.executors import open_executor
from markbook.gradebook import Gradebook

batch._MOST = 5  # many small batches, so that a kill finds some stored and some not

def die_at(count):
    # before or after the count-th step that changes anything
    steps = 0
    def deadly(method):
        def step(*arguments, **options):
            nonlocal steps
            steps += 1
            if steps == count:
                os.kill(os.getpid(), signal.SIGKILL)
            result = method(*arguments, **options)
            steps += 1
            if steps == count:
                os.kill(os.getpid(), signal.SIGKILL)
            return result
        return step
    for owner, name in ((Nursery, "grow"), (Nursery, "take_away"), (Nursery, "hand_over"),
                        (Gradebook, "save_graded"), (Gradebook, "reopen")):
        setattr(owner, name, deadly(getattr(owner, name)))

def run(root, executor, count, force):
    if count:
        die_at(int(count))
    course = Course.open(Path(root))
    with Gradebook.open(course) as gb, open_executor(executor) as opened:
        autograde(course, gb, "hw", force=bool(force), executor=opened)

print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            run(*line.rstrip("\\n").split("\\t"))
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def runs():
    """Return a function that runs autograding in a process, kills it, and returns its code."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", RUNS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"

    def run(course, *, executor="serial", until=None, at="", force=""):
        process.stdin.write("\t".join([str(course.root), executor, str(at), force]) + "\n")
        process.stdin.flush()
        child = int(process.stdout.readline())
        if until is not None:
            until()
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        return int(process.stdout.readline())

    run.pid = process.pid
    yield run
    process.kill()
    process.communicate()


def count_stored(course):
    """How many submissions are done for good."""
    try:
        with sqlite3.connect(f"file:{course.root / 'gradebook.db'}?mode=ro", uri=True) as db:
            query = "select count(*) from markbook_submission where content_hash != ''"
            return db.execute(query).fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def so_many(course, wanted):
    """Wait until so many are stored, at least, and a moment more."""

    def until():
        end = time.monotonic() + SECONDS
        while count_stored(course) < wanted and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(random.uniform(0, 0.02))

    return until


@pytest.mark.parametrize(("executor", "kills"), [("serial", 14), ("processes", 6)])
def test_a_run_killed_at_random_moments_ends_with_the_same_gradebook(
    tiny, make_class, runs, executor, kills
):
    course, undisturbed = make_class("killed", 60), make_class("undisturbed", 60)
    start = time.monotonic()
    assert runs(undisturbed, executor=executor) == 0
    length = time.monotonic() - start
    codes, in_between = [], 0
    for kill in range(kills):
        if kill % 2:  # at any moment of the whole run, or while it stores
            moment = so_many(course, random.randint(min(count_stored(course), 59), 59))
        else:
            moment = partial(time.sleep, random.uniform(0.02, length))
        force = "force" if count_stored(course) == 60 else ""
        codes.append(runs(course, executor=executor, until=moment, force=force))
        in_between += 0 < count_stored(course) < 60
    assert codes.count(-signal.SIGKILL) >= kills / 2
    assert in_between, "no moment was in the middle of a run"
    assert runs(course, executor=executor) == 0
    assert stored(tiny, course) == stored(tiny, undisturbed)
    assert texts(course) == texts(undisturbed)
    assert left_over(course) == []
    assert grade(course).records == (), "it is done"


def test_a_run_killed_at_each_of_its_steps_ends_with_the_same_gradebook(tiny, make_class, runs):
    course, undisturbed = make_class("killed", 2), make_class("undisturbed", 2)
    (course.submitted("hw", "s001") / "part.ipynb").write_text("{")
    (undisturbed.submitted("hw", "s001") / "part.ipynb").write_text("{")
    grade(undisturbed)
    expected = stored(tiny, undisturbed), texts(undisturbed)
    # the first run of all, then again with folders and records that are there already
    for force in ("", "force"):
        for step in range(1, 30):
            code = runs(course, at=step, force=force)
            grade(course)
            assert (stored(tiny, course), texts(course)) == expected, step
            if code == 0:
                break
            if not force:
                shutil.rmtree(course.root)
                course = make_class("killed", 2)
                (course.submitted("hw", "s001") / "part.ipynb").write_text("{")
        assert step > 5
        assert code == 0, "there are more steps than were tried"


@contextmanager
def running_elsewhere(course):
    """Another process that holds the assignment's lock, as a run does."""
    code = (
        "import sys; from pathlib import Path; from markbook.course import Course\n"
        "from markbook.autograde.lock import only_run\n"
        "with only_run(Course.open(Path(sys.argv[1])), 'hw'):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(course.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("engine", ["markbook", "nbgrader"])
def test_a_second_run_says_that_there_is_one_and_changes_nothing(tiny, make_class, engine):
    course = make_class("course", 3)
    assert len(grade(course, dry_run=True).planned) == 3, "and Markbook's tables are made"
    before = tiny.dump(course)
    with running_elsewhere(course):
        result = subprocess.run(
            [sys.executable, "-m", "markbook", "autograde", "hw", "--engine", engine,
             "--isolation", "none"],
            cwd=course.root, capture_output=True, text=True, check=False, timeout=SECONDS,
        )  # fmt: skip
        assert result.returncode == 1
        assert "'hw' is being autograded" in result.stderr
        assert result.stderr.count("\n") == 1
        assert tiny.dump(course) == before
    assert len(grade(course).of(Outcome.GRADED)) == 3, "the lock ended with the process"


def test_two_runs_at_once_end_with_the_gradebook_of_one(tiny, make_class):
    course, undisturbed = make_class("course", 30), make_class("undisturbed", 30)
    command = [sys.executable, "-m", "markbook", "autograde", "hw", "--json"]
    started = [
        subprocess.Popen(
            command, cwd=course.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    said = [process.communicate(timeout=SECONDS) for process in started]
    codes = sorted(process.returncode for process in started)
    assert codes[0] == 0, said
    assert set(codes) <= {0, 1}
    grade(undisturbed)
    assert stored(tiny, course) == stored(tiny, undisturbed)
    assert texts(course) == texts(undisturbed)


def cut_off(folder):
    (folder / "part.ipynb").write_bytes((folder / "part.ipynb").read_bytes()[:700])


def nested(folder):
    (folder / "part.ipynb").write_text("[" * 100_000)


def linked(folder):
    (folder / "data").symlink_to(folder.parent.parent / "s000")


def piped(folder):
    os.mkfifo(folder / "part-two.ipynb")


def alone(folder):
    (folder / "part.ipynb").rename(folder / "holiday.txt")


def too_deep(folder):
    """A path of 5,000 characters, which the system opens step by step only."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=here)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=here))
    os.close(here)


@pytest.mark.parametrize("damage", [cut_off, nested, linked, piped, alone, too_deep])
def test_one_bad_submission_in_200_changes_nothing_for_the_other_199(
    tiny, make_class, damage, request
):
    course = make_class("one-bad", 200)
    damage(course.submitted("hw", "s100"))
    report = grade(course)
    (bad,) = report.failed
    assert bad.student == "s100"
    assert len(bad.findings) == 1
    assert "fault" not in bad.findings[0], bad.findings
    assert report.totals == {"graded": 199, "needs-attention": 0, "failed": 1, "unchanged": 0}
    if "all_good" not in request.config.stash.setdefault(KEPT, {}):
        good = make_class("all-good", 200)
        grade(good)
        request.config.stash[KEPT]["all_good"] = others(tiny, good)
    assert others(tiny, course) == request.config.stash[KEPT]["all_good"]
    assert not course.autograded("hw", "s100").exists()


KEPT = pytest.StashKey()


def others(tiny, course):
    """All rows but those of student s100, and all files but theirs."""
    tables = stored(tiny, course)
    rows = {name: [row for row in rows if "s100" not in row] for name, rows in tables.items()}
    return rows, {name: text for name, text in texts(course).items() if "s100" not in name}


def worker_pids():
    """The children of the fork server: this process's grandchildren."""
    parents = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                stat = (process / "stat").read_text()
            except OSError:
                continue
            parents[int(process.name)] = int(stat.rpartition(")")[2].split()[1])
    children = {pid for pid, parent in parents.items() if parent == os.getpid()}
    return {pid for pid, parent in parents.items() if parent in children}


@pytest.mark.parametrize("moment", ["s000", "s020"])
def test_a_worker_killed_in_the_middle_changes_no_result(tiny, make_class, moment):
    course, undisturbed = make_class("killed", 40), make_class("undisturbed", 40)
    killed = []

    def kill_one(event):
        if isinstance(event, SubmissionStarted) and event.student == moment:
            if moment == "s000":
                executor.submit(abs, 1).result(timeout=SECONDS)  # there is one now
            for pid in sorted(worker_pids())[:1]:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    with open_executor("processes", workers=2) as executor:
        assert isinstance(executor, ProcessPool)
        report = grade(course, executor=executor, on_event=kill_one)
    assert killed
    assert report.totals["graded"] == 40
    grade(undisturbed)
    assert stored(tiny, course) == stored(tiny, undisturbed)
    assert texts(course) == texts(undisturbed)


def test_dask_gives_the_same_gradebook_though_a_worker_is_killed(tiny, make_class, dask_cluster):
    course, undisturbed = make_class("dask", 40), make_class("undisturbed", 40)
    victims = [worker.pid for worker in dask_cluster.workers.values()]

    def kill_one(event):
        if isinstance(event, SubmissionFinished) and victims:
            os.kill(victims.pop(), signal.SIGKILL)
            victims.clear()

    with open_executor(address=dask_cluster.scheduler_address) as executor:
        report = grade(course, executor=executor, on_event=kill_one)
    assert victims == []
    assert report.totals["graded"] == 40
    grade(undisturbed)
    assert stored(tiny, course) == stored(tiny, undisturbed)
    assert texts(course) == texts(undisturbed)


def test_what_was_hashed_is_what_was_graded_though_a_student_hands_in_meanwhile(tiny, make_class):
    course = make_class("course", 3)

    def hand_in_again(event):
        if isinstance(event, SubmissionStarted) and event.student == "s001":
            tiny.submit(course, "s001", {"keys": "Better."})

    grade(course, on_event=hand_in_again)
    with Gradebook.open(course) as gb:
        answers = {a.student: a.text for a in gb.answers("hw", "keys")}
        assert answers["s001"] == "Answer number 1."
        assert [r.student for r in autograde(course, gb, "hw").records] == ["s001"]
        answers = {a.student: a.text for a in gb.answers("hw", "keys")}
        assert answers["s001"] == "Better."


def test_a_gradebook_that_stays_locked_loses_nothing(tiny, make_class):
    course = make_class("course", 20)
    grade(course)
    for number in range(20):
        tiny.submit(course, f"s{number:03}", {"keys": f"Changed {number}."})
    before, files = stored(tiny, course), texts(course)
    other = sqlite3.connect(course.root / "gradebook.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with Gradebook.open(course, busy_seconds=0.3) as gb, pytest.raises(MarkbookError) as error:
        autograde(course, gb, "hw")
    assert "writing" in str(error.value) or "locked" in str(error.value), error.value
    assert stored(tiny, course) == before
    assert texts(course) == files
    assert left_over(course) == []
    other.execute("ROLLBACK")
    other.close()
    assert len(grade(course).records) == 20


def test_a_full_disk_is_said_and_what_was_stored_before_it_is_kept(tiny, make_class):
    """A tmpfs of 300 kB at autograded/, in a mount namespace of the command's own."""
    course = make_class("course", 60)
    (course.root / "autograded").mkdir()
    script = (
        f"mount -t tmpfs -o size=300k tmpfs autograded && {sys.executable} -m markbook autograde hw"
        ' --executor serial; code=$?; echo "code $code"; ls -A autograded | head -3'
    )
    command = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine makes no mount namespaces")
    result = subprocess.run(
        [*command, "sh", "-c", script],
        cwd=course.root, capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    assert "code 1" in result.stdout, result
    assert "No space left on device" in result.stderr
    assert "Traceback" not in result.stderr
    assert ".markbook" not in result.stdout
    undisturbed = make_class("undisturbed", 60)
    grade(undisturbed)
    grade(course)
    assert stored(tiny, course) == stored(tiny, undisturbed)
    assert texts(course) == texts(undisturbed)


@contextmanager
def nobody_writing(course):
    """Hold the gradebook's lock from a moment at which some submissions are stored."""
    path = course.root / "gradebook.db"
    with closing(sqlite3.connect(path, isolation_level=None, timeout=SECONDS)) as other:

        def some_are_stored():
            other.execute("BEGIN IMMEDIATE")
            if not count_stored(course):
                other.execute("ROLLBACK")
            return other.in_transaction

        wait_for(some_are_stored)
        yield
        other.execute("ROLLBACK")


def test_ctrl_c_keeps_what_is_done_and_leaves_no_process(tiny, make_class):
    course, undisturbed = make_class("course", 400), make_class("undisturbed", 400)
    process = subprocess.Popen(
        [sys.executable, "-m", "markbook", "autograde", "hw", "--executor", "processes"],
        cwd=course.root,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    with nobody_writing(course):  # else it may be done before it hears of it
        session = {pid for pid in children(process.pid)}
        assert session
        os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert said.strip() == "interrupted: nothing is lost; run the same command again to go on."
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in session))
    kept = count_stored(course)
    assert kept > 0
    assert left_over(course) == []
    report = grade(course)
    assert len(report.unchanged) == kept
    grade(undisturbed)
    assert stored(tiny, course) == stored(tiny, undisturbed)


def children(pid):
    """All processes below ``pid``."""
    found = set()
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # it has ended meanwhile
            for child in map(int, (thread / "children").read_text().split()):
                found |= {child} | children(child)
    return found


def test_json_tells_of_every_submission_how_it_ended_and_how_long_it_took(make_class):
    course = make_class("course", 3)
    (course.submitted("hw", "s001") / "part.ipynb").write_text("{")
    result = subprocess.run(
        [sys.executable, "-m", "markbook", "autograde", "hw", "--json"],
        cwd=course.root, capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    assert result.returncode == 1
    assert result.stderr == ""
    value = json.loads(result.stdout)
    assert value["totals"] == {"graded": 2, "needs-attention": 0, "failed": 1, "unchanged": 0}
    assert [s["outcome"] for s in value["submissions"]] == ["graded", "failed", "graded"]
    assert len(value["submissions"][1]["findings"]) == 1
    assert value["submissions"][0]["seconds"]["parse"] > 0
    assert value["seconds"] > 0


DEADLY = """
import os, signal
from pathlib import Path
pid = os.getpid()
while pid > 1:
    pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    if b"multiprocessing.forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes():
        os.kill(pid, signal.SIGKILL)
        break
def add(a, b):
    return a + b
"""


def test_code_that_kills_its_worker_costs_nobody_else_anything(tiny, released, tmp_path):
    right = "def add(a, b):\n    return a + b"
    for number in range(12):
        tiny.submit(released, f"s{number:03}", {"keys": f"Answer {number}.", "add": right})
    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(released.root, undisturbed)
    undisturbed = Course.open(undisturbed)
    tiny.submit(released, "s005", {"keys": "Answer 5.", "add": DEADLY})
    with open_executor("processes", workers=2) as executor:
        report = grade(released, executor=executor)
        assert report.failed == (), "locked up, it finds nobody to kill"
        options = Options(isolation="none")
        report = grade(released, executor=executor, force=True, options=options)
    (bad,) = report.failed
    assert bad.student == "s005"
    assert bad.findings == (
        "the process that graded it was killed, and again when it was tried once more",
    )
    assert report.totals["graded"] == 11
    grade(undisturbed)
    for course in (released, undisturbed):
        shutil.rmtree(course.root / "autograded" / "s005", ignore_errors=True)

    def of_others(course):
        rows = stored(tiny, course)
        return {name: [row for row in rows[name] if "s005" not in row] for name in rows}

    assert of_others(released) == of_others(undisturbed)


def test_a_run_with_code_that_is_killed_leaves_no_kernel_and_is_finished(tiny, released, runs):
    for number in range(6):
        slow = f"import time\ntime.sleep(0.3)\ndef add(a, b):\n    return a + b  # {number}"
        tiny.submit(released, f"s{number:03}", {"add": slow})
    for executor in ("serial", "processes"):
        left = []

        def look(left=left, executor=executor):
            # the run, the server that kernels are forked from, and one of them at least
            wait_for(lambda: len(children(runs.pid)) >= (3 if executor == "serial" else 7))
            left += children(runs.pid)

        assert runs(released, executor=executor, until=look, force="force") == -signal.SIGKILL
        wait_for(lambda left=left: not any(map(alive, left)))
    report = grade(released)
    assert report.records
    assert report.failed == ()
    with Gradebook.open(released) as gb:
        assert {g.score for g in gb.grades("hw", "add-hidden")} == {2.0}


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("place", ["autograded", "autograded/s001"])
def test_a_folder_that_cannot_be_written_is_named_and_the_next_run_goes_on(make_class, place):
    course = make_class("course", 3)
    path = course.root / place
    path.parent.mkdir(exist_ok=True)
    path.write_text("in the way")
    with pytest.raises(
        MarkbookError, match=r"autograded notebooks cannot be written: .*autograded"
    ):
        grade(course)
    path.unlink()
    assert len(grade(course).of(Outcome.GRADED)) >= 1
    assert grade(course).records == ()
    assert {student for student in course.students("autograded", "hw")} == {"s000", "s001", "s002"}
