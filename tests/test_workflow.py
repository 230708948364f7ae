"""The whole course run on this repository's own course, as the command."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ASSIGNMENT = "django-auth-and-servers"
# Of fewer than five answers nothing is sure enough for a rule.
STUDENTS = (
    "amara-okafor.md", "diego-fuentes.md", "greta-vollmer.md", "chen-wei.txt",
    "bjorn-lindqvist.txt", "elif-yildirim.markdown", "farid-haddad.txt",
)  # fmt: skip
DONE, ATTENTION, USAGE, NOTHING = 0, 1, 2, 4

# Drawn anew at each making; everything else in the gradebook has to come out the same.
# (A submission's content hash covers its secret, which is drawn.)
VOLATILE = {"id", "at", "timestamp", "marked_at", "content_hash"}


def markbook(course: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "markbook", *arguments],
        cwd=course,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def papers(repository: Path) -> list[str]:
    return [str(repository / "sample-class" / ASSIGNMENT / name) for name in STUDENTS]


def run_arguments(papers: list[str]) -> list[str]:
    rule = ["--accept", "confidence >= 0.8", "--marker", "grace"]
    return ["run", ASSIGNMENT, "--from", *papers, *rule]


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, papers: list[str], make_course: Any
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A course after one undisturbed run, and what the run printed."""
    course = make_course(tmp_path_factory.mktemp("finished") / "course")
    return course, markbook(course, *run_arguments(papers))


def gradebook(course: Path) -> dict[str, list[str]]:
    """Return all rows of all tables but what is drawn anew at each making."""
    with sqlite3.connect(f"file:{course / 'gradebook.db'}?mode=ro", uri=True) as db:
        db.row_factory = sqlite3.Row
        names = [r[0] for r in db.execute("select name from sqlite_master where type = 'table'")]
        names.remove("markbook_stamp")  # counts transactions: how many is a matter of time
        found = {}
        for name in names:
            rows = [dict(row) for row in db.execute(f'select * from "{name}"')]
            found[name] = sorted(json.dumps(_lasting(row), default=str) for row in rows)
    return found


def _lasting(row: dict[str, Any]) -> dict[str, Any]:
    """Return what of a row is the same at every making; JSON columns are looked into."""
    kept = {k: v for k, v in row.items() if k not in VOLATILE and not k.endswith("_id")}
    for name in ("before", "after"):
        if isinstance(kept.get(name), str):
            kept[name] = _lasting(json.loads(kept[name]))
    return kept


def files(course: Path, *folders: str) -> dict[str, tuple[str, int]]:
    """Return every file below the folders with the hash of its bytes and its time."""
    return {
        str(path.relative_to(course)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for folder in folders
        for path in sorted((course / folder).rglob("*"))
        if path.is_file()
    }


MADE = ("release", "submitted", "autograded", "feedback", "reports")


def test_a_run_takes_papers_to_feedback_and_says_what_waits(finished: Any) -> None:
    course, result = finished
    assert result.returncode == ATTENTION, result.stderr
    progress = ("autograding ", "suggesting ")
    assert all(line.startswith(progress) for line in result.stderr.splitlines()), result.stderr
    for step in ("collected", "autograded", "suggested", "marked", "feedback", "report"):
        assert f"\n{step} " in "\n" + result.stdout
    assert (course / "feedback" / "chen-wei" / ASSIGNMENT / "conceptual.html").is_file()
    assert (course / "reports" / ASSIGNMENT / "report.html").is_file()
    assert (course / "reports" / ASSIGNMENT / "graders" / "runserver-in-production.ipynb").is_file()


def test_running_everything_again_changes_nothing(finished: Any, papers: list[str]) -> None:
    course, _ = finished
    before = gradebook(course), files(course, *MADE)
    again = markbook(course, *run_arguments(papers))
    assert again.returncode == ATTENTION
    assert (gradebook(course), files(course, *MADE)) == before


@pytest.mark.parametrize("moments", [(1.5, 3.0, 4.5, 6.0, 8.0), (2.2, 3.7, 5.2, 7.0)])
def test_a_run_killed_again_and_again_ends_with_the_same_gradebook(
    finished: Any, papers: list[str], tmp_path: Path, make_course: Any, moments: tuple[float, ...]
) -> None:
    undisturbed, _ = finished
    course = make_course(tmp_path / "course")
    for moment in moments:
        kill_after(course, run_arguments(papers), moment)
    result = markbook(course, *run_arguments(papers))
    assert result.returncode == ATTENTION, result.stdout + result.stderr
    assert gradebook(course) == gradebook(undisturbed)
    for folder in ("autograded", "feedback"):
        assert {name: found[0] for name, found in pages(course, folder).items()} == {
            name: found[0] for name, found in pages(undisturbed, folder).items()
        }


def test_a_release_that_was_stored_in_part_only_is_stored_by_the_next_run(
    finished: Any, papers: list[str], tmp_path: Path, make_course: Any
) -> None:
    undisturbed, _ = finished
    course = make_course(tmp_path / "course")
    assert markbook(course, "release", ASSIGNMENT).returncode == 0
    with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as database, database:
        for table in ("grade_cells", "solution_cells", "source_cell", "base_cell", "notebook"):
            database.execute(f"DELETE FROM {table}")
    result = markbook(course, *run_arguments(papers))
    assert result.returncode == ATTENTION, result.stdout + result.stderr
    assert gradebook(course) == gradebook(undisturbed)


def pages(course: Path, folder: str) -> dict[str, tuple[str, int]]:
    """Return the notebooks and pages; the secret of a submission is drawn, its time is kept."""
    return {n: f for n, f in files(course, folder).items() if n.endswith((".html", ".json"))}


def kill_after(course: Path, arguments: list[str], seconds: float) -> None:
    """Start the command in a group of its own and kill it, unless it ends before."""
    process = subprocess.Popen(
        [sys.executable, "-m", "markbook", *arguments],
        cwd=course,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_json_of_a_run_holds_every_step(finished: Any, papers: list[str]) -> None:
    course, _ = finished
    result = markbook(course, *run_arguments(papers), "--json")
    value = json.loads(result.stdout)
    assert {paper["student"] for paper in value["collect"]["papers"]} == {
        name.partition(".")[0] for name in STUDENTS
    }
    assert value["autograde"]["submissions"] == []
    assert len(value["autograde"]["unchanged"]) == len(STUDENTS)
    assert value["mark"]["rule"] == "confidence >= 0.8"


def test_text_of_no_question_ends_with_attention_and_is_kept(
    course_copy: Path, tmp_path: Path
) -> None:
    paper = tmp_path / "ada.md"
    paper.write_text(
        "I wrote this on the train and I am sorry for all of it.\n\n"
        "## What is the primary purpose of JSON Web Tokens (JWTs) and how do they work?\n\n"
        "They carry claims.\n"
    )
    result = markbook(course_copy, "collect", ASSIGNMENT, "--from", str(paper), "--json")
    assert result.returncode == ATTENTION
    (found,) = json.loads(result.stdout)["papers"]
    assert "I wrote this on the train" in found["unmatched"][0]
    assert found["answers"]["jwt-purpose-and-encoding"]["text"] == "They carry claims."
    assert found["answers"]["runserver-in-production"]["status"] == "not-asked"
    kept = course_copy / "submitted" / "ada" / ASSIGNMENT / "unmatched.md"
    assert "I wrote this on the train" in kept.read_text()


def test_a_dry_run_of_collect_writes_nothing(course_copy: Path, papers: list[str]) -> None:
    result = markbook(course_copy, "collect", ASSIGNMENT, "--from", *papers, "--dry-run", "--json")
    assert len(json.loads(result.stdout)["papers"]) == len(papers)
    assert not (course_copy / "submitted").exists()


def test_unreadable_papers_are_named_and_the_others_go_on(
    course_copy: Path, tmp_path: Path, papers: list[str]
) -> None:
    (tmp_path / "empty.md").write_bytes(b"")
    (tmp_path / "word.md").write_bytes(b"PK\x03\x04" + bytes(range(256)))
    (tmp_path / "amara-okafor.txt").write_text("## What is a JWT?\n\nA token.\n")
    result = markbook(
        course_copy, "collect", ASSIGNMENT, "--json", "--from",
        *papers, *(str(tmp_path / n) for n in ("empty.md", "word.md", "amara-okafor.txt", "no.md")),
    )  # fmt: skip
    assert result.returncode == ATTENTION
    value = json.loads(result.stdout)
    wrong = {error["path"].rpartition("/")[2] for error in value["errors"]}
    assert wrong == {"empty.md", "word.md", "amara-okafor.txt", "amara-okafor.md", "no.md"}
    assert len(value["papers"]) == len(papers) - 1


def test_collecting_without_an_exchange_says_how_to_name_one(course_copy: Path) -> None:
    result = markbook(course_copy, "collect", ASSIGNMENT)
    assert result.returncode == USAGE
    assert "names no exchange" in result.stderr


def test_autograding_before_anybody_submitted_matches_nothing(course_copy: Path) -> None:
    markbook(course_copy, "release", ASSIGNMENT)
    result = markbook(course_copy, "autograde", ASSIGNMENT)
    assert result.returncode == NOTHING
    assert "markbook collect" in result.stderr


def test_nbgraders_own_commands_see_the_marks(finished: Any) -> None:
    course, _ = finished
    path = os.environ["PATH"]
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{path}"}
    result = subprocess.run(
        [sys.executable, "-m", "nbgrader", "export"],
        cwd=course, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    rows = (course / "grades.csv").read_text().splitlines()
    head = rows[0].split(",")
    scores = {
        dict(zip(head, row.split(","), strict=True))["student_id"]: float(
            dict(zip(head, row.split(","), strict=True))["score"]
        )
        for row in rows[1:]
        if row.startswith(ASSIGNMENT)
    }
    shown = json.loads((course / "reports" / ASSIGNMENT / "report.json").read_text())
    assert scores == {s["student"]: s["written"] + s["extra"] for s in shown["students"]}
    assert sum(scores.values()) > 0


def test_a_dry_run_of_any_verb_writes_nothing(finished: Any, papers: list[str]) -> None:
    course, _ = finished
    before = gradebook(course), files(course, *MADE)
    for arguments in (
        ["release", ASSIGNMENT],
        ["collect", ASSIGNMENT, "--from", *papers],
        ["autograde", ASSIGNMENT, "--force"],
        ["suggest", ASSIGNMENT, "--force"],
        ["mark", ASSIGNMENT, "--accept", "confidence > 0"],
        ["feedback", ASSIGNMENT, "--model-answers"],
        ["stats", ASSIGNMENT],
        ["export", ASSIGNMENT],
        run_arguments(papers),
    ):
        result = markbook(course, *arguments, "--dry-run")
        assert result.returncode in (DONE, ATTENTION), (arguments, result.stderr)
        assert result.stdout, arguments
    assert (gradebook(course), files(course, *MADE)) == before
