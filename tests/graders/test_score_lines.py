"""The files of marks and scores beside a grader notebook are checked line by line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.errors import GraderError
from markbook.graders import (
    MarkLine,
    ScoreLine,
    Scores,
    read_marks,
    read_scores,
    write_marks,
    write_scores,
)

if TYPE_CHECKING:
    from pathlib import Path

KEYS = ("k1", "k2")
CRITERIA = ("a", "b")
MARK: dict[str, Any] = {"key": "k1", "earned": ["a"], "score": 0.5}
SCORE: dict[str, Any] = {
    "key": "k1",
    "mean": 0.5,
    "sd": 0.1,
    "confidence": 0.7,
    "rank": 1,
    "flags": ["keyword-list"],
}
SHARE = st.floats(0, 1)


def write(folder: Path, *records: object) -> Path:
    file = folder / "lines.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"key": "k9"}, "not asked for"),
        ({"key": "k2"}, "stands twice"),
        ({"key": None}, "not asked for"),
        ({"earned": ["c"]}, "not a list of some of a, b"),
        ({"earned": ["a", "a"]}, "not a list of some of a, b"),
        ({"earned": "ab"}, "not a list of some of a, b"),
        ({"earned": [["a"]]}, "not a list of some of a, b"),
        ({"score": 1.5}, "not between 0 and 1"),
        ({"score": None}, "not between 0 and 1"),
        ({"score": True}, "not between 0 and 1"),
        ({"score": float("nan")}, "not JSON"),
        ({"student": "amara"}, "unknown key 'student'"),
    ],
)
def test_a_mark_that_makes_no_sense_is_refused_with_its_line(
    tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    file = write(tmp_path, {**MARK, "key": "k2"}, {**MARK, **change})
    with pytest.raises(GraderError, match=r"line 2") as caught:
        read_marks(file, KEYS, CRITERIA)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"key": "k9"}, "not asked for"),
        ({"key": "k2"}, "stands twice"),
        ({"mean": 1.01}, "'mean' is 1.01"),
        ({"sd": -0.1}, "'sd' is -0.1"),
        ({"confidence": "high"}, "'confidence' is 'high'"),
        ({"suggested": 1.01}, "'suggested' is 1.01"),
        ({"rank": 2}, "the rank 2"),
        ({"rank": 0}, "the rank 0"),
        ({"rank": 1.0}, "the rank 1.0"),
        ({"flags": "keyword-list"}, "not a list of names"),
        ({"flags": ["Keyword list!"]}, "not a list of names"),
        ({"note": "x"}, "unknown key 'note'"),
    ],
)
def test_a_score_that_makes_no_sense_is_refused_with_its_line(
    tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    file = write(
        tmp_path, {"refused": None}, {**SCORE, "key": "k2", "rank": 2}, {**SCORE, **change}
    )
    with pytest.raises(GraderError, match=r"line 3") as caught:
        read_scores(file, KEYS)
    assert reason in str(caught.value)


@pytest.mark.parametrize("head", [(), (SCORE,), ({"refused": ""},), ({"refused": 3},)])
def test_scores_begin_with_a_line_that_says_whether_they_are_refused(
    tmp_path: Path, head: tuple[object, ...]
) -> None:
    with pytest.raises(GraderError, match="line 1"):
        read_scores(write(tmp_path, *head), KEYS)


def test_a_text_may_have_no_score(tmp_path: Path) -> None:
    found = read_scores(write(tmp_path, {"refused": "too few answers"}, SCORE), KEYS)
    assert found.refused == "too few answers"
    assert [line.key for line in found.lines] == ["k1"]


@given(share=SHARE, spread=SHARE, earned=st.sets(st.sampled_from(CRITERIA)))
def test_marks_and_scores_survive_the_way_there_and_back(
    tmp_path_factory: pytest.TempPathFactory, share: float, spread: float, earned: set[str]
) -> None:
    folder = tmp_path_factory.mktemp("lines")
    marks = (MarkLine("k2", tuple(sorted(earned)), share),)
    write_marks(folder / "marks.jsonl", marks)
    assert read_marks(folder / "marks.jsonl", KEYS, CRITERIA) == marks
    scores = Scores(
        None, (ScoreLine("k1", share, spread, 1 - share, 3, ("prompt-copied",), spread),)
    )
    write_scores(folder / "scores.jsonl", scores)
    assert read_scores(folder / "scores.jsonl", KEYS) == scores
