"""Papermill on forked kernels gives what papermill gives. Real papermill, real kernels."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import nbformat
import papermill
import pytest
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from papermill.exceptions import PapermillException, PapermillExecutionError

from markbook.errors import UsageError
from markbook.kernels.engine import MarkbookEngine

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode

pytestmark = pytest.mark.filterwarnings(
    # papermill's own code
    "ignore:datetime.datetime.utc:DeprecationWarning",
)


def write(path: Path, *sources: str, kernel: str = "python3") -> Path:
    cells = [
        new_markdown_cell("# Title", id="head"),
        new_code_cell("word = 'default'", id="params", metadata={"tags": ["parameters"]}),
        *(new_code_cell(source, id=f"cell{n}") for n, source in enumerate(sources)),
    ]
    notebook = new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {
        "name": kernel,
        "display_name": kernel,
        "language": "python",
    }
    nbformat.write(notebook, path)
    return path


def run(source: Path, output: Path | None = None, **options: Any) -> NotebookNode:
    arguments: dict[str, Any] = {"engine_name": "markbook", "progress_bar": False, **options}
    return papermill.execute_notebook(source, output, **arguments)


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def texts(notebook: NotebookNode) -> list[str]:
    return [
        "".join(o.get("text", o.get("ename", "")) for o in cell.get("outputs", []))
        for cell in notebook.cells
    ]


def timeless(notebook: NotebookNode) -> Any:
    """What is left of a run notebook without its times, chance and file names."""
    text = nbformat.writes(notebook)
    text = re.sub(r'"\d{4}-\d\d-\d\dT[^"]*"', '"TIME"', text)
    text = re.sub(r'"duration": [\d.e-]+', '"duration": 1', text)
    text = re.sub(r'"output_path": ".*"', '"output_path": "OUT"', text)
    text = re.sub(r'"id": "[0-9a-f-]+"', '"id": "ID"', text)
    return json.loads(text)


@pytest.mark.parametrize("fails", [False, True], ids=["fine", "failing"])
def test_the_notebook_that_is_kept_is_papermills(tmp_path: Path, fails: bool) -> None:
    cells = ["print(word)", "", "import sys; print('e', file=sys.stderr); 3", "display(4)"]
    cells[2:2] = ["1 / 0"] if fails else []
    source = write(tmp_path / "in.ipynb", *cells)
    raised = []
    for engine in ("nbclient", "markbook"):
        output = tmp_path / f"{engine}.ipynb"
        try:
            run(source, output, engine_name=engine, parameters={"word": "given"})
        except PapermillExecutionError as error:
            raised.append(str(error))
    ours, theirs = read(tmp_path / "markbook.ipynb"), read(tmp_path / "nbclient.ipynb")
    assert timeless(ours) == timeless(theirs)
    assert raised == ([raised[0]] * 2 if fails else [])
    assert "given\n" in texts(ours)


def test_an_exit_without_a_fault_is_none(tmp_path: Path) -> None:
    source = write(tmp_path / "in.ipynb", "import sys; sys.exit(0)", "print('not reached')")
    ran = run(source, tmp_path / "out.ipynb")
    assert texts(ran)[2].startswith("SystemExit")
    assert texts(ran)[3] == ""


@pytest.mark.parametrize(
    ("options", "code", "error"),
    [
        ({"execution_timeout": 0.5}, "while True: pass", CellTimeoutError),
        ({"timeout": 1}, "while True: pass", CellTimeoutError),
        ({"total_timeout": 0.7}, "import time; time.sleep(60)", CellTimeoutError),
        ({"output_limit": 100_000}, "print('x' * 50_000_000)", DeadKernelError),
        ({"output_limit": 100_000}, "while True: print('x' * 1000)", DeadKernelError),
        ({"memory_limit": 2**30}, "bytearray(4 * 2**30)", PapermillExecutionError),
        ({}, "import os; os._exit(1)", DeadKernelError),
    ],
    ids=["cell", "cell by its old name", "total", "line", "flood", "memory", "death"],
)
def test_a_limit_is_an_error_and_the_file_has_what_ran(
    tmp_path: Path, options: dict[str, Any], code: str, error: type[Exception]
) -> None:
    source = write(tmp_path / "in.ipynb", "print('before')", code, "print('after')")
    with pytest.raises(error):
        run(source, tmp_path / "out.ipynb", **options)
    kept = texts(read(tmp_path / "out.ipynb"))
    assert "before\n" in kept
    assert "after\n" not in kept


def test_the_file_is_written_at_the_end_and_in_between_only_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    monkeypatch.setattr("papermill.engines.write_ipynb", lambda nb, path: written.append(1))
    source = write(tmp_path / "in.ipynb", *["1"] * 5)
    found = {}
    for name, options in {
        "usual": {},
        "each": {"save_on_cell_execute": True},
        "neither": {"request_save_on_cell_execute": False, "save_on_cell_execute": True},
    }.items():
        written.clear()
        run(source, tmp_path / f"{name}.ipynb", **options)
        found[name] = len(written)
        assert (tmp_path / f"{name}.ipynb").is_file()
    assert found == {"usual": 0, "each": 16, "neither": 0}
    written.clear()
    slow = write(tmp_path / "slow.ipynb", *["import time; time.sleep(0.3)"] * 4)
    run(slow, tmp_path / "slow-out.ipynb", autosave_cell_every=0.2)
    assert 4 <= len(written) < 12


def test_both_names_of_this_pythons_kernel_are_forked(tmp_path: Path) -> None:
    code = "import os; print(open('/proc/self/comm').read().strip(), os.getcwd())"
    for name in ("python3", "markbook-python3"):
        source = write(tmp_path / "in.ipynb", code, kernel=name)
        ran = run(source, tmp_path / "out.ipynb", cwd=tmp_path)
        assert texts(ran)[-1] == f"markbook-kernel {tmp_path}\n"


def test_the_kernel_has_what_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROM_HERE", "yes")
    code = "import os, sys; print('colorsys' in sys.modules, sorted(os.environ))"
    source = write(tmp_path / "in.ipynb", code)
    said = texts(run(source))[-1]
    assert said.startswith("False")
    assert "'FROM_HERE'" in said
    said = texts(run(source, preload=["colorsys"], environment={"ONLY": "this"}))[-1]
    assert said.startswith("True")
    assert "'FROM_HERE'" not in said
    assert "'ONLY'" in said


def test_output_goes_to_the_log_and_to_files_as_papermill_sends_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = write(tmp_path / "in.ipynb", "import sys; print('out'); print('err', file=sys.stderr)")
    out, err = io.StringIO(), io.StringIO()
    with caplog.at_level("INFO", logger="papermill"):
        run(source, log_output=True, stdout_file=out, stderr_file=err)
    assert (out.getvalue(), err.getvalue()) == ("out\n", "err\n")
    assert {"out\n", "err\n"} <= set(caplog.messages)


def test_a_running_event_loop_is_no_hindrance(tmp_path: Path) -> None:
    source = write(tmp_path / "in.ipynb", "print(word)")

    async def inside() -> NotebookNode:
        return run(source, parameters={"word": "inside"})

    assert texts(asyncio.run(inside()))[-1] == "inside\n"


def foreign_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "jupyter" / "kernels" / "foreign"
    folder.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "x", "language": "python", "env": {"FOREIGN": "yes"}}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))


def test_another_kernel_is_run_as_papermill_runs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign_kernel(tmp_path, monkeypatch)
    code = "import os; print(os.environ['FOREIGN'])"
    source = write(tmp_path / "in.ipynb", code, kernel="foreign")
    assert texts(run(source))[-1] == "yes\n"


def test_what_another_kernel_cannot_have_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign_kernel(tmp_path, monkeypatch)
    source = write(tmp_path / "in.ipynb", "1", kernel="foreign")
    with pytest.raises(UsageError, match=r"'foreign' is not forked.*output_limit, preload"):
        run(source, output_limit=1, preload=["json"])


def test_where_kernels_cannot_be_forked_they_are_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("markbook.kernels.enginerun.sys", SimpleNamespace(platform="darwin"))
    source = write(tmp_path / "in.ipynb", "import os; print(word, len(os.environ) > 3)")
    ended = []
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    ran = run(
        source,
        parameters={"word": "started"},
        environment=environment,
        preload=["json"],
        on_end=lambda notebook, log: ended.append(notebook),
    )
    assert texts(ran)[-1].startswith("started")
    assert ended == [ran]


def test_papermill_finds_the_engine_and_says_when_there_is_no_kernel(tmp_path: Path) -> None:
    from papermill.engines import papermill_engines

    assert papermill_engines.get_engine("markbook") is MarkbookEngine
    source = write(tmp_path / "in.ipynb", "1")
    notebook = read(source)
    del notebook.metadata["kernelspec"]
    nbformat.write(notebook, source)
    with pytest.raises((ValueError, PapermillException), match="No kernel name"):
        run(source)
