"""Exports: what other programs read, and what spreadsheets must not calculate."""

from __future__ import annotations

import csv
import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.errors import UnknownName, UsageError
from markbook.export import export_scores, exporter_names
from markbook.export.formats import (
    ExportData,
    ScoreLine,
    audit,
    guarded,
    scores_csv,
    scores_json,
    unguarded,
)
from markbook.gradebook import Gradebook
from markbook.model import Event

HW = "hw"


@pytest.fixture
def gb(course):
    with Gradebook.open(course) as opened:
        yield opened


@pytest.fixture(autouse=True)
def installed(tmp_path, monkeypatch):
    """Install exporters the way any package does, the built-in ones too."""
    folder = tmp_path / "site" / "exporters_of_a_school-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: exporters-of-a-school\nVersion: 1.0\n"
    )
    (folder / "entry_points.txt").write_text(
        "[markbook.exporters]\n"
        "csv = markbook.export.formats:scores_csv\n"
        "json = markbook.export.formats:scores_json\n"
        "audit = markbook.export.formats:audit\n"
        "names = school_exporter:names\n"
        "broken = no_such_module:f\n"
    )
    (tmp_path / "site" / "school_exporter.py").write_text(
        "def names(data):\n    return ','.join(sorted({line.student for line in data.scores}))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    yield
    sys.modules.pop("school_exporter", None)


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return {(row["student"], row["question"]): row for row in csv.DictReader(stream)}


def test_there_is_one_line_for_each_student_and_question(course, gb, tiny, tmp_path):
    gb.save_marks(
        [
            tiny.mark(gb, "ada", earned=("right", "example"), comment="Yes,\n=1+1"),
            tiny.mark(gb, "cleo", "story", earned=("right",)),
        ],
        who="tutor",
        what="mark",
    )
    report = export_scores(course, gb, HW, "csv", tmp_path / "scores.csv")
    found = rows(report.path)
    assert report.lines == len(found) == 15
    ada = found["ada", "keys"]
    assert (ada["score"], ada["max"], ada["status"], ada["marker"]) == ("3", "3", "marked", "tutor")
    assert ada["criteria"] == "right; example"
    assert ada["comment"] == "Yes,\n'=1+1"
    story = found["cleo", "story"]
    assert (story["score"], story["max"], story["extra_credit"]) == ("0", "0", "2")
    waiting = found["ada", "doors"]
    assert (waiting["status"], waiting["score"]) == ("waiting", "")
    assert (found["cleo", "keys"]["status"], found["cleo", "keys"]["score"]) == ("blank", "0")
    assert found["ben", "story"]["status"] == "not-asked"
    assert (found["ben", "add-hidden"]["status"], found["ben", "add-hidden"]["score"]) == (
        "tested",
        "0",
    )


def test_exporting_twice_changes_nothing(course, gb, tmp_path):
    path = tmp_path / "scores.json"
    assert export_scores(course, gb, HW, "json", path).changed
    assert not export_scores(course, gb, HW, "json", path).changed
    assert json.loads(path.read_text())["assignment"] == HW


def test_the_audit_is_one_object_a_line_oldest_first(course, gb, tiny, tmp_path):
    (stored,) = gb.save_marks([tiny.mark(gb, "ada")], who="tutor", what="mark")
    gb.remove_mark(stored, who="chief")
    path = export_scores(course, gb, HW, "audit", tmp_path / "audit.jsonl").path
    first, second = map(json.loads, path.read_text().splitlines())
    assert (first["who"], first["after"]["score"]) == ("tutor", 2.0)
    assert (second["who"], second["what"], second["after"]) == ("chief", "remove", None)


def test_another_package_can_bring_a_format(course, gb, tmp_path):
    path = export_scores(course, gb, HW, "names", tmp_path / "names.txt").path
    assert path.read_text() == "ada,ben,cleo"
    assert {"audit", "csv", "json", "names"} <= set(exporter_names())


def test_an_unknown_format_is_an_error_that_lists_the_known_ones(course, gb, tmp_path):
    with pytest.raises(UsageError, match=r"'xls'.*audit.*csv"):
        export_scores(course, gb, HW, "xls", tmp_path / "scores.xls")


def test_a_format_that_cannot_be_loaded_says_why(course, gb, tmp_path):
    with pytest.raises(UsageError, match="no_such_module"):
        export_scores(course, gb, HW, "broken", tmp_path / "scores")


def test_an_unknown_assignment_is_an_error(course, gb, tmp_path):
    with pytest.raises(UnknownName):
        export_scores(course, gb, "nope", "csv", tmp_path / "scores.csv")


NASTY = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(
        [
            "=HYPERLINK(1)",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            'a"b',
            "a,b",
            "a\nb",
            "a\r\nb",
            "'=",
        ]
    ),
)


def line(student="ada", comment="", criteria=()):
    return ScoreLine(
        HW, student, "part", "q", "text", "marked", 1.0, 2.0, criteria=criteria, comment=comment
    )


@given(NASTY, NASTY)
def test_no_cell_begins_a_formula_and_every_cell_comes_back(student, comment):
    text = scores_csv(ExportData("", HW, [line(student, comment)], []))
    header, *found = csv.reader(io.StringIO(text, newline=""))
    (row,) = found
    cells = dict(zip(header, row, strict=True))
    for cell in row:
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cells["student"] == guarded(student)
    assert unguarded(cells["student"]) == student
    assert unguarded(cells["comment"]) == comment


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\uff1dcmd()", "'\uff1dcmd()"),
        ("\u3000=1", "'\u3000=1"),
        ("\n=1", "'\n'=1"),
        ("a; =cmd|' /C calc'!A0", "a; '=cmd|' /C calc'!A0"),
        ("one\n- two\n- three", "one\n- two\n- three"),
        ("one\n-2+3+cmd|x", "one\n'-2+3+cmd|x"),
        ("''=1", "'''=1"),
        ("it's 1 = 1", "it's 1 = 1"),
    ],
)
def test_formulas_in_every_disguise_get_an_apostrophe_and_other_text_none(text, shown):
    assert guarded(text) == shown
    assert unguarded(shown) == text


@given(st.text("'=+-@;|\n\t\r a1\uff1d\u3000"))
def test_what_is_guarded_comes_back_as_it_was(text):
    assert unguarded(guarded(text)) == text


def test_negative_numbers_of_ours_stay_numbers():
    taken = ScoreLine(HW, "ada", "part", "q", "text", "marked", 1.0, 2.0, adjustment=-0.5)
    assert ",-0.5," in scores_csv(ExportData("", HW, [taken], []))


@given(NASTY)
def test_json_and_audit_keep_any_text(text):
    event = Event("2026-01-01T00:00:00+00:00", text, "mark", {"student": text})
    data = ExportData("", HW, [line(text, text)], [event])
    assert json.loads(scores_json(data))["scores"][0]["comment"] == text
    (only,) = audit(data).split("\n")[:-1]
    assert json.loads(only)["who"] == text
