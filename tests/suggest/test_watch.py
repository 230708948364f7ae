"""What is told of graders under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markbook.graders.progress import PROGRESS_NAME, Stage, write_stage
from markbook.suggest.watch import Watch

if TYPE_CHECKING:
    from pathlib import Path


def test_news_is_told_once_and_nothing_of_what_ended(tmp_path: Path) -> None:
    watch = Watch()
    watch.begin("one", tmp_path)
    assert list(watch.news()) == []
    write_stage(tmp_path / PROGRESS_NAME, Stage("starting"))
    assert list(watch.news()) == [("one", Stage("starting"))]
    assert list(watch.news()) == []
    write_stage(tmp_path / PROGRESS_NAME, Stage("reading", 1, 2))
    assert list(watch.news()) == [("one", Stage("reading", 1, 2))]
    write_stage(tmp_path / PROGRESS_NAME, Stage("reading", 2, 2))
    watch.end("one")
    assert list(watch.news()) == []
