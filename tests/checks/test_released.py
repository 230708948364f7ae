"""The comparison with a fresh build: one rehearsal for all, and a word where there is none."""

from __future__ import annotations

import shutil

import pytest

from markbook.checks import AssignmentView, choose, examinations, released, run_checks
from markbook.errors import InternalError, NotebookError
from markbook.release import ReleaseResult

STALE = choose(["MB302"])


@pytest.fixture
def rehearsals(monkeypatch):
    """What is rehearsed, by nobody; every release would change in the file x."""
    asked = []

    def rehearse(course, names):
        asked.append(tuple(names))
        return {name: ReleaseResult(name, course.release(name), ("x",), ()) for name in names}

    monkeypatch.setattr(released, "rehearse", rehearse)
    return asked


@pytest.fixture
def two(clean):
    """The clean course with its assignment once more."""
    for home in (clean.source, clean.release, clean.rubrics):
        shutil.copytree(home("hw"), home("hw2"))
    return clean


def test_all_assignments_are_rehearsed_together_and_each_gets_its_own_findings(two, rehearsals):
    found = run_checks(two, STALE).findings
    assert rehearsals == [("hw", "hw2")]
    assert [f.path for f in found] == [two.release("hw") / "x", two.release("hw2") / "x"]


def test_only_what_is_asked_for_and_has_a_release_is_rehearsed(two, rehearsals):
    shutil.rmtree(two.release("hw"))
    assert run_checks(two, STALE, [two.source("hw")]).findings == ()
    assert rehearsals == []
    assert len(run_checks(two, STALE).findings) == 1
    assert rehearsals == [("hw2",)]


def test_an_examination_that_nobody_prepared_rehearses_its_own(two, rehearsals):
    (examination,) = examinations(AssignmentView(two, "hw2"), STALE)
    assert [f.path.name for f in examination.run()] == ["x"]
    assert rehearsals == [("hw2",)]


def test_a_rehearsal_that_fails_by_no_fault_of_the_source_is_no_clean_bill(clean, monkeypatch):
    def ended(course, names):
        raise InternalError("nbgrader's process ended with code 9.", hint="Run it again.")

    monkeypatch.setattr(released, "rehearse", ended)
    (found,) = run_checks(clean, STALE).findings
    assert "no fresh build to compare" in found.message
    assert "ended with code 9" in found.message

    refused = NotebookError("It has no points.", path=clean.source("hw"), hint="Give it some.")
    monkeypatch.setattr(released, "rehearse", lambda course, names: {"hw": refused})
    assert run_checks(clean, STALE).findings == (), "checks of the source say that"


def test_patient_checks_come_behind_the_quick_and_before_the_slow(clean, rehearsals):
    order = []
    checks = [*choose(["MB302"]), *choose(["MB101"]), *choose(["MB601"])]
    run_checks(
        clean,
        checks,
        [clean.source("hw"), clean.release("hw")],
        on_event=lambda e: order.append(e.check.code),
    )
    assert list(dict.fromkeys(order)) == ["MB101", "MB302"], "no grader: rubrics were not named"
    assert [c.code for some in _parted(checks) for c in some] == ["MB101", "MB302", "MB601"]


def _parted(checks):
    from markbook.checks.engine import _by_patience

    return _by_patience(checks)
