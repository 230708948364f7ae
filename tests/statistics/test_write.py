"""The report of a class that the real nbgrader graded."""

from __future__ import annotations

import itertools
import json
import re

import pytest

from markbook.errors import UnknownName
from markbook.gradebook import Gradebook
from markbook.model import Outcome, SubmissionRecord
from markbook.statistics import write_report
from markbook.statistics.write import read_doubts

HW = "hw"


@pytest.fixture
def gb(course):
    with Gradebook.open(course) as opened:
        yield opened


def test_the_page_and_the_figures_are_written_where_reports_are(course, gb):
    report = write_report(course, gb, HW)
    assert report.page == course.reports(HW) / "report.html"
    assert report.data == course.reports(HW) / "report.json"
    assert report.changed == (report.page, report.data)


def test_writing_twice_touches_no_file(course, gb, tiny):
    gb.save_marks([tiny.mark(gb, "ada")], who="tutor", what="mark")
    write_report(course, gb, HW)
    before = tiny.file_times(course)
    assert write_report(course, gb, HW).changed == ()
    assert tiny.file_times(course) == before


def test_a_dry_run_writes_nothing(course, gb):
    assert len(write_report(course, gb, HW, dry_run=True).changed) == 2
    assert not course.reports(HW).exists()


def test_the_figures_are_those_of_the_gradebook(course, gb, tiny):
    marks = [
        tiny.mark(gb, "ada", earned=("right", "example")),
        tiny.mark(gb, "ben", earned=("muddle",)),
    ]
    gb.save_marks(marks, who="tutor", what="accept", rule="confidence >= 0.9")
    report = write_report(course, gb, HW)
    data = json.loads(report.data.read_text())
    keys = data["questions"][0]
    assert data["submissions"] == 3
    assert keys["scores"] == [0.0, 3.0]
    assert keys["blank"] == 1
    assert [(c["id"], c["earned"]) for c in keys["criteria"]] == [
        ("right", 1),
        ("example", 1),
        ("muddle", 1),
    ]
    code = {q["id"]: q["scores"] for q in data["questions"] if q["kind"] == "code"}
    assert code["add-visible"] == [1.0, 1.0]
    assert code["add-hidden"] == [0.0, 2.0]
    ada = data["students"][0]
    assert (ada["student"], ada["written"], ada["code"], ada["waiting"]) == ("ada", 3.0, 3.0, 1)
    assert data["waiting"] == sum(s["waiting"] for s in data["students"])


def test_the_totals_are_those_that_nbgrader_exports(course, gb, tiny):
    gb.save_marks([tiny.mark(gb, "ada"), tiny.mark(gb, "cleo", "story")], who="tutor", what="mark")
    students = write_report(course, gb, HW).figures.students
    for student in students:
        theirs = sum(g.score for g in gb.grades(HW) if g.student == student.student)
        assert student.total + student.extra == theirs


def test_the_page_shows_a_student_and_a_finding_as_text(course, gb):
    name = "<b>zoe</b>"
    record = SubmissionRecord(HW, "ada", "c", "m", Outcome.NEEDS_ATTENTION, (f"{name} was here.",))
    gb.save_submission(record, ())
    page = write_report(course, gb, HW).page.read_text()
    assert "&lt;b&gt;zoe&lt;/b&gt; was here." in page
    assert name not in page


def test_the_page_is_self_contained_and_has_headings_and_jumps_in_order(course, gb):
    page = write_report(course, gb, HW).page.read_text()
    assert not re.search(r"<script|<link|<img|url\(|@import|style=", page)
    levels = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert set(re.findall(r'aria-labelledby="([^"]+)"', page)) <= set(ids)


def test_a_class_without_submissions_gets_a_page_that_says_so(tiny, tmp_path):
    course = tiny.copy_of("released", tmp_path / "empty")
    with Gradebook.open(course) as gb:
        page = write_report(course, gb, HW).page.read_text()
    assert "There are no submissions yet" in page


def test_an_unknown_assignment_is_an_error(course, gb):
    with pytest.raises(UnknownName):
        write_report(course, gb, "nope")


def test_what_the_collector_left_for_a_person_is_in_the_report(course, gb):
    path = course.submitted(HW, "ada") / "collected.json"
    doubt = {"question": "keys", "matched_as": "Keys, or?", "confidence": 0.41, "why": "Far off."}
    document = {
        "answers": {},
        "unmatched": ["My homework", "Thanks <b>a lot</b>"],
        "preamble": ["My homework"],
        "doubtful": [doubt, doubt | {"question": None}],
    }
    path.write_text(json.dumps(document))
    report = write_report(course, gb, HW)
    first, second, third = report.figures.doubts
    assert (first.question, first.confidence, first.why) == ("keys", 0.41, "Far off.")
    assert second.question == ""
    assert third.matched_as == "Thanks <b>a lot</b>"
    page = report.page.read_text()
    assert "41 % sure" in page
    assert "Thanks &lt;b&gt;a lot&lt;/b&gt;" in page
    assert "My homework" not in page


@pytest.mark.parametrize("text", ["{", "[]", '{"doubtful": [1]}', '{"unmatched": 3}', "[" * 90_000])
def test_a_sidecar_that_cannot_be_read_is_named_and_stops_nothing(course, gb, text):
    path = course.submitted(HW, "ada") / "collected.json"
    path.write_text(text)
    assert read_doubts(path, "ada") is None
    report = write_report(course, gb, HW)
    assert report.figures.unreadable == ("submitted/ada/hw/collected.json",)
    assert "submitted/ada/hw/collected.json" in report.page.read_text()


def test_a_submission_from_the_exchange_has_no_sidecar_and_no_doubts(tmp_path):
    assert read_doubts(tmp_path / "collected.json", "ada") == []
