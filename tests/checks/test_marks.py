"""Marks are what nbgrader takes for marks, with the delimiters that the course configures."""

from __future__ import annotations

import pytest

from markbook.checks import choose, run_checks
from markbook.course import Course
from markbook.release.leaks import find_leaks

MARKS = choose(["MB22"])


def rewrite(path, *pairs):
    text = path.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


@pytest.mark.parametrize("signs", ["# ", "## ", "#", ""])
def test_a_mark_with_fewer_number_signs_is_a_mark(clean, signs):
    rewrite(clean.source("hw") / "part.ipynb", ("### BEGIN ", f"{signs}BEGIN "))
    assert run_checks(clean, MARKS).findings == ()


def test_a_course_with_delimiters_of_its_own_is_judged_by_them(clean):
    rewrite(clean.source("hw") / "part.ipynb", ("BEGIN SOLUTION", "BEGIN MODEL"))
    assert "MB222" not in {f.code for f in run_checks(clean, MARKS).findings}
    config = clean.root / "nbgrader_config.py"
    config.write_text(
        config.read_text() + 'c.ClearSolutions.begin_solution_delimeter = "BEGIN MODEL"\n'
    )
    course = Course.open(clean.root)
    assert run_checks(course, MARKS).findings == ()
    rewrite(course.source("hw") / "part.ipynb", ("BEGIN MODEL", "BEGIN SOLUTION"))
    found = run_checks(course, MARKS).findings
    assert {f.code for f in found} == {"MB221", "MB222"}
    assert "### BEGIN MODEL or" in next(f.hint for f in found if f.code == "MB222")


def test_a_line_between_marks_with_one_number_sign_is_secret(clean):
    source, release = clean.source("hw"), clean.release("hw")
    secret = "assert add(20, 22) == 42, 'the hidden test'"
    rewrite(source / "part.ipynb", ("## BEGIN HIDDEN TESTS", " BEGIN HIDDEN TESTS"))
    (release / "notes.md").write_text(secret)
    assert [leak.line for leak in find_leaks(source, release, {})] == [secret]
