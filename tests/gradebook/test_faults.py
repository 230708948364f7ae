"""A locked gradebook, a full disk, a server that goes: said, nothing lost, finished later."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy.exc import OperationalError

from markbook.course import Course
from markbook.errors import CourseError, MarkbookError
from markbook.gradebook import Gradebook
from markbook.gradebook.database import make_engine, reading
from markbook.model import (
    Answer,
    AnswerStatus,
    CellGrade,
    GradedSubmission,
    Outcome,
    SubmissionRecord,
)

HW = "hw"


def batch(first, last, size=200):
    """Graded submissions of students that the course does not have yet."""
    return [
        GradedSubmission(
            SubmissionRecord(HW, student, "c", "m", Outcome.GRADED),
            (Answer(HW, "part", "keys", student, "word " * size, AnswerStatus.ANSWERED),),
            (CellGrade("part", "keys", None, needs_marking=True),),
        )
        for student in (f"s{n:05}" for n in range(first, last))
    ]


@pytest.fixture
def sqlite_course(tiny, tmp_path):
    return tiny.copy_of("autograded", tmp_path / "course")


def content(tiny, course):
    return tiny.by_value(tiny.dump(course, without=("markbook_stamp",)))


LOCKER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
db.execute("UPDATE grade SET extra_credit = 7")
print("locked", flush=True)
sys.stdin.readline()
db.execute("ROLLBACK")
"""


def tell(process):
    """Let the other process end what it is writing."""
    process.stdin.write("end\n")
    process.stdin.flush()


@contextlib.contextmanager
def locked(course):
    """Another process that is writing to the gradebook."""
    process = subprocess.Popen(
        [sys.executable, "-c", LOCKER, str(course.root / "gradebook.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "locked\n"
    try:
        yield process
    finally:
        if process.poll() is None:
            tell(process)
        process.stdin.close()
        process.stdout.close()
        assert process.wait(timeout=20) == 0


def test_a_locked_gradebook_is_waited_for(tiny, sqlite_course):
    with Gradebook.open(sqlite_course, busy_seconds=20) as gb:
        with locked(sqlite_course) as process:
            began = time.monotonic()
            threading.Timer(0.5, lambda: tell(process)).start()
            gb.save_graded(HW, batch(0, 3))
            assert time.monotonic() - began > 0.4
        assert len(gb.students(HW)) == 3 + 3


def test_a_gradebook_that_stays_locked_says_by_whom_and_loses_nothing(tiny, sqlite_course):
    undisturbed = tiny.copy_of("autograded", sqlite_course.root.parent / "undisturbed")
    with Gradebook.open(undisturbed) as gb:
        gb.save_graded(HW, batch(0, 5))
        gb.save_graded(HW, batch(5, 9))
    with Gradebook.open(sqlite_course, busy_seconds=0.3) as gb:
        gb.save_graded(HW, batch(0, 5))
        before = tiny.dump(sqlite_course)
        with locked(sqlite_course) as process:
            found = (
                rf"gradebook\.db is locked: python.* \(process {process.pid}\) did not.*0\.3 sec"
            )
            with pytest.raises(MarkbookError, match=found) as error:
                gb.save_graded(HW, batch(5, 9))
            assert "run this again" in error.value.hint
            assert len(gb.students(HW)) == 3 + 5  # readers need not wait
        assert tiny.dump(sqlite_course) == before
        gb.save_graded(HW, batch(5, 9))
    assert content(tiny, sqlite_course) == content(tiny, undisturbed)


def test_opening_waits_for_a_locked_gradebook_with_a_rollback_journal(sqlite_course):
    with sqlite3.connect(sqlite_course.root / "gradebook.db") as db:
        db.execute("PRAGMA journal_mode=DELETE")
    db.close()
    with locked(sqlite_course), Gradebook.open(sqlite_course, busy_seconds=0.3) as gb:
        assert len(gb.students(HW)) == 3
        with pytest.raises(MarkbookError, match="is locked"):
            gb.save_graded(HW, batch(0, 1))


def test_a_gradebook_that_cannot_even_be_read_is_not_taken_for_a_new_one(tiny, sqlite_course):
    path = sqlite_course.root / "gradebook.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode=DELETE")
    db.close()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    with pytest.raises(MarkbookError, match="is locked"):
        Gradebook.open(sqlite_course, busy_seconds=0.2)
    db.close()
    with Gradebook.open(sqlite_course) as gb:
        assert len(gb.students(HW)) == 3


@contextlib.contextmanager
def small_disk(folder, size="3m"):
    """A file system with little space."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "markbook-small", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        why = f"needs to mount a small tmpfs, as root: {done.stderr.strip()}"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
def test_a_full_disk_is_said_loses_nothing_and_is_finished_when_there_is_space(
    tiny, tmp_path, journal, monkeypatch
):
    if journal == "DELETE":
        monkeypatch.setattr("markbook.gradebook.database.choose_journal", lambda path: None)
    undisturbed = tiny.copy_of("autograded", tmp_path / "undisturbed")
    batches = [batch(n, n + 50) for n in range(0, 1000, 50)]
    with Gradebook.open(undisturbed) as gb:
        save_all(gb, batches)
    with small_disk(tmp_path / "disk") as disk:
        course = on_disk(tiny, disk, tmp_path)
        with sqlite3.connect(disk / "gradebook.db") as db:
            db.execute(f"PRAGMA journal_mode={journal}")
        db.close()
        with Gradebook.open(course) as gb:
            with pytest.raises(MarkbookError, match=r"no space left.*gradebook\.db") as error:
                save_all(gb, batches)
            stored = (len(gb.students(HW)) - 3) / 50
            assert "Make space" in error.value.hint
            assert stored in range(1, len(batches))  # whole batches only
        with sqlite3.connect(disk / "gradebook.db") as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.close()
        copy = tmp_path / "roomy"
        copy.mkdir()
        for path in disk.glob("gradebook.db*"):  # with the log, if there is no space to end it
            shutil.copy(path, copy)
    roomy = at(tiny, copy, tmp_path)
    with Gradebook.open(roomy) as gb:
        assert len(gb.students(HW)) == 3 + 50 * stored
        save_all(gb, batches)
    assert content(tiny, roomy) == content(tiny, undisturbed)


def save_all(gb, batches):
    for some in batches:
        gb.save_graded(HW, some)


def on_disk(tiny, disk, tmp_path):
    """A copy of the course whose gradebook lies on ``disk``."""
    course = tiny.copy_of("autograded", tmp_path / "course")
    shutil.move(course.root / "gradebook.db", disk)
    return at(tiny, disk, tmp_path)


def at(tiny, folder, tmp_path):
    root = tmp_path / "course"
    url = f"sqlite:///{folder}/gradebook.db"
    (root / "nbgrader_config.py").write_text(f"{tiny.CONFIG}c.CourseDirectory.db_url = {url!r}\n")
    return Course.open(root)


@pytest.fixture
def server_course(tiny, load, tmp_path):
    postgres = load("postgres.py")
    if postgres.programs() is None:
        if os.environ.get("CI") == "true":
            pytest.fail(postgres.HOW)
        pytest.skip(postgres.HOW)
    return tiny.copy_on_postgresql(tmp_path / "course")


def disconnect(course, *, refuse):
    """Do what a server does that is shut down: end its connections; and let in nobody new."""
    import psycopg

    address, _, name = course.db_url.replace("+psycopg", "").rpartition("/")
    with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
        allowed = "false" if refuse else "true"
        connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {allowed}")
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        connection.execute(query, (name,))


def test_a_server_that_goes_is_said_and_asked_again_when_it_is_back(tiny, server_course):
    with Gradebook.open(server_course) as gb:
        gb.save_graded(HW, batch(0, 5))
        disconnect(server_course, refuse=True)
        with pytest.raises(MarkbookError, match=r"server postgresql.* has gone") as error:
            gb.save_graded(HW, batch(5, 9))
        assert "run this again" in error.value.hint
        with pytest.raises(MarkbookError, match="has gone"):
            gb.students(HW)
        with pytest.raises(MarkbookError, match="cannot be opened"):
            Gradebook.open(server_course)
        disconnect(server_course, refuse=False)
        assert len(gb.students(HW)) == 3 + 5
        gb.save_graded(HW, batch(5, 9))
        assert len(gb.students(HW)) == 3 + 9


def test_a_server_that_goes_in_the_middle_of_a_batch_keeps_none_of_it(
    tiny, server_course, monkeypatch
):
    from markbook.gradebook import grading

    store = grading._store_papers

    def store_and_lose(connection, *args):
        store(connection, *args)
        disconnect(server_course, refuse=False)

    with Gradebook.open(server_course) as gb:
        before = tiny.dump(server_course)
        monkeypatch.setattr(grading, "_store_papers", store_and_lose)
        with pytest.raises(MarkbookError, match="has gone"):
            gb.save_graded(HW, batch(0, 5))
        monkeypatch.undo()
        assert tiny.dump(server_course) == before
        gb.save_graded(HW, batch(0, 5))
        assert len(gb.students(HW)) == 3 + 5


def test_a_server_on_which_another_writer_stays_is_locked_too(server_course):
    import psycopg

    from markbook.gradebook import database

    address = server_course.db_url.replace("+psycopg", "")
    with Gradebook.open(server_course, busy_seconds=0.3) as gb:
        with psycopg.connect(address) as other:
            other.execute("SELECT pg_advisory_xact_lock(%s)", (database._ONE_WRITER,))
            with pytest.raises(MarkbookError, match=r"locked: another program .* 0\.3 sec"):
                gb.save_graded(HW, batch(0, 1))
        gb.save_graded(HW, batch(0, 1))
        assert len(gb.students(HW)) == 3 + 1


def test_no_message_tells_the_password():
    engine = make_engine("postgresql+psycopg://tutor:s3cret@127.0.0.1:1/book")
    with pytest.raises(MarkbookError) as error, reading(engine):
        pass
    assert "127.0.0.1" in str(error.value)
    assert "s3cret" not in str(error.value)


def test_a_fault_of_the_program_is_not_called_one_of_the_disk(sqlite_course):
    engine = make_engine(sqlite_course.db_url)
    with pytest.raises(OperationalError, match="no such table"), reading(engine) as connection:
        connection.exec_driver_sql("SELECT * FROM nowhere")
    engine.dispose()


def test_a_damaged_file_is_said(sqlite_course):
    Gradebook.open(sqlite_course).close()
    path = sqlite_course.root / "gradebook.db"
    with Gradebook.open(sqlite_course) as gb:
        content = bytearray(path.read_bytes())
        content[20 * 4096 :] = bytes(len(content) - 20 * 4096)
        path.write_bytes(content)
        with pytest.raises(MarkbookError, match=r"gradebook\.db cannot be read or wr") as error:
            gb.grades(HW)
        assert "integrity_check" in error.value.hint


def test_a_file_that_is_no_gradebook_is_said(sqlite_course):
    (sqlite_course.root / "gradebook.db").write_bytes(b"This is a letter. " * 1000)
    with pytest.raises(
        CourseError, match=r"gradebook\.db cannot be opened: file is not a database"
    ):
        Gradebook.open(sqlite_course)
