"""The benchmarks themselves: that they run, and that their table can say no."""

from __future__ import annotations

import re
import subprocess
import sys
from types import SimpleNamespace

import pytest


@pytest.fixture
def tools(monkeypatch, repository):
    """The benchmarks' own modules, which are scripts and no package."""
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    before = set(sys.modules)
    import bench
    import harness
    import stock

    yield SimpleNamespace(bench=bench, harness=harness, stock=stock)
    for name in set(sys.modules) - before:
        if str(repository / "benchmarks") in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_a_quick_run_measures_both_sides_and_writes_what_it_found(repository, tmp_path):
    output = tmp_path / "results.md"
    command = [sys.executable, str(repository / "benchmarks" / "bench.py"), "--quick",
               "--only", "autograding,isolation", "--output", str(output)]  # fmt: skip
    ran = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    text = output.read_text()
    lines = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert [line.split("|")[1].split(",")[0].strip() for line in lines] == [
        "text-only submission (13 answers)",
        "submission with two code cells",
        "isolation on : off (13 answers",
        "isolation on : off (two code cells",
    ]
    both = lines[:2]
    assert all(" ms " in line.split("|")[2] and " ms " in line.split("|")[3] for line in both)
    assert all(" times " in line.split("|")[3] for line in lines[2:])
    assert text.count("automatic scores compared: all equal") == 2
    assert "nbgrader autograde two-code-cells" in text
    assert str(repository) not in text
    assert str(tmp_path) not in text


def test_a_missed_target_is_told_and_a_reached_one_is_not_shouted(tools):
    h = tools.harness
    ours, theirs = (20.0, 10.0, 30.0), (900.0, 800.0, 1000.0)
    row = h.Row("it", ours, theirs, targets=(h.at_most(10, ours), h.times_faster(45, theirs, ours)))
    assert row.cells() == ["it", "900 ms", "20.0 ms", "45.0", "**≤ 10 ms**, ratio ≥ 45", "**no**"]
    fine = h.Row("it", ours, targets=(h.at_most(20, ours),))
    assert fine.cells() == ["it", "", "20.0 ms", "", "≤ 20 ms", "yes"]


def test_sides_take_turns_and_the_first_to_go_changes(tools, tmp_path, capsys):
    seen = []

    def side(name):
        return lambda number: seen.append(name) or float(number)

    values = tools.harness.Bench(tmp_path, rounds=3).turns("x", side("a"), side("b"))
    assert seen == ["a", "b", "b", "a", "a", "b"]
    assert values == [[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]]
    assert "round 3 of 3" in capsys.readouterr().out


def test_a_benchmark_that_fails_is_named_and_costs_the_others_nothing(
    tools, tmp_path, monkeypatch, capsys
):
    row = tools.harness.Row("before it broke", (1.0,))

    def breaks(_bench):
        yield row
        raise RuntimeError("no such thing\nand more")

    good = SimpleNamespace(measure=lambda _bench: [tools.harness.Row("good", (2.0,))])
    monkeypatch.setitem(sys.modules, "breaks", SimpleNamespace(measure=breaks))
    monkeypatch.setitem(sys.modules, "good", good)
    found = tools.bench.run(tools.harness.Bench(tmp_path), ["breaks", "good"])
    assert [r.what for r in found.rows] == ["before it broke", "good"]
    assert found.failures == ["`breaks` could not be measured: no such thing"]
    text = tools.bench.results(found, [("memory", "1 GB")], "", "1 May 2026")
    assert "- **`breaks` could not be measured: no such thing**" in text
    assert "no such thing" in capsys.readouterr().err


def test_a_score_that_differs_ends_the_comparison(tools, tmp_path, monkeypatch):
    books = {"theirs": {"ada": {"q1": None, "t1": 1.0}}, "ours": {"ada": {"q1": None, "t1": 0.0}}}
    monkeypatch.setattr(tools.stock, "scores", lambda course, _assignment: books[course.name])
    with pytest.raises(RuntimeError, match="ada: nbgrader scores"):
        tools.stock.compare(tmp_path / "theirs", tmp_path / "ours", "hw")
    books["ours"] = books["theirs"]
    assert tools.stock.compare(tmp_path / "theirs", tmp_path / "ours", "hw") == 2
    books["theirs"] = {}
    with pytest.raises(RuntimeError, match="scored nothing"):
        tools.stock.compare(tmp_path / "theirs", tmp_path / "ours", "hw")


def test_every_benchmark_is_run_by_make_and_told_in_the_docs(tools, repository):
    benchmarks = {
        path.stem
        for path in (repository / "benchmarks").glob("*.py")
        if "alone(measure, __doc__)" in path.read_text()
    }
    recipe = (repository / "Makefile").read_text().partition("bench-suggest: ")[2]
    of_suggestions = set(re.findall(r"benchmarks/(\w+)\.py", recipe.partition("\n\n")[0]))
    assert benchmarks == set(tools.bench.ALL) | (of_suggestions - {"suggest"})
    told = (repository / "docs" / "how-to" / "benchmarks.md").read_text()
    assert all(f"| `{name}` |" in told for name in benchmarks)


def test_the_machine_is_described_without_naming_it(tools):
    described = dict(tools.harness.machine())
    assert "nbgrader 0." in described["packages"]
    assert "cores" in described["processor"]
    assert all("/" not in value for value in described.values())
