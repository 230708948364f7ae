"""Real papermill, real kernels; few runs, since each takes a second."""

from __future__ import annotations

import multiprocessing
import pickle
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from markbook.errors import GraderError, NotebookError
from markbook.kernels import GraderRunError, run_grader
from markbook.notebooks import read_notebook


def write(path: Path, *sources: str) -> Path:
    cells = [
        new_markdown_cell("# A grader", id="head"),
        new_code_cell("word = 'default'", id="params", metadata={"tags": ["parameters"]}),
        *(new_code_cell(source, id=f"cell{n}") for n, source in enumerate(sources)),
    ]
    notebook = new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)
    return path


def outputs(path: Path) -> str:
    cells = [c for c in read_notebook(path).cells if c.cell_type == "code"]
    return "".join(o.get("text", "") for c in cells for o in c.outputs)


def test_the_notebook_runs_with_its_parameters_in_its_folder_by_this_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = tmp_path / "jupyter" / "kernels" / "python3"
    foreign.mkdir(parents=True)
    (foreign / "kernel.json").write_text(
        '{"argv": ["/bin/false"], "display_name": "x", "language": "python"}'
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    here = Path.cwd()
    work = tmp_path / "work"
    work.mkdir()
    notebook = write(
        tmp_path / "g.ipynb",
        "import os, sys\nprint(word, sys.executable, os.getcwd(), 'SECRET_TOKEN' in os.environ)",
        "open('made.txt', 'w').write(word)",
    )
    run = run_grader(notebook, tmp_path / "out.ipynb", {"word": "hi"}, timeout=60, cwd=work)
    assert outputs(run.output).split() == ["hi", sys.executable, str(work), "False"]
    assert (work / "made.txt").read_text() == "hi"
    assert Path.cwd() == here
    assert run.seconds > 0


def test_equal_runs_are_equal_bytes_and_the_source_stays_untouched(tmp_path: Path) -> None:
    notebook = write(tmp_path / "g.ipynb", "print(word)")
    before = notebook.read_bytes()
    for name in ("one", "other"):
        run_grader(notebook, tmp_path / f"{name}.ipynb", {"word": "x"}, timeout=60, cwd=tmp_path)
    assert (tmp_path / "one.ipynb").read_bytes() == (tmp_path / "other.ipynb").read_bytes()
    assert str(tmp_path) not in (tmp_path / "one.ipynb").read_text()
    assert notebook.read_bytes() == before


def test_a_failing_cell_is_named_and_marked_and_the_rest_is_kept(tmp_path: Path) -> None:
    notebook = write(tmp_path / "g.ipynb", "print('before')", "1 / 0", "print('after')")
    with pytest.raises(GraderRunError) as caught:
        run_grader(notebook, tmp_path / "out.ipynb", {"word": "x"}, timeout=60, cwd=tmp_path)
    error = caught.value
    assert isinstance(error, GraderError)
    assert (error.cell, error.name, error.value) == (3, "ZeroDivisionError", "division by zero")
    assert error.output == tmp_path / "out.ipynb"
    kept = read_notebook(error.output)
    marker = next(n for n, c in enumerate(kept.cells) if "markbook-failed" in str(c.metadata))
    assert kept.cells[marker + 1].source == "1 / 0"
    assert outputs(error.output) == "before\n"
    survived = pickle.loads(pickle.dumps(error))
    assert (survived.cell, survived.name, str(survived)) == (3, error.name, str(error))


def test_a_cell_that_never_ends_is_stopped_after_its_time(tmp_path: Path) -> None:
    notebook = write(tmp_path / "g.ipynb", "import time\ntime.sleep(600)")
    with pytest.raises(GraderRunError) as caught:
        run_grader(notebook, tmp_path / "out.ipynb", {}, timeout=2, cwd=tmp_path)
    assert "Timeout" in caught.value.name
    assert caught.value.output.is_file()


def test_a_kernel_that_dies_is_a_failure_with_evidence(tmp_path: Path) -> None:
    notebook = write(tmp_path / "g.ipynb", "import os\nos._exit(3)")
    with pytest.raises(GraderRunError) as caught:
        run_grader(notebook, tmp_path / "out.ipynb", {}, timeout=60, cwd=tmp_path)
    assert "Dead" in caught.value.name
    assert caught.value.output.is_file()


def test_what_is_no_notebook_is_refused_before_a_kernel_starts(tmp_path: Path) -> None:
    (tmp_path / "g.ipynb").write_text("nonsense")
    with pytest.raises(NotebookError):
        run_grader(tmp_path / "g.ipynb", tmp_path / "out.ipynb", {}, timeout=60, cwd=tmp_path)
    assert not (tmp_path / "out.ipynb").exists()


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_runs_go_side_by_side_in_threads_and_in_processes(tmp_path: Path, kind: str) -> None:
    notebook = write(tmp_path / "g.ipynb", "print(word)")
    pool = (
        ThreadPoolExecutor(2)
        if kind == "threads"
        else ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))
    )
    words = ["a", "b"]
    with pool:
        futures = [
            pool.submit(
                run_grader,
                notebook,
                tmp_path / f"{word}.ipynb",
                {"word": word},
                timeout=60,
                cwd=tmp_path,
            )
            for word in words
        ]
        found = [outputs(future.result().output).strip() for future in futures]
    assert found == words
