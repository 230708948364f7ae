"""The door to nbgrader, and nbgrader's own commands on what we stored."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from markbook.course import Course
from markbook.errors import CourseError, InternalError, MarkbookError, NothingMatched
from markbook.gradebook import Gradebook, nbgrader


def with_exchange(course):
    exchange = course.root.parent / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + f"c.Exchange.root = {str(exchange)!r}\n")
    return Course.open(course.root)


def command(course, *arguments):
    """Run nbgrader as a teacher does."""
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course.root,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_nbgraders_own_export_and_formgrader_see_the_marks(tiny, course):
    with Gradebook.open(course) as gb:
        gb.save_marks(
            [tiny.mark(gb, "ada", earned=("right", "example")), tiny.mark(gb, "cleo", "story")],
            who="tutor",
            what="mark",
        )
        scores = {}
        for grade in gb.grades("hw"):
            scores[grade.student] = scores.get(grade.student, 0.0) + grade.score
    command(course, "export", "--to", "grades.csv")
    with (course.root / "grades.csv").open() as stream:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(stream)}
    assert exported == scores == {"ada": 6.0, "ben": 1.0, "cleo": 2.0}

    from nbgrader.apps import NbGraderApp
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    assert NbGraderApp is not None
    directory = CourseDirectory(root=str(course.root), course_id="tiny", db_url=course.db_url)
    api = NbGraderAPI(directory)
    seen = {s["student"]: s for s in api.get_submissions("hw")}
    assert {name: s["score"] for name, s in seen.items()} == exported
    assert {name: s["needs_manual_grade"] for name, s in seen.items()} == {
        "ada": True,
        "ben": True,
        "cleo": True,
    }


def test_an_assignment_goes_out_and_submissions_and_feedback_come_back_by_the_exchange(
    tiny, released
):
    course = with_exchange(released)
    nbgrader.publish_assignment(course, "hw")
    assert "hw" in command(course, "list")
    with pytest.raises(NothingMatched, match="Nobody has submitted"):
        nbgrader.collect(course, "hw")

    handed_in = tiny.submit(course, "dora", {"keys": "A key is secret."})
    inbound = Path(course.exchange_root) / "tiny" / "inbound"
    handed_in.rename(inbound / "dora+hw+2026-01-02 03:04:05.000000 UTC+0123456789")
    assert nbgrader.collect(course, "hw").students == ("dora",)
    assert (course.submitted("hw", "dora") / "part.ipynb").is_file()
    assert nbgrader.collect(course, "hw").students == ("dora",), (
        "collecting twice said something else"
    )

    with pytest.raises(NothingMatched, match="no feedback"):
        nbgrader.publish_feedback(course, "hw")
    feedback = course.feedback("hw", "dora")
    feedback.mkdir(parents=True)
    (feedback / "part.html").write_text("<p>Well done.</p>")
    for name in ("timestamp.txt", "submission_secret.txt"):
        (feedback / name).write_text((course.submitted("hw", "dora") / name).read_text())
    assert nbgrader.publish_feedback(course, "hw") == ("dora",)
    (published,) = (Path(course.exchange_root) / "tiny" / "feedback").iterdir()
    assert published.read_text() == "<p>Well done.</p>"
    published.unlink()
    command(course, "release_feedback", "hw")
    assert published.read_text() == "<p>Well done.</p>"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("c.CourseDirectory.course_id = ''", "has no id"),
        ("", "names no exchange"),
        ("c.Exchange.root = '/nowhere/at/all'", "does not exist"),
    ],
)
def test_an_exchange_that_cannot_work_is_said_before_nbgrader_is_asked(authored, config, message):
    path = authored.root / "nbgrader_config.py"
    path.write_text(f"{path.read_text()}{config}\n")
    course = Course.open(authored.root)
    for step in (nbgrader.collect, nbgrader.publish_assignment, nbgrader.publish_feedback):
        with pytest.raises(CourseError, match=message):
            step(course, "hw")


def test_what_nbgrader_says_when_it_refuses_is_in_the_error(released):
    (released.source("hw") / "part.ipynb").write_text("{")
    with pytest.raises(MarkbookError, match=r"nbgrader refused: .*Notebook") as caught:
        nbgrader.generate_assignment(released, "hw", released.root.parent / "out")
    assert "Traceback" in caught.value.hint


def test_a_worker_that_dies_twice_without_doing_anything_is_our_fault(released, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(InternalError, match="ended with code 1"):
        list(nbgrader.autograde(released, "hw", ["ada", "ben", "cleo"]))


def test_the_process_neither_moves_nor_changes_its_environment(released):
    before = (Path.cwd(), dict(os.environ))
    nbgrader.generate_assignment(released, "hw", released.root.parent / "out")
    assert (Path.cwd(), dict(os.environ)) == before


def test_the_head_found_without_a_process_is_what_nbgraders_own_way_finds(monkeypatch):
    from nbgrader import api

    from markbook.gradebook import worker

    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)
    own = api.get_alembic_version
    monkeypatch.setattr(api, "get_alembic_version", own)  # put back after this test
    worker._find_the_head_here()
    assert api.get_alembic_version is not own
    assert api.get_alembic_version() == own()


def test_versions_that_nobody_saves_come_from_one_process_and_a_refusal_stops_no_other(
    authored, monkeypatch
):
    shutil.copytree(authored.source("hw"), authored.source("hw2"))
    shutil.copytree(authored.source("hw"), authored.source("broken"))
    (authored.source("broken") / "part.ipynb").write_text("{")
    started = []
    start = nbgrader.start_worker
    monkeypatch.setattr(nbgrader, "start_worker", lambda *a: started.append(1) or start(*a))
    out = authored.root.parent / "out"
    found = dict(nbgrader.generate_unsaved(authored, ["hw", "broken", "hw2"], out))
    assert list(found) == ["hw", "broken", "hw2"]
    assert len(started) == 1
    assert "nbgrader refused" in found["broken"].what
    for name in ("hw", "hw2"):
        assert (found[name] / "part.ipynb").is_file()
    assert not (authored.root / "gradebook.db").exists()
