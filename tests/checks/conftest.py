"""A clean little assignment that tests may break, one thing at a time."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from markbook.cli.main import main
from markbook.course import Course

CLEAN = Path(__file__).resolve().parent.parent / "broken_courses" / "_clean"


@pytest.fixture
def clean(tmp_path):
    """A copy of the clean course, released."""
    shutil.copytree(CLEAN, tmp_path / "course")
    return Course.open(tmp_path / "course")


@pytest.fixture
def edit():
    """A function that changes a notebook's JSON in place."""

    def change(path, changing):
        document = json.loads(path.read_text())
        changing(document)
        path.write_text(json.dumps(document, indent=1) + "\n")

    return change


@pytest.fixture
def marked(tiny, tmp_path):
    """A function from a folder to a course of three students, autograded, with a grader."""

    def make(root):
        course = tiny.copy_of("autograded", root)
        shutil.copy(CLEAN / "graders" / "default.ipynb", course.root / "graders")
        return course

    return make


@pytest.fixture
def commit():
    """A function that commits all of a folder to a repository of its own."""

    def run(folder, *arguments):
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)

    def make(folder, top=None):
        top = top or folder
        if not (top / ".git").exists():
            run(top, "init", "-q")
            run(top, "config", "user.email", "test@example.org")
            run(top, "config", "user.name", "Test")
            run(top, "config", "commit.gpgsign", "false")
        run(top, "add", "--force", str(folder / "graders"))
        run(top, "commit", "-q", "--allow-empty", "-m", "state")

    return make


@pytest.fixture
def run(capsys):
    """A function that runs the command in a course and returns its exit code and what it said."""

    def command(*arguments, course):
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments), "--course", str(course.root)])
        said = capsys.readouterr()
        return SimpleNamespace(code=ended.value.code, out=said.out, err=said.err)

    return command
