"""The benchmark of suggested scores: where its sets are, and that it says when there are none."""

from __future__ import annotations

import csv
import importlib
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def suggest(monkeypatch: pytest.MonkeyPatch, repository: Path) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    yield importlib.import_module("suggest")
    for name in ("suggest", "suggesting", "suggesting.sets"):
        sys.modules.pop(name, None)


def test_without_the_sets_it_says_so_and_measures_nothing(
    suggest: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(sys, "argv", ["suggest.py", str(tmp_path)])
    assert suggest.main() == 0
    assert "nothing was measured" in capsys.readouterr().out


def test_the_drawn_part_is_the_same_each_time_and_keeps_points_and_references(
    suggest: Any, tmp_path: Path
) -> None:
    columns = ["question_id", "question", "reference", "answer", "score", "max_score"]
    rows = [["1", "What?", f"Reference {k % 2}", f"Answer {k}", k % 5, 4] for k in range(60)]
    with (tmp_path / "beetle.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    parts = [tmp_path / "one.csv", tmp_path / "other.csv"]
    for part in parts:
        suggest.write_drawn(tmp_path, "beetle", part)
    assert parts[0].read_bytes() == parts[1].read_bytes()
    with parts[0].open(encoding="utf-8", newline="") as file:
        drawn = list(csv.DictReader(file))
    most = suggest.SETS["beetle"][1]
    assert len(drawn) == most
    assert {row["reference"] for row in drawn} == {"Reference 0", "Reference 1"}
    assert all(float(r["score"]) == int(r["answer"].split()[1]) % 5 for r in drawn)
