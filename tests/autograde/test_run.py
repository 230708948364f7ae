"""Autograding: what changed, all that changed, and only that."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from markbook.autograde import (
    Options,
    SubmissionFinished,
    SubmissionStarted,
    SubmissionUnchanged,
    autograde,
)
from markbook.course import Course
from markbook.errors import (
    CourseError,
    MarkbookError,
    NotebookError,
    NothingMatched,
    UnknownName,
    UsageError,
)
from markbook.executors import open_executor
from markbook.gradebook import Gradebook
from markbook.model import AnswerStatus, Outcome


@pytest.fixture
def gb(course):
    with Gradebook.open(course) as opened:
        yield opened


def scores(gb, *students):
    return {
        (g.student, g.question): (g.score, g.needs_marking)
        for g in gb.grades("hw")
        if not students or g.student in students
    }


def test_running_twice_runs_nobody_and_changes_nothing(tiny, course, gb):
    gb.save_marks([tiny.mark(gb, "ada")], who="t", what="mark")
    before, times = tiny.dump(course), tiny.file_times(course)
    events = []
    report = autograde(course, gb, "hw", on_event=events.append)
    assert (report.records, report.unchanged, report.resynced) == ((), tiny.STUDENTS, 0)
    assert tiny.dump(course) == before
    assert tiny.file_times(course) == times
    assert [type(event) for event in events] == [SubmissionUnchanged] * 3


def test_forcing_runs_everybody_again_and_marks_stand(tiny, course, gb):
    gb.save_marks([tiny.mark(gb, "ada", comment="Yes.")], who="t", what="mark")
    before = tiny.dump(course)
    report = autograde(course, gb, "hw", force=True)
    assert [r.student for r in report.records] == list(tiny.STUDENTS)
    assert tiny.dump(course) == before


def test_a_bad_submission_is_named_and_the_others_are_scored_all_the_same(tiny, course, gb):
    before = scores(gb, "ben", "cleo")
    bad = tiny.submit(course, "ada", {"keys": "Changed."})
    path = bad / "part.ipynb"
    path.write_text(path.read_text()[:500])
    (tiny.submit(course, "dora", {}) / "timestamp.txt").write_text("yesterday, I think")
    tiny.submit(course, "eve", {"keys": "Fine.", "add": "import os\nos._exit(1)"})
    tiny.submit(course, "finn", {"keys": "Fine.", "add-visible": "assert True"})
    events = []
    report = autograde(course, gb, "hw", force=True, on_event=events.append)
    failed = {r.student: r.findings[0] for r in report.failed}
    assert failed.keys() == {"ada", "dora"}
    assert "Not JSON" in failed["ada"]
    assert failed["dora"] == "its timestamp.txt holds no time: 'yesterday, I think'"
    eve, finn = report.of(Outcome.NEEDS_ATTENTION)
    assert finn.student == "finn"
    assert (eve.student, eve.findings) == (
        "eve",
        ("its code ended the kernel: cell 7 of part.ipynb; tests from there on count 0",),
    )
    assert scores(gb, "eve") == {
        ("eve", "keys"): (0.0, True),
        ("eve", "doors"): (0.0, False),
        ("eve", "story"): (0.0, False),
        ("eve", "add-visible"): (0.0, False),
        ("eve", "add-hidden"): (0.0, False),
    }, "what it wrote in words is marked all the same"
    assert scores(gb, "ben", "cleo") == before
    assert scores(gb, "finn")["finn", "add-visible"] == (0.0, False), "a student set the test"
    for student in failed:
        assert not course.autograded("hw", student).exists()
    assert [e.student for e in events if isinstance(e, SubmissionStarted)] == [
        e.student for e in events if isinstance(e, SubmissionFinished)
    ]
    assert [e.done for e in events if isinstance(e, SubmissionFinished)] == [1, 2, 3, 4, 5, 6]
    assert {e.total for e in events} == {6}
    assert {e.student: e.outcome for e in events if isinstance(e, SubmissionFinished)} == {
        r.student: r.outcome for r in gb.records("hw")
    }
    again = autograde(course, gb, "hw", ["ada", "ben", "finn"])
    assert [r.student for r in again.failed] == ["ada"], "a failed submission is tried again"
    assert again.unchanged == ("ben", "finn")


def test_a_changed_answer_leaves_its_mark_stale_and_the_old_score_waiting(tiny, course, gb):
    stored = gb.save_marks(
        [tiny.mark(gb, "ada"), tiny.mark(gb, "ada", "doors")], who="t", what="mark"
    )
    tiny.submit(course, "ada", {"keys": "Now something else.", "doors": "They open."})
    report = autograde(course, gb, "hw")
    assert [r.student for r in report.records] == ["ada"]
    assert gb.marks("hw") == tuple(sorted(stored, key=lambda m: m.question))
    found = scores(gb, "ada")
    assert found["ada", "keys"] == (2.0, True)
    assert found["ada", "doors"] == (2.0, False)
    assert found["ada", "add-hidden"] == (0.0, False)


def test_a_missing_cell_is_a_finding_whatever_the_student_is_called(tiny, course, gb):
    name = "o'neil [3] \u00fc"
    tiny.submit(course, name, {"keys": None})
    (record,) = autograde(course, gb, "hw").records
    assert (record.student, record.outcome) == (name, Outcome.NEEDS_ATTENTION)
    (finding,) = record.findings
    assert "the cell of 'keys' is missing and is put back as released" in finding
    statuses = {a.question: a.status for a in gb.answers("hw") if a.student == name}
    assert statuses["keys"] is AnswerStatus.MISSING
    assert scores(gb, name)[name, "keys"] == (0.0, True)


def test_a_question_authored_anew_and_released_is_run_again(tiny, course, gb):
    from markbook.release import build

    path = course.source("hw") / "part.ipynb"
    path.write_text(path.read_text().replace("== 42, 'the hidden", "== 43, 'the hidden"))
    assert autograde(course, gb, "hw").records == (), "an edit is no release"
    build(course, "hw")
    report = autograde(course, gb, "hw")
    assert [r.student for r in report.records] == list(tiny.STUDENTS)
    assert scores(gb, "ada")["ada", "add-hidden"] == (0.0, False)


def test_an_autograded_notebook_that_was_deleted_is_made_again(course, gb):
    (path,) = course.autograded("hw", "ben").glob("*.ipynb")
    path.unlink()
    assert [r.student for r in autograde(course, gb, "hw").records] == ["ben"]
    assert path.is_file()


def test_nobody_to_run_is_said(released):
    with Gradebook.open(released) as gb, pytest.raises(NothingMatched, match="Nobody"):
        autograde(released, gb, "hw")


def test_an_assignment_without_release_is_refused_before_anything_runs(authored):
    authored.submitted("hw", "ada").mkdir(parents=True)
    with Gradebook.open(authored) as gb, pytest.raises(NotebookError, match="markbook release hw"):
        autograde(authored, gb, "hw")


def test_a_student_who_did_not_submit_is_named_with_those_who_did(course, gb):
    with pytest.raises(UnknownName, match=r"'zoe'.*ada, ben, cleo"):
        autograde(course, gb, "hw", ["ada", "zoe"])


def test_both_engines_leave_the_same_gradebook_and_the_same_files(tiny, released, tmp_path):
    tiny.submit_class(released)
    (released.source("hw") / "helper.py").write_text("ours")
    (released.submitted("hw", "ada") / "helper.py").write_text("hers")
    (released.submitted("hw", "ada") / "notes").mkdir()
    (released.submitted("hw", "ada") / "notes" / "a.txt").write_text("a note")
    (released.submitted("hw", "ben") / "scratch.ipynb").write_text("not of this assignment")
    left = {}
    for engine, isolation in (("nbgrader", "none"), ("markbook", None)):
        shutil.copytree(released.root, tmp_path / engine)
        course = Course.open(tmp_path / engine)
        with Gradebook.open(course) as gb:
            options = Options(engine=engine, isolation=isolation)
            report = autograde(course, gb, "hw", options=options)
            findings = {r.student: r.findings for r in report.records}
        tables = tiny.by_value(tiny.dump(course, without=("course", "markbook_stamp")))
        files = {
            str(path.relative_to(course.root)): (path.stat().st_mode, path.read_bytes())
            for path in (course.root / "autograded").rglob("*")
            if path.is_file() and path.suffix != ".ipynb"
        }
        names = sorted(
            str(path.relative_to(course.root)) for path in (course.root / "autograded").rglob("*")
        )
        left[engine] = (findings, tables, files, names)
    assert left["markbook"] == left["nbgrader"]


def test_nbgraders_own_autograder_runs_only_when_told_that_nothing_is_locked_up(course, gb):
    with pytest.raises(UsageError, match=r"runs students' code as you.*--isolation none"):
        autograde(course, gb, "hw", options=Options(engine="nbgrader"))


def test_an_engines_work_need_not_be_done_again_by_the_other(course, gb):
    options = Options(engine="nbgrader", isolation="none")
    assert autograde(course, gb, "hw", options=options).records == ()


@pytest.mark.parametrize("name", ["serial", "processes", "dask"])
def test_code_runs_wherever_it_is_graded(tiny, released, name, request):
    address = None
    if name == "dask":
        address = request.getfixturevalue("dask_cluster").scheduler_address
    tiny.submit_class(released)
    tiny.submit(released, "dan", {"add": "while True: pass"})
    with Gradebook.open(released) as gb, open_executor(name, address=address) as executor:
        options = Options(timeout=1)
        report = autograde(released, gb, "hw", options=options, executor=executor)
        assert {r.student: r.outcome for r in report.records if r.findings} == {
            "dan": Outcome.NEEDS_ATTENTION
        }
        assert scores(gb, "ada")["ada", "add-hidden"] == (2.0, False)
        assert scores(gb, "ben")["ben", "add-visible"] == (1.0, False)
        assert scores(gb, "ben")["ben", "add-hidden"] == (0.0, False)
        assert scores(gb, "dan")["dan", "add-hidden"] == (0.0, False)
        assert autograde(released, gb, "hw").records == (), "another time limit changes nothing"


def test_any_executor_will_do_as_long_as_it_is_one(tiny, released):
    """Threads, as a cluster's worker may have several of."""
    for number in range(12):
        tiny.submit(released, f"s{number:03}", {"add": "def add(a, b):\n    return a + b"})
    with Gradebook.open(released) as gb, ThreadPoolExecutor(4) as executor:
        report = autograde(released, gb, "hw", executor=executor)
        assert report.totals["graded"] == 12, report.records
        assert {g.score for g in gb.grades("hw", "add-hidden")} == {2.0}
        assert executor.submit(abs, -1).result() == 1, "it stays open"


def test_another_time_limit_in_the_course_runs_everybody_again(tiny, course):
    path = course.root / "nbgrader_config.py"
    path.write_text(path.read_text() + "c.ExecutePreprocessor.timeout = 25\n")
    again = Course.open(course.root)
    with Gradebook.open(again) as gb:
        assert len(autograde(again, gb, "hw", dry_run=True).planned) == 3
        path.write_text(path.read_text() + "c.Markbook.preload = ['decimal']\n")
        autograde(again, gb, "hw")
    again = Course.open(course.root)
    with Gradebook.open(again) as gb:
        assert autograde(again, gb, "hw", dry_run=True).planned == ()


def test_a_helper_file_of_the_source_that_changed_runs_everybody_again(course, gb):
    (course.source("hw") / "data.csv").write_text("1")
    assert len(autograde(course, gb, "hw").records) == 3
    for student in course.students("autograded", "hw"):
        assert (course.autograded("hw", student) / "data.csv").read_text() == "1"


def test_a_setting_that_cannot_be_followed_stops_before_anything_runs(course):
    path = course.root / "nbgrader_config.py"
    path.write_text(path.read_text() + "c.Autograde.pre_convert_hook = print\n")
    again = Course.open(course.root)
    with Gradebook.open(again) as gb:
        with pytest.raises(CourseError, match=r"pre_convert_hook.*--engine nbgrader"):
            autograde(again, gb, "hw", force=True)


def test_students_that_the_course_excludes_are_left_out_unless_named(tiny, course):
    path = course.root / "nbgrader_config.py"
    path.write_text(path.read_text() + "c.CourseDirectory.student_id_exclude = 'ada,zoe'\n")
    again = Course.open(course.root)
    with Gradebook.open(again) as gb:
        assert autograde(again, gb, "hw", force=True).records[0].student == "ben"
        assert autograde(again, gb, "hw", ["ada"], force=True).records[0].student == "ada"


def test_a_fault_of_our_own_on_one_submission_leaves_the_others_alone(course, gb, monkeypatch):
    from markbook.autograde import worker

    real = worker.grade

    def faulty(master, submission):
        if submission.student == "ben":
            raise ZeroDivisionError("division by zero")
        return real(master, submission)

    monkeypatch.setattr(worker, "grade", faulty)
    report = autograde(course, gb, "hw", force=True)
    (ben,) = report.failed
    assert ben.student == "ben"
    assert "ZeroDivisionError: division by zero" in ben.findings[0]
    monkeypatch.undo()
    assert [r.student for r in autograde(course, gb, "hw").records] == ["ben"]


def test_results_are_stored_within_a_second_though_the_next_submission_takes_long(tiny, released):
    """Each finished submission is stored before a slow one that comes after it is done."""
    tiny.submit_class(released)
    tiny.submit(released, "zed", {"add": "import time\ntime.sleep(3)"})
    seen = {}
    with Gradebook.open(released) as gb, open_executor("processes", workers=2) as executor:

        def remember(event):
            if isinstance(event, SubmissionFinished):
                seen[event.student] = time.monotonic()

        autograde(released, gb, "hw", executor=executor, on_event=remember)
    assert max(seen[s] for s in tiny.STUDENTS) < seen["zed"] - 1


def test_an_error_while_storing_leaves_folders_and_gradebook_as_they_were(
    tiny, course, gb, monkeypatch
):
    tiny.submit(course, "ada", {"keys": "Changed."})
    before, times = tiny.dump(course), tiny.file_times(course)

    def refuse(*_arguments, **_options):
        raise MarkbookError("The gradebook is locked.")

    monkeypatch.setattr(gb, "save_graded", refuse)
    with pytest.raises(MarkbookError, match="locked"):
        autograde(course, gb, "hw")
    assert tiny.dump(course) == before
    assert tiny.file_times(course) == times
    monkeypatch.undo()
    assert [r.student for r in autograde(course, gb, "hw").records] == ["ada"]


def test_an_interrupt_just_after_storing_leaves_what_was_stored(tiny, course, gb, monkeypatch):
    tiny.submit(course, "ada", {"keys": "Changed."})
    real = gb.save_graded

    def store_and_stop(*arguments, **options):
        real(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(gb, "save_graded", store_and_stop)
    with pytest.raises(KeyboardInterrupt):
        autograde(course, gb, "hw")
    monkeypatch.undo()
    assert "Changed." in (course.autograded("hw", "ada") / "part.ipynb").read_text()
    assert autograde(course, gb, "hw").records == ()


def test_a_module_to_preload_that_is_not_installed_is_said_once_and_fails_nobody(tiny, course, gb):
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + 'c.Markbook.preload = ["json", "no_such_module.part"]\n')
    before = tiny.dump(course)
    with pytest.raises(CourseError, match=r"names 'no_such_module\.part'.*not installed"):
        autograde(type(course).open(course.root), gb, "hw", force=True)
    assert tiny.dump(course) == before
