"""Every broken course gives exactly its finding, in exactly these words."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from markbook.checks import all_checks, choose, run_checks
from markbook.checks.formats import as_text
from markbook.course import Course

HOME = Path(__file__).resolve().parent.parent / "broken_courses"
CASES = sorted(folder.name for folder in HOME.iterdir() if folder.name.startswith("MB"))
OWN = {"REMOVED", "COMMITTED", "gradebook.sql", "expected.txt"}
# These run nbgrader or code: seconds for each course, so only where they are what is tested.
OPTIONAL = {check.code for check in all_checks() if check.optional}
LONG = {check.code for check in all_checks() if check.slow} | {"MB302"}
# What the long ones read. Of a course in which that is as in the clean one they say what they say
# of the clean one: nothing, as the first test here proves.
READ = {"MB3": ("source", "release"), "MB4": ("source", "release"), "MB6": ("source", "graders")}


def put_together(name: str, target: Path) -> Course:
    shutil.copytree(HOME / "_clean", target)
    if (HOME / name / "COMMITTED").is_file():
        commit(target)
    if (HOME / name / "gradebook.sql").is_file():
        with closing(sqlite3.connect(target / "gradebook.db")) as database:
            database.executescript((HOME / name / "gradebook.sql").read_text())
    removed = HOME / name / "REMOVED"
    if removed.is_file():
        for line in removed.read_text().split():
            (target / line).unlink()
    for path in (HOME / name).rglob("*"):
        if path.is_file() and path.name not in OWN:
            copy = target / path.relative_to(HOME / name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    for folder in sorted(target.rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return Course.open(target)


def commit(folder: Path) -> None:
    """Make a folder a git repository with all of it committed."""
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    for arguments in (["init", "-q"], ["add", "."], [*author, "commit", "-q", "-m", "clean"]):
        command = ["git", "-c", "commit.gpgsign=false", *arguments]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)


def could_say(code: str, changed: set[str]) -> bool:
    """Whether a long check can see what was ``changed``; what is no folder, all of them do."""
    return any(name in READ[code[:3]] or "." in name for name in changed)


def test_no_check_finds_anything_in_the_clean_course(tmp_path: Path) -> None:
    shutil.copytree(HOME / "_clean", tmp_path / "course")
    assert run_checks(Course.open(tmp_path / "course"), choose()).findings == ()


@pytest.mark.parametrize("name", CASES)
def test_a_broken_course_gives_exactly_its_finding(name: str, tmp_path: Path) -> None:
    course = put_together(name, tmp_path / "course")
    code = name.partition("-")[0]
    checks = [check for check in choose() if check.code not in LONG]
    if code in LONG - OPTIONAL:
        changed = {path.name for path in (HOME / name).iterdir()} - {"expected.txt"}
        checks = [c for c in choose() if c.code not in LONG or could_say(c.code, changed)]
    checks = [*checks, *choose(["MB6"], optional=True)] if code in OPTIONAL else checks
    findings = run_checks(course, checks).findings
    said = as_text(course, findings) + "\n"
    expected = HOME / name / "expected.txt"
    if os.environ.get("MARKBOOK_SNAPSHOTS") == "write":
        expected.write_text(said)
    assert [found.code for found in findings] == [code]
    assert said == expected.read_text()


def test_every_check_has_a_broken_course_and_there_are_sixty() -> None:
    covered = {name.partition("-")[0] for name in CASES}
    assert {check.code for check in all_checks()} - covered == set()
    assert len(CASES) >= 60
