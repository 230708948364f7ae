"""``markbook evaluate`` as a command, with the learned score on a small table of our own."""

from __future__ import annotations

import json

import pytest

from markbook.cli.main import _run
from markbook.graders.learning import semantic


@pytest.fixture
def last_year(repository):
    return repository / "tests" / "evaluation" / "last-year.csv"


@pytest.fixture(autouse=True)
def _by_words_only(monkeypatch):
    """Whether a sentence model is installed must not change what is tested."""
    monkeypatch.setattr(semantic, "open_token_model", lambda: None)


def test_last_years_marks_are_evaluated_and_agree_better_than_a_constant(last_year, capsys):
    arguments = ["--protocol", "few-shot", "--k", "0,3", "--folds", "2", "--json"]
    assert _run(["evaluate", "--answers", str(last_year), *arguments], debug=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["answers"], found["questions"], found["folds"]) == (48, 6, 2)
    by_part = {(each["part"], each["k"], each["over"]): each for each in found["agreement"]}
    constant = by_part["constant", 0, "all"]["rmse"]["value"]
    assert by_part["suggested", 0, "unmarked"]["rmse"]["value"] < constant
    assert by_part["suggested", 3, "all"]["answers"] == 48
    assert by_part["people", 0, "all"]["pearson"]["value"] > 0.9


def test_a_wrong_row_ends_the_command_with_its_line(tmp_path, capsys):
    path = tmp_path / "marks.csv"
    path.write_text("question_id,question,reference,answer,score,max_score\nq,What?,It.,a,3,2\n")
    assert _run(["evaluate", "--answers", str(path)], debug=False) == 1
    said = capsys.readouterr().err
    assert f"{path}:2: column 'score' is 3" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["--k", "three"],
        ["--k", "-1"],
        ["--k", "5000"],
        ["--folds", "1"],
        ["--protocol", "all"],
        ["--group", "nothing"],
        ["--rubrics", "docs"],
    ],
)
def test_an_option_that_makes_no_sense_is_a_wrong_use(
    last_year, repository, capsys, arguments, monkeypatch
):
    monkeypatch.chdir(repository)
    assert _run(["evaluate", "--answers", str(last_year), *arguments], debug=False) == 2
    assert capsys.readouterr().err


def test_a_file_that_is_not_there_is_a_wrong_use(tmp_path):
    assert _run(["evaluate", "--answers", str(tmp_path / "none.csv")], debug=False) == 2
