"""Cells that students were given keep their ids: by the release, by git, and by the gradebook."""

from __future__ import annotations

import subprocess

import pytest

from markbook.checks import choose, run_checks

GIVEN = choose(["MB203"])
COMMITTED = "'keys' was released (cell 3), as last committed, and is not here any more."


def rename(path, old, new):
    path.write_text(path.read_text().replace(f'"grade_id": "{old}"', f'"grade_id": "{new}"'))


def said(course):
    return [found.message for found in run_checks(course, GIVEN).findings]


@pytest.fixture
def commit_all(commit):
    """A function that commits everything below a folder to a repository at ``top``."""

    def make(course, top=None):
        top = top or course.root
        commit(course.root, top)
        for arguments in (["add", "."], ["commit", "-q", "-m", "all"]):
            subprocess.run(["git", *arguments], cwd=top, check=True, capture_output=True)

    return make


def test_a_rename_is_seen_until_the_new_release_is_committed(clean, commit_all):
    commit_all(clean)
    assert said(clean) == []
    for folder in (clean.source("hw"), clean.release("hw")):
        rename(folder / "part.ipynb", "keys", "locks")
    assert said(clean) == [COMMITTED]
    commit_all(clean)
    assert said(clean) == []


def test_a_course_within_a_larger_repository_is_compared_with_its_own_release(clean, commit_all):
    commit_all(clean, clean.root.parent)
    for folder in (clean.source("hw"), clean.release("hw")):
        rename(folder / "part.ipynb", "keys", "locks")
    assert said(clean) == [COMMITTED]


def test_a_notebook_taken_out_of_source_and_release_is_missed_once(clean, commit_all):
    commit_all(clean)
    for folder in (clean.source("hw"), clean.release("hw")):
        (folder / "part.ipynb").rename(folder / "renamed.ipynb")
    assert said(clean) == ["The notebook part.ipynb was released and is not here any more."]


def test_a_committed_release_that_cannot_be_read_says_nothing(clean, commit_all):
    path = clean.release("hw") / "part.ipynb"
    good = path.read_bytes()
    path.write_text("{")
    commit_all(clean)
    path.write_bytes(good)
    assert said(clean) == []


def test_a_gradebook_tells_how_many_students_would_lose_their_work(marked, tmp_path):
    course = marked(tmp_path / "course")
    assert said(course) == []
    for folder in (course.source("hw"), course.release("hw")):
        rename(folder / "part.ipynb", "add", "sum")
    assert said(course) == [
        "'add' was answered and is not here any more: the work of 3 students would be lost."
    ]
