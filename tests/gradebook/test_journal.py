"""Where the write-ahead log is used, where not, and that nbgrader goes on working with it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading

import pytest

from markbook.course import Course
from markbook.errors import MarkbookError
from markbook.gradebook import Gradebook, journal
from markbook.gradebook.database import make_engine, reading, writing


@pytest.fixture
def sqlite_course(tiny, tmp_path):
    return tiny.copy_of("autograded", tmp_path / "course")


def gradebook(course):
    return course.root / "gradebook.db"


def mode(course):
    with sqlite3.connect(gradebook(course)) as db:
        (found,) = db.execute("PRAGMA journal_mode").fetchone()
    db.close()
    return found


def set_mode(course, wanted):
    with sqlite3.connect(gradebook(course)) as db:
        db.execute(f"PRAGMA journal_mode={wanted}")
    db.close()


def files(course):
    return sorted(path.name for path in course.root.glob("gradebook*"))


def mounted(tmp_path, monkeypatch, kind, place):
    """Say that ``place`` is a file system of that kind."""
    escaped = str(place).replace("\\", "\\134").replace(" ", "\\040")
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        f"30 22 0:40 / {escaped} rw,relatime shared:9 master:2 - {kind} host:/share rw\n"
    )
    monkeypatch.setattr(journal, "MOUNTS", table)


def test_a_gradebook_of_before_is_switched_when_it_is_opened(sqlite_course):
    set_mode(sqlite_course, "DELETE")
    with Gradebook.open(sqlite_course) as gb:
        assert len(gb.students("hw")) == 3
        assert mode(sqlite_course) == "wal"


def test_a_closed_gradebook_is_one_file_with_everything_in_it(tiny, sqlite_course, tmp_path):
    with Gradebook.open(sqlite_course) as gb:
        gb.save_marks([tiny.mark(gb, "ada")], who="t", what="mark")
        assert "gradebook.db-wal" in files(sqlite_course)
    assert files(sqlite_course) == ["gradebook.db"]
    copy = tmp_path / "copy.db"
    shutil.copy(gradebook(sqlite_course), copy)
    with sqlite3.connect(copy) as db:
        assert db.execute("SELECT count(*) FROM markbook_mark").fetchone() == (1,)
    db.close()


def test_a_killed_process_leaves_a_gradebook_with_all_that_it_stored(tiny, sqlite_course):
    code = (
        "import os, sys; from pathlib import Path\n"
        "from markbook.course import Course; from markbook.gradebook import Gradebook\n"
        f"gb = Gradebook.open(Course.open(Path({str(sqlite_course.root)!r})))\n"
        "(answer, *_) = gb.answers('hw', 'keys')\n"
        "gb.note(answer, who='t', what='before the kill')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -9
    assert "gradebook.db-wal" in files(sqlite_course)
    with Gradebook.open(sqlite_course) as gb:
        assert [event.what for event in gb.events("hw")] == ["before the kill"]
    assert files(sqlite_course) == ["gradebook.db"]


def test_a_backup_with_sqlites_own_command_while_it_is_used_has_everything(
    tiny, sqlite_course, tmp_path
):
    copy = tmp_path / "copy.db"
    with Gradebook.open(sqlite_course) as gb:
        gb.save_marks([tiny.mark(gb, "ada")], who="t", what="mark")
        with sqlite3.connect(gradebook(sqlite_course)) as db:
            db.execute("VACUUM INTO ?", (str(copy),))
        db.close()
    with sqlite3.connect(copy) as db:
        assert db.execute("SELECT count(*) FROM markbook_mark").fetchone() == (1,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_readers_go_on_while_somebody_writes(sqlite_course):
    engine = make_engine(sqlite_course.db_url, busy_seconds=0.2)
    with writing(engine) as writer:
        writer.exec_driver_sql("UPDATE grade SET manual_score = 99")
        with reading(engine) as reader:
            query = "SELECT count(*) FROM grade WHERE manual_score = 99"
            assert reader.exec_driver_sql(query).scalar() == 0
    with reading(engine) as reader:
        assert reader.exec_driver_sql(query).scalar() > 0
    engine.dispose()


def test_what_was_stored_is_on_the_disk(sqlite_course):
    engine = make_engine(sqlite_course.db_url)
    with reading(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
    engine.dispose()


@pytest.mark.filterwarnings("ignore:Object of type <Submitted")  # nbgrader's own
def test_nbgrader_reads_and_writes_beside_an_open_gradebook(sqlite_course):
    from nbgrader.api import Gradebook as Theirs

    with Gradebook.open(sqlite_course) as gb:
        before = {(g.student, g.question): g for g in gb.grades("hw")}
        with Theirs(sqlite_course.db_url, "tiny") as theirs:
            grade = theirs.find_grade("keys", "part", "hw", "ada")
            assert grade.auto_score == before["ada", "keys"].auto_score
            grade.manual_score = 1.25
            theirs.db.commit()
            assert gb.grades("hw", "keys")[0].score == 1.25
            theirs.add_student("zoe")
            theirs.add_submission("hw", "zoe")
            assert "zoe" in {g.student for g in gb.grades("hw")}
    assert files(sqlite_course) == ["gradebook.db"]
    assert mode(sqlite_course) == "wal"


@pytest.mark.parametrize(
    ("kind", "network"),
    [
        ("nfs4", True),
        ("cifs", True),
        ("smb3", True),
        ("9p", True),
        ("fuse.sshfs", True),
        ("fuse.rclone", True),
        ("ext4", False),
        ("overlay", False),
        ("tmpfs", False),
        ("fuseblk", False),
    ],
)
def test_file_systems_that_computers_share_are_known(tmp_path, monkeypatch, kind, network):
    share = tmp_path / "a share\\of us"
    share.mkdir()
    mounted(tmp_path, monkeypatch, kind, share)
    assert journal.on_network(share / "gradebook.db") is network
    assert not journal.on_network(tmp_path / "gradebook.db")
    assert not journal.on_network(tmp_path / "a share\\of us too" / "gradebook.db")
    (tmp_path / "link").symlink_to(share)
    assert journal.on_network(tmp_path / "link" / "gradebook.db") is network


def test_where_nothing_tells_the_disk_counts_as_our_own(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "MOUNTS", tmp_path / "none")
    assert not journal.on_network(tmp_path)


def test_on_a_network_drive_the_gradebook_keeps_or_gets_back_its_rollback_journal(
    tiny, sqlite_course, tmp_path, monkeypatch
):
    Gradebook.open(sqlite_course).close()
    assert mode(sqlite_course) == "wal"
    mounted(tmp_path, monkeypatch, "nfs4", sqlite_course.root)
    for _ in range(2):
        with Gradebook.open(sqlite_course) as gb:
            gb.save_marks([tiny.mark(gb, "ada")], who="t", what="mark")
            assert files(sqlite_course) == ["gradebook.db"]
        assert mode(sqlite_course) == "delete"


def test_a_new_gradebook_has_the_log(authored):
    with Gradebook.open(authored):
        assert mode(authored) == "wal"


def test_a_gradebook_that_somebody_uses_is_opened_as_it_is(sqlite_course):
    set_mode(sqlite_course, "DELETE")
    reader = sqlite3.connect(gradebook(sqlite_course), isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM grade").fetchone()
    with Gradebook.open(sqlite_course) as gb:
        assert len(gb.students("hw")) == 3
        assert mode(sqlite_course) == "delete"
    reader.close()


@pytest.mark.parametrize("before", ["WAL", "DELETE"])
def test_a_read_only_folder_can_be_read_and_says_that_it_cannot_be_written(
    tiny, sqlite_course, tmp_path, before
):
    set_mode(sqlite_course, before)
    with read_only(sqlite_course, tmp_path / "disc") as course, Gradebook.open(course) as gb:
        assert len(gb.students("hw")) == 3
        answer = gb.answers("hw", "keys")[0]
        with pytest.raises(MarkbookError, match=r"gradebook\.db may only be read"):
            gb.note(answer, who="t", what="x")
        assert files(course) == ["gradebook.db"]


class read_only:  # noqa: N801  (reads as a with-statement)
    """The course, mounted read-only (without root: in a folder that may not be written)."""

    def __init__(self, course, target):
        self.course, self.target = course, target

    def __enter__(self):
        self.root = os.geteuid() == 0
        if not self.root:
            self.course.root.chmod(0o555)
            return self.course
        self.target.mkdir()
        subprocess.run(["mount", "--bind", self.course.root, self.target], check=True)
        again = ["mount", "-o", "remount,bind,ro", self.target]
        subprocess.run(again, check=True)
        return Course.open(self.target)

    def __exit__(self, *_):
        if self.root:
            subprocess.run(["umount", self.target], check=True)
        else:
            self.course.root.chmod(0o755)


def test_threads_share_an_open_gradebook(tiny, sqlite_course):
    with Gradebook.open(sqlite_course) as gb:
        answer = gb.answers("hw", "keys")[0]
        failed = []

        def work(name):
            try:
                for _ in range(10):
                    gb.note(answer, who=name, what="x")
            except Exception as error:  # noqa: BLE001  (shown by the test)
                failed.append(error)

        threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert len(list(gb.events("hw"))) == 40
    assert files(sqlite_course) == ["gradebook.db"]
