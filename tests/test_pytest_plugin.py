"""Assignments as tests, by a pytest that is told what a CI job tells it.

That pytest runs in this process, which saves a second or two each time; in one of its own where
its processes, its exit and what it imports are the point.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from markbook import pytest_plugin
from markbook.checks import all_checks

pytest_plugins = ["pytester"]

CLEAN = Path(__file__).resolve().parent / "broken_courses" / "_clean"
QUICK = ("--markbook-select=MB1", "--markbook-select=MB5")


@pytest.fixture
def course(pytester):
    """A copy of the clean course, the folder that pytest is run in."""
    shutil.copytree(CLEAN, pytester.path, dirs_exist_ok=True)
    return pytester.path


@pytest.fixture
def run(pytester, monkeypatch):
    """A function that runs pytest here; returns its exit code and what it said."""
    all_checks()  # the modules: what the inner pytest imports is forgotten after it

    def here(*arguments):
        for known in (pytest_plugin._view, pytest_plugin._course, pytest_plugin._course_root):
            known.cache_clear()  # a new process would know nothing of the last
        done = pytester.runpytest_inprocess("-W", "error", "--color=no", *map(str, arguments))
        return done.ret, f"{done.stdout}\n{done.stderr}"

    return here


@pytest.fixture
def collected(run):
    """A function that returns the names of the items that pytest would run."""

    def names(*arguments):
        code, said = run("--collect-only", "-q", *arguments)
        assert code in {0, 5}, said
        return [line for line in said.splitlines() if "::" in line]

    return names


def job(cwd, *arguments):
    """Run pytest in ``cwd`` in a process of its own; returns its exit code and what it said."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "--color=no", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout + done.stderr


def break_it(course):
    """Two files wrong: a criterion that says nothing, and an output left in the notebook."""
    rubric = course / "graders" / "hw" / "keys.yaml"
    rubric.write_text(rubric.read_text() + "typo: 1\n")
    path = course / "source" / "hw" / "part.ipynb"
    document = json.loads(path.read_text())
    cell = next(cell for cell in document["cells"] if cell["cell_type"] == "code")
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "42\n"}]
    path.write_text(json.dumps(document))


def test_there_is_an_item_for_each_check_and_question_and_none_twice(course, collected):
    names = collected("source", "graders")
    assert len(names) == len(set(names))
    assert "source/hw/part.ipynb::MB104-outputs-in-source" in names
    assert "source/hw/part.ipynb::MB502-no-rubric[keys]" in names
    assert "source/hw/part.ipynb::MB502-no-rubric[doors]" in names
    assert "graders/hw/keys.yaml::MB501-invalid-rubric[keys]" in names
    assert not [name for name in names if "default.ipynb" in name]
    assert set(collected()) == set(names)


def test_what_runs_code_comes_last(course, collected):
    slow = {check.code for check in all_checks() if check.slow}
    is_slow = [re.search(r"::(MB\d+)", n).group(1) in slow for n in collected()]
    assert any(is_slow)
    assert is_slow == sorted(is_slow)


def test_a_clean_course_passes_and_a_broken_one_fails_with_what_to_do(course, run):
    code, said = run(*QUICK, "source", "graders", "-q")
    assert code == 0, said
    break_it(course)
    code, said = run(*QUICK, "source", "graders", "-q")
    assert code == 1
    assert "2 failed" in said
    assert "source/hw/part.ipynb, cell 7 (add): error MB104" in said
    assert "graders/hw/keys.yaml" in said
    assert "unknown" in said.lower() or "typo" in said
    assert "Traceback" not in said


def test_a_warning_is_shown_and_fails_nothing(course, run):
    path = course / "source" / "hw" / "part.ipynb"
    document = json.loads(path.read_text())
    next(c for c in document["cells"] if c["cell_type"] == "code")["execution_count"] = 3
    path.write_text(json.dumps(document))
    code, said = run("--markbook-select=MB105", "-rA")
    assert code == 0, said
    assert "warning MB105" in said


def test_k_lf_and_one_file_choose_as_they_do_for_other_tests(course, run, collected):
    assert len(collected(*QUICK, "-k", "MB104")) == 1
    assert all("keys" in name for name in collected(*QUICK, "-k", "keys"))
    only = collected(*QUICK, "graders/hw/keys.yaml")
    assert only
    assert all(name.startswith("graders/hw/keys.yaml::") for name in only)
    for one in (
        "source/hw/part.ipynb::MB104-outputs-in-source",
        "graders/hw/keys.yaml::MB501-invalid-rubric[keys]",
    ):
        assert collected(one) == [one]
    break_it(course)
    assert run(*QUICK, "-q")[0] == 1
    code, said = run(*QUICK, "--lf", "-q")
    assert code == 1
    assert "2 failed" in said
    assert "passed" not in said


def test_xdist_runs_the_same_items(course, run):
    break_it(course)
    code, alone = run(*QUICK, "-q", "-p", "no:cacheprovider")
    assert code == 1
    code, spread = job(course, *QUICK, "-q", "-p", "no:cacheprovider", "-n", "2")
    assert code == 1
    counts = r"(\d+ failed, \d+ passed)"
    assert re.search(counts, spread).group(1) == re.search(counts, alone).group(1)


def test_a_code_that_no_check_has_is_said_and_not_passed_over(course, run):
    code, said = run("--markbook-select=outputs-in-sorce")
    assert code not in {0, 5}
    assert "Did you mean 'outputs-in-source'?" in said


def test_the_plugin_can_be_left_out(course, run):
    assert run("-p", "no:markbook", "-q")[0] == 5  # no tests collected
    code, said = run("-p", "no:markbook", "--markbook-select=MB1")
    assert code == 4
    assert "unrecognized arguments" in said


@pytest.fixture
def elsewhere(pytester):
    """A project that is no course: tests, notebooks, YAML files, a Sphinx-like ``source/``."""
    root = pytester.path
    (root / "source" / "hw").mkdir(parents=True)
    (root / "graders").mkdir()
    notebook = CLEAN / "source" / "hw" / "part.ipynb"
    shutil.copy(notebook, root / "source" / "hw")
    (root / "graders" / "x.yaml").write_text("nonsense: [\n")
    (root / "broken.ipynb").write_text("{")
    (root / "test_it.py").write_text(
        "import sys\n\n"
        "def test_nothing_of_markbook_is_loaded_but_the_plugin():\n"
        "    loaded = {n for n in sys.modules if n.partition('.')[0] == 'markbook'}\n"
        "    assert loaded <= {'markbook', 'markbook.pytest_plugin'}, loaded\n"
        "    assert 'nbformat' not in sys.modules\n\n"
        "def test_b():\n    pass\n\ndef test_a():\n    pass\n"
    )
    return root


def test_a_pytest_job_elsewhere_is_not_disturbed(elsewhere, collected):
    code, said = job(elsewhere, "-v")
    assert code == 0, said
    assert "3 passed" in said
    names = collected()
    assert [name.rpartition("::")[2] for name in names][1:] == ["test_b", "test_a"]
    assert names == collected("-p", "no:markbook")


def test_a_broken_configuration_above_takes_no_test_from_others(elsewhere, run):
    (elsewhere / "nbgrader_config.py").write_text("raise RuntimeError('not today')\n")
    code, said = run("-q", "-k", "test_a or test_b")
    assert code == 0, said
    assert "2 passed" in said


def test_other_tests_of_a_course_keep_their_place_and_run_too(course, run, collected):
    (course / "tests").mkdir()
    (course / "tests" / "test_own.py").write_text("def test_own():\n    pass\n")
    names = collected(*QUICK)
    assert "tests/test_own.py::test_own" in names
    code, said = run(*QUICK, "-q")
    assert code == 0, said


def test_copies_and_students_notebooks_are_no_assignments(course, collected):
    before = collected()
    for folder in ("submitted/ada/hw", "source/hw/.ipynb_checkpoints", "source/hw/data"):
        (course / folder).mkdir(parents=True)
        (course / folder / "part.ipynb").write_text("{")
    assert collected() == before


def test_a_conftest_that_a_student_handed_in_is_not_run(course):
    trap = course / "submitted" / "eve" / "hw"
    trap.mkdir(parents=True)
    (trap / "conftest.py").write_text("import pathlib; pathlib.Path('ran').touch()")
    (trap / "test_mine.py").write_text("def test_mine(): pass")
    _code, said = job(course, "--collect-only", "-q")
    assert "test_mine" not in said, said
    assert not list(course.rglob("ran"))
