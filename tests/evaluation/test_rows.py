"""A CSV file of marked answers is read as spreadsheets write it; what is wrong is said by line."""

from __future__ import annotations

import csv

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from markbook.errors import InputError, UsageError
from markbook.evaluation.rows import NEEDED, read_rows

HEAD = ",".join(NEEDED)
GOOD = "q,What?,It is.,An answer,1,2"


@pytest.fixture
def read(tmp_path):
    def reader(content, **options):
        path = tmp_path / "marks.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_rows(path, **options)

    return reader


BAD = [
    ("", None, "empty"),
    ("\n\n", None, "blanks"),
    (HEAD + "\n", None, "no row below the header"),
    (HEAD + "\nq,What?,It is.,An answer,,2\n", None, "no row with a score"),
    ("question_id,answer,score\nq,a,1\n", 1, "lacks question, reference, max_score"),
    (f"{HEAD},answer\n{GOOD},x\n", 1, "Two columns are called 'answer'"),
    (f"{HEAD}\n{GOOD}\n{GOOD},more\n", 3, "7 cells, the header 6"),
    (f"{HEAD}\n{GOOD}\nq,What?\n", 3, "2 cells"),
    (f"{HEAD}\nq,What?,It is.,a,nan,2\n", 2, "column 'score' is 'nan', not a number"),
    (f"{HEAD}\nq,What?,It is.,a,inf,2\n", 2, "column 'score' is 'inf'"),
    (f"{HEAD}\nq,What?,It is.,a,good,2\n", 2, "column 'score' is 'good'"),
    (f"{HEAD}\nq,What?,It is.,a,3,2\n", 2, "column 'score' is 3, not between 0 and max_score, 2"),
    (f"{HEAD}\nq,What?,It is.,a,-1,2\n", 2, "column 'score' is -1"),
    (f"{HEAD}\nq,What?,It is.,a,0,0\n", 2, "column 'max_score' is 0, not above 0"),
    (f"{HEAD}\nq,What?,It is.,a,1,1e308\n", 2, "column 'max_score' is 1e+308, more than 1e+09"),
    (f"{HEAD}\nq,What?,It is.,a,1,\n", 2, "column 'max_score' is empty"),
    (f"{HEAD}\n ,What?,It is.,a,1,2\n", 2, "column 'question_id' is empty"),
    (f'{HEAD}\n{GOOD}\nq,"What?,It is.,a,1,2\n{GOOD}\n', 3, "begins here is not CSV"),
    (f"{HEAD},score_a,score_b\n{GOOD},1,9\n", 2, "column 'score_b' is 9"),
    (b"PK\x03\x04 a spreadsheet", None, "a Word or zip file"),
    (b"\x00\x01\x02" * 50, None, "binary"),
]


@pytest.mark.parametrize(("content", "line", "words"), BAD)
def test_a_file_that_makes_no_sense_is_refused_with_its_line_and_column(read, content, line, words):
    with pytest.raises(InputError) as caught:
        read(content)
    assert words in str(caught.value)
    assert caught.value.line == line
    assert caught.value.hint


def test_the_line_is_that_of_the_file_although_cells_have_line_ends(read):
    with pytest.raises(InputError) as caught:
        read(f'{HEAD}\nq,What?,It is.,"two\nlines\n",1,2\n\n{GOOD}\nq,What?,It is.,a,9,2\n')
    assert caught.value.line == 7


def test_the_first_wrong_row_is_named_and_the_others_counted(read):
    with pytest.raises(InputError, match="3 such rows") as caught:
        read("\n".join([HEAD, GOOD, *["q,What?,It is.,a,9,2"] * 3]))
    assert caught.value.line == 3


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_rows(tmp_path / "none.csv")


def test_a_group_that_is_no_column_is_a_wrong_option(read):
    with pytest.raises(UsageError, match="no column 'exam'"):
        read(f"{HEAD}\n{GOOD}\n", group="exam")


ODD = [
    (f"{HEAD}\nq,What?,It is.,An answer,1,2\n".encode("utf-8-sig"), "byte order mark"),
    (f"{HEAD}\nq,What?,It is.,Größe,1,2\n".encode("utf-16"), "byte order mark"),
    (f"{HEAD}\nq,What?,It is.,Größe,1,2\n".encode("cp1252"), "Windows-1252"),
    (f"{HEAD}\n{GOOD}\n".replace(",", ";").encode(), "semicolons"),
    (f"{HEAD}\n{GOOD}\n".replace(",", "\t").encode(), "tabs"),
    (f"{HEAD}\n{GOOD}\nq,What?,It is.,b,,2\n".encode(), "Rows without a score, left out: 1."),
]


@pytest.mark.parametrize(("content", "note"), ODD)
def test_what_spreadsheets_write_is_read_and_named(read, content, note):
    rows, notes = read(content)
    assert [row.share for row in rows] == [0.5]
    assert any(note in each for each in notes)
    assert rows[0].answer in ("An answer", "Größe")


def test_line_ends_and_capitals_in_the_header_are_not_worth_a_note(read):
    rows, notes = read(f"{HEAD.title()}\r\n{GOOD}\r\n".replace("Question_Id", " question_ID "))
    assert (len(rows), notes) == (1, [])


def test_a_decimal_comma_is_a_number_and_a_thousand_is_not(read):
    assert read(f'{HEAD}\nq,What?,It is.,a,"1,5",3\n')[0][0].share == 0.5
    with pytest.raises(InputError, match="'1,000'"):
        read(f'{HEAD}\nq,What?,It is.,a,"1,000",3000\n')


def test_two_markers_are_there_only_where_both_have_marked(read):
    rows, notes = read(f"{HEAD},score_a,score_b\n{GOOD},1,2\n{GOOD},1,\n{GOOD},,\n")
    assert [row.two for row in rows] == [(0.5, 1.0), None, None]
    assert notes == ["Rows with the score of one marker of two, not compared: 1."]


def test_the_scores_of_one_marker_only_are_compared_with_nobodys_and_that_is_said(read):
    rows, notes = read(f"{HEAD},score_b\n{GOOD},1\n")
    assert rows[0].two is None
    assert notes == ["There is score_b and no score_a: no two people are compared."]


def test_a_cell_of_30_megabytes_is_read_and_the_limit_of_csv_left_as_it_was(read):
    before = csv.field_size_limit()
    rows, _ = read(f"{HEAD}\nq,What?,It is.,{'word ' * 6_000_000},1,2\n")
    assert len(rows[0].answer) == 30_000_000
    assert csv.field_size_limit() == before


CELL = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=5))
def test_texts_come_out_as_they_went_in_unless_they_look_broken(table, texts):
    path = table([("q", *row, 1, 4) for row in texts])
    rows, notes = read_rows(path)
    found = [(row.question, row.reference, row.answer) for row in rows]
    assert found == texts or any("mojibake" in note for note in notes)
    assert {row.share for row in rows} == {0.25}
