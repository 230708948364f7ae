"""The files between a step and a grader notebook are checked line by line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.errors import GraderError
from markbook.graders import AnswerLine, read_answers, read_suggestions, write_answers

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = {"k1": "It proves integrity.", "k2": "no idea"}
CRITERIA = ["a", "b"]
GOOD: dict[str, Any] = {
    "key": "k1",
    "criterion": "a",
    "awarded": True,
    "confidence": 0.9,
    "span": "proves integrity",
    "start": 3,
    "end": 19,
    "note": "",
}


def write(path: Path, *records: object) -> Path:
    file = path / "suggestions.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return file


def test_a_missing_pair_is_an_abstention(tmp_path: Path) -> None:
    found = read_suggestions(write(tmp_path, GOOD), TEXTS, CRITERIA)
    assert [(x.key, x.criterion) for x in found] == [
        (key, criterion) for key in TEXTS for criterion in CRITERIA
    ]
    assert [x.awarded for x in found] == [True, None, None, None]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"key": "k9"}, "not asked for"),
        ({"key": ["k1"]}, "not asked for"),
        ({"criterion": "c"}, "none of a, b"),
        ({"awarded": "yes"}, "not true, false or null"),
        ({"confidence": 1.2}, "not between 0 and 1"),
        ({"confidence": -0.1}, "not between 0 and 1"),
        ({"confidence": True}, "not between 0 and 1"),
        ({"confidence": "0.9"}, "not between 0 and 1"),
        ({"confidence": float("nan")}, "not JSON"),
        ({"span": "proves Integrity"}, "not what stands at"),
        ({"start": -1}, "not what stands at"),
        ({"end": 4_000}, "not what stands at"),
        ({"span": None}, "must all be there"),
        ({"start": 3.0}, "must all be there"),
        ({"score": 5}, "unknown key 'score'"),
        ({"note": 5}, "'note' must be a text"),
        ({"note": "x" * 2_000}, "'note' must be a text"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused_with_its_number(
    tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    file = write(tmp_path, {**GOOD, "criterion": "b"}, {**GOOD, **change})
    with pytest.raises(GraderError, match=r"line 2") as caught:
        read_suggestions(file, TEXTS, CRITERIA)
    assert reason in str(caught.value)


def test_a_pair_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GraderError, match="twice"):
        read_suggestions(write(tmp_path, GOOD, GOOD), TEXTS, CRITERIA)


@pytest.mark.parametrize("content", ["[]\n", "{\n", "nonsense\n", '{"key": "k1"}\n'])
def test_what_is_no_suggestion_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "suggestions.jsonl"
    file.write_text(content)
    with pytest.raises(GraderError, match="line 1"):
        read_suggestions(file, TEXTS, CRITERIA)


def test_a_grader_that_wrote_nothing_is_told_to_finish(tmp_path: Path) -> None:
    with pytest.raises(GraderError, match=r"grader\.finish\(\)"):
        read_suggestions(tmp_path / "suggestions.jsonl", TEXTS, CRITERIA)


@pytest.mark.parametrize(
    "record",
    [{"key": 1, "text": "x"}, {"key": "k", "text": "x", "count": 0}, {"key": "k"}],
)
def test_an_answers_file_is_checked_too(tmp_path: Path, record: dict[str, object]) -> None:
    with pytest.raises(GraderError, match="line 1"):
        read_answers(write(tmp_path, record))


@given(texts=st.lists(st.text(), unique=True, max_size=5))
def test_any_texts_survive_the_way_there_and_back(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    lines = tuple(AnswerLine(str(n), text, n + 1) for n, text in enumerate(texts))
    file = tmp_path_factory.mktemp("lines") / "answers.jsonl"
    write_answers(file, lines)
    assert read_answers(file) == lines
