"""How far a grader is, as a file tells it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from markbook.graders.progress import PROGRESS_NAME, Progress, Stage, read_stage, write_stage

if TYPE_CHECKING:
    from pathlib import Path


def test_a_stage_that_was_told_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / PROGRESS_NAME
    write_stage(path, Stage("starting"))
    Progress(path).tell("reading words", 3, 10)
    assert read_stage(path) == Stage("reading words", 3, 10)


def test_who_did_not_ask_for_progress_gets_no_file(tmp_path: Path) -> None:
    path = tmp_path / PROGRESS_NAME
    Progress(path).tell("reading words", 3, 10)
    Progress().tell("reading words", 3, 10)
    assert not path.exists()


def test_counts_are_written_a_few_times_a_second_and_stages_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("markbook.graders.progress.time.monotonic", lambda: now[0])
    path = tmp_path / PROGRESS_NAME
    path.touch()
    progress = Progress(path)
    progress.tell("reading", 1, 10)
    progress.tell("reading", 2, 10)
    assert read_stage(path) == Stage("reading", 1, 10)
    now[0] = 1.0
    progress.tell("reading", 3, 10)
    assert read_stage(path) == Stage("reading", 3, 10)
    progress.tell("drawing")
    assert read_stage(path) == Stage("drawing")


def test_a_folder_that_goes_away_stops_no_grader(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / PROGRESS_NAME
    path.touch()
    progress = Progress(path)
    path.unlink()
    folder.rmdir()
    folder.touch()  # a file where the folder was: nothing can be written
    progress.tell("reading", 1, 10)
    assert read_stage(path) is None


@pytest.mark.parametrize(
    "wrong",
    [
        "", "[]", "null", "7", '{"doing": 1}', '{"doing": ""}', '{"doing": "x", "done": -1}',
        '{"doing": "x", "done": 3, "total": 2}', '{"doing": "x", "done": true, "total": 2}',
        '{"doing": "x", "more": 1}', json.dumps({"doing": "x" * 1000}), "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_stage_is_none(tmp_path: Path, wrong: str) -> None:
    (tmp_path / PROGRESS_NAME).write_text(wrong)
    assert read_stage(tmp_path / PROGRESS_NAME) is None
