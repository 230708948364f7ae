"""The checks as a machine: which run on what, what they say where, and what mending does."""

from __future__ import annotations

import json

import pytest

from markbook.checks import (
    AssignmentView,
    Severity,
    all_checks,
    apply_fixes,
    choose,
    examinations,
    run_checks,
)
from markbook.course import Course
from markbook.course.skeleton import make_course
from markbook.errors import NothingMatched, UsageError

# without the patient one: it asks nbgrader, in a process, and has tests of its own
QUICK = [check for check in choose() if not (check.slow or check.patient)]


def leave_outputs(document):
    for cell in document["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = 7
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "42"}]


def test_codes_and_names_are_unique_and_each_check_says_what_it_is_for():
    checks = all_checks()
    assert len({check.code for check in checks}) == len(checks)
    assert len({check.name for check in checks}) == len(checks)
    assert all((check.__doc__ or "").strip().partition("\n")[0].endswith(".") for check in checks)


def test_a_clean_course_has_no_findings_and_quick_checks_come_first(clean):
    assert run_checks(clean, QUICK).findings == ()
    slow = [check.slow for check in choose()]
    assert slow == sorted(slow)


def test_a_fix_mends_exactly_what_was_found(clean, edit):
    path = clean.source("hw") / "part.ipynb"
    before = path.read_bytes()
    edit(path, leave_outputs)
    found = run_checks(clean, QUICK).findings
    assert {f.code for f in found} == {"MB104", "MB105"}
    assert apply_fixes(found) == (path,)
    assert run_checks(clean, QUICK).findings == ()
    assert json.loads(path.read_bytes()) == json.loads(before)
    assert apply_fixes(()) == ()


def test_checks_are_chosen_by_code_by_beginning_and_by_name():
    assert [c.code for c in choose(["MB104"])] == ["MB104"]
    assert [c.code for c in choose(["outputs-in-source"])] == ["MB104"]
    assert {c.code[:3] for c in choose(["mb1"])} == {"MB1"}
    assert "MB104" not in {c.code for c in choose((), ["MB10"])}
    assert {c.code for c in choose(["MB61"])} == {c.code for c in all_checks() if c.optional}
    assert not any(c.optional for c in [*choose(), *choose(["MB6"])])
    assert "MB611" in {c.code for c in choose(["MB6"], ["MB612"], optional=True)}
    with pytest.raises(UsageError, match=r"outputs-in-sauce.*Did you mean 'outputs-in-source'"):
        choose(["outputs-in-sauce"])


def test_a_path_narrows_what_is_said_to_its_files(clean, edit):
    edit(clean.source("hw") / "part.ipynb", leave_outputs)
    rubric = clean.rubric("hw", "keys")
    rubric.write_text(rubric.read_text() + "typo: 1\n")
    assert {f.code for f in run_checks(clean, QUICK, [rubric]).findings} == {"MB501"}
    assert {f.code for f in run_checks(clean, QUICK, [clean.source("hw")]).findings} == {
        "MB104",
        "MB105",
    }
    everything = run_checks(clean, QUICK, [clean.root]).findings
    assert everything == run_checks(clean, QUICK).findings
    with pytest.raises(NothingMatched, match="no assignment to check"):
        run_checks(clean, QUICK, [clean.root / "elsewhere"])


def test_a_course_without_an_assignment_yet_passes_and_one_that_lost_its_source_does_not(tmp_path):
    make_course(tmp_path / "new", example=False)
    course = Course.open(tmp_path / "new")
    report = run_checks(course, QUICK)
    assert (report.findings, report.examined, report.assignments) == ((), 0, ())
    with pytest.raises(NothingMatched):
        run_checks(course, QUICK, [course.root / "source"])
    course.rubrics("hw").mkdir()
    course.rubric("hw", "keys").write_text("question: keys\n")
    with pytest.raises(NothingMatched):
        run_checks(course, QUICK)


def test_a_notebook_that_cannot_be_read_is_said_once_and_hides_no_other_finding(clean):
    (clean.source("hw") / "part.ipynb").write_text('{"cells": [')
    rubric = clean.rubric("hw", "keys")
    rubric.write_text(rubric.read_text() + "typo: 1\n")
    assert sorted(f.code for f in run_checks(clean, QUICK).findings) == ["MB101", "MB501"]


def test_every_question_has_its_own_examination(clean):
    names = {
        e.target.name for e in examinations(AssignmentView(clean, "hw"), choose(["no-rubric"]))
    }
    assert names == {"keys", "doors", "add-visible", "add-hidden"}
    assert all(check.severity in Severity for check in all_checks())


def test_a_slow_check_of_a_rubric_runs_only_where_its_findings_are_asked_for(clean):
    slow = choose(["MB601"])
    paths = [clean.rubric("hw", "keys")]
    assert run_checks(clean, slow, paths, on_event=lambda _: None).examined == 1
    quick = choose(["MB512"])
    assert run_checks(clean, quick, paths).examined == 2
