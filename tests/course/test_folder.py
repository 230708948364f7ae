"""The course folder and what its configuration says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from markbook.course import Course, nearest
from markbook.errors import CourseError, UnknownName

if TYPE_CHECKING:
    from pathlib import Path


def make(root: Path, config: str = "") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / "nbgrader_config.py").write_text(f"c = get_config()\n{config}\n")
    return root


def test_the_nearest_folder_upwards_is_the_course(tmp_path: Path) -> None:
    outer = make(tmp_path / "outer")
    inner = make(outer / "inner")
    deep = inner / "source" / "hw1"
    deep.mkdir(parents=True)
    assert Course.find(deep).root == inner.resolve()


@pytest.mark.parametrize(
    ("folder", "config"),
    [
        ("submitted/eve/hw", ""),
        ("autograded/eve/hw/deep/er", ""),
        ("in/box/eve/hw", "c.CourseDirectory.submitted_directory = 'in/box'"),
    ],
)
def test_a_configuration_that_a_student_handed_in_is_never_run(
    tmp_path: Path, folder: str, config: str
) -> None:
    course = make(tmp_path / "course", config)
    trap = make(course / folder, f"open({str(tmp_path / 'ran')!r}, 'w')")
    assert Course.find(trap).root == course.resolve()
    assert not (tmp_path / "ran").exists()


def test_a_course_inside_a_course_of_another_folder_is_still_one(tmp_path: Path) -> None:
    make(tmp_path / "outer")
    inner = make(tmp_path / "outer" / "submitted-courses" / "inner")
    assert Course.find(inner).root == inner.resolve()


def test_a_course_that_another_person_put_above_is_not_run_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = make(tmp_path / "course")
    trap = make(course / "submitted" / "eve" / "hw")
    monkeypatch.setattr(nearest.os, "geteuid", lambda: 12345)
    with pytest.raises(CourseError, match="lies among the submissions of"):
        Course.find(trap)


def test_a_folder_without_configuration_is_not_a_course(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="not a course folder"):
        Course.open(tmp_path)


def test_a_broken_configuration_is_named_with_its_error(tmp_path: Path) -> None:
    make(tmp_path, "1 / 0")
    with pytest.raises(CourseError, match="ZeroDivisionError"):
        Course.open(tmp_path)


def test_a_relative_sqlite_address_means_the_course_folder(tmp_path: Path) -> None:
    make(tmp_path, "c.CourseDirectory.db_url = 'sqlite:///data/book.db'")
    assert Course.open(tmp_path).db_url == f"sqlite:///{tmp_path.resolve()}/data/book.db"


def test_a_server_address_is_taken_as_it_is(tmp_path: Path) -> None:
    make(tmp_path, "c.CourseDirectory.db_url = 'postgresql+psycopg://u@127.0.0.1/book'")
    assert Course.open(tmp_path).db_url == "postgresql+psycopg://u@127.0.0.1/book"


def test_folders_that_the_configuration_renames_are_followed(tmp_path: Path) -> None:
    make(tmp_path, "c.CourseDirectory.submitted_directory = 'handed-in'")
    course = Course.open(tmp_path)
    assert course.submitted("hw1", "ada") == tmp_path.resolve() / "handed-in" / "ada" / "hw1"


def test_a_renamed_folder_may_not_leave_the_course(tmp_path: Path) -> None:
    make(tmp_path, "c.CourseDirectory.submitted_directory = '../elsewhere'")
    with pytest.raises(CourseError, match="leaves the course folder"):
        Course.open(tmp_path)


def test_a_folder_without_a_notebook_is_not_an_assignment(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "source" / "notes").mkdir(parents=True)
    (tmp_path / "source" / "hw1").mkdir()
    (tmp_path / "source" / "hw1" / "a.ipynb").write_text("{}")
    assert Course.open(tmp_path).assignments() == ("hw1",)


def test_an_unknown_assignment_is_answered_with_the_closest_one(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "source" / "testing").mkdir(parents=True)
    (tmp_path / "source" / "testing" / "a.ipynb").write_text("{}")
    with pytest.raises(UnknownName, match="Did you mean 'testing'"):
        Course.open(tmp_path).require("tseting")


def test_hidden_folders_are_not_students(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "submitted" / ".git" / "hw1").mkdir(parents=True)
    (tmp_path / "submitted" / "ada" / "hw1").mkdir(parents=True)
    assert Course.open(tmp_path).students("submitted", "hw1") == ("ada",)
