"""A new course folder: all of it, nothing overwritten, and refused where it cannot be."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from hypothesis import given
from hypothesis import strategies as st

from markbook.checks import choose, run_checks
from markbook.course import Course, skeleton
from markbook.course.skeleton import course_id_of, make_course, requirement
from markbook.errors import UsageError
from markbook.release import build


def tree(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_a_new_course_has_nothing_wrong_once_it_is_released(tmp_path):
    root = tmp_path / "logic-101"
    made = make_course(root)
    assert made.course_id == "logic-101"
    assert sorted(made.written) == sorted(tree(root))
    assert made.kept == ()
    course = Course.open(root)
    assert course.course_id == "logic-101"
    assert course.assignments() == ("first-steps",)
    build(course, "first-steps")
    # those that run nbgrader, its solution and its grader are a step of its workflow: test_ci.py
    checks = [check for check in choose() if not (check.slow or check.patient)]
    report = run_checks(course, checks)
    assert report.findings == ()
    assert report.examined > len(checks) / 2


def test_the_default_grader_is_the_one_of_this_repository(tmp_path, repository):
    make_course(tmp_path)
    own = (repository / "graders" / "default.ipynb").read_bytes()
    assert (tmp_path / "graders" / "default.ipynb").read_bytes() == own


def test_what_exists_is_kept_byte_for_byte_and_the_rest_is_added(tmp_path):
    (tmp_path / "README.md").write_text("mine\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_course.py").symlink_to("nowhere.py")
    made = make_course(tmp_path)
    assert set(made.kept) == {"README.md", "tests/test_course.py"}
    assert (tmp_path / "README.md").read_text() == "mine\n"
    assert (tmp_path / "tests" / "test_course.py").is_symlink()
    before = tree(tmp_path)
    again = make_course(tmp_path)
    assert again.written == ()
    assert tree(tmp_path) == before


def test_a_course_that_has_assignments_gets_no_example(course_copy):
    root = course_copy
    made = make_course(root)
    assert not made.example
    assert not any("first-steps" in path for path in (*made.written, *made.kept))
    assert {"nbgrader_config.py", "graders/default.ipynb"} <= set(made.kept)
    assert made.course_id == "web-development"


def test_a_course_with_folders_of_its_own_gets_the_example_where_it_keeps_its_sources(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.source_directory = 'authored'\n"
    )
    make_course(tmp_path)
    assert (tmp_path / "authored" / "first-steps" / "first-steps.ipynb").is_file()
    assert not (tmp_path / "source").exists()


def test_making_it_can_stop_after_any_file_and_be_gone_on_with(tmp_path, monkeypatch):
    whole = tree_of_new(tmp_path / "whole" / "c")
    for stop in range(len(whole)):
        root = tmp_path / str(stop) / "c"
        writes = iter(range(len(whole)))

        def failing(path, text, *, stop=stop, writes=writes, write=skeleton.write_atomic):
            if next(writes) == stop:
                raise OSError(28, "No space left on device")
            return write(path, text)

        with monkeypatch.context() as patched:
            patched.setattr(skeleton, "write_atomic", failing)
            with pytest.raises(UsageError, match=r"No space left on device.*run 'markbook init'"):
                make_course(root)
        make_course(root)
        assert tree(root) == whole


def tree_of_new(root):
    make_course(root)
    return tree(root)


def test_nothing_is_written_when_a_file_is_in_the_way(tmp_path):
    (tmp_path / "graders").write_text("notes\n")
    with pytest.raises(UsageError, match=r"graders is not a folder"):
        make_course(tmp_path)
    assert tree(tmp_path) == {"graders": b"notes\n"}
    with pytest.raises(UsageError, match=r"graders is not a folder"):
        make_course(tmp_path / "graders")


def test_a_course_in_a_course_is_refused(tmp_path):
    make_course(tmp_path / "outer")
    with pytest.raises(UsageError, match=r"lies in the course .*outer"):
        make_course(tmp_path / "outer" / "source" / "inner")


def test_a_dry_run_tells_the_same_and_writes_nothing(tmp_path):
    told = make_course(tmp_path / "new", dry_run=True)
    assert not (tmp_path / "new").exists()
    assert make_course(tmp_path / "new") == told


def test_without_the_example_there_is_no_assignment_and_all_else(tmp_path):
    made = make_course(tmp_path, example=False)
    assert Course.open(tmp_path).assignments() == ()
    assert "graders/default.ipynb" in made.written


def test_a_gitignore_that_lets_students_work_into_git_is_told_of(tmp_path):
    (tmp_path / ".gitignore").write_text("submitted\n.venv\n__pycache__/\n")
    unignored = make_course(tmp_path).unignored
    assert "/gradebook.db*" in unignored
    assert not {"/submitted/", ".venv/", "__pycache__/"} & set(unignored)


@pytest.mark.parametrize(
    ("folder", "course_id"),
    [
        ("web-development", "web-development"),
        ("Programmieren Ü1", "Programmieren-U1"),
        ("a/b: c?", "b-c"),
        ("  ", "course"),
        ("…", "course"),
        (".hidden", "hidden"),
        ("数学", "course"),
        ('it\'s "quoted"', "it-s-quoted"),
    ],
)
def test_the_course_id_comes_from_the_folders_name(tmp_path, folder, course_id):
    assert course_id_of(tmp_path / folder) == course_id


@given(st.text(max_size=30))
def test_any_folder_name_gives_an_id_that_is_safe_in_every_file(name):
    found = course_id_of(Path("/courses") / name.replace("\0", ""))
    assert found
    assert found.isascii()
    assert not set(found) & set("\"'\\/ \n@$")


@pytest.mark.parametrize(
    ("source", "line", "guessed"),
    [
        (None, "markbook=={version}", False),
        ({"url": "file:///home/me/markbook", "dir_info": {}}, "markbook=={version}", True),
        (
            {
                "url": "https://git.example.org/markbook.git",
                "vcs_info": {"vcs": "git", "commit_id": "0" * 40},
            },
            "markbook @ git+https://git.example.org/markbook.git@" + "0" * 40,
            False,
        ),
        (
            {"url": "https://example.org/markbook-1.whl", "archive_info": {}},
            "markbook @ https://example.org/markbook-1.whl",
            False,
        ),
        (
            {"url": "file:///home/me/markbook", "vcs_info": {"vcs": "git", "commit_id": "0"}},
            "markbook=={version}",
            True,
        ),
    ],
)
def test_ci_gets_the_markbook_that_made_the_course(monkeypatch, source, line, guessed):
    from markbook import __version__

    class Installed:
        def read_text(self, name):
            assert name == "direct_url.json"
            return None if source is None else json.dumps(source)

    monkeypatch.setattr(skeleton.metadata, "distribution", lambda name: Installed())
    assert requirement() == (line.format(version=__version__), guessed)


def test_the_wheel_carries_every_template(repository):
    builder = WheelBuilder(str(repository))
    names = {file.distribution_path for file in builder.recurse_included_files()}
    templates = {*skeleton._FILES.values(), *skeleton._EXAMPLE.values()}
    assert {f"markbook/course/template/{name}" for name in templates} <= names


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_said(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="may not be written to"):
        make_course(tmp_path / "new")
