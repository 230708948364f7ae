"""What ``markbook suggest --first`` prints; the run of the graders is replaced by its report."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from markbook.cli.main import cli
from markbook.cli.progress import progress
from markbook.cli.verbs.suggest import tell
from markbook.gradebook import Gradebook
from markbook.model import Expectation
from markbook.suggest import (
    QuestionFinished,
    QuestionProgress,
    QuestionStarted,
    QuestionState,
    QuestionSuggestions,
    SuggestReport,
)
from markbook.suggest.learned import Tally


@pytest.fixture
def first(tiny, tmp_path, monkeypatch):
    """Run ``markbook suggest hw --first 1`` after a run that expected scores; return the result."""
    course = tiny.copy_of("autograded", tmp_path / "course")
    with Gradebook.open(course) as gb:
        texts = sorted({a.hash for a in gb.answers("hw", "keys") if a.text})
        expected = [
            Expectation("keys", key, 0.5, 0.25, 0.4, rank, ("listed-words",), "tried", 0.6)
            for rank, key in enumerate(texts, start=1)
        ]
        gb.replace_suggestions("hw", "keys", [], expected)
    question = QuestionSuggestions(
        "keys", QuestionState.SUGGESTED, refused="tried", tried=Tally(4, 3, 2.5, 1, 1)
    )
    report = SuggestReport("hw", (question,))
    monkeypatch.setattr("markbook.suggest.suggest", lambda *_args, **_options: report)

    def run(*options):
        where = ["--course", str(course.root)]
        return CliRunner().invoke(cli, ["suggest", "hw", *options, *where])

    return run


def test_the_answers_to_mark_first_are_listed_with_the_way_to_mark_them(first):
    result = first("--first", "1", "--question", "keys")
    assert result.exit_code == 0, result.output
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert "keys: no score to rely on: tried" in lines
    assert "markbook mark hw --question keys" in lines
    (listed,) = [line for line in lines if line.startswith("1  keys:")]
    assert "expected 1.5 ± 0.8 of 3  1 student  [listed-words]" in listed
    assert not any(name in result.stdout for name in ("ada", "ben", "cleo"))
    assert lines[-1].startswith("calibration: of 4 marked after their score was expected, 3 are")


def test_without_the_option_nothing_is_listed(first):
    assert "mark these first" not in first().stdout


def test_the_list_and_the_calibration_are_json_too(first):
    told = json.loads(first("--first", "5", "--json").stdout)
    assert told["calibration"] == {
        "marks": 4, "right": 3, "hoped": 2.5, "sure": 1, "sure_right": 1,
    }  # fmt: skip
    (keys,) = [each for each in told["first"] if each["question"] == "keys"]
    assert (keys["by"], keys["refused"], len(keys["answers"])) == ("design", "tried", 2)
    answer = keys["answers"][0]
    assert answer["page"].startswith("/markbook/a/hw/q/keys#keys%3A")
    assert (answer["expected"], answer["likely"], answer["cap"]) == (1.5, pytest.approx(1.8), 3)


def test_that_only_words_are_read_is_said_once_on_stderr(first, monkeypatch):
    monkeypatch.setenv("MARKBOOK_SENTENCE_MODEL", "none")
    for options in ((), ("--json",)):
        result = first(*options)
        assert result.stderr == (
            "Answers are compared by their words only: MARKBOOK_SENTENCE_MODEL is none.\n"
        )


def test_a_run_says_which_questions_have_no_score_to_rely_on(capsys):
    refused = QuestionSuggestions("keys", QuestionState.SUGGESTED, refused="Numbers only.")
    fine = QuestionSuggestions("doors", QuestionState.SUGGESTED)
    tell(SuggestReport("hw", (refused, fine)))
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:] == ["  keys: no score to rely on: Numbers only."]


def test_what_questions_are_at_is_shown_until_they_are_finished(monkeypatch, capsys):
    monkeypatch.setattr("markbook.cli.progress._EVERY", 0.0)
    with progress("suggesting") as on_event:
        on_event(QuestionStarted("one", 0, 2))
        on_event(QuestionProgress("one", "reading meanings", 400, 1000, 0, 2))
        on_event(QuestionProgress("two", "starting", 0, 0, 0, 2))
        on_event(QuestionFinished(QuestionSuggestions("one", QuestionState.SUGGESTED), 1, 2))
    assert capsys.readouterr().err.splitlines() == [
        "suggesting 0/2",
        "suggesting 0/2, one: reading meanings, 400 of 1,000 texts",
        "suggesting 0/2, one: reading meanings, 400 of 1,000 texts; two: starting",
        "suggesting 1/2, two: starting",
    ]


@pytest.mark.parametrize("wrong", ["0", "-3", "many"])
def test_a_number_that_lists_nothing_is_refused(first, wrong):
    assert first("--first", wrong).exit_code == 2
